#include "orders/placing.h"

#include "base/writer.h"

#include <ctype.h>
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

/* Nine symbols without look-alikes, in groups that a person can read out. */
const char *order_number_of(const uint8_t *bytes, struct arena *arena) {
        static const char symbols[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
        char *number = arena_alloc(arena, ORDER_NUMBER_SIZE);
        size_t n = 0;

        if (!number)
                return NULL;
        for (size_t i = 0; i < 9; i++) {
                if (i && i % 3 == 0)
                        number[n++] = '-';
                number[n++] = symbols[bytes[i] % (sizeof(symbols) - 1)];
        }
        return number;
}

const char *order_number_new(struct arena *arena) {
        const struct uuid random = uuid_random();

        return order_number_of(random.bytes, arena);
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

/* Accepts a number as a person types it: in lower case, with hyphens at other places or without any. NULL: it cannot be
 * an order number. */
const char *order_number_read(const char *text, struct arena *arena) {
        struct buffer number;

        buffer_init(&number, arena, ORDER_NUMBER_SIZE);
        for (const char *c = text; *c; c++) {
                const char letter = (char) toupper((unsigned char) *c);

                if (strchr("- ", *c))
                        continue;
                if (!isalnum((unsigned char) *c) || number.size + 1 >= ORDER_NUMBER_SIZE)
                        return NULL;
                buffer_append(&number, &letter, 1);
                if ((number.size + 1) % 4 == 0 && number.size + 1 < ORDER_NUMBER_SIZE)
                        buffer_append_text(&number, "-");
        }
        return number.failed ? NULL : buffer_text(&number);
}

const char *order_number_named(const char *text, struct arena *arena) {
        const char *number = text ? order_number_read(text, arena) : NULL;

        return number ? number : text;
}
