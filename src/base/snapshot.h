/*
 * base/snapshot: a copy of memory that can be restored.
 *
 * A call that is refused has no effect. So the engine keeps the documents that a call may change before the call is
 * decided, and puts them back when it is refused. Each room lists the memory of its documents once, beside their
 * structs (`order_snapshot`, `reservation_snapshot`, ...): whole structs and whole lists, never single members, so
 * that a new member is covered without a further line.
 *
 * A snapshot keeps bytes, pointers included. Memory that is made later, such as a longer copy of a list, is
 * forgotten with the pointer to it. The memory named must live as long as the snapshot. One snapshot serves one call
 * after another: `snapshot_begin` uses its memory again.
 */
#pragma once

#include "base/arena.h"

struct snapshot {
        struct arena *arena;
        char *memory; /* one entry after another: where it belongs, how long it is, its bytes */
        size_t size, capacity;
        bool exhausted; /* some memory was not kept: no call may be decided with it */
};

void snapshot_init(struct snapshot *snapshot, struct arena *arena);

/* Forget the bytes kept so far, and begin anew. */
void snapshot_begin(struct snapshot *snapshot);

/* Keep `size` bytes as they are now. NULL, or no bytes, is fine. */
void snapshot_keep(struct snapshot *snapshot, void *at, size_t size);

/* Keep one object, or n of a list, by the type of the pointer. */
#define snapshot_one(snapshot, pointer)     snapshot_keep((snapshot), (pointer), sizeof(*(pointer)))
#define snapshot_list(snapshot, pointer, n) snapshot_keep((snapshot), (pointer), (n) * sizeof(*(pointer)))

/* Put back everything that was kept. */
void snapshot_restore(const struct snapshot *snapshot);
