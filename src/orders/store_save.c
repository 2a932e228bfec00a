#include "catalog/slots.h"
#include "db/connection.h"
#include "orders/saving.h"

#include "base/digest.h"
#include "sql/orders.h"

static void headers_update(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *ids, *statuses, *payment_statuses, *refunded, *refund_due, *reasons, *versions, *updated;
        struct array *credited, *adjusted, *paid, *payment_due;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        statuses = parameter_texts(&p);
        payment_statuses = parameter_texts(&p);
        refunded = parameter_integers(&p);
        refund_due = parameter_integers(&p);
        reasons = parameter_texts(&p);
        versions = parameter_integers(&p);
        updated = parameter_times(&p);
        credited = parameter_integers(&p);
        adjusted = parameter_integers(&p);
        paid = parameter_integers(&p);
        payment_due = parameter_times(&p);
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
                array_integer(credited, o->credited);
                array_integer(adjusted, o->adjusted);
                array_integer(paid, o->paid);
                array_time(payment_due, o->payment_due_at);
        }
        if (ids->n)
                database_ask(database, &sql_orders_update, &p, NULL, NULL);
}

/* Apart from the states, since it changes seldom. */
static void headers_rewrite(struct database *database, const struct order_set *set) {
        struct parameters p, discounts;
        struct array *ids, *customers, *ship_tos, *subtotals, *sums, *shippings, *taxes, *included, *totals, *orders;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        customers = parameter_jsonbs(&p);
        ship_tos = parameter_jsonbs(&p);
        subtotals = parameter_integers(&p);
        sums = parameter_integers(&p);
        shippings = parameter_integers(&p);
        taxes = parameter_integers(&p);
        included = parameter_booleans(&p);
        totals = parameter_integers(&p);
        parameters_init(&discounts, set->arena);
        orders = parameter_uuids(&discounts);
        for (size_t i = 0; i < set->n_rows; i++) {
                struct order *o = &set->rows[i];

                if (!o->rewritten)
                        continue;
                array_uuid(ids, &o->id);
                array_jsonb(customers, o->customer);
                array_jsonb(ship_tos, o->ship_to);
                array_integer(subtotals, o->subtotal);
                array_integer(sums, o->discount);
                array_integer(shippings, o->shipping);
                array_integer(taxes, o->tax);
                array_boolean(included, o->tax_included);
                array_integer(totals, o->total);
                array_uuid(orders, &o->id);
        }
        if (!ids->n)
                return;
        database_ask(database, &sql_orders_rewrite, &p, NULL, NULL);
        database_ask(database, &sql_order_discounts_delete, &discounts, NULL, NULL);
        for (size_t i = 0; i < set->n_rows; i++) {
                struct order *o = &set->rows[i];

                if (o->rewritten)
                        order_discounts_insert(database, set->arena, &o, 1);
        }
}

static void lines_update(struct database *database, const struct order_set *set) {
        struct parameters p;
        struct array *orders, *numbers, *quantities, *cancelled, *fulfilled, *returned, *values, *settled,
                *settled_values;

        parameters_init(&p, set->arena);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        quantities = parameter_integers(&p);
        cancelled = parameter_integers(&p);
        fulfilled = parameter_integers(&p);
        returned = parameter_integers(&p);
        values = parameter_integers(&p);
        settled = parameter_integers(&p);
        settled_values = parameter_integers(&p);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_lines; j++) {
                        const struct order_line *line = &set->rows[i].lines[j];

                        if (!line->changed)
                                continue;
                        array_uuid(orders, &set->rows[i].id);
                        array_integer(numbers, line->number);
                        array_integer(quantities, line->quantity);
                        array_integer(cancelled, line->cancelled);
                        array_integer(fulfilled, line->fulfilled);
                        array_integer(returned, line->returned);
                        array_integer(values, line->value);
                        array_integer(settled, line->settled);
                        array_integer(settled_values, line->settled_value);
                }
        if (orders->n)
                database_ask(database, &sql_order_lines_update, &p, NULL, NULL);
}

static void fulfillments_update(struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct parameters p;
        struct array *ids, *statuses, *reasons, *holds, *assignees, *staging, *serials, *wrong, *locked, *handovers;
        struct array *packages, *versions, *updated, *reminders, *recipients, *movers;

        parameters_init(&p, arena);
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
        reminders = parameter_times(&p);
        recipients = parameter_jsonbs(&p);
        movers = parameter_texts(&p);
        for (size_t i = 0; i < all->n; i++) {
                const struct fulfillment *f = all->list[i];

                if (!f->changed)
                        continue;
                notes_add(database_notes(database), f->location);
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
                array_time(reminders, f->remind_at);
                array_jsonb(recipients, f->recipient);
                array_text(movers, f->moved_by);
        }
        if (ids->n)
                database_ask(database, &sql_fulfillments_update, &p, NULL, NULL);
}

