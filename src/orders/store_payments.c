/* Load and save of payments and refunds, with their orders. */
#include "db/connection.h"
#include "orders/orders.h"

#include "sql/payments.h"

/* ---- reading ---- */

static void payment_from_row(struct row *row, struct payment *payment) {
        payment->number = row_integer(row);
        payment->provider = row_text(row);
        payment->reference = row_text(row);
        payment->state = (enum funds_state) row_enum(row, &payment_status_column);
        payment->amount = row_integer(row);
        payment->authorized = row_integer(row);
        payment->captured = row_integer(row);
        payment->voided = row_integer(row);
        payment->capture_due = row_integer(row);
        payment->void_due = row_integer(row);
        payment->void_asked = row_integer(row);
        payment->failed = row_integer(row);
        payment->opened = (enum funds_state) row_enum(row, &payment_opened_column);
        payment->refunded = row_integer(row);
        payment->actor = row_text(row);
        payment->version = row_integer(row);
        payment->created_at = row_time(row);
        payment->updated_at = row_time(row);
}

/* They come sorted by order and number, so those of one order stand together; likewise refunds. */
enum problem payments_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct payment *payments = arena_new_array(set->arena, struct payment, n);
        struct payment **list = arena_new_array(set->arena, struct payment *, n);

        if (!payments || !list)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                const struct uuid order_id = row_uuid(&row);
                struct order *order = order_find(set, &order_id);

                if (!order)
                        return FAULT_BROKEN;
                list[i] = &payments[i];
                payments[i].order = order;
                payments[i].id = row_uuid(&row);
                payment_from_row(&row, &payments[i]);
                if (!order->n_payments)
                        order->payments = &list[i];
                order->payments_capacity = ++order->n_payments;
        }
        return PROBLEM_NONE;
}

struct payment *payment_find(const struct order *order, const struct uuid *id) {
        for (size_t i = 0; i < order->n_payments; i++)
                if (uuid_equal(&order->payments[i]->id, id))
                        return order->payments[i];
        return NULL;
}

struct refund *refund_find(const struct order *order, const struct uuid *id) {
        for (size_t i = 0; i < order->n_refunds; i++)
                if (uuid_equal(&order->refunds[i]->id, id))
                        return order->refunds[i];
        return NULL;
}

static void refund_from_row(struct row *row, struct refund *refund) {
        struct uuid payment_id;

        refund->number = row_integer(row);
        payment_id = row_uuid(row);
        refund->payment = payment_find(refund->order, &payment_id);
        refund->return_id = row_uuid(row);
        refund->amount = row_integer(row);
        refund->to = (enum refund_to) row_enum(row, &refund_destination_column);
        refund->state = (enum refund_state) row_enum(row, &refund_status_column);
        refund->reason = row_text(row);
        refund->reference = row_text(row);
        refund->actor = row_text(row);
        refund->version = row_integer(row);
        refund->created_at = row_time(row);
        refund->updated_at = row_time(row);
}

enum problem refunds_row(struct rows *rows, void *into) {
        struct order_set *set = into;
        const size_t n = rows_count(rows);
        struct refund *refunds = arena_new_array(set->arena, struct refund, n);
        struct refund **list = arena_new_array(set->arena, struct refund *, n);

        if (!refunds || !list)
                return FAULT_BUSY;
        for (size_t i = 0; i < n; i++) {
                struct row row = row_at(rows, i);
                const struct uuid order_id = row_uuid(&row);
                struct order *order = order_find(set, &order_id);

                if (!order)
                        return FAULT_BROKEN;
                list[i] = &refunds[i];
                refunds[i].order = order;
                refunds[i].id = row_uuid(&row);
                refund_from_row(&row, &refunds[i]);
                if (!order->n_refunds)
                        order->refunds = &list[i];
                order->refunds_capacity = ++order->n_refunds;
        }
        for (size_t i = 0; i < set->n_rows; i++)
                set->rows[i].mark = order_worth_mark(&set->rows[i]); /* refunds are the last to be read */
        return PROBLEM_NONE;
}

/* They come sorted by order, so those of one stand together. */
static enum problem return_claims_read(struct rows *rows, void *into) {
        struct order_set *set = into;
        struct return_claim *claims = arena_new_array(set->arena, struct return_claim, rows_count(rows));

        if (!claims)
                return FAULT_BUSY;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const struct uuid order_id = row_uuid(&row);
                struct order *order = order_find(set, &order_id);

                if (!order)
                        return FAULT_BROKEN;
                claims[i].return_id = row_uuid(&row);
                claims[i].amount = row_integer(&row);
                if (!order->n_claims++)
                        order->claims = &claims[i];
        }
        return PROBLEM_NONE;
}

void return_claims_load(struct database *database, struct order_set *set) {
        struct parameters p;
        struct array *ids;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        for (size_t i = 0; i < set->n_orders_wanted; i++)
                array_uuid(ids, &set->orders_wanted[i]);
        database_ask(database, &sql_order_return_claims, &p, return_claims_read, set);
}

/* ---- payments ---- */

/* The columns of payments that are to be inserted, or of those that have changed. */
struct payment_columns {
        struct parameters p;
        struct array *ids, *orders, *numbers, *providers, *references, *statuses, *amounts, *authorized, *captured,
                *voided;
        struct array *capture_due, *refunded, *actors, *versions, *created, *updated, *void_due, *failed, *opened;
        struct array *void_asked;
};

