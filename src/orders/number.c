#include "orders/number.h"

#include "base/buffer.h"
#include "base/uuid.h"

#include <ctype.h>
#include <string.h>

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
