#include "notifications/data.h"

#include "base/text.h"
#include "notifications/format.h"
#include "notifications/notifications.h"
#include "orders/customer.h"

const struct data_member data_members[] = {
        { "channel.name", "name of the sales channel", "Web shop" },
        { "customer.name", "name of the customer", "Ada Lovelace" },
        { "fulfillment.hold_until", "the location keeps the units until then", "Saturday, 28 November 2026, 11:15" },
        { "fulfillment.is_curbside", "true for a pickup at the curb, else absent", "true" },
        { "fulfillment.is_pickup", "true for a pickup in the store, else absent", "true" },
        { "fulfillment.is_ship", "true for a shipment, else absent", "true" },
        { "fulfillment.lines[].quantity", "units that the location has or had to prepare", "2" },
        { "fulfillment.lines[].sku", "code of the product", "SKU-1" },
        { "fulfillment.lines[].title", "title of the product", "Enamel mug" },
        { "fulfillment.packages[].carrier", "carrier of the package", "DHL" },
        { "fulfillment.packages[].tracking_number", "tracking number of the package", "00340434161094000000" },
        { "fulfillment.pickup_code", "code that the customer shows at the location", "ABCD2345" },
        { "fulfillment.promised_at", "time that the customer was promised", "Saturday, 21 November 2026, 13:15" },
        { "location.address", "address of that location, in lines; absent without one",
                "Alexanderplatz 1, 10178 Berlin" },
        { "location.name", "name of the location that prepares the units", "Berlin Mitte" },
        { "order.discount", "discounts of the order; absent without any", "€5.00" },
        { "order.lines[].price", "price of one unit", "€12.90" },
        { "order.lines[].quantity", "ordered units", "2" },
        { "order.lines[].sku", "code of the product", "SKU-1" },
        { "order.lines[].title", "title of the product", "Enamel mug" },
        { "order.order_number", "number of the order", "W-7K3M-9QXA" },
        { "order.placed_at", "time of the order", "Saturday, 21 November 2026, 11:15" },
        { "order.shipping", "shipping costs; absent without any", "€4.90" },
        { "order.subtotal", "price of all units before discounts", "€25.80" },
        { "order.tax", "tax of the order; absent without any", "€4.12" },
        { "order.total", "total of the order", "€25.70" },
        { "refund.amount", "amount of the refund", "€12.90" },
};
const size_t data_member_count = array_size(data_members);

static const struct zone_span utc_span = { .begins = TIMESTAMP_NONE };
static const struct zone utc = { .name = "UTC", .spans = &utc_span, .n_spans = 1 };

/* ---- the fulfillment of a message ---- */

static bool fulfillment_suits(const struct fulfillment *fulfillment, const char *kind) {
        const bool by_carrier = text_equal(kind, notification_kind_texts[NOTIFY_SHIPPED]) ||
                                text_equal(kind, notification_kind_texts[NOTIFY_DELIVERED]);
        const bool by_customer = text_equal(kind, notification_kind_texts[NOTIFY_READY]) ||
                                 text_equal(kind, notification_kind_texts[NOTIFY_REMINDER]) ||
                                 text_equal(kind, notification_kind_texts[NOTIFY_COLLECTED]);
        const bool ships = fulfillment->method == BY_SHIPPING;

        return (ships && !by_customer) || (!ships && !by_carrier);
}

const struct fulfillment *notification_fulfillment(const struct order *order, const char *kind) {
        const struct fulfillment *newest = NULL, *suitable = NULL;

        for (size_t i = 0; i < order->n_fulfillments; i++) {
                const struct fulfillment *fulfillment = order->fulfillments[i];

                if (!newest || fulfillment->number > newest->number)
                        newest = fulfillment;
                if (fulfillment_suits(fulfillment, kind) && (!suitable || fulfillment->number > suitable->number))
                        suitable = fulfillment;
        }
        return suitable ? suitable : newest;
}

/* ---- the document ---- */

struct document {
        struct writer json;
        const struct notification_facts *facts;
        const struct zone *zone;
        struct arena *arena;
        bool failed; /* there is no memory left */
};

static void present_text(struct document *document, const char *name, const char *value) {
        if (value && *value)
                write_text_member(&document->json, name, value);
}

static void present_amount(struct document *document, const char *name, int64_t amount) {
        const char *currency = document->facts->order->balance.currency;
        const char *text = amount_format(amount, currency, document->facts->locale, document->arena);

        document->failed |= !text;
        present_text(document, name, text);
}

static void present_time(struct document *document, const char *name, timestamp instant) {
        const char *text = time_format(instant, document->zone, document->facts->locale, document->arena);

        document->failed |= !text && instant != TIMESTAMP_NONE;
        present_text(document, name, text);
}

