/* Each check prints one line, `ok`, `warn` or `fail`, what was found, and for the latter two what to do about it. */
#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "db/connection.h"
#include "db/schema.h"
#include "http/lanes.h"
#include "http/server.h"
#include "http/token_document.h"
#include "http/token_jwks.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define STATEMENT_TIMEOUT_MS 5000
#define QUESTION_TIME_MAX    (10 * SECOND)
#define POSTGRESQL_MIN       INT64_C(150000)
#define SKEW_WARN            (2 * SECOND)  /* tokens bear 60 seconds; stamps of the log would mislead */
#define SKEW_FAIL            (60 * SECOND) /* then good tokens are refused */
#define SECRET_SIZE_MIN      32
#define DESCRIPTORS_SPARE    256 /* for what is not a client */

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

static unsigned n_failed;

static void say(enum verdict verdict, const char *check, const char *remedy, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

static void say(enum verdict verdict, const char *check, const char *remedy, const char *format, ...) {
        static const char *const words[] = { "ok", "warn", "fail" };
        va_list arguments;

        n_failed += verdict == VERDICT_FAIL;
        (void) printf("%-5s %-14s ", words[verdict], check);
        va_start(arguments, format);
        (void) vprintf(format, arguments);
        va_end(arguments);
        if (verdict != VERDICT_OK)
                (void) printf("; %s", remedy);
        (void) printf("\n");
}

/* ---- settings ---- */

static bool check_settings(void) {
        const char *reason = NULL;
        const char *complaint;

        if (!config_read(&reason)) {
                say(VERDICT_FAIL, "configuration", "holdfast config --markdown lists every setting", "%s", reason);
                return false;
        }
        complaint = command_config_complaint();
        if (complaint)
                say(VERDICT_FAIL, "configuration", "holdfast config --markdown lists every setting", "%s", complaint);
        for (size_t i = 0; config_unknown(i); i++)
                say(VERDICT_WARN, "configuration", "correct or remove it", "%.*s means nothing to this program",
                        (int) strcspn(config_unknown(i), "="), config_unknown(i));
        if (!complaint && !config_unknown(0))
                say(VERDICT_OK, "configuration", NULL, "every setting can be read");
        return true;
}

static void check_pickup_secret(void) {
        const char *secret = config_text(CONFIG_PICKUP_SECRET);

        if (!secret)
                say(VERDICT_WARN, "pickup secret", "set HOLDFAST_PICKUP_SECRET to 32 random bytes or more",
                        "there is none, so orders have no pickup codes");
        else if (strlen(secret) < SECRET_SIZE_MIN)
                say(VERDICT_FAIL, "pickup secret", "use 32 random bytes or more", "it has only %zu bytes",
                        strlen(secret));
        else
                say(VERDICT_OK, "pickup secret", NULL, "set");
}

/* ---- database ---- */

/* libpq explains in several lines; the first says what is wrong. */
static int first_line(const char *text) {
        return (int) strcspn(text, "\n");
}

struct findings {
        const char *version;
        int64_t version_number;
        bool in_recovery, is_superuser;
        timestamp now;
        int64_t connections_max, connections;
        const char *fsync, *synchronous_commit;
};

static enum problem findings_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct findings *) into = (struct findings){
                .version = row_text(&row),
                .version_number = row_integer(&row),
                .in_recovery = row_boolean(&row),
                .is_superuser = row_boolean(&row),
                .now = row_time(&row),
                .connections_max = row_integer(&row),
                .connections = row_integer(&row),
                .fsync = row_text(&row),
                .synchronous_commit = row_text(&row),
        };
        return PROBLEM_NONE;
}

static void check_version(const struct findings *found) {
        if (found->version_number < POSTGRESQL_MIN)
                say(VERDICT_FAIL, "version", "use PostgreSQL 15 or newer", "PostgreSQL %s", found->version);
        else
                say(VERDICT_OK, "version", NULL, "PostgreSQL %s", found->version);
}

