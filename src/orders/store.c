#include "db/connection.h"
#include "orders/orders.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is wanted ---- */

void orders_init(struct order_set *set, struct arena *arena, struct stock *stock) {
        *set = (struct order_set){ .arena = arena, .stock = stock };
}

static void want(struct order_set *set, struct uuid **ids, size_t *n, size_t *capacity, const struct uuid *id) {
        struct uuid *wanted = arena_grow(set->arena, *ids, *n, capacity, sizeof(*wanted));

        if (!wanted) {
                set->exhausted = true;
                return;
        }
        *ids = wanted;
        wanted[(*n)++] = *id;
}

void orders_want(struct order_set *set, const struct uuid *order_id) {
        want(set, &set->orders_wanted, &set->n_orders_wanted, &set->orders_capacity, order_id);
}

void orders_want_fulfillment(struct order_set *set, const struct uuid *fulfillment_id) {
        want(set, &set->fulfillments_wanted, &set->n_fulfillments_wanted, &set->fulfillments_capacity, fulfillment_id);
}

/* ---- reading ---- */

static int index_of(const char *const *texts, const char *text) {
        for (int i = 0; texts[i]; i++)
                if (text_equal(texts[i], text))
                        return i;
        return 0;
}

static void order_from_row(struct row *row, struct order *o) {
        o->id = row_uuid(row);
        o->number = row_text(row);
        o->channel = row_text(row);
        o->external_ref = row_text(row);
        o->status = (enum order_status) index_of(order_status_texts, row_text(row));
        o->payment_status = (enum payment_status) lifecycle_state(&payment_lifecycle, row_text(row));
        o->payment_reference = row_text(row);
        o->payment_due_at = row_time(row);
        o->currency = row_text(row);
        o->customer = row_text(row);
        o->ship_to = row_text(row);
        o->subtotal = row_integer(row);
        o->discount = row_integer(row);
        o->shipping = row_integer(row);
        o->tax = row_integer(row);
        o->tax_included = row_boolean(row);
        o->total = row_integer(row);
        o->refunded = row_integer(row);
        o->refund_due = row_integer(row);
        o->reservation_id = row_uuid(row);
        o->cancel_reason = row_text(row);
        o->actor = row_text(row);
        o->version = row_integer(row);
        o->placed_at = row_time(row);
        o->updated_at = row_time(row);
}

static enum problem orders_row(struct rows *rows, void *into) {
        struct order_set *set = into;

        set->rows = arena_new_array(set->arena, struct order, rows_count(rows));
        if (!set->rows)
                return FAULT_BUSY;
        set->n_rows = rows_count(rows);
        for (size_t i = 0; i < set->n_rows; i++) {
                struct row row = row_at(rows, i);

                order_from_row(&row, &set->rows[i]);
        }
        return PROBLEM_NONE;
}

static int order_compare(const void *left, const void *right) {
        return uuid_compare(left, &((const struct order *) right)->id);
}

struct order *order_find(const struct order_set *set, const struct uuid *id) {
        return set->n_rows ? bsearch(id, set->rows, set->n_rows, sizeof(*set->rows), order_compare) : NULL;
}

struct fulfillment *fulfillment_find(const struct order_set *set, const struct uuid *id) {
        for (size_t i = 0; i < set->n_fulfillments; i++)
                if (uuid_equal(&set->fulfillments[i].id, id))
                        return &set->fulfillments[i];
        return NULL;
}

static void fulfillment_from_row(struct row *row, struct fulfillment *f) {
        f->number = row_integer(row);
        f->method = (enum fulfillment_method) index_of(fulfillment_method_texts, row_text(row));
        f->location = row_text(row);
        f->status = (enum fulfillment_status) lifecycle_state(&pickup_lifecycle, row_text(row));
        f->reason = row_text(row);
        f->promised_at = row_time(row);
        f->hold_until = row_time(row);
        f->assignee = row_text(row);
        f->staging_location = row_text(row);
        f->pickup_serial = row_integer(row);
        f->wrong_codes = row_integer(row);
        f->locked_until = row_time(row);
        f->handover = row_text(row);
        f->packages = row_text(row);
        f->version = row_integer(row);
        f->created_at = row_time(row);
        f->updated_at = row_time(row);
}

