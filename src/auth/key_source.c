#include "auth/key_source.h"

#include "auth/jwks.h"
#include "auth/jwks_fetch.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

#include <curl/curl.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>

struct token_source {
        struct token_source_settings settings;
        pthread_t thread;
        bool has_thread;
        bool has_curl;
        atomic_bool stopping;

        pthread_mutex_t lock;
        pthread_cond_t wake;     /* the thread has something to do */
        pthread_cond_t finished; /* a reading is finished */
        struct token_keys *keys;
        struct token_source_counts counts;
        bool wanted;          /* a reading was requested */
        timestamp unknown_at; /* when an unknown key last caused one; TIMESTAMP_NONE: never */

        /* From here on for the reader alone: first the starter, then the thread. */
        timestamp due_at;
        struct token_file_mark mark; /* of the file, before it was last read */
        const char *trouble;         /* why the last reading failed; NULL: it did not */
        uint8_t digest[DIGEST_SIZE]; /* of the document in force */
        uint64_t generation;         /* of the set in force */
};

static bool is_static(const struct token_source *source) {
        return source->settings.secret;
}

static bool source_document_get(
        struct token_source *source, struct token_document *ret_document, const char **ret_reason) {
        const struct token_source_settings *settings = &source->settings;

        if (settings->jwks_url)
                return token_document_fetch(settings->jwks_url, &source->stopping, ret_document, ret_reason);
        source->mark = token_file_mark(settings->jwks_file);
        return token_document_read(settings->jwks_file, ret_document, ret_reason);
}

static void keys_publish(struct token_source *source, struct token_keys *keys) {
        struct token_keys *former;

        token_keys_set_generation(keys, ++source->generation);
        (void) pthread_mutex_lock(&source->lock);
        former = source->keys;
        source->keys = keys;
        (void) pthread_mutex_unlock(&source->lock);
        (void) token_keys_unref(former);
}

static bool document_apply(
        struct token_source *source, const struct token_document *document, const char **ret_reason) {
        uint8_t digest[DIGEST_SIZE];
        struct token_keys *keys = NULL;

        digest_parts(&(struct digest_part){ document->bytes, document->size }, 1, digest);
        if (source->generation > 0 && memcmp(digest, source->digest, sizeof(digest)) == 0)
                return true;
        if (!token_keys_from_jwks(document->bytes, document->size, &keys, ret_reason))
                return false;
        memcpy(source->digest, digest, sizeof(digest));
        log_event(LOG_LEVEL_INFO, "token keys in force", LOG_INTEGER, "keys", (int64_t) token_keys_count(keys),
                LOG_INTEGER, "generation", (int64_t) source->generation + 1, LOG_END);
        keys_publish(source, keys);
        return true;
}

/* Log a failure once, again when its reason changes, and once when it ends. */
static void state_note(struct token_source *source, const char *trouble) {
        if (trouble && !text_equal(trouble, source->trouble))
                log_event(LOG_LEVEL_WARNING, "token keys unreadable, earlier keys stay in force", LOG_TEXT, "reason",
                        trouble, LOG_END);
        if (!trouble && source->trouble)
                log_event(LOG_LEVEL_INFO, "token keys readable again", LOG_END);
        source->trouble = trouble;
}

static void reading_count(struct token_source *source, bool failed) {
        (void) pthread_mutex_lock(&source->lock);
        source->counts.readings++;
        source->counts.failures += failed;
        (void) pthread_cond_broadcast(&source->finished);
        (void) pthread_mutex_unlock(&source->lock);
}

static void source_read(struct token_source *source) {
        _cleanup_(token_document_clear) struct token_document document = { 0 };
        const char *trouble = NULL;
        bool good;

        good = source_document_get(source, &document, &trouble) && document_apply(source, &document, &trouble);
        if (atomic_load(&source->stopping))
                return;
        state_note(source, good ? NULL : trouble);
        source->due_at = clock_monotonic() + (good ? TOKEN_SOURCE_INTERVAL : TOKEN_SOURCE_RETRY_INTERVAL);
        reading_count(source, !good);
}

