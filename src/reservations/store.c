#include "base/sorted.h"
#include "db/connection.h"
#include "reservations/columns.h"
#include "reservations/reservations.h"
#include "sql/reservations.h"

void reservations_init(struct reservation_set *set, struct arena *arena, struct stock *stock) {
        *set = (struct reservation_set){ .arena = arena, .stock = stock };
}

void reservations_want(struct reservation_set *set, const struct uuid *id) {
        struct uuid *wanted = arena_grow(set->arena, set->wanted, set->n_wanted, &set->capacity, sizeof(*wanted));

        if (!wanted) {
                set->exhausted = true;
                return;
        }
        set->wanted = wanted;
        set->wanted[set->n_wanted++] = *id;
}

static const struct enum_column status_column = { "reservations", "status", .lifecycle = &reservation_lifecycle };

static const struct column columns[] = {
        { "id", UUID_AT(struct reservation, id) },
        { "location", TEXT_AT(struct reservation, location) },
        { "channel", TEXT_AT(struct reservation, channel) },
        { "reference", TEXT_AT(struct reservation, reference) },
        { "reason", TEXT_AT(struct reservation, reason) },
        { "actor", TEXT_AT(struct reservation, actor) },
        { "status", ENUM_AT(struct reservation, status), .words = &status_column },
        { "order_id", UUID_AT(struct reservation, order_id), .nullable = true },
        { "expires_at", TIME_AT(struct reservation, expires_at) },
        { "created_at", TIME_AT(struct reservation, created_at) },
        { "updated_at", TIME_AT(struct reservation, updated_at) },
        { "version", INTEGER_AT(struct reservation, version) },
};
const struct columns reservation_columns = { "reservations", COLUMNS(struct reservation, columns) };

struct line_row {
        struct uuid reservation_id;
        int64_t line;
        const char *location, *sku;
        int64_t quantity;
        bool held;
        timestamp expires_at;
};

static const struct column line_columns[] = {
        { "reservation_id", UUID_AT(struct line_row, reservation_id) },
        { "line", INTEGER_AT(struct line_row, line) },
        { "location", TEXT_AT(struct line_row, location) },
        { "sku", TEXT_AT(struct line_row, sku) },
        { "quantity", INTEGER_AT(struct line_row, quantity) },
        { "held", BOOLEAN_AT(struct line_row, held) },
        { "expires_at", TIME_AT(struct line_row, expires_at) },
};
const struct columns reservation_line_columns = { "reservation_lines", COLUMNS(struct line_row, line_columns) };

static enum problem headers_read(struct rows *rows, void *into) {
        struct reservation_set *set = into;

        set->rows = rows_fill(rows, &reservation_columns, set->arena);
        set->n_rows = set->rows ? rows_count(rows) : 0;
        return set->rows ? PROBLEM_NONE : FAULT_BUSY;
}

static int id_compare(const void *left, const void *right) {
        return uuid_compare(left, &((const struct reservation *) right)->id);
}

struct reservation *reservation_find(const struct reservation_set *set, const struct uuid *id) {
        return sorted_find(id, set->rows, set->n_rows, sizeof(*set->rows), id_compare);
}

static void reservation_line_take(
        struct reservation_set *set, const struct line_row *row, struct reservation_line *line) {
        struct reservation *reservation = reservation_find(set, &row->reservation_id);

        *line = (struct reservation_line){ .sku = row->sku, .quantity = row->quantity, .held = row->held };
        if (!reservation)
                return;
        if (set->stock)
                line->stock = stock_find(set->stock, row->location, row->sku);
        line->place = reservation->n_lines;
        if (!reservation->n_lines++)
                reservation->lines = line;
}

/* Lines come sorted by reservation, so each one's stand together. */
static enum problem lines_read(struct rows *rows, void *into) {
        struct reservation_set *set = into;
        const size_t n = rows_count(rows);
        struct reservation_line *lines = arena_new_array(set->arena, struct reservation_line, n);
        struct binding binding;

        if (!lines)
                return FAULT_BUSY;
        if (!rows_bind(rows, &reservation_line_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < n; i++) {
                struct line_row row;

                row_fill(&binding, i, &row);
                reservation_line_take(set, &row, &lines[i]);
        }
        return PROBLEM_NONE;
}

static enum problem ask_by_ids(struct database *database, struct reservation_set *set,
        const struct statement *statement, rows_reader reader, void *into) {
        struct parameters p;
        struct array *ids;

        if (set->exhausted)
                return FAULT_BUSY;
        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < set->n_wanted; i++)
                array_uuid(ids, &set->wanted[i]);
        database_ask(database, statement, &p, reader, into);
        return PROBLEM_NONE;
}

