#include "db/connection.h"
#include "orders/orders.h"

#include "sql/orders.h"
#include "sql/payments.h"

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

static void order_from_row(struct row *row, struct order *o) {
        o->id = row_uuid(row);
        o->number = row_text(row);
        o->channel = row_text(row);
        o->external_ref = row_text(row);
        o->status = (enum order_status) row_enum(row, &order_status_column);
        o->payment_status = (enum payment_status) row_enum(row, &order_payment_status_column);
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
        o->credited = row_integer(row);
        o->adjusted = row_integer(row);
        o->paid = row_integer(row);
        o->refunded = row_integer(row);
        o->refund_due = row_integer(row);
        o->reservation_id = row_uuid(row);
        o->cancel_reason = row_text(row);
        o->actor = row_text(row);
        o->version = row_integer(row);
        o->placed_at = row_time(row);
        o->updated_at = row_time(row);
        o->valued = true;
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
                if (uuid_equal(&set->fulfillments[i]->id, id))
                        return set->fulfillments[i];
        return NULL;
}

static int64_t integer_or_none(struct row *row) {
        const bool none = row_is_null(row);
        const int64_t value = row_integer(row);

        return none ? -1 : value;
}

static void check_in_from_row(struct row *row, struct check_in *check_in) {
        check_in->state = (enum check_in_state) row_enum(row, &fulfillment_check_in_column);
        check_in->eta_minutes = integer_or_none(row);
        check_in->bay = row_text(row);
        check_in->vehicle.make = row_text(row);
        check_in->vehicle.color = row_text(row);
        check_in->vehicle.plate = row_text(row);
        check_in->on_the_way_at = row_time(row);
        check_in->arrived_at = row_time(row);
        check_in->waited_s = integer_or_none(row);
}

static void fulfillment_from_row(struct row *row, struct fulfillment *f) {
        size_t size; /* is DIGEST_SIZE, says the database */

        f->number = row_integer(row);
        f->method = (enum fulfillment_method) row_enum(row, &fulfillment_method_column);
        f->location = row_text(row);
        f->status = (enum fulfillment_status) row_enum(row, &fulfillment_status_column);
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
        f->replaces = row_uuid(row);
        check_in_from_row(row, &f->check_in);
        f->remind_at = row_time(row);
        f->recipient = row_text(row);
        f->moved_by = row_text(row);
        f->link.digest = row_bytes(row, &size);
        f->link.expires_at = row_time(row);
        f->has_slot = !row_is_null(row);
        f->slot_at = row_time(row);
}

/* They come sorted by order and id, so those of one order stand together; likewise all lines below. */
static enum problem fulfillments_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct fulfillment *fulfillments = arena_new_array(set->arena, struct fulfillment, n);

        set->fulfillments = arena_new_array(set->arena, struct fulfillment *, n);
        if (!fulfillments || !set->fulfillments)
                return FAULT_BUSY;
        set->n_fulfillments = n;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                struct fulfillment *f = &fulfillments[i];
                struct uuid order_id;

                set->fulfillments[i] = f;
                f->id = row_uuid(&row);
                order_id = row_uuid(&row);
                f->order = order_find(set, &order_id);
                if (!f->order)
                        return FAULT_BROKEN;
                fulfillment_from_row(&row, f);
                if (!f->order->n_fulfillments)
                        f->order->fulfillments = &set->fulfillments[i];
                f->order->fulfillments_capacity = ++f->order->n_fulfillments;
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
                line->value = row_integer(&row);
                line->cancelled = row_integer(&row);
                line->fulfilled = row_integer(&row);
                line->returned = row_integer(&row);
                line->settled = row_integer(&row);
                line->settled_value = row_integer(&row);
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
        order_line_allocate(&fulfillment->order->lines[number], line);
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
                lines[i].resourced = row_integer(&row);
                lines[i].cancelled = row_integer(&row);
                lines[i].moved = row_integer(&row);
                lines[i].expired = row_integer(&row);
                lines[i].fulfilled = row_integer(&row);
                p = fulfillment_line_link(set, &lines[i], &fulfillment_id, number, sku);
        }
        return p;
}

static void parameters_documents(struct parameters *p, const struct order_set *set) {
        struct array *orders, *fulfillments;

        parameters_init(p, set->arena);
        orders = parameter_uuids(p);
        fulfillments = parameter_uuids(p);
        for (size_t i = 0; i < set->n_orders_wanted; i++)
                array_uuid(orders, &set->orders_wanted[i]);
        for (size_t i = 0; i < set->n_fulfillments_wanted; i++)
                array_uuid(fulfillments, &set->fulfillments_wanted[i]);
}

static void ask(struct database *database, struct order_set *set, const struct statement *statement, rows_reader reader,
        void *into) {
        struct parameters p;

        parameters_documents(&p, set);
        database_ask(database, statement, &p, reader, into);
}

/* Other rows that are wanted are locked in the same statement, in the one order. */
static void ask_for_stock(struct database *database, struct order_set *set) {
        const struct stock *stock = set->stock;
        struct parameters p;
        struct array *locations, *skus;

        if (!stock->n_wanted) {
                ask(database, set, &sql_orders_lock_stock, stock_rows_read, set->stock);
                return;
        }
        parameters_documents(&p, set);
        locations = parameter_texts(&p);
        skus = parameter_texts(&p);
        for (size_t i = 0; i < stock->n_wanted; i++) {
                array_text(locations, stock->wanted[i].location);
                array_text(skus, stock->wanted[i].sku);
        }
        database_ask(database, &sql_orders_lock_stock_and_more, &p, stock_rows_read, set->stock);
}

static void ask_for_parts(struct database *database, struct order_set *set) {
        ask(database, set, &sql_order_lines_read, order_lines_row, set);
        ask(database, set, &sql_order_discounts_read, discounts_row, set);
        ask(database, set, &sql_fulfillment_lines_read, fulfillment_lines_row, set);
        ask(database, set, &sql_payments_read, payments_row, set);
        ask(database, set, &sql_refunds_read, refunds_row, set);
}

enum problem orders_lock_headers(struct database *database, struct order_set *set) {
        if (set->exhausted)
                return FAULT_BUSY;
        ask(database, set, &sql_orders_lock, orders_row, set);
        ask(database, set, &sql_fulfillments_lock, fulfillments_row, set);
        return PROBLEM_NONE;
}

enum problem orders_read_parts(struct database *database, struct order_set *set) {
        if (set->exhausted)
                return FAULT_BUSY;
        ask_for_parts(database, set);
        return PROBLEM_NONE;
}

enum problem orders_lock(struct database *database, struct order_set *set) {
        const enum problem p = orders_lock_headers(database, set);

        if (p)
                return p;
        if (set->stock->exhausted)
                return FAULT_BUSY;
        ask_for_stock(database, set);
        return orders_read_parts(database, set);
}

enum problem orders_read(struct database *database, struct order_set *set) {
        if (set->exhausted)
                return FAULT_BUSY;
        ask(database, set, &sql_orders_read, orders_row, set);
        ask(database, set, &sql_fulfillments_read, fulfillments_row, set);
        ask_for_parts(database, set);
        return PROBLEM_NONE;
}
