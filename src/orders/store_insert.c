#include "db/connection.h"
#include "orders/saving.h"
#include "sql/orders.h"

/* ---- orders ---- */

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
        database_ask(database, &sql_orders_insert, &p, NULL, NULL);
}

void order_lines_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
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
                database_ask(database, &sql_order_lines_insert, &p, NULL, NULL);
}

void order_discounts_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n) {
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
                database_ask(database, &sql_order_discounts_insert, &p, NULL, NULL);
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
        for (size_t i = 0; i < fulfillments->n; i++) {
                const struct fulfillment *f = fulfillments->list[i];

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
                database_ask(database, &sql_fulfillments_insert, &p, NULL, NULL);
}

/* All lines of new fulfillments, those that were added of others. */
static void fulfillment_lines_insert(
        struct database *database, struct arena *arena, const struct fulfillment_list *all) {
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
        for (size_t i = 0; i < all->n; i++)
                for (size_t j = 0; j < all->list[i]->n_lines; j++) {
                        const struct fulfillment_line *line = &all->list[i]->lines[j];

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
                database_ask(database, &sql_fulfillment_lines_insert, &p, NULL, NULL);
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

        if (!n)
                return PROBLEM_NONE;
        headers_insert(database, arena, list, n);
        order_lines_insert(database, arena, list, n);
        order_discounts_insert(database, arena, list, n);
        payments_insert(database, arena, list, n);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < list[i]->n_fulfillments; j++)
                        fulfillment_list_add(&fulfillments, arena, list[i]->fulfillments[j]);
        return fulfillments_insert_new(database, arena, &fulfillments);
}