/* Wait on a condition until a monotonic instant. The clock of the condition and ours differ in epoch only. */
static void wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, timestamp deadline) {
        const duration left = deadline - clock_monotonic();
        struct timespec at;
        int64_t nanoseconds;

        if (left <= 0)
                return;
        (void) clock_gettime(CLOCK_MONOTONIC, &at);
        nanoseconds = at.tv_nsec + left % SECOND * 1000;
        at.tv_sec += left / SECOND + nanoseconds / 1000000000;
        at.tv_nsec = nanoseconds % 1000000000;
        (void) pthread_cond_timedwait(condition, lock, &at);
}

/* Sleep until a reading is requested, the source stops, or the next check is due. True when a reading was requested. */
static bool request_await(struct token_source *source) {
        timestamp deadline = source->due_at;
        bool wanted;

        if (source->settings.jwks_file && clock_monotonic() + source->settings.check_interval < deadline)
                deadline = clock_monotonic() + source->settings.check_interval;
        (void) pthread_mutex_lock(&source->lock);
        while (!source->wanted && !atomic_load(&source->stopping) && clock_monotonic() < deadline)
                wait_until(&source->wake, &source->lock, deadline);
        wanted = source->wanted;
        source->wanted = false;
        (void) pthread_mutex_unlock(&source->lock);
        return wanted;
}

static bool file_changed(const struct token_source *source) {
        struct token_file_mark mark;

        if (!source->settings.jwks_file)
                return false;
        mark = token_file_mark(source->settings.jwks_file);
        return !token_file_mark_equal(&mark, &source->mark);
}

static void *source_run(void *context) {
        struct token_source *source = context;

        while (!atomic_load(&source->stopping)) {
                const bool wanted = request_await(source);

                if (atomic_load(&source->stopping))
                        break;
                if (wanted || clock_monotonic() >= source->due_at || file_changed(source))
                        source_read(source);
        }
        return NULL;
}

static const char *settings_check(const struct token_source_settings *settings) {
        const int n = !!settings->secret + !!settings->jwks_file + !!settings->jwks_url;

        return n == 1 ? NULL : "exactly one of secret, JWKS file and JWKS URL must be configured";
}

static void conditions_init(struct token_source *source) {
        pthread_condattr_t attributes;

        (void) pthread_condattr_init(&attributes);
        (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&source->wake, &attributes);
        (void) pthread_cond_init(&source->finished, &attributes);
        (void) pthread_condattr_destroy(&attributes);
        (void) pthread_mutex_init(&source->lock, NULL);
}

static struct token_source *source_new(const struct token_source_settings *settings) {
        struct token_source *source = calloc(1, sizeof(*source));

        if (!source)
                return NULL;
        source->settings = *settings;
        source->unknown_at = TIMESTAMP_NONE;
        if (source->settings.check_interval == 0)
                source->settings.check_interval = TOKEN_SOURCE_CHECK_INTERVAL;
        conditions_init(source);
        return source;
}

/* The loop handles all signals: the thread blocks them. */
static bool thread_start(struct token_source *source) {
        sigset_t all, former;
        int error;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &former);
        error = pthread_create(&source->thread, NULL, source_run, source);
        (void) pthread_sigmask(SIG_SETMASK, &former, NULL);
        source->has_thread = error == 0;
        return source->has_thread;
}

static enum problem secret_use(struct token_source *source, const char **ret_reason) {
        const char *secret = source->settings.secret;
        struct token_keys *keys = NULL;

        if (!token_keys_from_secret(secret, strlen(secret), &keys, ret_reason))
                return PROBLEM_VALIDATION_FAILED;
        keys_publish(source, keys);
        return PROBLEM_NONE;
}

