/* holdfast doctor: the indexes without which a list or a search reads whole tables. */
#include "commands/doctor_indexes.h"
#include "commands/doctor.h"

#include "base/buffer.h"
#include "base/config.h"

#include <inttypes.h>
#include <string.h>

#define NAMES_SIZE_MAX ((size_t) 4096)

const char *const doctor_indexes[] = { "event_log_by_location", "event_log_by_subject", "events_by_order",
        "fulfillment_lines_reserved", "fulfillments_by_order", "fulfillments_by_slot", "fulfillments_collected",
        "fulfillments_in_queue", "fulfillments_to_expire", "fulfillments_to_remind", "idempotency_by_age",
        "notifications_by_age", "notifications_by_order", "notifications_to_send", "notifications_waiting_by_age",
        "order_places_by_age", "order_places_by_change", "order_search_words", "orders_by_customer", "orders_by_email",
        "orders_by_phone", "orders_by_state", "orders_by_state_change", "orders_unpaid", "orders_unpaid_by_channel",
        "products_by_gtin", "products_by_words", "reservation_lines_held", "reservations_to_expire",
        "return_lines_by_order", "return_lines_by_place", "returns_by_location", "returns_by_order", "returns_by_state",
        "stock_by_sku", "webhook_attempts_by_age", "webhook_attempts_by_result", "webhook_attempts_of_event",
        "webhook_failures_by_death", "webhook_failures_to_tell", "webhook_progress_by_lease",
        "webhook_progress_failing", "webhook_progress_gone", "webhook_tests_by_webhook", NULL };

struct indexes {
        int64_t n_missing;
        const char *missing; /* the first of them */
        int64_t n_invalid;
        const char *invalid;
        bool has_extension;
};

static enum problem indexes_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct indexes *) into = (struct indexes){ .n_missing = row_integer(&row),
                .missing = row_text(&row),
                .n_invalid = row_integer(&row),
                .invalid = row_text(&row),
                .has_extension = row_boolean(&row) };
        return PROBLEM_NONE;
}

/* As PostgreSQL reads an array: the names need no quotes. */
static const char *names_write(struct buffer *names) {
        buffer_append_text(names, "{");
        for (size_t i = 0; doctor_indexes[i]; i++) {
                buffer_append_text(names, i ? "," : "");
                buffer_append_text(names, doctor_indexes[i]);
        }
        buffer_append_text(names, "}");
        return names->failed ? "{}" : buffer_text(names);
}

static void indexes_report(const struct indexes *found) {
        if (found->n_missing && !found->has_extension)
                doctor_say(VERDICT_FAIL, "indexes",
                        "create extension pg_trgm, then the indexes (docs/operations.md, Indexes)",
                        "missing: %" PRId64 ", such as %s, and the extension pg_trgm", found->n_missing,
                        found->missing);
        else if (found->n_missing)
                doctor_say(VERDICT_FAIL, "indexes", "create them (docs/operations.md, Indexes)",
                        "missing: %" PRId64 ", such as %s; lists and searches read whole tables", found->n_missing,
                        found->missing);
        else if (found->n_invalid)
                doctor_say(VERDICT_FAIL, "indexes", "run: reindex index concurrently",
                        "%" PRId64 " are invalid, such as %s: PostgreSQL does not use them", found->n_invalid,
                        found->invalid);
        else
                doctor_say(VERDICT_OK, "indexes", NULL, "all are there and valid");
}

void doctor_check_indexes(struct database *database) {
        _cleanup_(arena_clear) struct arena arena;
        struct indexes found = { 0 };
        struct buffer names;
        const char *values[2] = { config_text(CONFIG_SCHEMA) };

        arena_init(&arena, 2 * NAMES_SIZE_MAX);
        buffer_init(&names, &arena, NAMES_SIZE_MAX);
        values[1] = names_write(&names);
        database_ask_values(database,
                "select count(*) filter (where c.oid is null), min(w.name) filter (where c.oid is null),"
                "       count(*) filter (where not (x.indisvalid and x.indisready)),"
                "       min(w.name) filter (where not (x.indisvalid and x.indisready)),"
                "       exists (select from pg_extension e where e.extname = 'pg_trgm')"
                "  from unnest($2::text[]) as w (name)"
                "  left join (pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = $1"
                "             join pg_index x on x.indexrelid = c.oid) on c.relname = w.name",
                2, values, indexes_read, &found);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX))
                doctor_say(VERDICT_FAIL, "indexes", "see its log", "cannot be asked for: %.*s",
                        (int) strcspn(database_message(database), "\n"), database_message(database));
        else
                indexes_report(&found);
}