/* They come sorted by order and id, so those of one order stand together; likewise all lines below. */
static enum problem fulfillments_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);

        set->fulfillments = arena_new_array(set->arena, struct fulfillment, n);
        if (!set->fulfillments)
                return FAULT_BUSY;
        set->n_fulfillments = n;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                struct fulfillment *f = &set->fulfillments[i];
                struct uuid order_id;

                f->id = row_uuid(&row);
                order_id = row_uuid(&row);
                f->order = order_find(set, &order_id);
                if (!f->order)
                        return FAULT_BROKEN;
                fulfillment_from_row(&row, f);
                if (!f->order->n_fulfillments++)
                        f->order->fulfillments = f;
        }
        return PROBLEM_NONE;
}

static enum problem order_lines_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct order_line *lines = arena_new_array(set->arena, struct order_line, n);

        if (!lines)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                const struct uuid order_id = row_uuid(&row);
                struct order_line *line = &lines[i];

                line->order = order_find(set, &order_id);
                if (!line->order)
                        return FAULT_BROKEN;
                line->number = row_integer(&row);
                line->id = row_uuid(&row);
                line->sku = row_text(&row);
                line->title = row_text(&row);
                line->quantity = row_integer(&row);
                line->unit_price = row_integer(&row);
                line->cancelled = row_integer(&row);
                line->fulfilled = row_integer(&row);
                line->returned = row_integer(&row);
                if (!line->order->n_lines++)
                        line->order->lines = line;
        }
        return PROBLEM_NONE;
}

static enum problem discounts_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct order_discount *discounts = arena_new_array(set->arena, struct order_discount, n);

        if (!discounts)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                const struct uuid order_id = row_uuid(&row);
                struct order *order = order_find(set, &order_id);

                discounts[i].amount = row_integer(&row);
                discounts[i].line = row_is_null(&row) ? -1 : 0;
                discounts[i].line += row_integer(&row);
                discounts[i].reason = row_text(&row);
                if (order && !order->n_discounts++)
                        order->discounts = &discounts[i];
        }
        return PROBLEM_NONE;
}

static enum problem fulfillment_line_link(struct order_set *set, struct fulfillment_line *line,
        const struct uuid *fulfillment_id, int64_t number, const char *sku) {
        struct fulfillment *fulfillment = fulfillment_find(set, fulfillment_id);

        if (!fulfillment || number < 0 || (size_t) number >= fulfillment->order->n_lines)
                return FAULT_BROKEN;
        line->fulfillment = fulfillment;
        line->order_line = &fulfillment->order->lines[number];
        line->order_line->allocation = line;
        if (set->stock)
                line->stock = stock_find(set->stock, fulfillment->location, sku);
        if (!fulfillment->n_lines++)
                fulfillment->lines = line;
        return PROBLEM_NONE;
}

static enum problem fulfillment_lines_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct fulfillment_line *lines = arena_new_array(set->arena, struct fulfillment_line, n);
        enum problem p = lines ? PROBLEM_NONE : FAULT_BUSY;

        for (size_t i = 0; i < n && !p; i++) {
                struct row row = row_at(rows, i);
                struct uuid fulfillment_id;
                const char *sku;
                int64_t number;

                (void) row_uuid(&row); /* the order */
                fulfillment_id = row_uuid(&row);
                number = row_integer(&row);
                sku = row_text(&row);
                lines[i].quantity = row_integer(&row);
                lines[i].picked = row_integer(&row);
                lines[i].shorted = row_integer(&row);
                lines[i].cancelled = row_integer(&row);
                lines[i].fulfilled = row_integer(&row);
                p = fulfillment_line_link(set, &lines[i], &fulfillment_id, number, sku);
        }
        return p;
}

static void ask(
        struct database *database, struct order_set *set, enum statement statement, rows_reader reader, void *into) {
        struct parameters p;
        struct array *orders, *fulfillments;

        parameters_init(&p, set->arena);
        orders = parameter_uuids(&p);
        fulfillments = parameter_uuids(&p);
        for (size_t i = 0; i < set->n_orders_wanted; i++)
                array_uuid(orders, &set->orders_wanted[i]);
        for (size_t i = 0; i < set->n_fulfillments_wanted; i++)
                array_uuid(fulfillments, &set->fulfillments_wanted[i]);
        database_ask(database, statement, &p, reader, into);
}

