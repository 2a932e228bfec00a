#include "engine/downloads.h"

#include "db/connection.h"
#include "db/session.h"
#include "engine/reply.h"

#include <pthread.h>
#include <string.h>

#define LOCK_TIMEOUT_MS 5000

/* One thread. Its members under the mutex of `downloads` are `call`, `is_asked` and `ends`. */
struct download {
        struct downloads *downloads;
        pthread_t thread;
        pthread_cond_t wake;
        bool is_started;
        struct call *call; /* NULL: the thread is free */
        bool is_asked;     /* the thread owns the call */
        bool ends;
        timestamp deadline; /* clock_monotonic */
        struct shared_text *part;
        size_t filled; /* of the part */
        bool has_sent; /* an earlier part */
};

struct downloads {
        struct downloads_settings settings;
        pthread_mutex_t mutex;
        struct download threads[DOWNLOADS_AT_ONCE];
        bool stopping; /* refuses new calls */
};

/* ---- parts ---- */

static void lock(struct downloads *downloads) {
        (void) pthread_mutex_lock(&downloads->mutex);
}

static void unlock(struct downloads *downloads) {
        (void) pthread_mutex_unlock(&downloads->mutex);
}

bool download_ends(const struct download *download) {
        return __atomic_load_n(&download->ends, __ATOMIC_RELAXED) ||
               clock_monotonic() >= __atomic_load_n(&download->deadline, __ATOMIC_RELAXED);
}

static void part_hand_over(struct download *download) {
        struct call *call = download->call;

        if (download->part)
                download->part->size = download->filled;
        call->reply.shared = take(download->part);
        call->next = NULL;
        download->filled = 0;
}

/* The loop asks when the client has read enough, and when it has gone: no client stalls for longer than its reply may
 * take (http/server.h). */
static void part_wait(struct download *download) {
        struct downloads *downloads = download->downloads;

        lock(downloads);
        while (!download->is_asked)
                (void) pthread_cond_wait(&download->wake, &downloads->mutex);
        unlock(downloads);
}

static void part_send(struct download *download) {
        struct downloads *downloads = download->downloads;
        struct call *call = download->call;

        part_hand_over(download);
        download->has_sent = true;
        lock(downloads);
        download->is_asked = false;
        unlock(downloads);
        downloads->settings.done(downloads->settings.context, call);
        part_wait(download);
}

bool download_write(struct download *download, const char *bytes, size_t size) {
        while (size && !download_ends(download)) {
                size_t n;

                if (!download->part)
                        download->part = shared_text_new(DOWNLOAD_PART_SIZE);
                if (!download->part)
                        return false;
                n = DOWNLOAD_PART_SIZE - download->filled;
                if (n > size)
                        n = size;
                memcpy(download->part->bytes + download->filled, bytes, n);
                download->filled += n;
                bytes += n;
                size -= n;
                if (download->filled == DOWNLOAD_PART_SIZE)
                        part_send(download);
        }
        return !size;
}

/* ---- a thread ---- */

static void download_run(struct download *download) {
        const struct downloads_settings *settings = &download->downloads->settings;
        const struct database_settings database_settings = { .url = settings->database_url,
                .schema = settings->schema,
                .name = "holdfast export",
                .plans = PLANS_FREE,
                .lock_timeout_ms = LOCK_TIMEOUT_MS };
        _cleanup_(database_close_cleanup) struct database *database = database_new(&database_settings);
        struct call *call = download->call;

        if (!database || database_connect(database))
                reply_plain_problem(call, PROBLEM_DATABASE_UNAVAILABLE);
        else
                call->route->download(call, database, download);
        /* A refusal cannot follow a part that is out. */
        call->download.cut = call->reply.status >= 400 && download->has_sent;
        if (call->reply.status >= 400) {
                shared_text_drop(take(download->part));
                download->filled = 0;
        }
        call->download.last = true;
        part_hand_over(download);
}

static void download_finish(struct download *download) {
        struct downloads *downloads = download->downloads;
        struct call *call;

        lock(downloads);
        call = take(download->call);
        download->is_asked = false;
        unlock(downloads);
        downloads->settings.done(downloads->settings.context, call);
}

