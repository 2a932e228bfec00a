/*
 * engine/downloads: replies too long for memory, written part by part on separate threads.
 *
 * A thread takes one call, with a new connection to the database, and keeps both to the end of the reply. It hands the
 * call to the loop with each full part and waits until the loop asks for the next one: a slow client slows the database
 * down and takes no memory. No lane runs such a call, so it never delays a sale. The last part of a call says so
 * (`last`); if the reply is not complete, also `cut`.
 *
 * Bounded: DOWNLOADS_AT_ONCE calls, each with DOWNLOAD_TIME_MAX, because an open snapshot keeps PostgreSQL from
 * clearing old rows. The loop and a thread never own a call at the same time.
 */
#pragma once

#include "engine/call.h"

#define DOWNLOADS_AT_ONCE   2 /* of one instance */
#define DOWNLOAD_PART_SIZE  ((size_t) 64 * 1024)
#define DOWNLOAD_TIME_MAX   (15 * MINUTE)
#define DOWNLOAD_DRAIN_TIME (10 * SECOND) /* after SIGTERM */
#define DOWNLOAD_RETRY_S    30            /* Retry-After of a refused one */

struct downloads_settings {
        const char *database_url, *schema;
        /* Takes a call back from its thread, with a part or refused; called on that thread. */
        void (*done)(void *context, struct call *call);
        void *context;
};

struct downloads;

/* Start the threads. NULL when one cannot start. */
must_check struct downloads *downloads_start(const struct downloads_settings *settings);

/* Loop thread: begin a call. False when all threads are busy or stopping: the call is refused and stays the caller's.
 */
must_check bool downloads_begin(struct downloads *downloads, struct call *call);

/* Loop thread: give the call back to its thread, for the next part; `ends`: the client has gone, so the next part is
 * the last one. */
void downloads_next(struct call *call, bool ends);

/* Loop thread: the client has gone while the thread has the call. */
void downloads_end(struct call *call);

/* Loop thread: refuse new calls, and end the running ones after DOWNLOAD_DRAIN_TIME. */
void downloads_drain(struct downloads *downloads);

/* Calls at work now. Any thread. */
size_t downloads_running(struct downloads *downloads);

/* End all calls and stop. The connections of their clients must be closed. NULL is fine. Returns NULL. */
struct downloads *downloads_stop(struct downloads *downloads);

/* ---- for the room, on the thread ---- */

/* Write bytes of the reply; false: the download ends, and nothing more is taken. */
must_check bool download_write(struct download *download, const char *bytes, size_t size);

/* Whether the download ends early: the client has gone, the time is over, or the process stops. */
bool download_ends(const struct download *download);