static void check_role(const struct findings *found) {
        if (found->in_recovery)
                say(VERDICT_FAIL, "role",
                        "name the primary in HOLDFAST_DATABASE_URL, or target_session_attrs=read-write",
                        "the server is a standby and takes no writes");
        else if (found->is_superuser)
                say(VERDICT_WARN, "role", "give the service a role of its own", "a primary, but we are a superuser");
        else
                say(VERDICT_OK, "role", NULL, "a primary, and we are an ordinary role");
}

static void check_durability(const struct findings *found) {
        if (!text_equal(found->fsync, "on") || text_equal(found->synchronous_commit, "off"))
                say(VERDICT_WARN, "durability", "set both on, except for tests",
                        "fsync is %s, synchronous_commit is %s: a crash may lose acknowledged orders", found->fsync,
                        found->synchronous_commit);
        else
                say(VERDICT_OK, "durability", NULL, "fsync is %s, synchronous_commit is %s", found->fsync,
                        found->synchronous_commit);
}

/* `took`: how long the question was under way, within which the two clocks cannot be told apart. */
static void check_clock(const struct findings *found, timestamp asked_at, duration took) {
        const duration ahead = found->now - (asked_at + took / 2);
        const duration skew = ahead < 0 ? -ahead : ahead;
        const enum verdict verdict = skew > SKEW_FAIL + took   ? VERDICT_FAIL
                                     : skew > SKEW_WARN + took ? VERDICT_WARN
                                                               : VERDICT_OK;

        say(verdict, "clock", "let a time service set both clocks", "%.3f s %s the database's",
                (double) skew / (double) SECOND, ahead > 0 ? "behind" : "ahead of");
}

static void check_connections(const struct findings *found) {
        const int64_t needed = 3 + config_integer(CONFIG_READ_WORKERS) + config_integer(CONFIG_SWEEPER) +
                               config_integer(CONFIG_WRITE_WORKERS);
        const int64_t left = found->connections_max - found->connections;

        say(left < needed           ? VERDICT_FAIL
                : left < 2 * needed ? VERDICT_WARN
                                    : VERDICT_OK,
                "connections", "raise max_connections, or lower HOLDFAST_READ_WORKERS and HOLDFAST_WRITE_WORKERS",
                "%" PRId64 " of %" PRId64 " are free, an instance takes %" PRId64, left, found->connections_max,
                needed);
}

static void check_schema(struct database *database) {
        const char *schema = config_text(CONFIG_SCHEMA);
        struct schema_state state;

        if (schema_look(database, schema, clock_monotonic() + QUESTION_TIME_MAX, &state))
                say(VERDICT_FAIL, "schema", "grant the role usage of it", "%s cannot be read: %.*s", schema,
                        first_line(database_message(database)), database_message(database));
        else if (state.version < schema_head())
                say(VERDICT_FAIL, "schema", "run holdfast migrate", "%s is at version %d, this program needs %d",
                        schema, state.version, schema_head());
        else if (!schema_fits(&state))
                say(VERDICT_FAIL, "schema", "use the program that migrated it, or a newer one",
                        "%s is at version %d and needs a program of %d, this one is of %d", schema, state.version,
                        state.oldest, schema_head());
        else
                say(VERDICT_OK, "schema", NULL, "%s is at version %d", schema, state.version);
}

static enum problem ask(struct database *database, struct findings *ret_found) {
        database_ask_text(database,
                "select current_setting('server_version'), current_setting('server_version_num')::bigint,"
                " pg_is_in_recovery(), (select rolsuper from pg_roles where rolname = current_user), clock_timestamp(),"
                " current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,"
                " (select count(*) from pg_stat_activity where backend_type = 'client backend'),"
                " current_setting('fsync'), current_setting('synchronous_commit')",
                findings_read, ret_found);
        return database_trip(database, clock_monotonic() + QUESTION_TIME_MAX);
}

static struct database *connect_to(const char *check, const char *url, struct database_settings *settings) {
        struct database *database;

        *settings = (struct database_settings){ .url = url,
                .schema = config_text(CONFIG_SCHEMA),
                .name = "holdfast doctor",
                .plans = PLANS_FREE,
                .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                .lock_timeout_ms = STATEMENT_TIMEOUT_MS,
                .unprepared = true };
        database = database_new(settings);
        if (database && !database_connect(database)) {
                say(VERDICT_OK, check, NULL, "connected to %s", database_host(database));
                return database;
        }
        say(VERDICT_FAIL, check, "check host, port, name, password and pg_hba.conf", "cannot be reached: %.*s",
                database ? first_line(database_message(database)) : 0, database ? database_message(database) : "");
        return database_close(database);
}

