#include "base/snapshot.h"

#include <string.h>

#define MEMORY_FIRST ((size_t) 4 * 1024)

/* The bytes follow it; its size keeps the next one aligned. */
struct kept {
        void *at;
        size_t size;
};

static size_t kept_size(size_t size) {
        return sizeof(struct kept) + (size + sizeof(struct kept) - 1) / sizeof(struct kept) * sizeof(struct kept);
}

void snapshot_init(struct snapshot *snapshot, struct arena *arena) {
        *snapshot = (struct snapshot){ .arena = arena };
}

void snapshot_begin(struct snapshot *snapshot) {
        snapshot->size = 0;
}

static bool has_room(struct snapshot *snapshot, size_t size) {
        const size_t needed = snapshot->size + size;
        size_t capacity = snapshot->capacity ? snapshot->capacity : MEMORY_FIRST;
        char *memory;

        if (needed <= snapshot->capacity)
                return true;
        while (capacity < needed)
                capacity *= 2;
        memory = arena_alloc(snapshot->arena, capacity);
        if (!memory)
                return false;
        if (snapshot->size)
                memcpy(memory, snapshot->memory, snapshot->size);
        snapshot->memory = memory;
        snapshot->capacity = capacity;
        return true;
}

void snapshot_keep(struct snapshot *snapshot, void *at, size_t size) {
        struct kept *kept;

        if (!at || !size)
                return;
        if (!has_room(snapshot, kept_size(size))) {
                snapshot->exhausted = true;
                return;
        }
        kept = (struct kept *) (snapshot->memory + snapshot->size);
        *kept = (struct kept){ at, size };
        memcpy(kept + 1, at, size);
        snapshot->size += kept_size(size);
}

void snapshot_restore(const struct snapshot *snapshot) {
        for (size_t i = 0; i < snapshot->size;) {
                const struct kept *kept = (const struct kept *) (snapshot->memory + i);

                memcpy(kept->at, kept + 1, kept->size);
                i += kept_size(kept->size);
        }
}
