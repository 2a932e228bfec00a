#include "http/health.h"

#include "db/schema.h"
#include "db/session.h"
#include "engine/reply.h"

#include <pthread.h>
#include <stdatomic.h>

#define PING_STATEMENT_MS 900
#define PING_TIME_MAX     (2 * SECOND) /* a silent host must not delay the next ping or the shutdown */

struct health {
        struct health_settings settings;
        struct database_settings database_settings;
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        bool stopping;
};

/* Read by the loop, written by the thread. */
static _Atomic timestamp seen_at = INT64_MIN / 2;
static _Atomic bool seen_fit, seen_old; /* the schema fits; the schema is older than the program */
static struct health_settings asked;

static enum problem ping(struct database *database, const char *schema) {
        struct schema_state state;
        enum problem p = database_connect(database);

        if (!p)
                p = schema_look(database, schema, clock_monotonic() + PING_TIME_MAX, &state);
        if (p)
                return p;
        atomic_store(&seen_fit, schema_fits(&state));
        atomic_store(&seen_old, state.version < schema_head());
        atomic_store(&seen_at, clock_monotonic());
        return PROBLEM_NONE;
}

static bool health_wait_for_next(struct health *health) {
        struct timespec until;
        bool stopping;

        (void) clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += HEALTH_INTERVAL / SECOND;
        (void) pthread_mutex_lock(&health->mutex);
        if (!health->stopping)
                (void) pthread_cond_timedwait(&health->wake, &health->mutex, &until);
        stopping = health->stopping;
        (void) pthread_mutex_unlock(&health->mutex);
        return !stopping;
}

static void *health_main(void *context) {
        struct health *health = context;
        struct database *database = database_new(&health->database_settings);

        do
                if (database)
                        (void) ping(database, health->settings.schema);
        while (health_wait_for_next(health));
        (void) database_close(database);
        return NULL;
}

struct health *health_start(const struct health_settings *settings) {
        struct health *health = calloc(1, sizeof(*health));
        pthread_condattr_t attributes;

        if (!health)
                return NULL;
        asked = *settings;
        health->settings = *settings;
        health->database_settings = (struct database_settings){ .url = settings->database_url,
                .schema = settings->schema,
                .name = "holdfast health",
                .plans = PLANS_FREE,
                .statement_timeout_ms = PING_STATEMENT_MS,
                .lock_timeout_ms = PING_STATEMENT_MS,
                .unprepared = true };
        (void) pthread_mutex_init(&health->mutex, NULL);
        (void) pthread_condattr_init(&attributes);
        (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&health->wake, &attributes);
        (void) pthread_condattr_destroy(&attributes);
        if (pthread_create(&health->thread, NULL, health_main, health) == 0)
                return health;
        free(health);
        return NULL;
}

struct health *health_stop(struct health *health) {
        if (!health)
                return NULL;
        (void) pthread_mutex_lock(&health->mutex);
        health->stopping = true;
        (void) pthread_mutex_unlock(&health->mutex);
        (void) pthread_cond_signal(&health->wake);
        (void) pthread_join(health->thread, NULL);
        (void) pthread_cond_destroy(&health->wake);
        (void) pthread_mutex_destroy(&health->mutex);
        free(health);
        return NULL;
}

static void write_check(struct writer *json, const char *name, bool ok, const char *output) {
        write_name(json, name);
        write_list_begin(json);
        write_object_begin(json);
        write_text_member(json, "status", ok ? "pass" : "fail");
        if (!ok)
                write_text_member(json, "output", output);
        write_object_end(json);
        write_list_end(json);
}

void livez_answer(struct call *call) {
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_text_member(&w.json, "status", "pass");
        reply_end(&w);
        call->reply.content_type = "application/health+json";
}

struct readiness {
        bool database, keys, schema, serving;
};

static struct readiness readiness(void) {
        const bool database = clock_monotonic() - atomic_load(&seen_at) < HEALTH_FRESH_FOR;

        return (struct readiness){ .database = database,
                .keys = !asked.keys_ready || asked.keys_ready(),
                .schema = database && atomic_load(&seen_fit),
                .serving = !asked.is_draining || !asked.is_draining() };
}

static bool is_ready(const struct readiness *r) {
        return r->database && r->keys && r->schema && r->serving;
}

bool health_is_ready(void) {
        const struct readiness r = readiness();

        return is_ready(&r);
}

void readyz_answer(struct call *call) {
        const struct readiness r = readiness();
        const bool ready = is_ready(&r);
        struct reply_writer w;

        reply_begin(&w, call, ready ? 200 : 503);
        write_text_member(&w.json, "status", ready ? "pass" : "fail");
        write_name(&w.json, "checks");
        write_object_begin(&w.json);
        write_check(&w.json, "database", r.database, "no answer within three seconds");
        write_check(&w.json, "keys", r.keys, "the keys of the identity provider have not been read yet");
        if (r.database) /* an unreachable database is no proof of a wrong schema */
                write_check(&w.json, "schema", r.schema,
                        atomic_load(&seen_old) ? "older than this program needs; run holdfast migrate"
                                               : "newer than this program may work on; use the newer program");
        write_check(&w.json, "serving", r.serving, "shutting down");
        write_object_end(&w.json);
        reply_end(&w);
        call->reply.content_type = "application/health+json";
        if (!ready)
                call->reply.retry_after_s = 1;
}
