#include "orders/customer.h"

#include "base/country.h"
#include "base/writer.h"
#include "orders/order.h"

#include <jansson.h>
#include <string.h>

const char *const relation_texts[] = { "self", "family", "friend", "other", NULL };

#define DOCUMENT_SIZE_MAX ((size_t) 16 * 1024) /* of customer or address as JSON */

const char *order_customer(struct arena *arena, const struct customer_body *customer) {
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, arena, DOCUMENT_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "name", customer->name);
        write_text_member(&json, "email", customer->email);
        write_text_member(&json, "phone", customer->phone);
        write_text_member(&json, "customer_id", customer->customer_id);
        write_object_end(&json);
        return buffer_text(&buffer);
}

const char *order_address(struct arena *arena, const struct address_body *address) {
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, arena, DOCUMENT_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "name", address->name);
        write_text_member(&json, "line1", address->line1);
        write_text_member(&json, "line2", address->line2);
        write_text_member(&json, "city", address->city);
        write_text_member(&json, "postal_code", address->postal_code);
        write_text_member(&json, "country", address->country);
        if (address->has_latitude) {
                write_number_member(&json, "latitude", address->latitude);
                write_number_member(&json, "longitude", address->longitude);
        }
        write_object_end(&json);
        return buffer_text(&buffer);
}

const char *recipient_text(const char *name, int relation, struct arena *arena) {
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, arena, DOCUMENT_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        if (name)
                write_text_member(&json, "name", name);
        if (relation >= 0)
                write_text_member(&json, "relation", relation_texts[relation]);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

const char *order_customer_member(const struct order *order, const char *member, struct arena *arena) {
        json_t *customer = json_loads(order->customer ? order->customer : "{}", 0, NULL);
        const char *value = json_string_value(json_object_get(customer, member));
        const char *copy = value ? arena_text(arena, value) : NULL;

        json_decref(customer);
        return copy;
}

const char *order_customer_name(const struct order *order, struct arena *arena) {
        return order_customer_member(order, "name", arena);
}

/* ---- checks ---- */

/* A name, an @ and a domain; only sending a mail can prove more. */
static bool is_email(const char *text) {
        const char *at = strchr(text, '@');

        return at && at != text && at[1] && !strchr(at + 1, '@') && !strpbrk(text, " \t\r\n\v\f");
}

void customer_check(const struct customer_body *customer, struct arena *arena, struct refusal *refusal) {
        if (customer->email && !is_email(customer->email))
                (void) refuse_because(
                        refusal, arena, "#/customer/email", "malformed", "%s", "The value is not an e-mail address.");
}

void address_check(const struct address_body *to, struct arena *arena, struct refusal *refusal) {
        if (!country_exists(to->country))
                (void) refuse_because(refusal, arena, "#/ship_to/country", "malformed", "%s",
                        "The country must be an ISO 3166-1 code of two letters, such as DE.");
        if (to->has_latitude != to->has_longitude)
                (void) refuse_because(refusal, arena, "#/ship_to", "required", "%s",
                        "Latitude and longitude must be given together.");
}
