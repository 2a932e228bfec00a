#include "commands/doctor.h"

#include "base/config.h"
#include "base/text.h"
#include "db/migrate.h"
#include "db/session.h"

#include <inttypes.h>
#include <string.h>

#define POSTGRESQL_MIN      INT64_C(150000)
#define SKEW_WARN           (2 * SECOND)  /* tokens tolerate 60 seconds; times in the log would mislead */
#define SKEW_FAIL           (60 * SECOND) /* then valid tokens are refused */
#define LAG_WARN_S          30.0
#define SWEEPER_CONNECTIONS 2 /* jobs, webhooks */
#define CONNECTIONS_OWN     4 /* of an instance besides readers, writers and jobs: list, catalog, health, notices */

#define GRANT_STATISTICS    "grant pg_read_all_stats to the role (docs/operations.md, The database)"

int doctor_first_line(const char *text) {
        return (int) strcspn(text, "\n");
}

/* The answer to the question, in the order of its columns; text lives as long as the connection. */
struct findings {
        const char *version;
        int64_t version_number;
        const char *encoding;
        bool in_recovery, is_superuser, is_read_only, may_create;
        timestamp now;
        int64_t connections_max, connections;
        const char *fsync, *full_page_writes, *synchronous_commit, *synchronous_standbys;
        const char *checksums, *autovacuum, *archive_mode;
        bool archives_nowhere, archive_fails, collation_is_other, sees_all;
        int64_t n_standbys, n_standbys_shown, n_synchronous, n_synchronous_needed;
        double standby_lag_s;
};

/* Only receivers that replay are standbys, as in the figures: a backup or an archive of the log cannot take over. */
static const char question[] =
        "select current_setting('server_version'), current_setting('server_version_num')::bigint,"
        " current_setting('server_encoding'), pg_is_in_recovery(),"
        " (select rolsuper from pg_roles where rolname = current_user),"
        " current_setting('default_transaction_read_only')::boolean,"
        " has_database_privilege(current_database(), 'CREATE'),"
        " clock_timestamp(),"
        " current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,"
        " (select count(*) from pg_stat_activity where backend_type = 'client backend'),"
        " current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),"
        " current_setting('synchronous_standby_names'),"
        " current_setting('data_checksums'), current_setting('autovacuum'), current_setting('archive_mode'),"
        " current_setting('archive_command') = '' and coalesce(current_setting('archive_library', true), '') = '',"
        " coalesce((select last_failed_time > coalesce(last_archived_time, '-infinity') from pg_stat_archiver), false),"
        " coalesce((select d.datcollversion <> pg_database_collation_actual_version(d.oid)"
        "             from pg_database d where d.datname = current_database()), false),"
        " pg_has_role('pg_read_all_stats', 'USAGE'),"
        " (select count(*) from pg_stat_replication s where (s.state is null or s.replay_lsn is not null) and not exists"
        "   (select from pg_replication_slots l where l.active_pid = s.pid and l.slot_type = 'logical')),"
        " (select count(replay_lsn) from pg_stat_replication),"
        " (select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum')),"
        " coalesce(substring(current_setting('synchronous_standby_names') from '(?i)^\\s*(?:(?:first|any)\\s+)?(\\d+)\\s*\\(')::bigint, 1),"
        " (select coalesce(extract(epoch from max(replay_lag)), 0)::double precision from pg_stat_replication)";

static enum problem doctor_findings_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct findings *) into = (struct findings){
                .version = row_text(&row),
                .version_number = row_integer(&row),
                .encoding = row_text(&row),
                .in_recovery = row_boolean(&row),
                .is_superuser = row_boolean(&row),
                .is_read_only = row_boolean(&row),
                .may_create = row_boolean(&row),
                .now = row_time(&row),
                .connections_max = row_integer(&row),
                .connections = row_integer(&row),
                .fsync = row_text(&row),
                .full_page_writes = row_text(&row),
                .synchronous_commit = row_text(&row),
                .synchronous_standbys = row_text(&row),
                .checksums = row_text(&row),
                .autovacuum = row_text(&row),
                .archive_mode = row_text(&row),
                .archives_nowhere = row_boolean(&row),
                .archive_fails = row_boolean(&row),
                .collation_is_other = row_boolean(&row),
                .sees_all = row_boolean(&row),
                .n_standbys = row_integer(&row),
                .n_standbys_shown = row_integer(&row),
                .n_synchronous = row_integer(&row),
                .n_synchronous_needed = row_integer(&row),
                .standby_lag_s = row_number(&row),
        };
        return PROBLEM_NONE;
}

