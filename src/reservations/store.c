#include "db/connection.h"
#include "reservations/reservations.h"
#include "sql/reservations.h"

#include <stdlib.h>
#include <string.h>

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

static enum problem headers_read(struct rows *rows, void *into) {
        struct reservation_set *set = into;

        set->rows = arena_new_array(set->arena, struct reservation, rows_count(rows));
        if (!set->rows)
                return FAULT_BUSY;
        set->n_rows = rows_count(rows);
        for (size_t i = 0; i < set->n_rows; i++) {
                struct row row = row_at(rows, i);
                struct reservation *r = &set->rows[i];

                r->id = row_uuid(&row);
                r->location = row_text(&row);
                r->channel = row_text(&row);
                r->reference = row_text(&row);
                r->reason = row_text(&row);
                r->actor = row_text(&row);
                r->status = (enum reservation_status) row_enum(&row, &status_column);
                r->order_id = row_uuid(&row);
                r->expires_at = row_time(&row);
                r->created_at = row_time(&row);
                r->updated_at = row_time(&row);
                r->version = row_integer(&row);
        }
        return PROBLEM_NONE;
}

static int id_compare(const void *left, const void *right) {
        return uuid_compare(left, &((const struct reservation *) right)->id);
}

struct reservation *reservation_find(const struct reservation_set *set, const struct uuid *id) {
        return set->n_rows ? bsearch(id, set->rows, set->n_rows, sizeof(*set->rows), id_compare) : NULL;
}

/* Lines come sorted by reservation, so each one's stand together. */
static enum problem lines_read(struct rows *rows, void *into) {
        struct reservation_set *set = into;
        const size_t n = rows_count(rows);
        struct reservation_line *lines = arena_new_array(set->arena, struct reservation_line, n);

        if (!lines)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                const struct uuid id = row_uuid(&row);
                const char *location = row_text(&row);
                struct reservation *reservation = reservation_find(set, &id);

                lines[i].sku = row_text(&row);
                lines[i].quantity = row_integer(&row);
                lines[i].held = row_boolean(&row);
                if (!reservation)
                        continue;
                if (set->stock)
                        lines[i].stock = stock_find(set->stock, location, lines[i].sku);
                lines[i].place = reservation->n_lines;
                if (!reservation->n_lines++)
                        reservation->lines = &lines[i];
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

static void headers_insert(struct database *database, struct arena *arena, struct reservation *const *list, size_t n) {
        struct parameters p;
        struct array *ids, *locations, *channels, *references, *expiries, *actors, *created;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        locations = parameter_texts(&p);
        channels = parameter_texts(&p);
        references = parameter_texts(&p);
        expiries = parameter_times(&p);
        actors = parameter_texts(&p);
        created = parameter_times(&p);
        for (size_t i = 0; i < n; i++) {
                if (!list[i]->is_new)
                        continue;
                array_uuid(ids, &list[i]->id);
                array_text(locations, list[i]->location);
                array_text(channels, list[i]->channel);
                array_text(references, list[i]->reference);
                array_time(expiries, list[i]->expires_at);
                array_text(actors, list[i]->actor);
                array_time(created, list[i]->created_at);
        }
        if (ids->n)
                database_ask(database, &sql_reservations_insert, &p, NULL, NULL);
}

static void lines_insert(struct database *database, struct arena *arena, struct reservation *const *list, size_t n) {
        struct parameters p;
        struct array *ids, *numbers, *locations, *skus, *quantities, *expiries;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        quantities = parameter_integers(&p);
        expiries = parameter_times(&p);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; list[i]->is_new && j < list[i]->n_lines; j++) {
                        array_uuid(ids, &list[i]->id);
                        array_integer(numbers, (int64_t) j);
                        array_text(locations, list[i]->location);
                        array_text(skus, list[i]->lines[j].sku);
                        array_integer(quantities, list[i]->lines[j].quantity);
                        array_time(expiries, list[i]->expires_at);
                }
        if (ids->n)
                database_ask(database, &sql_reservation_lines_insert, &p, NULL, NULL);
}

static void headers_update(struct database *database, struct arena *arena, struct reservation *const *list, size_t n) {
        struct parameters p;
        struct array *ids, *statuses, *reasons, *orders, *expiries, *versions, *updated;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        statuses = parameter_texts(&p);
        reasons = parameter_texts(&p);
        orders = parameter_uuids(&p);
        expiries = parameter_times(&p);
        versions = parameter_integers(&p);
        updated = parameter_times(&p);
        for (size_t i = 0; i < n; i++) {
                const struct reservation *r = list[i];

                if (!r->changed)
                        continue;
                array_uuid(ids, &r->id);
                array_text(statuses, reservation_lifecycle.states[r->status]);
                array_text(reasons, r->reason);
                array_uuid(orders, uuid_is_nil(&r->order_id) ? NULL : &r->order_id);
                array_time(expiries, r->expires_at);
                array_integer(versions, r->version);
                array_time(updated, r->updated_at);
        }
        if (ids->n)
                database_ask(database, &sql_reservations_update, &p, NULL, NULL);
}

static void lines_update(struct database *database, struct arena *arena, struct reservation *const *list, size_t n) {
        struct parameters p;
        struct array *ids, *numbers, *held, *expiries;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        held = parameter_booleans(&p);
        expiries = parameter_times(&p);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; list[i]->changed && j < list[i]->n_lines; j++) {
                        array_uuid(ids, &list[i]->id);
                        array_integer(numbers, (int64_t) j);
                        array_boolean(held, list[i]->lines[j].held);
                        array_time(expiries, list[i]->expires_at);
                }
        if (ids->n)
                database_ask(database, &sql_reservation_lines_update, &p, NULL, NULL);
}

enum problem reservations_save(
        struct database *database, struct arena *arena, struct reservation *const *list, size_t n) {
        headers_insert(database, arena, list, n);
        lines_insert(database, arena, list, n);
        headers_update(database, arena, list, n);
        lines_update(database, arena, list, n);
        return PROBLEM_NONE;
}

static enum problem freed_read(struct rows *rows, void *into) {
        struct stock *stock = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *location = row_text(&row);
                const char *sku = row_text(&row);
                struct stock_row *s = stock_find(stock, location, sku);

                if (s)
                        stock_release(s, row_integer(&row));
        }
        return PROBLEM_NONE;
}

enum problem reservations_free_lapsed(struct database *database, struct stock *stock) {
        struct parameters p;
        struct array *locations, *skus;

        parameters_init(&p, stock->arena);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < stock->n_wanted; i++) {
                array_text(locations, stock->wanted[i].location);
                array_text(skus, stock->wanted[i].sku);
        }
        if (locations->n)
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
        struct events *events, const struct reservation *reservation, const char *type, const char *actor) {
        struct event *event = event_add(events, type, actor);

        event->reservation_id = &reservation->id;
        event->location = reservation->location;
        event_text(event, "reason", reservation->reason);
}
