/* holdfast doctor: the publisher of events, the consumers of their log, and replication slots. */
#include "commands/doctor.h"

#include "base/config.h"

#include <inttypes.h>
#include <string.h>

#define PUBLISH_LAG_WARN_S  30.0
#define CONSUMER_LAG_WARN_S 3600.0

/* The answer to the question, in the order of its columns. */
struct log_findings {
        double publish_lag_s;
        int64_t n_consumers;
        const char *furthest; /* behind; NULL: there is no consumer */
        double lag_s;
        bool has_expired;
};

static const char log_question[] =
        "select coalesce(extract(epoch from clock_timestamp() - due.written_at), 0)::double precision,"
        "       (select count(*) from consumers), far.name,"
        "       coalesce(extract(epoch from clock_timestamp() - next.published_at), 0)::double precision,"
        "       far.position + 1 < (select min(p.first) from event_log_parts p where p.first >= 0)"
        "  from (values (1)) as one (row)"
        "  left join lateral (select d.written_at from events_due d order by d.number limit 1) as due on true"
        "  left join lateral (select c.name, c.position from consumers c order by c.position limit 1) as far on true"
        "  left join lateral (select l.published_at from event_log l where l.position > far.position"
        "                      order by l.position limit 1) as next on true";

static enum problem log_findings_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct log_findings *) into = (struct log_findings){
                .publish_lag_s = row_number(&row),
                .n_consumers = row_integer(&row),
                .furthest = row_text(&row),
                .lag_s = row_number(&row),
                .has_expired = row_boolean(&row),
        };
        return PROBLEM_NONE;
}

static void publisher_report(const struct log_findings *found) {
        if (found->publish_lag_s > PUBLISH_LAG_WARN_S)
                doctor_say(VERDICT_WARN, "publisher",
                        "run an instance; look for a lock on revisions (HoldfastOutboxLags)",
                        "events have waited %.0f s for their position in the log", found->publish_lag_s);
        else
                doctor_say(VERDICT_OK, "publisher", NULL, "events get their positions in the log");
}

static void consumers_report(const struct log_findings *found) {
        const double kept_s = (double) config_integer(CONFIG_RETENTION_EVENT_LOG) / SECOND;

        if (!found->furthest)
                doctor_say(VERDICT_OK, "consumers", NULL, "none");
        else if (found->has_expired)
                doctor_say(VERDICT_WARN, "consumers", "load the documents again and move it, or delete it",
                        "events that %s has not read are no longer kept", found->furthest);
        else if (found->lag_s > kept_s / 2)
                doctor_say(VERDICT_WARN, "consumers", "start its reader, or delete it (DELETE /v1/consumers/{name})",
                        "%s is %.1f days behind, and events are kept for %.1f", found->furthest,
                        found->lag_s * SECOND / DAY, kept_s * SECOND / DAY);
        else if (found->lag_s > CONSUMER_LAG_WARN_S)
                doctor_say(VERDICT_WARN, "consumers", "check that its reader runs (HoldfastConsumerLags)",
                        "%s is %.1f hours behind", found->furthest, found->lag_s * SECOND / HOUR);
        else
                doctor_say(VERDICT_OK, "consumers", NULL, "%" PRId64 ", none far behind", found->n_consumers);
}

/* ---- slots ---- */

struct slots {
        int64_t n;
        const char *ending; /* a slot that is lost, or soon will be; NULL: none */
        bool is_limited;
};

static enum problem slots_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct slots *) into =
                (struct slots){ .n = row_integer(&row), .ending = row_text(&row), .is_limited = row_boolean(&row) };
        return PROBLEM_NONE;
}

static void check_slots(struct database *database) {
        struct slots slots = { 0 };

        database_ask_text(database,
                "select count(*), min(s.slot_name::text) filter (where s.wal_status in ('unreserved', 'lost')),"
                "       current_setting('max_slot_wal_keep_size') <> '-1'"
                "  from pg_replication_slots s",
                slots_read, &slots);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX))
                doctor_say(VERDICT_FAIL, "slots", "see its log", "cannot be asked for: %.*s",
                        (int) strcspn(database_message(database), "\n"), database_message(database));
        else if (slots.ending)
                doctor_say(VERDICT_WARN, "slots", "start its reader, or drop it (deploy/debezium/README.md)",
                        "replication slot %s has lost WAL, or is about to", slots.ending);
        else if (slots.n && !slots.is_limited)
                doctor_say(VERDICT_WARN, "slots", "set max_slot_wal_keep_size (deploy/debezium/README.md)",
                        "a replication slot whose reader stops fills the disk with WAL");
        else
                doctor_say(VERDICT_OK, "slots", NULL, "%" PRId64 "%s", slots.n,
                        slots.n ? ", and the WAL they keep has a limit" : "");
}

void doctor_check_events(struct database *database) {
        struct log_findings found = { 0 };

        database_ask_text(database, log_question, log_findings_read, &found);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX)) {
                doctor_say(VERDICT_FAIL, "publisher", "see its log", "cannot be asked for: %.*s",
                        (int) strcspn(database_message(database), "\n"), database_message(database));
                return;
        }
        publisher_report(&found);
        consumers_report(&found);
        check_slots(database);
}
