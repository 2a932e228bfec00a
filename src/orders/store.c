#include "db/connection.h"
#include "orders/columns.h"
#include "orders/orders.h"

#include "base/config.h"
#include "base/sorted.h"
#include "sql/orders.h"

/* ---- wanted orders ---- */

void orders_init(struct order_set *set, struct arena *arena, struct stock *stock) {
        *set = (struct order_set){ .arena = arena, .stock = stock };
}

static void id_want(struct order_set *set, struct uuid **ids, size_t *n, size_t *capacity, const struct uuid *id) {
        struct uuid *wanted = arena_grow(set->arena, *ids, *n, capacity, sizeof(*wanted));

        if (!wanted) {
                set->exhausted = true;
                return;
        }
        *ids = wanted;
        wanted[(*n)++] = *id;
}

void orders_want(struct order_set *set, const struct uuid *order_id) {
        id_want(set, &set->orders_wanted, &set->n_orders_wanted, &set->orders_capacity, order_id);
}

void orders_want_fulfillment(struct order_set *set, const struct uuid *fulfillment_id) {
        id_want(set, &set->fulfillments_wanted, &set->n_fulfillments_wanted, &set->fulfillments_capacity,
                fulfillment_id);
}

/* ---- reading ---- */

static enum problem orders_row(struct rows *rows, void *into) {
        struct order_set *set = into;

        set->rows = rows_fill(rows, &order_header_columns, set->arena);
        set->n_rows = set->rows ? rows_count(rows) : 0;
        set->balances = (struct balance_set){ .arena = set->arena,
                .list = arena_new_array(set->arena, struct balance *, set->n_rows) };
        if (!set->rows || !set->balances.list)
                return FAULT_BUSY;
        for (size_t i = 0; i < set->n_rows; i++) {
                set->rows[i].valued = true;
                order_open_balance(&set->rows[i]);
                set->balances.list[set->balances.n++] = &set->rows[i].balance;
        }
        return PROBLEM_NONE;
}

static int order_compare(const void *left, const void *right) {
        return uuid_compare(left, &((const struct order *) right)->id);
}

struct order *order_find(const struct order_set *set, const struct uuid *id) {
        return sorted_find(id, set->rows, set->n_rows, sizeof(*set->rows), order_compare);
}

struct fulfillment *fulfillment_find(const struct order_set *set, const struct uuid *id) {
        for (size_t i = 0; i < set->n_fulfillments; i++)
                if (uuid_equal(&set->fulfillments[i]->id, id))
                        return set->fulfillments[i];
        return NULL;
}

/* Rows come sorted by order and id, so those of one order are adjacent; likewise all lines below. */
static enum problem fulfillments_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct fulfillment *fulfillments = arena_new_array(set->arena, struct fulfillment, n);
        struct binding binding;
        int order_place;

        set->fulfillments = arena_new_array(set->arena, struct fulfillment *, n);
        if (!fulfillments || !set->fulfillments)
                return FAULT_BUSY;
        if (!rows_bind(rows, &fulfillment_columns, &binding))
                return FAULT_BROKEN;
        order_place = binding_place(&binding, "order_id");
        set->n_fulfillments = n;
        for (size_t i = 0; i < n; i++) {
                const struct uuid order_id = binding_uuid(&binding, i, order_place);
                struct fulfillment *f = &fulfillments[i];

                set->fulfillments[i] = f;
                f->order = order_find(set, &order_id);
                if (!f->order)
                        return FAULT_BROKEN;
                row_fill(&binding, i, f);
                if (!f->order->n_fulfillments)
                        f->order->fulfillments = &set->fulfillments[i];
                f->order->fulfillments_capacity = ++f->order->n_fulfillments;
        }
        return PROBLEM_NONE;
}