static void payment_columns_init(struct payment_columns *c, struct arena *arena) {
        parameters_init(&c->p, arena);
        c->ids = parameter_uuids(&c->p);
        c->orders = parameter_uuids(&c->p);
        c->numbers = parameter_integers(&c->p);
        c->providers = parameter_texts(&c->p);
        c->references = parameter_texts(&c->p);
        c->statuses = parameter_texts(&c->p);
        c->amounts = parameter_integers(&c->p);
        c->authorized = parameter_integers(&c->p);
        c->captured = parameter_integers(&c->p);
        c->voided = parameter_integers(&c->p);
        c->capture_due = parameter_integers(&c->p);
        c->refunded = parameter_integers(&c->p);
        c->actors = parameter_texts(&c->p);
        c->created = parameter_times(&c->p);
        c->updated = parameter_times(&c->p);
        c->versions = parameter_integers(&c->p);
        c->void_due = parameter_integers(&c->p);
        c->failed = parameter_integers(&c->p);
        c->opened = parameter_texts(&c->p);
        c->void_asked = parameter_integers(&c->p);
}

static void payment_columns_add(struct payment_columns *c, const struct payment *payment) {
        array_uuid(c->ids, &payment->id);
        array_uuid(c->orders, &payment->order->id);
        array_integer(c->numbers, payment->number);
        array_text(c->providers, payment->provider);
        array_text(c->references, payment->reference);
        array_text(c->statuses, payment_lifecycle.states[payment->state]);
        array_integer(c->amounts, payment->amount);
        array_integer(c->authorized, payment->authorized);
        array_integer(c->captured, payment->captured);
        array_integer(c->voided, payment->voided);
        array_integer(c->capture_due, payment->capture_due);
        array_integer(c->refunded, payment->refunded);
        array_text(c->actors, payment->actor);
        array_time(c->created, payment->created_at);
        array_time(c->updated, payment->updated_at);
        array_integer(c->versions, payment->version);
        array_integer(c->void_due, payment->void_due);
        array_integer(c->failed, payment->failed);
        array_text(c->opened, payment_lifecycle.states[payment->opened]);
        array_integer(c->void_asked, payment->void_asked);
}

void payments_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct payment_columns columns;

        payment_columns_init(&columns, arena);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_payments; j++)
                        payment_columns_add(&columns, list[i]->payments[j]);
        if (columns.ids->n)
                database_ask(database, &sql_payments_insert, &columns.p, NULL, NULL);
}

static void payments_save(struct database *database, const struct order_set *set, bool is_new) {
        struct payment_columns columns;

        payment_columns_init(&columns, set->arena);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_payments; j++) {
                        const struct payment *payment = set->rows[i].payments[j];

                        if (payment->is_new == is_new && (is_new || payment->changed))
                                payment_columns_add(&columns, payment);
                }
        if (columns.ids->n)
                database_ask(database, is_new ? &sql_payments_insert : &sql_payments_update, &columns.p, NULL, NULL);
}

/* ---- refunds ---- */

static void refunds_insert(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *ids, *orders, *numbers, *payments, *returns, *amounts, *destinations, *statuses, *reasons,
                *actors;
        struct array *created;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        payments = parameter_uuids(&p);
        returns = parameter_uuids(&p);
        amounts = parameter_integers(&p);
        destinations = parameter_texts(&p);
        statuses = parameter_texts(&p);
        reasons = parameter_texts(&p);
        actors = parameter_texts(&p);
        created = parameter_times(&p);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_refunds; j++) {
                        const struct refund *refund = set->rows[i].refunds[j];

                        if (!refund->is_new)
                                continue;
                        array_uuid(ids, &refund->id);
                        array_uuid(orders, &refund->order->id);
                        array_integer(numbers, refund->number);
                        array_uuid(payments, refund->payment ? &refund->payment->id : NULL);
                        array_uuid(returns, uuid_is_nil(&refund->return_id) ? NULL : &refund->return_id);
                        array_integer(amounts, refund->amount);
                        array_text(destinations, refund_to_texts[refund->to]);
                        array_text(statuses, refund_lifecycle.states[refund->state]);
                        array_text(reasons, refund->reason);
                        array_text(actors, refund->actor);
                        array_time(created, refund->created_at);
                }
        if (ids->n)
                database_ask(database, &sql_refunds_insert, &p, NULL, NULL);
}

static void refunds_update(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *ids, *statuses, *references, *versions, *updated;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        statuses = parameter_texts(&p);
        references = parameter_texts(&p);
        versions = parameter_integers(&p);
        updated = parameter_times(&p);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_refunds; j++) {
                        const struct refund *refund = set->rows[i].refunds[j];

                        if (refund->is_new || !refund->changed)
                                continue;
                        array_uuid(ids, &refund->id);
                        array_text(statuses, refund_lifecycle.states[refund->state]);
                        array_text(references, refund->reference);
                        array_integer(versions, refund->version);
                        array_time(updated, refund->updated_at);
                }
        if (ids->n)
                database_ask(database, &sql_refunds_update, &p, NULL, NULL);
}

void payments_update(struct database *database, const struct order_set *set) {
        payments_save(database, set, /* is_new= */ true);
        payments_save(database, set, /* is_new= */ false);
        refunds_insert(database, set);
        refunds_update(database, set);
}