static void ask_for_parts(struct database *database, struct order_set *set) {
        ask(database, set, STATEMENT_ORDER_LINES_READ, order_lines_row, set);
        ask(database, set, STATEMENT_ORDER_DISCOUNTS_READ, discounts_row, set);
        ask(database, set, STATEMENT_FULFILLMENT_LINES_READ, fulfillment_lines_row, set);
}

enum problem orders_lock(struct database *database, struct order_set *set) {
        if (set->exhausted)
                return FAULT_BUSY;
        ask(database, set, STATEMENT_ORDERS_LOCK, orders_row, set);
        ask(database, set, STATEMENT_FULFILLMENTS_LOCK, fulfillments_row, set);
        ask(database, set, STATEMENT_ORDERS_LOCK_STOCK, stock_rows_read, set->stock);
        ask_for_parts(database, set);
        return PROBLEM_NONE;
}

enum problem orders_read(struct database *database, struct order_set *set) {
        if (set->exhausted)
                return FAULT_BUSY;
        ask(database, set, STATEMENT_ORDERS_READ, orders_row, set);
        ask(database, set, STATEMENT_FULFILLMENTS_READ, fulfillments_row, set);
        ask_for_parts(database, set);
        return PROBLEM_NONE;
}

/* ---- inserting ---- */

static void headers_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct parameters p;
        struct array *ids, *numbers, *channels, *external_refs, *statuses, *payment_statuses, *payment_references, *due;
        struct array *currencies, *customers, *ship_tos, *subtotals, *discounts, *shippings, *taxes, *included, *totals;
        struct array *reservations, *actors, *placed, *updated;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        numbers = parameter_texts(&p);
        channels = parameter_texts(&p);
        external_refs = parameter_texts(&p);
        statuses = parameter_texts(&p);
        payment_statuses = parameter_texts(&p);
        payment_references = parameter_texts(&p);
        due = parameter_times(&p);
        currencies = parameter_texts(&p);
        customers = parameter_jsonbs(&p);
        ship_tos = parameter_jsonbs(&p);
        subtotals = parameter_integers(&p);
        discounts = parameter_integers(&p);
        shippings = parameter_integers(&p);
        taxes = parameter_integers(&p);
        included = parameter_booleans(&p);
        totals = parameter_integers(&p);
        reservations = parameter_uuids(&p);
        actors = parameter_texts(&p);
        placed = parameter_times(&p);
        updated = parameter_times(&p);
        for (size_t i = 0; i < n; i++) {
                const struct order *o = list[i];

                array_uuid(ids, &o->id);
                array_text(numbers, o->number);
                array_text(channels, o->channel);
                array_text(external_refs, o->external_ref);
                array_text(statuses, order_status_texts[o->status]);
                array_text(payment_statuses, payment_status_text(o->payment_status));
                array_text(payment_references, o->payment_reference);
                array_time(due, o->payment_due_at);
                array_text(currencies, o->currency);
                array_jsonb(customers, o->customer);
                array_jsonb(ship_tos, o->ship_to);
                array_integer(subtotals, o->subtotal);
                array_integer(discounts, o->discount);
                array_integer(shippings, o->shipping);
                array_integer(taxes, o->tax);
                array_boolean(included, o->tax_included);
                array_integer(totals, o->total);
                array_uuid(reservations, uuid_is_nil(&o->reservation_id) ? NULL : &o->reservation_id);
                array_text(actors, o->actor);
                array_time(placed, o->placed_at);
                array_time(updated, o->updated_at);
        }
        database_ask(database, STATEMENT_ORDERS_INSERT, &p, NULL, NULL);
}