static enum problem document_use(struct token_source *source, const char **ret_reason) {
        source->keys = token_keys_new(NULL, 0);
        if (!source->keys) {
                *ret_reason = "there is no memory for the keys";
                return PROBLEM_INTERNAL;
        }
        source->has_curl = source->settings.jwks_url && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
        if (source->settings.jwks_url && !source->has_curl) {
                *ret_reason = "libcurl cannot be initialised";
                return PROBLEM_INTERNAL;
        }
        source_read(source);
        if (!thread_start(source)) {
                *ret_reason = "the thread that reads the keys cannot be started";
                return PROBLEM_INTERNAL;
        }
        return PROBLEM_NONE;
}

enum problem token_source_start(
        const struct token_source_settings *settings, struct token_source **ret_source, const char **ret_reason) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;
        const char *reason = settings_check(settings);
        enum problem problem;

        if (reason) {
                *ret_reason = reason;
                return PROBLEM_VALIDATION_FAILED;
        }
        source = source_new(settings);
        if (!source) {
                *ret_reason = "there is no memory for the keys";
                return PROBLEM_INTERNAL;
        }
        problem = is_static(source) ? secret_use(source, ret_reason) : document_use(source, ret_reason);
        if (problem)
                return problem;
        *ret_source = take(source);
        return PROBLEM_NONE;
}

static void thread_stop(struct token_source *source) {
        (void) pthread_mutex_lock(&source->lock);
        atomic_store(&source->stopping, true);
        (void) pthread_cond_broadcast(&source->wake);
        (void) pthread_mutex_unlock(&source->lock);
        (void) pthread_join(source->thread, NULL);
}

struct token_source *token_source_stop(struct token_source *source) {
        if (!source)
                return NULL;
        if (source->has_thread)
                thread_stop(source);
        if (source->has_curl)
                curl_global_cleanup();
        (void) token_keys_unref(source->keys);
        (void) pthread_cond_destroy(&source->finished);
        (void) pthread_cond_destroy(&source->wake);
        (void) pthread_mutex_destroy(&source->lock);
        free(source);
        return NULL;
}

struct token_keys *token_source_keys(struct token_source *source) {
        struct token_keys *keys;

        (void) pthread_mutex_lock(&source->lock);
        keys = token_keys_reference(source->keys);
        (void) pthread_mutex_unlock(&source->lock);
        return keys;
}

bool token_source_ready(struct token_source *source) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = token_source_keys(source);

        return token_keys_count(keys) > 0;
}

static void reading_want(struct token_source *source) {
        source->wanted = true;
        (void) pthread_cond_signal(&source->wake);
}

void token_source_refresh(struct token_source *source) {
        (void) pthread_mutex_lock(&source->lock);
        reading_want(source);
        (void) pthread_mutex_unlock(&source->lock);
}

bool token_source_unknown_key(struct token_source *source, timestamp now) {
        bool due;

        if (is_static(source))
                return false;
        (void) pthread_mutex_lock(&source->lock);
        due = source->unknown_at == TIMESTAMP_NONE || now - source->unknown_at >= TOKEN_SOURCE_UNKNOWN_INTERVAL;
        if (due) {
                source->unknown_at = now;
                reading_want(source);
        }
        (void) pthread_mutex_unlock(&source->lock);
        return due;
}

struct token_source_counts token_source_counts(struct token_source *source) {
        struct token_source_counts counts;

        (void) pthread_mutex_lock(&source->lock);
        counts = source->counts;
        (void) pthread_mutex_unlock(&source->lock);
        return counts;
}

bool token_source_wait(struct token_source *source, uint64_t readings, timestamp deadline) {
        bool reached;

        (void) pthread_mutex_lock(&source->lock);
        while (source->counts.readings < readings && clock_monotonic() < deadline)
                wait_until(&source->finished, &source->lock, deadline);
        reached = source->counts.readings >= readings;
        (void) pthread_mutex_unlock(&source->lock);
        return reached;
}