static enum problem order_lines_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct order_line *lines = rows_fill(rows, &order_line_columns, set->arena);
        struct binding binding;

        if (!lines)
                return FAULT_BUSY;
        if (!rows_bind(rows, &order_line_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < n; i++) {
                const struct uuid order_id = binding_uuid(&binding, i, binding_place(&binding, "order_id"));

                lines[i].order = order_find(set, &order_id);
                if (!lines[i].order)
                        return FAULT_BROKEN;
                if (!lines[i].order->n_lines++)
                        lines[i].order->lines = &lines[i];
        }
        return PROBLEM_NONE;
}

static enum problem discounts_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct order_discount *discounts = arena_new_array(set->arena, struct order_discount, n);
        struct discount_row *read = rows_fill(rows, &order_discount_columns, set->arena);

        if (!discounts || !read)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct order *order = order_find(set, &read[i].order_id);

                discounts[i] = read[i].discount;
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
        struct fulfillment_line *lines = rows_fill(rows, &fulfillment_line_columns, set->arena);
        enum problem p = lines ? PROBLEM_NONE : FAULT_BUSY;
        struct binding binding;
        int fulfillment, line, sku;

        if (!rows_bind(rows, &fulfillment_line_columns, &binding))
                return FAULT_BROKEN;
        fulfillment = binding_place(&binding, "fulfillment_id");
        line = binding_place(&binding, "line");
        sku = binding_place(&binding, "sku");
        for (size_t i = 0; i < rows_count(rows) && !p; i++) {
                const struct uuid fulfillment_id = binding_uuid(&binding, i, fulfillment);

                p = fulfillment_line_link(set, &lines[i], &fulfillment_id, binding_integer(&binding, i, line),
                        binding_text(&binding, i, sku));
        }
        return p;
}

/* The last rows to be read: the orders are whole. */
static enum problem order_refunds_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const enum problem p = refunds_row(rows, &set->balances);

        for (size_t i = 0; i < set->n_rows && !p; i++)
                set->rows[i].mark = order_worth_mark(&set->rows[i]);
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

static void orders_ask(struct database *database, struct order_set *set, const struct statement *statement,
        rows_reader reader, void *into) {
        struct parameters p;

        parameters_documents(&p, set);
        database_ask(database, statement, &p, reader, into);
}

/* The same statement locks the other wanted rows, all in the order of locks. */
static void ask_for_stock(struct database *database, struct order_set *set) {
        const struct stock *stock = set->stock;
        struct parameters p;

        if (!stock->n_wanted) {
                orders_ask(database, set, &sql_orders_lock_stock, stock_rows_read, set->stock);
                return;
        }
        parameters_documents(&p, set);
        parameter_stock_keys(&p, stock->wanted, stock->n_wanted);
        database_ask(database, &sql_orders_lock_stock_and_more, &p, stock_rows_read, set->stock);
}

static void ask_for_parts(struct database *database, struct order_set *set) {
        orders_ask(database, set, &sql_order_lines_read, order_lines_row, set);
        orders_ask(database, set, &sql_order_discounts_read, discounts_row, set);
        orders_ask(database, set, &sql_fulfillment_lines_read, fulfillment_lines_row, set);
        orders_ask(database, set, &sql_payments_read, payments_row, &set->balances);
        orders_ask(database, set, &sql_refunds_read, order_refunds_row, set);
}

/* The policy of its channel is part of an order. */
static void ask_for_headers(struct database *database, struct order_set *set, const struct statement *statement) {
        struct parameters p;

        parameters_documents(&p, set);
        parameter_integer(&p, config_integer(CONFIG_UNPAID_TTL) / SECOND);
        database_ask(database, statement, &p, orders_row, set);
}

enum problem orders_lock_headers(struct database *database, struct order_set *set) {
        if (set->exhausted)
                return FAULT_BUSY;
        ask_for_headers(database, set, &sql_orders_lock);
        orders_ask(database, set, &sql_fulfillments_lock, fulfillments_row, set);
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
        ask_for_headers(database, set, &sql_orders_read);
        orders_ask(database, set, &sql_fulfillments_read, fulfillments_row, set);
        ask_for_parts(database, set);
        return PROBLEM_NONE;
}
