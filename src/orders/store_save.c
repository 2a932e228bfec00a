#include "catalog/slots.h"
#include "db/connection.h"
#include "orders/orders.h"

#include "base/digest.h"

/* ---- inserting ---- */

static void headers_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct parameters p;
        struct array *ids, *numbers, *channels, *external_refs, *statuses, *payment_statuses, *payment_references, *due;
        struct array *currencies, *customers, *ship_tos, *subtotals, *discounts, *shippings, *taxes, *included, *totals;
        struct array *reservations, *actors, *placed, *updated, *paid;

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
        paid = parameter_integers(&p);
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
                array_integer(paid, o->paid);
        }
        database_ask(database, STATEMENT_ORDERS_INSERT, &p, NULL, NULL);
}

/* All lines of new orders, those that were added of others. */
static void lines_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct parameters p;
        struct array *orders, *numbers, *ids, *skus, *titles, *quantities, *prices, *fulfilled, *values;

        parameters_init(&p, arena);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        ids = parameter_uuids(&p);
        skus = parameter_texts(&p);
        titles = parameter_texts(&p);
        quantities = parameter_integers(&p);
        prices = parameter_integers(&p);
        fulfilled = parameter_integers(&p);
        values = parameter_integers(&p);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_lines; j++) {
                        const struct order_line *line = &list[i]->lines[j];

                        if (!list[i]->is_new && !line->is_new)
                                continue;
                        array_uuid(orders, &list[i]->id);
                        array_integer(numbers, line->number);
                        array_uuid(ids, &line->id);
                        array_text(skus, line->sku);
                        array_text(titles, line->title);
                        array_integer(quantities, line->quantity);
                        array_integer(prices, line->unit_price);
                        array_integer(fulfilled, line->fulfilled);
                        array_integer(values, order_line_value(line, 0, line->quantity));
                }
        if (orders->n)
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

/* ---- inserting fulfillments ---- */

/* Fulfillments of any orders that are new, or have lines that are, to be inserted together. */
struct additions {
        struct fulfillment **list;
        size_t n, capacity;
        bool exhausted;
};

static void additions_add(struct additions *additions, struct arena *arena, struct fulfillment *fulfillment) {
        struct fulfillment **list =
                arena_grow(arena, additions->list, additions->n, &additions->capacity, sizeof(struct fulfillment *));

        if (!list) {
                additions->exhausted = true;
                return;
        }
        additions->list = list;
        list[additions->n++] = fulfillment;
}

static void fulfillments_insert(struct database *database, struct arena *arena, const struct additions *additions) {
        struct parameters p;
        struct array *ids, *orders, *numbers, *methods, *locations, *statuses, *promised, *created, *slots, *replaces;
        struct array *recipients;

        parameters_init(&p, arena);
        ids = parameter_uuids(&p);
        orders = parameter_uuids(&p);
        numbers = parameter_integers(&p);
        methods = parameter_texts(&p);
        locations = parameter_texts(&p);
        statuses = parameter_texts(&p);
        promised = parameter_times(&p);
        created = parameter_times(&p);
        slots = parameter_times(&p);
        replaces = parameter_uuids(&p);
        recipients = parameter_jsonbs(&p);
        for (size_t i = 0; i < additions->n; i++) {
                const struct fulfillment *f = additions->list[i];

                if (!f->is_new)
                        continue;
                notes_add(database_notes(database), f->location);
                array_uuid(ids, &f->id);
                array_uuid(orders, &f->order->id);
                array_integer(numbers, f->number);
                array_text(methods, fulfillment_method_texts[f->method]);
                array_text(locations, f->location);
                array_text(statuses, fulfillment_status_text(f->status));
                array_time(promised, f->promised_at);
                array_time(created, f->created_at);
                array_time(slots, f->has_slot ? f->slot_at : TIMESTAMP_NONE);
                array_uuid(replaces, uuid_is_nil(&f->replaces) ? NULL : &f->replaces);
                array_jsonb(recipients, f->recipient);
        }
        if (ids->n)
                database_ask(database, STATEMENT_FULFILLMENTS_INSERT, &p, NULL, NULL);
}

/* All lines of new fulfillments, those that were added of others. */
static void fulfillment_lines_insert(
        struct database *database, struct arena *arena, const struct additions *additions) {
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
        for (size_t i = 0; i < additions->n; i++)
                for (size_t j = 0; j < additions->list[i]->n_lines; j++) {
                        const struct fulfillment_line *line = &additions->list[i]->lines[j];

                        if (!line->fulfillment->is_new && !line->is_new)
                                continue;
                        array_uuid(orders, &line->fulfillment->order->id);
                        array_uuid(fulfillments, &line->fulfillment->id);
                        array_integer(numbers, line->order_line->number);
                        array_text(locations, line->fulfillment->location);
                        array_text(skus, line->order_line->sku);
                        array_integer(quantities, line->quantity);
                        array_integer(picked, line->picked);
                        array_integer(fulfilled, line->fulfilled);
                }
        if (orders->n)
                database_ask(database, STATEMENT_FULFILLMENT_LINES_INSERT, &p, NULL, NULL);
}

