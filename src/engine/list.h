/*
 * engine/list: GET of a list, written once for all lists whose page is rows.
 *
 * A room describes a list by a `struct list_kind`. The row of its routes names the description as `.kind`, beside the
 * operation `list_operation`. The operation opens the page of each call (engine/cursor.h), asks for one row more than
 * the page shows, lets the room read the documents of all rows, and writes `data`, `next_cursor` and the Link header. A
 * page ends at its limit, or when the reply has grown to PAGE_SIZE_MAX.
 *
 * call->work is a struct of the room that begins with a struct page. It lives in the batch's arena, zeroed. It is NULL
 * for a call that is refused.
 */
#pragma once

#include "engine/cursor.h"

struct list_kind {
        size_t size;    /* of call->work */
        size_t n_parts; /* of the key that orders the list */

        /* Queue: the rows after page->after, page->limit + 1 at most, and whatever they need besides. May refuse the
         * call. */
        enum problem (*ask)(struct batch *batch, struct call *call, struct page *page);

        /* May be NULL. After the rows of all calls are known: queue the look-up of their documents. May trip. */
        enum problem (*read)(struct batch *batch);

        /* May be NULL. After all reads: false after a refusal, such as of an unknown location. */
        bool (*check)(struct call *call, const struct page *page);

        /* The i-th row, or NULL behind the last. */
        const void *(*row)(const struct page *page, size_t i);

        /* Write the row as an element of `data`; nothing when its document has gone. */
        void (*write)(struct writer *json, const struct page *page, const void *row);

        /* The parts of the key; a part that is NULL, for want of memory, fails the reply. */
        void (*key)(const struct page *page, const void *row, struct arena *arena, const char **ret_parts);
};

extern const struct operation list_operation;

/* Write `data`, `next_cursor` and the Link header of a page. For a list whose operation is another one. */
void list_write(struct reply_writer *writer, const struct list_kind *kind, const struct page *page);
