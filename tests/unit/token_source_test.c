#include "auth/key_source.h"

#include "auth/jwks.h"
#include "auth/jwks_fetch.h"
#include "base/log.h"
#include "loopback_server.h"
#include "token_forge.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT   ((size_t) 8 * 1024 * 1024)
#define PATIENT (60 * SECOND) /* reached only when something is broken */
#define SELDOM  (1 * DAY)     /* how often to look at the file where a test must not depend on it */
#define OFTEN   (1 * MILLISECOND)

static struct arena arena;
static char folder[] = "/tmp/holdfast-token-source-XXXXXX";
static char *path, *other_path;
static EVP_PKEY *first_pair, *second_pair;
static const char *first_document, *second_document;

static void set_up(void) {
        arena_init(&arena, LIMIT);
        log_set_level(LOG_LEVEL_ERROR); /* failures here are on purpose */
        cr_assert_not_null(mkdtemp(folder));
        path = arena_format(&arena, "%s/jwks.json", folder);
        other_path = arena_format(&arena, "%s/jwks.json.new", folder);
        first_pair = forge_ed25519();
        second_pair = forge_ed25519();
        first_document = forge_jwks(&arena, forge_jwk(&arena, first_pair, ",\"kid\":\"first\""), NULL);
        second_document = forge_jwks(&arena, forge_jwk(&arena, second_pair, ",\"kid\":\"second\""), NULL);
}

static void tear_down(void) {
        (void) unlink(path);
        (void) unlink(other_path);
        (void) rmdir(folder);
        EVP_PKEY_free(first_pair);
        EVP_PKEY_free(second_pair);
        arena_clear(&arena);
}

TestSuite(token_source, .init = set_up, .fini = tear_down);

static void write_bytes(const char *name, const char *bytes, size_t size) {
        FILE *file = fopen(name, "we");

        cr_assert_not_null(file);
        cr_assert_eq(fwrite(bytes, 1, size, file), size);
        cr_assert_eq(fclose(file), 0);
}

/* As an operator would: the source never sees half a file. */
static void file_put(const char *document) {
        write_bytes(other_path, document, strlen(document));
        cr_assert_eq(rename(other_path, path), 0);
}

static struct token_source *source_of(const struct token_source_settings *settings) {
        struct token_source *source = NULL;
        const char *reason = NULL;

        cr_assert_eq(token_source_start(settings, &source, &reason), PROBLEM_NONE, "%s", reason);
        return source;
}

static struct token_source *source_of_file(duration check_interval) {
        return source_of(&(struct token_source_settings){ .jwks_file = path, .check_interval = check_interval });
}

static struct token_source *source_of_url(const char *url) {
        return source_of(&(struct token_source_settings){ .jwks_url = url });
}

static void await_reading(struct token_source *source, uint64_t readings) {
        cr_assert(token_source_wait(source, readings, clock_monotonic() + PATIENT));
}

/* The name of the one key in force; "" when there is none. */
static const char *key_in_force(struct token_source *source) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = token_source_keys(source);

        if (token_keys_count(keys) == 0)
                return "";
        return arena_text(&arena, token_keys_at(keys, 0)->id);
}

static uint64_t generation_in_force(struct token_source *source) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = token_source_keys(source);

        return token_keys_generation(keys);
}

/* Wait, reading by reading: how many it takes is not for a test to say. */
static void await_key(struct token_source *source, const char *name) {
        uint64_t readings = token_source_counts(source).readings;

        while (strcmp(key_in_force(source), name) != 0) {
                await_reading(source, readings + 1);
                readings++;
        }
}

static void await_failure(struct token_source *source) {
        struct token_source_counts counts = token_source_counts(source);

        while (counts.failures == 0) {
                await_reading(source, counts.readings + 1);
                counts = token_source_counts(source);
        }
}

Test(token_source, file_is_read_before_the_start_is_done) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;

        file_put(first_document);
        source = source_of_file(SELDOM);
        cr_expect(token_source_ready(source));
        cr_expect_str_eq(key_in_force(source), "first");
        cr_expect_eq(token_source_counts(source).readings, 1);
        cr_expect_eq(token_source_counts(source).failures, 0);
}