static void present_optional_amount(struct document *document, const char *name, int64_t amount) {
        if (amount)
                present_amount(document, name, amount);
}

static void write_order_lines(struct document *document) {
        const struct order *order = document->facts->order;
        struct writer *json = &document->json;

        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < order->n_lines; i++) {
                write_object_begin(json);
                present_amount(document, "price", order->lines[i].unit_price);
                write_integer_member(json, "quantity", order->lines[i].quantity);
                write_text_member(json, "sku", order->lines[i].sku);
                present_text(document, "title", order->lines[i].title);
                write_object_end(json);
        }
        write_list_end(json);
}

static void write_order(struct document *document) {
        const struct order *order = document->facts->order;
        struct writer *json = &document->json;

        write_name(json, "order");
        write_object_begin(json);
        present_optional_amount(document, "discount", order->discount);
        write_order_lines(document);
        write_text_member(json, "order_number", order->number);
        present_time(document, "placed_at", order->placed_at);
        present_optional_amount(document, "shipping", order->shipping);
        present_amount(document, "subtotal", order->subtotal);
        present_optional_amount(document, "tax", order->tax);
        present_amount(document, "total", order->balance.total);
        write_object_end(json);
}

static void write_fulfillment_lines(struct document *document) {
        const struct fulfillment *fulfillment = document->facts->fulfillment;
        struct writer *json = &document->json;

        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                const struct fulfillment_line *line = &fulfillment->lines[i];
                const int64_t units = line->quantity - line->shorted - line->cancelled;

                if (units <= 0)
                        continue;
                write_object_begin(json);
                write_integer_member(json, "quantity", units);
                write_text_member(json, "sku", line->order_line->sku);
                present_text(document, "title", line->order_line->title);
                write_object_end(json);
        }
        write_list_end(json);
}

static void write_packages(struct document *document) {
        json_t *packages = json_loads(document->facts->fulfillment->packages, 0, NULL), *package;
        struct writer *json = &document->json;
        size_t i;

        write_name(json, "packages");
        write_list_begin(json);
        json_array_foreach(packages, i, package) {
                write_object_begin(json);
                present_text(document, "carrier", json_string_value(json_object_get(package, "carrier")));
                present_text(
                        document, "tracking_number", json_string_value(json_object_get(package, "tracking_number")));
                write_object_end(json);
        }
        write_list_end(json);
        document->failed |= !packages;
        json_decref(packages);
}

static void write_fulfillment(struct document *document) {
        const struct fulfillment *fulfillment = document->facts->fulfillment;
        static const char *const flags[] = {
                [BY_CURBSIDE] = "is_curbside", [BY_PICKUP] = "is_pickup", [BY_SHIPPING] = "is_ship"
        };

        if (!fulfillment)
                return;
        write_name(&document->json, "fulfillment");
        write_object_begin(&document->json);
        present_time(document, "hold_until", fulfillment_held_until(fulfillment));
        write_boolean_member(&document->json, flags[fulfillment->method], true);
        write_fulfillment_lines(document);
        write_packages(document);
        present_text(document, "pickup_code", document->facts->pickup_code);
        present_time(document, "promised_at", fulfillment->promised_at);
        write_object_end(&document->json);
}

static void write_named(struct document *document, const char *what, const char *name) {
        if (!name || !*name)
                return;
        write_name(&document->json, what);
        write_object_begin(&document->json);
        write_text_member(&document->json, "name", name);
        write_object_end(&document->json);
}

static void write_location(struct document *document) {
        if (!document->facts->location)
                return;
        write_name(&document->json, "location");
        write_object_begin(&document->json);
        present_text(document, "address", document->facts->location->address);
        write_text_member(&document->json, "name", document->facts->location->name);
        write_object_end(&document->json);
}

static void write_refund(struct document *document) {
        if (!document->facts->refund)
                return;
        write_name(&document->json, "refund");
        write_object_begin(&document->json);
        present_amount(document, "amount", document->facts->refund->amount);
        write_object_end(&document->json);
}

json_t *notification_data(const struct notification_facts *facts, struct arena *arena) {
        struct document document = { .facts = facts, .zone = facts->zone ? facts->zone : &utc, .arena = arena };
        struct buffer buffer;

        buffer_init(&buffer, arena, NOTIFICATION_DATA_MAX);
        writer_init(&document.json, &buffer);
        write_object_begin(&document.json);
        write_named(&document, "channel", facts->channel ? facts->channel->name : NULL);
        write_named(&document, "customer", order_customer_name(facts->order, arena));
        write_fulfillment(&document);
        write_location(&document);
        write_order(&document);
        write_refund(&document);
        write_object_end(&document.json);
        if (buffer.failed || document.failed)
                return NULL;
        return json_loadb(buffer_text(&buffer), buffer.size, 0, NULL);
}
