#include "db/connection.h"
#include "events/topics.h"
#include "orders/columns.h"
#include "orders/store.h"
#include "sql/orders.h"

/* ---- orders ---- */

static void headers_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct records records;

        records_begin(&records, arena, &sql_orders_insert, &order_header_columns);
        for (size_t i = 0; i < n; i++)
                records_add(&records, list[i]);
        records_ask(&records, database);
}

void order_lines_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct records records;

        records_begin(&records, arena, &sql_order_lines_insert, &order_line_columns);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_lines; j++) {
                        struct order_line line = list[i]->lines[j];

                        if (!list[i]->is_new && !line.is_new)
                                continue;
                        line.order = list[i];
                        line.value = order_line_value(&list[i]->lines[j], 0, line.quantity);
                        line.tax = order_line_tax(&list[i]->lines[j], 0, line.quantity);
                        records_add(&records, &line);
                }
        records_ask(&records, database);
}

void order_discounts_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct records records;

        records_begin(&records, arena, &sql_order_discounts_insert, &order_discount_columns);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_discounts; j++)
                        records_add(&records, &(struct discount_row){ .order_id = list[i]->id,
                                                      .number = (int64_t) j,
                                                      .discount = list[i]->discounts[j] });
        records_ask(&records, database);
}

/* ---- fulfillments ---- */

void fulfillment_list_add(struct fulfillment_list *fulfillments, struct arena *arena, struct fulfillment *fulfillment) {
        struct fulfillment **list = arena_grow(
                arena, fulfillments->list, fulfillments->n, &fulfillments->capacity, sizeof(struct fulfillment *));

        if (!list) {
                fulfillments->exhausted = true;
                return;
        }
        fulfillments->list = list;
        list[fulfillments->n++] = fulfillment;
}

static void fulfillments_insert(
        struct database *database, struct arena *arena, const struct fulfillment_list *fulfillments) {
        struct records records;

        records_begin(&records, arena, &sql_fulfillments_insert, &fulfillment_columns);
        for (size_t i = 0; i < fulfillments->n; i++) {
                const struct fulfillment *f = fulfillments->list[i];

                if (!f->is_new)
                        continue;
                topic_change(database, TOPIC_QUEUE, f->location);
                records_add(&records, f);
        }
        records_ask(&records, database);
}

/* All lines of new fulfillments; of existing ones, only the added lines. */
static void fulfillment_lines_insert(
        struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct records records;

        records_begin(&records, arena, &sql_fulfillment_lines_insert, &fulfillment_line_columns);
        for (size_t i = 0; i < all->n; i++)
                for (size_t j = 0; j < all->list[i]->n_lines; j++) {
                        const struct fulfillment_line *line = &all->list[i]->lines[j];

                        if (line->fulfillment->is_new || line->is_new)
                                records_add(&records, line);
                }
        records_ask(&records, database);
}

enum problem fulfillments_insert_new(
        struct database *database, struct arena *arena, const struct fulfillment_list *fulfillments) {
        if (fulfillments->exhausted)
                return FAULT_BUSY;
        fulfillments_insert(database, arena, fulfillments);
        fulfillment_lines_insert(database, arena, fulfillments);
        return PROBLEM_NONE;
}

enum problem orders_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct fulfillment_list fulfillments = { 0 };
        struct balance **balances;

        if (!n)
                return PROBLEM_NONE;
        balances = arena_new_array(arena, struct balance *, n);
        if (!balances)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++)
                balances[i] = &list[i]->balance;
        headers_insert(database, arena, list, n);
        order_lines_insert(database, arena, list, n);
        order_discounts_insert(database, arena, list, n);
        payments_insert(database, arena, balances, n);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_fulfillments; j++)
                        fulfillment_list_add(&fulfillments, arena, list[i]->fulfillments[j]);
        return fulfillments_insert_new(database, arena, &fulfillments);
}
