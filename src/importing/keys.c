#include "importing/keys.h"

#include "base/digest.h"

#include <string.h>

#define CAPACITY_FIRST 1024 /* a power of two */

uint64_t import_key(const char *first, const char *second) {
        const struct digest_part parts[] = { digest_text(first), digest_text(second) };
        uint8_t digest[DIGEST_SIZE];
        uint64_t key;

        digest_parts(parts, array_size(parts), digest);
        memcpy(&key, digest, sizeof(key));
        return key ? key : 1;
}

static struct import_seen_slot *slot_for(struct import_seen_slot *slots, size_t capacity, uint64_t key) {
        size_t i = (size_t) key & (capacity - 1);

        while (slots[i].key && slots[i].key != key)
                i = (i + 1) & (capacity - 1);
        return &slots[i];
}

static bool grow(struct import_seen *seen) {
        const size_t capacity = seen->capacity ? 2 * seen->capacity : CAPACITY_FIRST;
        struct import_seen_slot *slots = calloc(capacity, sizeof(*slots));

        if (!slots)
                return false;
        for (size_t i = 0; i < seen->capacity; i++)
                if (seen->slots[i].key)
                        *slot_for(slots, capacity, seen->slots[i].key) = seen->slots[i];
        free(seen->slots);
        seen->slots = slots;
        seen->capacity = capacity;
        return true;
}

bool import_seen(struct import_seen *seen, const char *first, const char *second, size_t line, size_t *ret_line) {
        const uint64_t key = import_key(first, second);
        struct import_seen_slot *slot;

        if (2 * seen->n >= seen->capacity && (seen->n >= IMPORT_KEYS_MAX || !grow(seen)))
                return false;
        slot = slot_for(seen->slots, seen->capacity, key);
        *ret_line = slot->line;
        if (slot->line)
                return true;
        seen->n += !slot->key;
        *slot = (struct import_seen_slot){ key, line };
        return true;
}

bool import_has_seen(const struct import_seen *seen, const char *first, const char *second) {
        return seen->capacity && slot_for(seen->slots, seen->capacity, import_key(first, second))->line;
}

void import_unsee(struct import_seen *seen, const char *first, const char *second) {
        if (seen->capacity)
                slot_for(seen->slots, seen->capacity, import_key(first, second))->line = 0;
}

void import_seen_clear(struct import_seen *seen) {
        free(seen->slots);
        *seen = (struct import_seen){ 0 };
}
