/* The event of a change in the timeline: the state before and after. */
#include "orders/changing.h"

#include "base/writer.h"

static void write_places(struct writer *json, const struct order_line *line) {
        write_name(json, "held");
        write_list_begin(json);
        for (const struct fulfillment_line *at = line->allocations; at; at = at->older) {
                if (!fulfillment_line_open(at))
                        continue;
                write_object_begin(json);
                write_text_member(json, "method", fulfillment_method_texts[at->fulfillment->method]);
                write_text_member(json, "location", at->fulfillment->location);
                write_integer_member(json, "quantity", fulfillment_line_open(at));
                write_object_end(json);
        }
        write_list_end(json);
}

static bool is_changed_line(const struct change_body *body, const struct order_line *line) {
        if (line->is_new)
                return true;
        for (size_t i = 0; i < body->n_lines; i++)
                if (body->lines[i].has_order_line_id && uuid_equal(&body->lines[i].order_line_id, &line->id))
                        return true;
        return false;
}

static void write_state(
        struct writer *json, const char *name, const struct order *order, const struct change_body *body) {
        write_name(json, name);
        write_object_begin(json);
        write_integer_member(json, "discount", order->discount);
        write_integer_member(json, "shipping", order->shipping);
        write_integer_member(json, "tax", order->tax);
        write_integer_member(json, "total", order->balance.total);
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < order->n_lines; i++) {
                const struct order_line *line = &order->lines[i];

                if (!is_changed_line(body, line))
                        continue;
                write_object_begin(json);
                write_uuid_member(json, "order_line_id", &line->id);
                write_text_member(json, "sku", line->sku);
                write_integer_member(json, "quantity", line->quantity - line->cancelled);
                write_places(json, line);
                write_object_end(json);
        }
        write_list_end(json);
        write_object_end(json);
}

/* The names of the changed members, without personal names or addresses. */
static void write_members(struct writer *json, const struct change_body *body) {
        const struct {
                const char *name;
                bool named;
        } members[] = {
                { "customer", body->customer != NULL },
                { "discounts", body->discounts != NULL },
                { "lines", body->n_lines > 0 },
                { "recipient", body->recipient != NULL },
                { "ship_to", body->ship_to != NULL },
                { "shipping", body->has_shipping },
                { "tax", body->tax != NULL },
        };

        write_name(json, "members");
        write_list_begin(json);
        for (size_t i = 0; i < array_size(members); i++)
                if (members[i].named)
                        write_text(json, members[i].name);
        write_list_end(json);
}

struct event *change_tell_before(
        const struct order *order, const struct change_body *body, const struct command *command) {
        struct event *event = order_tell(order, EVENT_ORDER_CHANGED, command);
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_text_member(&json, "reason", body->reason);
        write_members(&json, body);
        write_state(&json, "before", order, body);
        return event;
}

void change_tell_after(struct event *event, const struct order *order, const struct change_body *body) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_state(&json, "after", order, body);
}