static void check_role(const struct findings *found) {
        if (found->in_recovery)
                doctor_say(VERDICT_FAIL, "role",
                        "name the primary in HOLDFAST_DATABASE_URL, or target_session_attrs=read-write",
                        "the server is a standby and accepts no writes");
        else if (found->is_read_only)
                doctor_say(VERDICT_FAIL, "role",
                        "set default_transaction_read_only off for the role, the database or the server",
                        "a primary, but transactions are read-only by default");
        else if (found->is_superuser)
                doctor_say(VERDICT_WARN, "role", "give the service a separate role",
                        "a primary, but the role is a superuser");
        else
                doctor_say(VERDICT_OK, "role", NULL, "a primary, and the role is no superuser");
}

static void check_encoding(const struct findings *found) {
        if (!text_equal(found->encoding, "UTF8"))
                doctor_say(VERDICT_FAIL, "encoding", "create the database again with encoding UTF8 (template0)",
                        "the encoding is %s, which refuses names in other scripts", found->encoding);
        else if (found->collation_is_other)
                doctor_say(VERDICT_WARN, "encoding",
                        "reindex the database, then alter database ... refresh collation version",
                        "UTF8, but the system's collation has changed since the indexes were built");
        else
                doctor_say(VERDICT_OK, "encoding", NULL, "UTF8");
}

static void check_durability(const struct findings *found) {
        const bool safe = text_equal(found->fsync, "on") && text_equal(found->full_page_writes, "on") &&
                          !text_equal(found->synchronous_commit, "off");

        doctor_say(safe ? VERDICT_OK : VERDICT_WARN, "durability", "set them on, except for tests",
                "fsync is %s, full_page_writes is %s, synchronous_commit is %s%s", found->fsync,
                found->full_page_writes, found->synchronous_commit,
                safe ? "" : ": a crash may lose acknowledged orders");
}

static void check_disk(const struct findings *found) {
        if (!text_equal(found->checksums, "on"))
                doctor_say(VERDICT_WARN, "disk", "stop the server and run pg_checksums --enable",
                        "pages have no checksums, so corruption by a disk is not detected");
        else if (!text_equal(found->autovacuum, "on"))
                doctor_say(VERDICT_WARN, "disk", "set autovacuum on", "autovacuum is off: tables grow for ever");
        else
                doctor_say(VERDICT_OK, "disk", NULL, "pages have checksums, autovacuum is on");
}

static void check_backup(const struct findings *found) {
        if (text_equal(found->archive_mode, "off"))
                doctor_say(VERDICT_WARN, "backup", "archive the WAL, see docs/operations.md",
                        "WAL is not archived here: a restore ends with the last backup");
        else if (found->archives_nowhere)
                doctor_say(VERDICT_FAIL, "backup", "set archive_command, see docs/operations.md",
                        "archive_mode is %s without a command: nothing is archived, and waiting WAL fills the disk",
                        found->archive_mode);
        else if (found->archive_fails)
                doctor_say(VERDICT_FAIL, "backup", "see the server's log, correct archive_command",
                        "the WAL archiver fails, and unarchived WAL fills the disk");
        else
                doctor_say(VERDICT_OK, "backup", NULL, "WAL is archived");
}

static void check_standbys(const struct findings *found) {
        const bool waits = *found->synchronous_standbys && !text_equal(found->synchronous_commit, "off") &&
                           !text_equal(found->synchronous_commit, "local");

        if (waits && found->sees_all && found->n_synchronous < found->n_synchronous_needed)
                doctor_say(VERDICT_FAIL, "standbys",
                        "start it, let its application_name be one of synchronous_standby_names, or empty that",
                        "every commit waits for %" PRId64 " synchronous standbys, and %" PRId64
                        " of these are connected",
                        found->n_synchronous_needed, found->n_synchronous);
        else if (waits && !found->n_standbys)
                doctor_say(VERDICT_FAIL, "standbys", "start the standby, or empty synchronous_standby_names",
                        "every commit waits for a synchronous standby, and none is connected");
        else if (!found->n_standbys)
                doctor_say(VERDICT_OK, "standbys", NULL, "none is connected");
        else if (!found->n_standbys_shown)
                doctor_say(VERDICT_WARN, "standbys", GRANT_STATISTICS,
                        "%" PRId64 " connected, but the role may not see their lag", found->n_standbys);
        else
                doctor_say(found->standby_lag_s > LAG_WARN_S ? VERDICT_WARN : VERDICT_OK, "standbys",
                        "look at its disk, its network and long queries on it",
                        "%" PRId64 " connected, the last one %.1f s behind", found->n_standbys, found->standby_lag_s);
}