Test(token_source, file_that_is_replaced_is_read_again) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;
        uint64_t generation;

        file_put(first_document);
        source = source_of_file(OFTEN);
        generation = generation_in_force(source);
        file_put(second_document);
        await_key(source, "second");
        cr_expect_gt(generation_in_force(source), generation);
}

Test(token_source, file_that_is_not_there_yet_is_read_when_it_comes) {
        _cleanup_(token_source_cleanup) struct token_source *source = source_of_file(OFTEN);

        cr_expect_not(token_source_ready(source));
        cr_expect_str_eq(key_in_force(source), "");
        cr_expect_eq(token_source_counts(source).failures, 1);
        file_put(first_document);
        await_key(source, "first");
        cr_expect(token_source_ready(source));
}

Test(token_source, last_good_keys_stay_when_the_file_turns_bad) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;
        uint64_t generation;

        file_put(first_document);
        source = source_of_file(OFTEN);
        generation = generation_in_force(source);
        file_put("{\"keys\":[]}");
        await_failure(source);
        cr_expect_str_eq(key_in_force(source), "first");
        cr_expect_eq(generation_in_force(source), generation);
        cr_expect(token_source_ready(source));
}

Test(token_source, last_good_keys_stay_when_the_file_is_gone) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;

        file_put(first_document);
        source = source_of_file(OFTEN);
        cr_assert_eq(unlink(path), 0);
        await_failure(source);
        cr_expect_str_eq(key_in_force(source), "first");
        file_put(second_document);
        await_key(source, "second");
}

Test(token_source, same_document_keeps_its_generation) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;
        uint64_t generation;

        file_put(first_document);
        source = source_of_file(SELDOM);
        generation = generation_in_force(source);
        file_put(first_document);
        token_source_refresh(source);
        await_reading(source, 2);
        cr_expect_eq(generation_in_force(source), generation);
        cr_expect_eq(token_source_counts(source).failures, 0);
}

Test(token_source, refresh_reads_at_once) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;

        file_put(first_document);
        source = source_of_file(SELDOM);
        file_put(second_document);
        token_source_refresh(source);
        await_reading(source, 2);
        cr_expect_str_eq(key_in_force(source), "second");
}

Test(token_source, unknown_key_causes_a_reading_once_a_minute) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;
        const timestamp now = 5 * HOUR;

        file_put(first_document);
        source = source_of_file(SELDOM);
        file_put(second_document);
        cr_expect(token_source_unknown_key(source, now));
        await_reading(source, 2);
        cr_expect_str_eq(key_in_force(source), "second");
        cr_expect_not(token_source_unknown_key(source, now));
        cr_expect_not(token_source_unknown_key(source, now + 60 * SECOND - 1));
        cr_expect_eq(token_source_counts(source).readings, 2);
        cr_expect(token_source_unknown_key(source, now + 60 * SECOND));
        await_reading(source, 3);
        cr_expect_not(token_source_unknown_key(source, now + 61 * SECOND));
}

/* Redirect standard output, the log, into a file; returns the descriptor that restores it. */
static int output_divert(const char *name) {
        const int former = dup(STDOUT_FILENO);
        const int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        cr_assert_geq(former, 0);
        cr_assert_geq(dup2(file, STDOUT_FILENO), 0);
        (void) close(file);
        return former;
}

static int lines_with(const char *name, const char *text) {
        char line[1024];
        FILE *file = fopen(name, "re");
        int n = 0;

        cr_assert_not_null(file);
        while (fgets(line, sizeof(line), file))
                n += strstr(line, text) != NULL;
        (void) fclose(file);
        return n;
}

static void refresh_times(struct token_source *source, int times) {
        for (int i = 0; i < times; i++) {
                const uint64_t readings = token_source_counts(source).readings;

                token_source_refresh(source);
                await_reading(source, readings + 1);
        }
}