enum problem reservations_lock(struct database *database, struct reservation_set *set) {
        return ask_by_ids(database, set, &sql_reservations_lock, headers_read, set);
}

enum problem reservations_lock_stock(struct database *database, struct reservation_set *set) {
        return ask_by_ids(database, set, &sql_reservations_lock_stock, stock_rows_read, set->stock);
}

enum problem reservations_read_lines(struct database *database, struct reservation_set *set) {
        return ask_by_ids(database, set, &sql_reservation_lines_read, lines_read, set);
}

enum problem reservations_read(struct database *database, struct reservation_set *set) {
        const enum problem p = ask_by_ids(database, set, &sql_reservations_read, headers_read, set);

        return p ? p : reservations_read_lines(database, set);
}

static void lines_add(struct records *records, const struct reservation *reservation) {
        for (size_t i = 0; i < reservation->n_lines; i++) {
                const struct reservation_line *line = &reservation->lines[i];

                records_add(records, &(struct line_row){ .reservation_id = reservation->id,
                                             .line = (int64_t) i,
                                             .location = reservation->location,
                                             .sku = line->sku,
                                             .quantity = line->quantity,
                                             .held = line->held,
                                             .expires_at = reservation->expires_at });
        }
}

enum problem reservations_save(
        struct database *database, struct arena *arena, struct reservation *const *list, size_t n) {
        struct records inserted, updated, lines_inserted, lines_updated;

        records_begin(&inserted, arena, &sql_reservations_insert, &reservation_columns);
        records_begin(&lines_inserted, arena, &sql_reservation_lines_insert, &reservation_line_columns);
        records_begin(&updated, arena, &sql_reservations_update, &reservation_columns);
        records_begin(&lines_updated, arena, &sql_reservation_lines_update, &reservation_line_columns);
        for (size_t i = 0; i < n; i++) {
                if (list[i]->is_new) {
                        records_add(&inserted, list[i]);
                        lines_add(&lines_inserted, list[i]);
                }
                if (list[i]->changed) {
                        records_add(&updated, list[i]);
                        lines_add(&lines_updated, list[i]);
                }
        }
        records_ask(&inserted, database);
        records_ask(&lines_inserted, database);
        records_ask(&updated, database);
        records_ask(&lines_updated, database);
        return PROBLEM_NONE;
}

static enum problem freed_read(struct rows *rows, void *into) {
        struct stock *stock = into;
        struct binding binding;

        if (!rows_bind(rows, &reservation_line_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct line_row freed;
                struct stock_row *s;

                row_fill(&binding, i, &freed);
                s = stock_find(stock, freed.location, freed.sku);
                if (s)
                        stock_release(s, freed.quantity);
        }
        return PROBLEM_NONE;
}

enum problem reservations_free_lapsed(struct database *database, struct stock *stock) {
        struct parameters p;

        parameters_init(&p, stock->arena);
        parameter_stock_keys(&p, stock->wanted, stock->n_wanted);
        if (stock->n_wanted)
                database_ask(database, &sql_reservations_free_lapsed, &p, freed_read, stock);
        return PROBLEM_NONE;
}

static enum problem lapsed_read(struct rows *rows, void *into) {
        struct reservation_set *set = into;
        const enum problem p = headers_read(rows, set);

        for (size_t i = 0; !p && i < set->n_rows; i++)
                reservations_want(set, &set->rows[i].id);
        return p;
}

enum problem reservations_lock_lapsed(struct database *database, struct reservation_set *set, int64_t at_most) {
        struct parameters p;

        parameters_init(&p, set->arena);
        parameter_integer(&p, at_most);
        database_ask(database, &sql_reservations_lock_lapsed, &p, lapsed_read, set);
        return PROBLEM_NONE;
}

void reservation_tell(
        struct events *events, const struct reservation *reservation, enum event_type type, const char *actor) {
        struct event *event = event_add(events, type, actor);

        event_about(event, SUBJECT_RESERVATION, &reservation->id, &reservation->version);
        event->location = reservation->location;
        event->channel = reservation->channel;
        event_text(event, "reason", reservation->reason);
}