static enum problem additions_insert(
        struct database *database, struct arena *arena, const struct additions *additions) {
        if (additions->exhausted)
                return FAULT_BUSY;
        fulfillments_insert(database, arena, additions);
        fulfillment_lines_insert(database, arena, additions);
        return PROBLEM_NONE;
}

enum problem orders_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
        struct additions additions = { 0 };

        if (!n)
                return PROBLEM_NONE;
        headers_insert(database, arena, list, n);
        lines_insert(database, arena, list, n);
        discounts_insert(database, arena, list, n);
        payments_insert(database, arena, list, n);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_fulfillments; j++)
                        additions_add(&additions, arena, list[i]->fulfillments[j]);
        return additions_insert(database, arena, &additions);
}

/* ---- updating ---- */

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
                database_ask(database, STATEMENT_ORDERS_UPDATE, &p, NULL, NULL);
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
        database_ask(database, STATEMENT_ORDERS_REWRITE, &p, NULL, NULL);
        database_ask(database, STATEMENT_ORDER_DISCOUNTS_DELETE, &discounts, NULL, NULL);
        for (size_t i = 0; i < set->n_rows; i++) {
                struct order *o = &set->rows[i];

                if (o->rewritten)
                        discounts_insert(database, set->arena, &o, 1);
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
                database_ask(database, STATEMENT_ORDER_LINES_UPDATE, &p, NULL, NULL);
}

static void fulfillments_update(struct database *database, struct arena *arena, const struct additions *all) {
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
                database_ask(database, STATEMENT_FULFILLMENTS_UPDATE, &p, NULL, NULL);
}

static void array_integer_or_none(struct array *array, int64_t value) {
        if (value < 0)
                array_null(array);
        else
                array_integer(array, value);
}

/* Apart from the rest, since they change seldom. */
static void check_ins_update(struct database *database, struct arena *arena, const struct additions *all) {
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
                database_ask(database, STATEMENT_CHECK_INS_UPDATE, &p, NULL, NULL);
}

static void links_update(struct database *database, struct arena *arena, const struct additions *all) {
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
                database_ask(database, STATEMENT_LINKS_UPDATE, &p, NULL, NULL);
}

static void fulfillment_lines_update(struct database *database, struct arena *arena, const struct additions *all) {
        struct parameters p;
        struct array *orders, *fulfillments, *numbers, *quantities, *picked, *shorted, *resourced, *cancelled, *moved;
        struct array *fulfilled;

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
                        array_integer(fulfilled, line->fulfilled);
                }
        if (orders->n)
                database_ask(database, STATEMENT_FULFILLMENT_LINES_UPDATE, &p, NULL, NULL);
}

/* The last thing that is done, since it takes locks: slots come after all stock rows. */
static enum problem slots_leave(struct database *database, struct arena *arena, const struct additions *all) {
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
                database_ask(database, STATEMENT_FULFILLMENTS_LEAVE_SLOTS, &p, NULL, NULL);
        slots_give_back(database, arena, places, n);
        return PROBLEM_NONE;
}

static void fulfillments_of(const struct order_set *set, struct additions *all) {
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i].n_fulfillments; j++)
                        additions_add(all, set->arena, set->rows[i].fulfillments[j]);
}

/* What is new is inserted as it was made, then written like the rest as it has become. */
enum problem orders_update(struct database *database, struct order_set *set) {
        struct order **list = arena_new_array(set->arena, struct order *, set->n_rows);
        struct additions all = { 0 };
        enum problem p;

        fulfillments_of(set, &all);
        if (!list || all.exhausted)
                return FAULT_BUSY;
        for (size_t i = 0; i < set->n_rows; i++)
                list[i] = &set->rows[i];
        headers_update(database, set);
        headers_rewrite(database, set);
        lines_insert(database, set->arena, list, set->n_rows);
        lines_update(database, set);
        p = additions_insert(database, set->arena, &all);
        if (p)
                return p;
        fulfillments_update(database, set->arena, &all);
        check_ins_update(database, set->arena, &all);
        links_update(database, set->arena, &all);
        fulfillment_lines_update(database, set->arena, &all);
        payments_update(database, set);
        return slots_leave(database, set->arena, &all);
}