static void array_integer_or_none(struct array *array, int64_t value) {
        if (value < 0)
                array_null(array);
        else
                array_integer(array, value);
}

/* Apart from the rest, since they change seldom. */
static void check_ins_update(struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct parameters p;
        struct array *ids, *states, *etas, *bays, *makes, *colors, *plates, *on_the_way, *arrived, *waited;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        states = parameter_texts(&p);
        etas = parameter_integers(&p);
        bays = parameter_texts(&p);
        makes = parameter_texts(&p);
        colors = parameter_texts(&p);
        plates = parameter_texts(&p);
        on_the_way = parameter_times(&p);
        arrived = parameter_times(&p);
        waited = parameter_integers(&p);
        for (size_t i = 0; i < all->n; i++) {
                const struct check_in *check_in = &all->list[i]->check_in;

                if (!check_in->changed)
                        continue;
                array_uuid(ids, &all->list[i]->id);
                array_text(states, check_in_lifecycle.states[check_in->state]);
                array_integer_or_none(etas, check_in->eta_minutes);
                array_text(bays, check_in->bay);
                array_text(makes, check_in->vehicle.make);
                array_text(colors, check_in->vehicle.color);
                array_text(plates, check_in->vehicle.plate);
                array_time(on_the_way, check_in->on_the_way_at);
                array_time(arrived, check_in->arrived_at);
                array_integer_or_none(waited, check_in->waited_s);
        }
        if (ids->n)
                database_ask(database, &sql_check_ins_update, &p, NULL, NULL);
}

static void links_update(struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct parameters p;
        struct array *ids, *digests, *expires;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        digests = parameter_byteas(&p);
        expires = parameter_times(&p);
        for (size_t i = 0; i < all->n; i++) {
                const struct fulfillment *f = all->list[i];

                if (!f->link.changed)
                        continue;
                array_uuid(ids, &f->id);
                array_bytes(digests, f->link.digest, DIGEST_SIZE);
                array_time(expires, f->link.expires_at);
        }
        if (ids->n)
                database_ask(database, &sql_links_update, &p, NULL, NULL);
}

static void fulfillment_lines_update(
        struct database *database, struct arena *arena, const struct fulfillment_list *all) {
        struct parameters p;
        struct array *orders, *fulfillments, *numbers, *quantities, *picked, *shorted, *resourced, *cancelled, *moved;
        struct array *expired, *fulfilled;

        parameters_init(&p, arena);
        orders = parameter_uuids(&p);
        fulfillments = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        quantities = parameter_integers(&p);
        picked = parameter_integers(&p);
        shorted = parameter_integers(&p);
        resourced = parameter_integers(&p);
        cancelled = parameter_integers(&p);
        moved = parameter_integers(&p);
        expired = parameter_integers(&p);
        fulfilled = parameter_integers(&p);
        for (size_t i = 0; i < all->n; i++)
                for (size_t j = 0; j < all->list[i]->n_lines; j++) {
                        const struct fulfillment_line *line = &all->list[i]->lines[j];

                        if (!line->changed)
                                continue;
                        array_uuid(orders, &line->fulfillment->order->id);
                        array_uuid(fulfillments, &line->fulfillment->id);
                        array_integer(numbers, line->order_line->number);
                        array_integer(quantities, line->quantity);
                        array_integer(picked, line->picked);
                        array_integer(shorted, line->shorted);
                        array_integer(resourced, line->resourced);
                        array_integer(cancelled, line->cancelled);
                        array_integer(moved, line->moved);
                        array_integer(expired, line->expired);
                        array_integer(fulfilled, line->fulfilled);
                }
        if (orders->n)
                database_ask(database, &sql_fulfillment_lines_update, &p, NULL, NULL);
}

/* The last thing that is done, since it takes locks: slots come after all stock rows. */
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

/* What is new is inserted as it was made, then written like the rest as it has become. */
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
        headers_rewrite(database, set);
        order_lines_insert(database, set->arena, list, set->n_rows);
        lines_update(database, set);
        p = fulfillments_insert_new(database, set->arena, &all);
        if (p)
                return p;
        fulfillments_update(database, set->arena, &all);
        check_ins_update(database, set->arena, &all);
        links_update(database, set->arena, &all);
        fulfillment_lines_update(database, set->arena, &all);
        payments_update(database, set);
        if (!set->returns_loaded)
                returns_raise(database, set);
        return slots_leave(database, set->arena, &all);
}