/* `took`: how long the question was under way, the error of the comparison of the two clocks. */
static void check_clock(const struct findings *found, timestamp asked_at, duration took) {
        const duration ahead = found->now - (asked_at + took / 2);
        const duration skew = ahead < 0 ? -ahead : ahead;
        const enum verdict verdict = skew > SKEW_FAIL + took   ? VERDICT_FAIL
                                     : skew > SKEW_WARN + took ? VERDICT_WARN
                                                               : VERDICT_OK;

        doctor_say(verdict, "clock", "let a time service set both clocks", "%.3f s %s the database's",
                (double) skew / (double) SECOND, ahead > 0 ? "behind" : "ahead of");
}

static void check_connections(const struct findings *found) {
        const int64_t needed = CONNECTIONS_OWN + config_integer(CONFIG_READ_WORKERS) +
                               SWEEPER_CONNECTIONS * config_integer(CONFIG_SWEEPER) +
                               config_integer(CONFIG_WRITE_WORKERS);
        const int64_t left = found->connections_max - found->connections;

        doctor_say(left < needed       ? VERDICT_FAIL
                   : left < 2 * needed ? VERDICT_WARN
                                       : VERDICT_OK,
                "connections", "raise max_connections, or lower HOLDFAST_READ_WORKERS and HOLDFAST_WRITE_WORKERS",
                "%" PRId64 " of %" PRId64 " are free, an instance takes %" PRId64, left, found->connections_max,
                needed);
}

/* ---- the schema ---- */

static void check_history(struct database *database, int version) {
        const char *schema = config_text(CONFIG_SCHEMA);
        const enum problem p = migrate_check_history(database);

        if (p == FAULT_STALE)
                doctor_say(VERDICT_FAIL, "schema",
                        "use the program that migrated it, or go back to a backup of before: holdfast migrate refuses it",
                        "%s is at version %d, but one of its migrations had another text when it ran", schema, version);
        else if (p)
                doctor_say(VERDICT_FAIL, "schema", "see its log", "%s cannot be read: %.*s", schema,
                        doctor_first_line(database_message(database)), database_message(database));
        else
                doctor_say(VERDICT_OK, "schema", NULL, "%s is at version %d", schema, version);
}

/* False: no further check of the schema is possible. */
static bool doctor_check_schema(struct database *database, struct schema_state *ret_state) {
        const char *schema = config_text(CONFIG_SCHEMA);

        if (schema_look(database, schema, clock_monotonic() + DOCTOR_TIME_MAX, ret_state)) {
                doctor_say(VERDICT_FAIL, "schema", "grant the role usage of it", "%s cannot be read: %.*s", schema,
                        doctor_first_line(database_message(database)), database_message(database));
                return false;
        }
        if (ret_state->version < schema_head())
                doctor_say(VERDICT_FAIL, "schema", "run holdfast migrate", "%s is at version %d, this program needs %d",
                        schema, ret_state->version, schema_head());
        else if (!schema_fits(ret_state))
                doctor_say(VERDICT_FAIL, "schema", "use the program that migrated it, or a newer one",
                        "%s is at version %d and needs a program of %d, this one is of %d", schema, ret_state->version,
                        ret_state->oldest, schema_head());
        else
                check_history(database, ret_state->version);
        return true;
}

struct privileges {
        int64_t n_closed, n_of_others; /* tables */
};

static enum problem privileges_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct privileges *) into =
                (struct privileges){ .n_closed = row_integer(&row), .n_of_others = row_integer(&row) };
        return PROBLEM_NONE;
}