Test(token_source, a_failure_and_its_end_are_logged_once_each) {
        const char *output = arena_format(&arena, "%s/output", folder);
        struct token_source *source = NULL;
        int former;

        log_set_level(LOG_LEVEL_INFO);
        former = output_divert(output);
        file_put(first_document);
        source = source_of_file(SELDOM);
        file_put("{}");
        refresh_times(source, 3);
        file_put(first_document);
        refresh_times(source, 3);
        (void) token_source_stop(source);
        cr_assert_geq(dup2(former, STDOUT_FILENO), 0);
        (void) close(former);
        cr_expect_eq(lines_with(output, "token keys unreadable"), 1);
        cr_expect_eq(lines_with(output, "token keys readable again"), 1);
        cr_expect_eq(lines_with(output, "token keys in force"), 1);
        (void) unlink(output);
}

Test(token_source, keys_taken_before_a_change_stay_usable) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;
        _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;

        file_put(first_document);
        source = source_of_file(SELDOM);
        keys = token_source_keys(source);
        file_put(second_document);
        token_source_refresh(source);
        await_reading(source, 2);
        source = token_source_stop(source);
        cr_expect_str_eq(token_keys_at(keys, 0)->id, "first");
}

Test(token_source, waiting_ends_at_its_deadline) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;

        file_put(first_document);
        source = source_of_file(SELDOM);
        cr_expect_not(token_source_wait(source, 2, clock_monotonic() + MILLISECOND));
}

Test(token_source, secret_is_in_force_for_ever) {
        _cleanup_(token_source_cleanup) struct token_source *source =
                source_of(&(struct token_source_settings){ .secret = FORGE_SECRET });

        cr_expect(token_source_ready(source));
        cr_expect_eq(generation_in_force(source), 1);
        cr_expect_not(token_source_unknown_key(source, 5 * HOUR));
        token_source_refresh(source);
        cr_expect_eq(token_source_counts(source).readings, 0);
}

Test(token_source, needs_exactly_one_place_to_read_from) {
        const struct token_source_settings wrong[] = {
                { .secret = NULL },
                { .secret = FORGE_SECRET, .jwks_file = path },
                { .secret = FORGE_SECRET, .jwks_url = "http://127.0.0.1:1/" },
                { .jwks_file = path, .jwks_url = "http://127.0.0.1:1/" },
                { .secret = "too short" },
        };
        struct token_source *source = NULL;

        for (size_t i = 0; i < array_size(wrong); i++) {
                const char *reason = NULL;

                cr_expect_eq(token_source_start(&wrong[i], &source, &reason), PROBLEM_VALIDATION_FAILED);
                cr_expect_not_null(reason);
                cr_expect_null(source);
        }
}

static bool is_read(const char *name) {
        struct token_document document = { 0 };
        const char *reason = NULL;
        const bool good = token_document_read(name, &document, &reason);

        cr_expect(good || reason);
        token_document_clear(&document);
        return good;
}

Test(token_source, file_of_a_mebibyte_is_read_and_a_larger_one_is_not) {
        char *bytes = arena_alloc(&arena, JWKS_SIZE_MAX + 1);

        memset(bytes, ' ', JWKS_SIZE_MAX + 1);
        write_bytes(path, bytes, JWKS_SIZE_MAX);
        cr_expect(is_read(path));
        write_bytes(path, bytes, JWKS_SIZE_MAX + 1);
        cr_expect_not(is_read(path));
}

Test(token_source, only_a_regular_file_is_read) {
        cr_expect_not(is_read(folder));
        cr_expect_not(is_read("/dev/zero"));
        cr_assert_eq(mkfifo(path, 0600), 0);
        cr_expect_not(is_read(path));
}

static char *reply_of(const char *status, const char *body) {
        return arena_format(&arena, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
                strlen(body), body);
}

static void serve(struct loopback_server *server, const char *first, const char *second) {
        cr_assert(loopback_server_start(server, (const char *const[]){ first, second }, second ? 2 : 1));
}