static void lines_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct parameters p;
        struct array *orders, *numbers, *ids, *skus, *titles, *quantities, *prices, *fulfilled;

        parameters_init(&p, arena);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        ids = parameter_uuids(&p);
        skus = parameter_texts(&p);
        titles = parameter_texts(&p);
        quantities = parameter_integers(&p);
        prices = parameter_integers(&p);
        fulfilled = parameter_integers(&p);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_lines; j++) {
                        const struct order_line *line = &list[i]->lines[j];

                        array_uuid(orders, &list[i]->id);
                        array_integer(numbers, line->number);
                        array_uuid(ids, &line->id);
                        array_text(skus, line->sku);
                        array_text(titles, line->title);
                        array_integer(quantities, line->quantity);
                        array_integer(prices, line->unit_price);
                        array_integer(fulfilled, line->fulfilled);
                }
        database_ask(database, STATEMENT_ORDER_LINES_INSERT, &p, NULL, NULL);
}

static void discounts_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct parameters p;
        struct array *orders, *numbers, *amounts, *lines, *reasons;

        parameters_init(&p, arena);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        amounts = parameter_integers(&p);
        lines = parameter_integers(&p);
        reasons = parameter_texts(&p);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_discounts; j++) {
                        const struct order_discount *discount = &list[i]->discounts[j];

                        array_uuid(orders, &list[i]->id);
                        array_integer(numbers, (int64_t) j);
                        array_integer(amounts, discount->amount);
                        if (discount->line < 0)
                                array_null(lines);
                        else
                                array_integer(lines, discount->line);
                        array_text(reasons, discount->reason);
                }
        if (orders->n)
                database_ask(database, STATEMENT_ORDER_DISCOUNTS_INSERT, &p, NULL, NULL);
}

static void fulfillments_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct parameters p;
        struct array *ids, *orders, *numbers, *methods, *locations, *statuses, *promised, *created;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        methods = parameter_texts(&p);
        locations = parameter_texts(&p);
        statuses = parameter_texts(&p);
        promised = parameter_times(&p);
        created = parameter_times(&p);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_fulfillments; j++) {
                        const struct fulfillment *f = &list[i]->fulfillments[j];

                        array_uuid(ids, &f->id);
                        array_uuid(orders, &list[i]->id);
                        array_integer(numbers, f->number);
                        array_text(methods, fulfillment_method_texts[f->method]);
                        array_text(locations, f->location);
                        array_text(statuses, fulfillment_status_text(f->status));
                        array_time(promised, f->promised_at);
                        array_time(created, f->created_at);
                }
        database_ask(database, STATEMENT_FULFILLMENTS_INSERT, &p, NULL, NULL);
}

static void fulfillment_lines_insert(
        struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct parameters p;
        struct array *orders, *fulfillments, *numbers, *locations, *skus, *quantities, *picked, *fulfilled;

        parameters_init(&p, arena);
        orders = parameter_uuids(&p);
        fulfillments = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        quantities = parameter_integers(&p);
        picked = parameter_integers(&p);
        fulfilled = parameter_integers(&p);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_lines; j++) {
                        const struct fulfillment_line *line = list[i]->lines[j].allocation;

                        array_uuid(orders, &list[i]->id);
                        array_uuid(fulfillments, &line->fulfillment->id);
                        array_integer(numbers, line->order_line->number);
                        array_text(locations, line->fulfillment->location);
                        array_text(skus, line->order_line->sku);
                        array_integer(quantities, line->quantity);
                        array_integer(picked, line->picked);
                        array_integer(fulfilled, line->fulfilled);
                }
        database_ask(database, STATEMENT_FULFILLMENT_LINES_INSERT, &p, NULL, NULL);
}

enum problem orders_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        if (!n)
                return PROBLEM_NONE;
        headers_insert(database, arena, list, n);
        lines_insert(database, arena, list, n);
        discounts_insert(database, arena, list, n);
        fulfillments_insert(database, arena, list, n);
        fulfillment_lines_insert(database, arena, list, n);
        return PROBLEM_NONE;
}

/* ---- updating ---- */

static void headers_update(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *ids, *statuses, *payment_statuses, *refunded, *refund_due, *reasons, *versions, *updated;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        statuses = parameter_texts(&p);
        payment_statuses = parameter_texts(&p);
        refunded = parameter_integers(&p);
        refund_due = parameter_integers(&p);
        reasons = parameter_texts(&p);
        versions = parameter_integers(&p);
        updated = parameter_times(&p);
        for (size_t i = 0; i < set->n_rows; i++) {
                const struct order *o = &set->rows[i];

                if (!o->changed)
                        continue;
                array_uuid(ids, &o->id);
                array_text(statuses, order_status_texts[o->status]);
                array_text(payment_statuses, payment_status_text(o->payment_status));
                array_integer(refunded, o->refunded);
                array_integer(refund_due, o->refund_due);
                array_text(reasons, o->cancel_reason);
                array_integer(versions, o->version);
                array_time(updated, o->updated_at);
        }
        if (ids->n)
                database_ask(database, STATEMENT_ORDERS_UPDATE, &p, NULL, NULL);
}