static void check_privileges(struct database *database, const struct findings *found, int version) {
        const char *schema = config_text(CONFIG_SCHEMA);
        struct privileges p = { 0 };

        if (!version) {
                doctor_say(found->may_create ? VERDICT_OK : VERDICT_FAIL, "privileges",
                        "grant create on the database to the role, or make it the owner",
                        found->may_create ? "the role may make the schema" : "the role may not make the schema");
                return;
        }
        database_ask_values(database,
                "select count(*) filter (where not (has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT')"
                "          and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE'))),"
                " count(*) filter (where not pg_has_role(c.relowner, 'USAGE'))"
                "  from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname = $1 and c.relkind in ('r', 'p')",
                1, &schema, privileges_read, &p);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX))
                doctor_say(VERDICT_FAIL, "privileges", "see its log", "cannot be asked for: %.*s",
                        doctor_first_line(database_message(database)), database_message(database));
        else if (p.n_closed)
                doctor_say(VERDICT_FAIL, "privileges", "make the role their owner (reassign owned)",
                        "%" PRId64 " tables may not be read or written", p.n_closed);
        else if (p.n_of_others)
                doctor_say(VERDICT_WARN, "privileges", "make the role their owner (reassign owned)",
                        "%" PRId64 " tables belong to another role, so holdfast migrate cannot change them",
                        p.n_of_others);
        else
                doctor_say(VERDICT_OK, "privileges", NULL, "the role owns its tables");
}

struct zones {
        int64_t n_known, n_unknown;
        const char *unknown;
};

static enum problem zones_known_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        ((struct zones *) into)->n_known = row_integer(&row);
        return PROBLEM_NONE;
}

static enum problem zones_unknown_read(struct rows *rows, void *into) {
        struct zones *zones = into;
        struct row row = row_at(rows, 0);

        zones->n_unknown = row_integer(&row);
        zones->unknown = row_text(&row);
        return PROBLEM_NONE;
}

/* Time zones of the locations, if the schema can be read. */
static void check_zones(struct database *database, bool ask_locations) {
        struct zones zones = { 0 };

        database_ask_text(database, "select count(distinct name) from pg_timezone_names", zones_known_read, &zones);
        if (ask_locations)
                database_ask_text(database,
                        "select count(distinct l.time_zone), min(l.time_zone) from locations l"
                        " where l.time_zone not in (select z.name from pg_timezone_names z)",
                        zones_unknown_read, &zones);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX))
                doctor_say(VERDICT_FAIL, "time zones", "see its log", "cannot be asked for: %.*s",
                        doctor_first_line(database_message(database)), database_message(database));
        else if (!zones.n_known)
                doctor_say(VERDICT_FAIL, "time zones", "install tzdata where PostgreSQL runs", "the server knows none");
        else if (zones.n_unknown)
                doctor_say(VERDICT_FAIL, "time zones", "bring tzdata up to date where PostgreSQL runs",
                        "locations use %" PRId64 " that the server does not know, such as %s", zones.n_unknown,
                        zones.unknown);
        else
                doctor_say(VERDICT_OK, "time zones", NULL, "the server knows %" PRId64, zones.n_known);
}

struct open_stores {
        int64_t n_offering, n_without;
        const char *without;
};

static enum problem open_stores_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct open_stores *) into = (struct open_stores){
                .n_offering = row_integer(&row), .n_without = row_integer(&row), .without = row_text(&row)
        };
        return PROBLEM_NONE;
}

/* A location without opening hours counts as open day and night: an order in the evening is promised for the night. */
static void check_opening_hours(struct database *database) {
        static const char check[] = "opening hours";
        struct open_stores stores = { 0 };

        database_ask_text(database,
                "select count(*), count(*) filter (where l.opening_hours = '[]'),"
                " array_to_string((array_agg(l.code order by l.code) filter (where l.opening_hours = '[]'))[1:5], ', ')"
                "  from locations l where l.capabilities && array['pickup', 'curbside']",
                open_stores_read, &stores);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX))
                doctor_say(VERDICT_FAIL, check, "see its log", "cannot be asked for: %.*s",
                        doctor_first_line(database_message(database)), database_message(database));
        else if (stores.n_without)
                doctor_say(VERDICT_WARN, check, "PUT their opening_hours, or import them with the locations",
                        "%" PRId64 " locations offer pickup and have none: %s%s", stores.n_without, stores.without,
                        stores.n_without > 5 ? ", ..." : "");
        else
                doctor_say(VERDICT_OK, check, NULL, "all %" PRId64 " locations that offer pickup have them",
                        stores.n_offering);
}

/* ---- the primary ---- */

struct database *doctor_connect(const char *check, const char *url, struct database_settings *ret_settings) {
        struct database *database;