static void check_primary(void) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct database_settings settings;
        struct findings found = { 0 };
        timestamp asked_at, begin;

        if (!config_text(CONFIG_DATABASE_URL))
                return;
        database = connect_to("database", config_text(CONFIG_DATABASE_URL), &settings);
        if (!database)
                return;
        asked_at = clock_wall();
        begin = clock_monotonic();
        if (ask(database, &found)) {
                say(VERDICT_FAIL, "database", "see its log", "does not answer: %.*s",
                        first_line(database_message(database)), database_message(database));
                return;
        }
        check_version(&found);
        check_role(&found);
        check_durability(&found);
        check_clock(&found, asked_at, clock_monotonic() - begin);
        check_connections(&found);
        check_schema(database);
}

static void check_replica(void) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct database_settings settings;

        if (config_text(CONFIG_DATABASE_READ_URL))
                database = connect_to("read replica", config_text(CONFIG_DATABASE_READ_URL), &settings);
}

/* ---- keys ---- */

static bool document_get(struct token_document *ret_document, const char **ret_reason) {
        const atomic_bool abandon = false;

        if (config_text(CONFIG_JWT_JWKS_FILE))
                return token_document_read(config_text(CONFIG_JWT_JWKS_FILE), ret_document, ret_reason);
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                *ret_reason = "libcurl cannot be initialised";
                return false;
        }
        return token_document_fetch(config_text(CONFIG_JWT_JWKS_URL), &abandon, ret_document, ret_reason);
}

static bool keys_get(struct token_keys **ret_keys, const char **ret_reason) {
        _cleanup_(token_document_clear) struct token_document document = { 0 };
        const char *secret = config_text(CONFIG_JWT_SECRET);

        if (secret)
                return token_keys_from_secret(secret, strlen(secret), ret_keys, ret_reason);
        return document_get(&document, ret_reason) &&
               token_keys_from_jwks(document.bytes, document.size, ret_keys, ret_reason);
}

static void check_keys(void) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;
        const char *reason = NULL;
        const int n = !!config_text(CONFIG_JWT_SECRET) + !!config_text(CONFIG_JWT_JWKS_FILE) +
                      !!config_text(CONFIG_JWT_JWKS_URL);

        if (n != 1)
                say(VERDICT_FAIL, "keys",
                        "set one of HOLDFAST_JWT_JWKS_URL, HOLDFAST_JWT_JWKS_FILE, HOLDFAST_JWT_SECRET",
                        "%d sources of keys are set", n);
        else if (!keys_get(&keys, &reason))
                say(VERDICT_FAIL, "keys", "check what HOLDFAST_JWT_... names", "%s", reason);
        else if (config_text(CONFIG_JWT_SECRET))
                say(VERDICT_WARN, "keys", "use HOLDFAST_JWT_JWKS_URL for anything but development",
                        "development mode: whoever knows HOLDFAST_JWT_SECRET can be anybody");
        else
                say(VERDICT_OK, "keys", NULL, "%zu can be used", token_keys_count(keys));
}

/* ---- machine ---- */

static void check_descriptors(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        say(limit.rlim_max < CONNECTIONS_MAX + DESCRIPTORS_SPARE ? VERDICT_WARN : VERDICT_OK, "descriptors",
                "raise the hard limit (ulimit -Hn, LimitNOFILE=) to 16640 for all the clients this program would serve",
                "the hard limit is %ju", (uintmax_t) limit.rlim_max);
}

int command_doctor(int argc, char **argv) {
        (void) argv;
        if (argc != 1)
                return command_misused("doctor");
        if (!check_settings())
                return EXIT_FAILED;
        check_pickup_secret();
        check_primary();
        check_replica();
        check_keys();
        check_descriptors();
        return n_failed ? EXIT_FAILED : EXIT_OK;
}