static void lines_update(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *orders, *numbers, *cancelled, *fulfilled, *returned;

        parameters_init(&p, set->arena);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        cancelled = parameter_integers(&p);
        fulfilled = parameter_integers(&p);
        returned = parameter_integers(&p);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_lines; j++) {
                        const struct order_line *line = &set->rows[i].lines[j];

                        if (!line->changed)
                                continue;
                        array_uuid(orders, &set->rows[i].id);
                        array_integer(numbers, line->number);
                        array_integer(cancelled, line->cancelled);
                        array_integer(fulfilled, line->fulfilled);
                        array_integer(returned, line->returned);
                }
        if (orders->n)
                database_ask(database, STATEMENT_ORDER_LINES_UPDATE, &p, NULL, NULL);
}

static void fulfillments_update(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *ids, *statuses, *reasons, *holds, *assignees, *staging, *serials, *wrong, *locked, *handovers;
        struct array *packages, *versions, *updated;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        statuses = parameter_texts(&p);
        reasons = parameter_texts(&p);
        holds = parameter_times(&p);
        assignees = parameter_texts(&p);
        staging = parameter_texts(&p);
        serials = parameter_integers(&p);
        wrong = parameter_integers(&p);
        locked = parameter_times(&p);
        handovers = parameter_jsonbs(&p);
        packages = parameter_jsonbs(&p);
        versions = parameter_integers(&p);
        updated = parameter_times(&p);
        for (size_t i = 0; i < set->n_fulfillments; i++) {
                const struct fulfillment *f = &set->fulfillments[i];

                if (!f->changed)
                        continue;
                array_uuid(ids, &f->id);
                array_text(statuses, fulfillment_status_text(f->status));
                array_text(reasons, f->reason);
                array_time(holds, f->hold_until);
                array_text(assignees, f->assignee);
                array_text(staging, f->staging_location);
                array_integer(serials, f->pickup_serial);
                array_integer(wrong, f->wrong_codes);
                array_time(locked, f->locked_until);
                array_jsonb(handovers, f->handover);
                array_jsonb(packages, f->packages);
                array_integer(versions, f->version);
                array_time(updated, f->updated_at);
        }
        if (ids->n)
                database_ask(database, STATEMENT_FULFILLMENTS_UPDATE, &p, NULL, NULL);
}

static void fulfillment_lines_update(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *orders, *fulfillments, *numbers, *picked, *shorted, *cancelled, *fulfilled;

        parameters_init(&p, set->arena);
        orders = parameter_uuids(&p);
        fulfillments = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        picked = parameter_integers(&p);
        shorted = parameter_integers(&p);
        cancelled = parameter_integers(&p);
        fulfilled = parameter_integers(&p);
        for (size_t i = 0; i < set->n_fulfillments; i++)
                for (size_t j = 0; j < set->fulfillments[i].n_lines; j++) {
                        const struct fulfillment_line *line = &set->fulfillments[i].lines[j];

                        if (!line->changed)
                                continue;
                        array_uuid(orders, &line->fulfillment->order->id);
                        array_uuid(fulfillments, &line->fulfillment->id);
                        array_integer(numbers, line->order_line->number);
                        array_integer(picked, line->picked);
                        array_integer(shorted, line->shorted);
                        array_integer(cancelled, line->cancelled);
                        array_integer(fulfilled, line->fulfilled);
                }
        if (orders->n)
                database_ask(database, STATEMENT_FULFILLMENT_LINES_UPDATE, &p, NULL, NULL);
}

enum problem orders_update(struct database *database, struct order_set *set) {
        headers_update(database, set);
        lines_update(database, set);
        fulfillments_update(database, set);
        fulfillment_lines_update(database, set);
        return PROBLEM_NONE;
}
