#include "catalog/slots.h"
#include "db/connection.h"
#include "events/topics.h"
#include "orders/columns.h"
#include "orders/store.h"

#include "base/digest.h"
#include "sql/orders.h"

static void headers_update(struct database *database, const struct order_set *set) {
        struct records records;

        records_begin(&records, set->arena, &sql_orders_update, &order_header_columns);
        for (size_t i = 0; i < set->n_rows; i++)
                if (set->rows[i].changed)
                        records_add(&records, &set->rows[i]);
        records_ask(&records, database);
}

/* Header and amounts are written apart from the states, since they change seldom. The discounts are replaced. */
static enum problem headers_rewrite(struct database *database, const struct order_set *set) {
        struct order **rewritten = arena_new_array(set->arena, struct order *, set->n_rows);
        struct records records, discounts;

        if (!rewritten)
                return FAULT_BUSY;
        records_begin(&records, set->arena, &sql_orders_rewrite, &order_header_columns);
        records_begin(&discounts, set->arena, &sql_order_discounts_delete, &order_header_columns);
        for (size_t i = 0; i < set->n_rows; i++) {
                if (!set->rows[i].rewritten)
                        continue;
                rewritten[records.n] = &set->rows[i];
                records_add(&records, &set->rows[i]);
                records_add(&discounts, &set->rows[i]);
        }
        records_ask(&records, database);
        records_ask(&discounts, database);
        order_discounts_insert(database, set->arena, rewritten, records.n);
        return PROBLEM_NONE;
}

static void lines_update(struct database *database, const struct order_set *set) {
        struct records records;

        records_begin(&records, set->arena, &sql_order_lines_update, &order_line_columns);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_lines; j++)
                        if (set->rows[i].lines[j].changed)
                                records_add(&records, &set->rows[i].lines[j]);
        records_ask(&records, database);
}

/* Check-ins and links are written apart from the rest, since they change seldom. */
static void fulfillments_update(struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct records records, check_ins, links;

        records_begin(&records, arena, &sql_fulfillments_update, &fulfillment_columns);
        records_begin(&check_ins, arena, &sql_check_ins_update, &fulfillment_columns);
        records_begin(&links, arena, &sql_links_update, &fulfillment_columns);
        for (size_t i = 0; i < all->n; i++) {
                const struct fulfillment *f = all->list[i];

                if (f->changed) {
                        topic_change(database, TOPIC_QUEUE, f->location);
                        records_add(&records, f);
                }
                if (f->check_in.changed)
                        records_add(&check_ins, f);
                if (f->link.changed)
                        records_add(&links, f);
        }
        records_ask(&records, database);
        records_ask(&check_ins, database);
        records_ask(&links, database);
}

static void fulfillment_lines_update(
        struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct records records;

        records_begin(&records, arena, &sql_fulfillment_lines_update, &fulfillment_line_columns);
        for (size_t i = 0; i < all->n; i++)
                for (size_t j = 0; j < all->list[i]->n_lines; j++)
                        if (all->list[i]->lines[j].changed)
                                records_add(&records, &all->list[i]->lines[j]);
        records_ask(&records, database);
}

/* The last step, since it takes locks: slots come after all stock rows. */
static enum problem slots_leave(struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct slot_row *places = arena_new_array(arena, struct slot_row, all->n);
        struct array *ids;
        struct parameters p;
        size_t n = 0;

        if (!places)
                return FAULT_BUSY;
        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < all->n; i++) {
                const struct fulfillment *f = all->list[i];

                if (!f->gives_slot_back)
                        continue;
                array_uuid(ids, &f->id);
                places[n++] = (struct slot_row){ .location = f->location, .begins = f->slot_at };
        }
        if (n)
                database_ask(database, &sql_fulfillments_leave_slots, &p, NULL, NULL);
        slots_give_back(database, arena, places, n);
        return PROBLEM_NONE;
}

/* The lock of the order guards its returns. */
static void returns_raise(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *ids, *updated;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        updated = parameter_times(&p);
        for (size_t i = 0; i < set->n_rows; i++) {
                const struct order *o = &set->rows[i];

                if (!o->changed || order_worth_mark(o) == o->mark)
                        continue;
                array_uuid(ids, &o->id);
                array_time(updated, o->updated_at);
        }
        if (ids->n)
                database_ask(database, &sql_orders_raise_returns, &p, NULL, NULL);
}

static void fulfillments_of(const struct order_set *set, struct fulfillment_list *all) {
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_fulfillments; j++)
                        fulfillment_list_add(all, set->arena, set->rows[i].fulfillments[j]);
}

/* New fulfillments are inserted in their first state, then updated like the rest. */
enum problem orders_update(struct database *database, struct order_set *set) {
        struct order **list = arena_new_array(set->arena, struct order *, set->n_rows);
        struct fulfillment_list all = { 0 };
        enum problem p;

        fulfillments_of(set, &all);
        if (!list || all.exhausted)
                return FAULT_BUSY;
        for (size_t i = 0; i < set->n_rows; i++)
                list[i] = &set->rows[i];
        headers_update(database, set);
        p = headers_rewrite(database, set);
        if (p)
                return p;
        order_lines_insert(database, set->arena, list, set->n_rows);
        lines_update(database, set);
        p = fulfillments_insert_new(database, set->arena, &all);
        if (p)
                return p;
        fulfillments_update(database, set->arena, &all);
        fulfillment_lines_update(database, set->arena, &all);
        balances_update(database, &set->balances);
        if (!set->returns_loaded)
                returns_raise(database, set);
        return slots_leave(database, set->arena, &all);
}
