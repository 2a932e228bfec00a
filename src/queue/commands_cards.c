/* The card of one fulfillment for store staff; complete, so that an app needs no further request. */
#include "queue/commands.h"

#include "base/writer.h"

enum problem cards_read(struct batch *batch, struct order_set *set, struct catalog_set *catalog) {
        enum problem p = orders_read(batch->database, set);

        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        for (size_t i = 0; i < set->n_fulfillments; i++)
                for (size_t j = 0; j < set->fulfillments[i]->n_lines; j++)
                        catalog_want_product(catalog, set->fulfillments[i]->lines[j].order_line->sku);
        return catalog_load(batch->database, catalog);
}

static void write_card_line(
        struct writer *json, const struct fulfillment_line *line, const struct catalog_set *catalog) {
        const struct product *product = catalog_find_product(catalog, line->order_line->sku);

        write_object_begin(json);
        write_uuid_member(json, "order_line_id", &line->order_line->id);
        write_text_member(json, "sku", line->order_line->sku);
        write_text_member(json, "title", line->order_line->title);
        write_text_member(json, "gtin", product ? product->gtin : NULL);
        write_text_member(json, "image_url", product ? product->image_url : NULL);
        write_integer_member(json, "quantity", line->quantity);
        write_integer_member(json, "picked", line->picked);
        write_integer_member(json, "short", line->shorted);
        write_integer_member(json, "cancelled", line->cancelled);
        write_integer_member(json, "fulfilled", line->fulfilled);
        write_integer_member(json, "remaining", fulfillment_line_remaining(line));
        write_object_end(json);
}

void card_write(struct writer *json, const struct fulfillment *fulfillment, const char *customer_name,
        const struct catalog_set *catalog, unsigned powers, timestamp now) {
        write_uuid_member(json, "fulfillment_id", &fulfillment->id);
        write_uuid_member(json, "order_id", &fulfillment->order->id);
        write_text_member(json, "order_number", fulfillment->order->number);
        replaces_write(json, fulfillment);
        write_text_member(json, "method", fulfillment_method_texts[fulfillment->method]);
        write_text_member(json, "status", fulfillment_shown_status(fulfillment));
        write_text_member(json, "customer_name", customer_name);
        write_raw_member(json, "recipient", fulfillment->recipient);
        write_time_member(json, "promised_at", fulfillment->promised_at);
        write_time_member(json, "hold_until", fulfillment_held_until(fulfillment));
        write_time_member(json, "slot", fulfillment->has_slot ? fulfillment->slot_at : TIMESTAMP_NONE);
        write_text_member(json, "sla", sla_texts[queue_sla(fulfillment->status, fulfillment->promised_at, now)]);
        write_text_member(json, "assignee", fulfillment->assignee);
        write_text_member(json, "staging_location", fulfillment->staging_location);
        check_in_write(json, &fulfillment->check_in);
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                write_card_line(json, &fulfillment->lines[i], catalog);
        write_list_end(json);
        write_integer_member(json, "version", fulfillment->version);
        write_time_member(json, "created_at", fulfillment->created_at);
        write_allowed_actions(json, fulfillment, powers);
}