static void *download_main(void *context) {
        struct download *download = context;
        struct downloads *downloads = download->downloads;
        bool has_call;

        for (;;) {
                lock(downloads);
                while (!download->call && !downloads->stopping)
                        (void) pthread_cond_wait(&download->wake, &downloads->mutex);
                has_call = download->call != NULL;
                unlock(downloads);
                if (!has_call)
                        return NULL;
                download_run(download);
                download_finish(download);
        }
}

struct downloads *downloads_start(const struct downloads_settings *settings) {
        struct downloads *downloads = calloc(1, sizeof(*downloads));

        if (!downloads)
                return NULL;
        downloads->settings = *settings;
        (void) pthread_mutex_init(&downloads->mutex, NULL);
        for (size_t i = 0; i < DOWNLOADS_AT_ONCE; i++) {
                struct download *download = &downloads->threads[i];

                download->downloads = downloads;
                (void) pthread_cond_init(&download->wake, NULL);
                download->is_started = pthread_create(&download->thread, NULL, download_main, download) == 0;
                if (!download->is_started)
                        return downloads_stop(downloads);
        }
        return downloads;
}

/* ---- the loop ---- */

static bool download_take(struct download *download, struct call *call) {
        if (download->call)
                return false;
        call->download.thread = download;
        download->call = call;
        download->is_asked = true;
        download->ends = download->has_sent = false;
        download->deadline = clock_monotonic() + DOWNLOAD_TIME_MAX;
        (void) pthread_cond_signal(&download->wake);
        return true;
}

static bool refuse_download(struct call *call) {
        call->refusal.retry_after_s = DOWNLOAD_RETRY_S;
        call_refuse(call, PROBLEM_OVERLOADED, "An instance runs %d exports at a time.", DOWNLOADS_AT_ONCE);
        reply_problem(call);
        return false;
}

bool downloads_begin(struct downloads *downloads, struct call *call) {
        bool taken = false;

        lock(downloads);
        for (size_t i = 0; i < DOWNLOADS_AT_ONCE && !taken && !downloads->stopping; i++)
                taken = download_take(&downloads->threads[i], call);
        unlock(downloads);
        return taken || refuse_download(call);
}

void downloads_next(struct call *call, bool ends) {
        struct download *download = call->download.thread;

        lock(download->downloads);
        if (ends)
                __atomic_store_n(&download->ends, true, __ATOMIC_RELAXED);
        download->is_asked = true;
        (void) pthread_cond_signal(&download->wake);
        unlock(download->downloads);
}

void downloads_end(struct call *call) {
        __atomic_store_n(&call->download.thread->ends, true, __ATOMIC_RELAXED);
}

void downloads_drain(struct downloads *downloads) {
        const timestamp deadline = clock_monotonic() + DOWNLOAD_DRAIN_TIME;

        lock(downloads);
        downloads->stopping = true;
        for (size_t i = 0; i < DOWNLOADS_AT_ONCE; i++) {
                struct download *download = &downloads->threads[i];

                if (deadline < download->deadline)
                        __atomic_store_n(&download->deadline, deadline, __ATOMIC_RELAXED);
                (void) pthread_cond_signal(&download->wake);
        }
        unlock(downloads);
}

size_t downloads_running(struct downloads *downloads) {
        size_t n = 0;

        lock(downloads);
        for (size_t i = 0; i < DOWNLOADS_AT_ONCE; i++)
                n += downloads->threads[i].call != NULL;
        unlock(downloads);
        return n;
}

static void threads_end(struct downloads *downloads) {
        lock(downloads);
        downloads->stopping = true;
        for (size_t i = 0; i < DOWNLOADS_AT_ONCE; i++) {
                __atomic_store_n(&downloads->threads[i].ends, true, __ATOMIC_RELAXED);
                downloads->threads[i].is_asked = true; /* no loop asks any more */
                (void) pthread_cond_signal(&downloads->threads[i].wake);
        }
        unlock(downloads);
}

struct downloads *downloads_stop(struct downloads *downloads) {
        if (!downloads)
                return NULL;
        threads_end(downloads);
        for (size_t i = 0; i < DOWNLOADS_AT_ONCE; i++) {
                if (downloads->threads[i].is_started)
                        (void) pthread_join(downloads->threads[i].thread, NULL);
                (void) pthread_cond_destroy(&downloads->threads[i].wake);
        }
        (void) pthread_mutex_destroy(&downloads->mutex);
        free(downloads);
        return NULL;
}