        *ret_settings = (struct database_settings){ .url = url,
                .schema = config_text(CONFIG_SCHEMA),
                .name = "holdfast doctor",
                .plans = PLANS_FREE,
                .statement_timeout_ms = DOCTOR_TIMEOUT_MS,
                .lock_timeout_ms = DOCTOR_TIMEOUT_MS,
                .unprepared = true };
        database = database_new(ret_settings);
        if (database && !database_connect(database)) {
                doctor_say(VERDICT_OK, check, NULL, "connected to %s", database_host(database));
                return database;
        }
        doctor_say(VERDICT_FAIL, check, "check host, port, name, password and pg_hba.conf", "cannot be reached: %.*s",
                database ? doctor_first_line(database_message(database)) : 0,
                database ? database_message(database) : "");
        return database_close(database);
}

static void check_server(const struct findings *found, timestamp asked_at, duration took) {
        doctor_say(found->version_number < POSTGRESQL_MIN ? VERDICT_FAIL : VERDICT_OK, "version",
                "use PostgreSQL 15 or newer", "PostgreSQL %s", found->version);
        check_role(found);
        check_encoding(found);
        check_durability(found);
        check_disk(found);
        check_backup(found);
        check_standbys(found);
        if (found->sees_all)
                doctor_say(VERDICT_OK, "statistics", NULL, "the role sees all sessions");
        else
                doctor_say(VERDICT_WARN, "statistics", GRANT_STATISTICS,
                        "the role does not see other sessions: the age of the oldest transaction and the lag of standbys"
                        " are unknown");
        check_clock(found, asked_at, took);
        check_connections(found);
}

void doctor_check_primary(void) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct database_settings settings;
        struct findings found = { 0 };
        struct schema_state state = { 0 };
        timestamp asked_at, begin;

        if (!config_text(CONFIG_DATABASE_URL))
                return;
        database = doctor_connect("database", config_text(CONFIG_DATABASE_URL), &settings);
        if (!database)
                return;
        asked_at = clock_wall();
        begin = clock_monotonic();
        database_ask_text(database, question, doctor_findings_read, &found);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX)) {
                doctor_say(VERDICT_FAIL, "database", "see its log", "does not answer: %.*s",
                        doctor_first_line(database_message(database)), database_message(database));
                return;
        }
        check_server(&found, asked_at, clock_monotonic() - begin);
        doctor_check_pooler(database, settings.url);
        if (!doctor_check_schema(database, &state))
                return;
        check_privileges(database, &found, state.version);
        if (state.version > 0 && schema_fits(&state))
                doctor_check_indexes(database);
        check_zones(database, state.version > 0 && schema_fits(&state));
        if (state.version > 0 && schema_fits(&state))
                check_opening_hours(database);
        if (state.version > 0 && schema_fits(&state)) {
                doctor_check_events(database);
                doctor_check_webhooks(database);
        }
}

/* ---- the replica ---- */

struct replica {
        bool in_recovery;
        double lag_s; /* a replica that has replayed all records has no lag, however old they are */
};

static enum problem replica_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct replica *) into = (struct replica){ .in_recovery = row_boolean(&row), .lag_s = row_number(&row) };
        return PROBLEM_NONE;
}

void doctor_check_replica(void) {
        static const char check[] = "replica";
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct database_settings settings;
        struct replica replica = { 0 };

        if (!config_text(CONFIG_DATABASE_READ_URL))
                return;
        database = doctor_connect("read database", config_text(CONFIG_DATABASE_READ_URL), &settings);
        if (!database)
                return;
        database_ask_text(database,
                "select pg_is_in_recovery(), case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0"
                " else coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0)"
                " end::double precision",
                replica_read, &replica);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX))
                doctor_say(VERDICT_FAIL, check, "see its log", "does not answer: %.*s",
                        doctor_first_line(database_message(database)), database_message(database));
        else if (!replica.in_recovery)
                doctor_say(VERDICT_WARN, check, "name a standby in HOLDFAST_DATABASE_READ_URL, or leave it empty",
                        "it is a primary, so reading from it relieves no server");
        else
                doctor_say(replica.lag_s > LAG_WARN_S ? VERDICT_WARN : VERDICT_OK, check,
                        "look at its disk, its network and long queries on it", "a standby, %.1f s behind",
                        replica.lag_s);
}
