/*
 * commands/relay: parts of `holdfast relay`, which copies the log of events to a target.
 *
 * A batch is events of one page of the log, one JSON object a line. The target has taken the batch before its consumer
 * moves, so a crash between the two repeats events with equal ids and loses none. One thread.
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/problem.h"
#include "db/connection.h"
#include "events/log.h"

#include <stdio.h>

#define RELAY_MEMORY_MAX ((size_t) 16 * 1024 * 1024) /* of one page */

/* Print a line on standard error; standard output belongs to the events. */
void relay_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- stopping (relay_stop.c) ---- */

/* Keep SIGTERM, SIGINT and SIGHUP from ending the process. False: the system refuses. */
must_check bool relay_stop_listen(void);

/* Whether one of these signals has arrived. */
bool relay_stop_asked(void);

/* Wait until the descriptor is ready (-1: none), a signal arrives or the time has passed. True: it is ready. */
bool relay_wait(int fd, short events, duration time);

/* ---- the log and its consumer (relay_log.c) ---- */

struct relay_log {
        struct database_settings settings;
        struct database *database;
        struct arena arena, lasting; /* of a page, and of the whole run */
        const char *consumer;
        const char *types; /* patterns; NULL: as the consumer has them */
        bool after_now;    /* a new consumer begins now, not with the oldest event */
        bool connected;
        bool late;                /* the outage is reported */
        bool was_lost;            /* a trip of this step had no known outcome */
        bool told;                /* a notice says that there are events */
        int64_t committed;        /* position of the consumer */
        timestamp commit_at;      /* clock_monotonic: before it, the consumer moves for sent events alone */
        struct log_filter filter; /* `after`: all events up to there are sent */
        struct log_page page;
};

/* Connect; create the consumer if there is none, and take its position and types. */
must_check enum problem relay_log_open(struct relay_log *log);
void relay_log_close(struct relay_log *log);

/* Read the next page. */
must_check enum problem relay_log_read(struct relay_log *log);

/* Move the consumer behind the sent events. False in `ret_moved`: another process has moved it. */
must_check enum problem relay_log_commit(struct relay_log *log, bool *ret_moved);

/* Wait until there may be more events, or a signal arrives. */
void relay_log_wait(struct relay_log *log);

/* ---- targets ---- */

enum relay_outcome {
        RELAY_SENT,
        RELAY_STOPPED, /* a signal came first: the batch is not taken, or not whole */
        RELAY_CLOSED,  /* nobody will read it; reported */
        RELAY_GIVEN_UP,
};

struct relay_http_settings {
        const char *url;
        const char *ca;            /* file of trusted certificates; NULL: those of the system */
        const char *authorization; /* header value; may be NULL */
        int64_t attempts;          /* of a batch; 0: no limit */
};

/* The fault of a URL; NULL: none. */
const char *relay_url_fault(const char *url);

struct relay_http;
must_check struct relay_http *relay_http_new(const struct relay_http_settings *settings);
struct relay_http *relay_http_free(struct relay_http *http); /* NULL is fine; returns NULL */
enum relay_outcome relay_http_send(struct relay_http *http, const char *lines, size_t size);

/* Write whole lines into a pipe or file, and wait until they are stored. */
enum relay_outcome relay_pipe_send(int fd, const char *lines, size_t size);