Test(token_source, url_is_fetched_before_the_start_is_done_and_again_on_request) {
        _cleanup_(loopback_server_stop) struct loopback_server server = { 0 };
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;

        serve(&server, reply_of("200 OK", first_document), reply_of("200 OK", second_document));
        source = source_of_url(server.url);
        cr_expect_str_eq(key_in_force(source), "first");
        token_source_refresh(source);
        await_reading(source, 2);
        cr_expect_str_eq(key_in_force(source), "second");
}

Test(token_source, last_good_keys_stay_when_the_provider_fails) {
        _cleanup_(loopback_server_stop) struct loopback_server server = { 0 };
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;

        serve(&server, reply_of("200 OK", first_document), reply_of("500 Oops", second_document));
        source = source_of_url(server.url);
        token_source_refresh(source);
        await_reading(source, 2);
        cr_expect_str_eq(key_in_force(source), "first");
        cr_expect_eq(token_source_counts(source).failures, 1);
}

Test(token_source, an_unreachable_url_is_a_failure_and_the_source_goes_on) {
        _cleanup_(token_source_cleanup) struct token_source *source = NULL;
        struct loopback_server server = { 0 };

        serve(&server, reply_of("200 OK", first_document), NULL);
        loopback_server_stop(&server);
        source = source_of_url(server.url);
        cr_expect_not(token_source_ready(source));
        cr_expect_eq(token_source_counts(source).failures, 1);
}

static bool is_fetched(const char *url, bool abandoned) {
        atomic_bool abandon = abandoned;
        struct token_document document = { 0 };
        const char *reason = NULL;
        bool good;

        cr_assert_eq(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
        good = token_document_fetch(url, &abandon, &document, &reason);
        cr_expect(good || reason);
        token_document_clear(&document);
        curl_global_cleanup();
        return good;
}

Test(token_source, redirect_is_not_followed) {
        _cleanup_(loopback_server_stop) struct loopback_server server = { 0 };

        serve(&server, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                reply_of("200 OK", first_document));
        cr_expect_not(is_fetched(server.url, /* abandoned= */ false));
        cr_expect_eq(loopback_server_served(&server), 1);
}

Test(token_source, answer_larger_than_a_mebibyte_is_not_taken) {
        _cleanup_(loopback_server_stop) struct loopback_server server = { 0 };
        char *body = arena_alloc(&arena, JWKS_SIZE_MAX + 2);

        memset(body, ' ', JWKS_SIZE_MAX + 1);
        /* The second one does not tell its size. */
        serve(&server, reply_of("200 OK", body),
                arena_format(&arena, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", body));
        cr_expect_not(is_fetched(server.url, /* abandoned= */ false));
        cr_expect_not(is_fetched(server.url, /* abandoned= */ false));
}

Test(token_source, answer_of_a_mebibyte_is_taken) {
        _cleanup_(loopback_server_stop) struct loopback_server server = { 0 };
        char *body = arena_alloc(&arena, JWKS_SIZE_MAX + 1);

        memset(body, ' ', JWKS_SIZE_MAX);
        serve(&server, reply_of("200 OK", body), NULL);
        cr_expect(is_fetched(server.url, /* abandoned= */ false));
}

Test(token_source, fetch_that_is_abandoned_ends) {
        _cleanup_(loopback_server_stop) struct loopback_server server = { 0 };

        serve(&server, reply_of("200 OK", first_document), NULL);
        cr_expect_not(is_fetched(server.url, /* abandoned= */ true));
}

Test(token_source, no_protocol_but_http_is_spoken) {
        struct loopback_server server = { 0 };

        file_put(first_document);
        serve(&server, reply_of("200 OK", first_document), NULL);
        cr_expect_not(is_fetched(arena_format(&arena, "gopher%s", strchr(server.url, ':')), /* abandoned= */ false));
        cr_expect_not(is_fetched(arena_format(&arena, "file://%s", path), /* abandoned= */ false));
        cr_expect_not(is_fetched("", /* abandoned= */ false));
        loopback_server_stop(&server);
        cr_expect_eq(loopback_server_served(&server), 0);
}
