#include "events/types.h"

#include <string.h>

const char *const subject_kinds[] = {
        [SUBJECT_CHANNEL] = "channels",
        [SUBJECT_FULFILLMENT] = "fulfillments",
        [SUBJECT_INVENTORY] = "inventory",
        [SUBJECT_INVENTORY_SETTINGS] = "inventory-settings",
        [SUBJECT_LISTING] = "listings",
        [SUBJECT_LOCATION] = "locations",
        [SUBJECT_NOTIFICATION] = "notifications",
        [SUBJECT_ORDER] = "orders",
        [SUBJECT_PAYMENT] = "payments",
        [SUBJECT_PRODUCT] = "products",
        [SUBJECT_RESERVATION] = "reservations",
        [SUBJECT_RETURN] = "returns",
        [SUBJECT_WEBHOOK] = "webhooks",
        [SUBJECT_KIND_COUNT] = NULL,
};

const struct event_type_row event_types[] = {
#define X(name, text, subject, members, kept, meaning)                                                                 \
        [EVENT_##name] = { text, SUBJECT_##subject, members, kept, meaning },
        EVENT_TYPES(X)
#undef X
};

const char *event_type_prefix = "";

const char *event_type_bare(const char *pattern) {
        const size_t size = strlen(event_type_prefix);

        return strncmp(pattern, event_type_prefix, size) == 0 ? pattern + size : pattern;
}

/* Sorted by name. */
const struct event_member event_data_members[] = {
        { "after", "object", "the changed members as they are now" },
        { "amount", "integer", "minor units of `currency`" },
        { "assignee", "text", "the associate; null: none" },
        { "at", "text", "code of the location" },
        { "attempts", "integer", "attempts to deliver the event" },
        { "before", "object", "the changed members as they were" },
        { "cause", "text", "request or age" },
        { "channel", "text", "code of the channel" },
        { "country", "text", "ISO 3166 code" },
        { "currency", "text", "ISO 4217 code" },
        { "eta_minutes", "integer", "minutes until the customer arrives" },
        { "event_id", "text", "the provider's id of its event, or the event that was not delivered" },
        { "external_ref", "text", "the reference of the imported document" },
        { "from", "text", "code of the location that had the units" },
        { "hold_until", "time", "the location keeps the units until then" },
        { "kind", "text", "kind of the message" },
        { "lines", "lines", "the lines concerned: `order_line_id`, `quantity` and further members" },
        { "lines_added", "integer", "lines of the exchange" },
        { "locale", "text", "locale of the message" },
        { "medium", "text", "email, push or sms" },
        { "members", "texts", "names of the changed members" },
        { "of_fulfillment", "id", "the fulfillment whose units left" },
        { "on_hand", "integer", "units at the location" },
        { "order_line_id", "id", "the line" },
        { "order_number", "text", "number of the order" },
        { "overridden_by", "text", "the associate that overrode the rules of the return" },
        { "packages", "integer", "number of packages" },
        { "payment_id", "id", "the payment" },
        { "proof", "text", "how the customer was recognised" },
        { "provider", "text", "holder of the money" },
        { "quantity", "integer", "units" },
        { "reason", "text", "why" },
        { "reference", "text", "the provider's reference" },
        { "refund", "integer", "minor units of `currency`: worth of the return" },
        { "refund_id", "id", "the refund" },
        { "replaced_by", "id", "the fulfillment that has the units now" },
        { "return_id", "id", "the return" },
        { "return_number", "text", "number of the return" },
        { "shipping", "integer", "minor units of `currency`: cancelled shipping" },
        { "sku", "text", "the product" },
        { "source", "text", "import: an imported document" },
        { "staging_location", "text", "place at the location" },
        { "tax", "integer", "minor units of `currency`: tax in the amount" },
        { "to", "text", "code of the location that has the units now, or the way of the refund" },
        { "total", "integer", "minor units of `currency`: total of the order" },
        { "type", "text", "the provider's type of event" },
        { "unsellable", "integer", "units that are not for sale, among those on hand" },
        { "waited_s", "integer", "seconds that the customer waited at the location" },
};
const size_t event_data_member_count = array_size(event_data_members);
