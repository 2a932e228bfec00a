/*
 * engine/cursor: the pages of a list.
 *
 * A list is ordered by a key that never changes and that ends with something unique; a page goes on after the key of
 * the last row that the client has seen, so rows that come and go meanwhile neither repeat nor hide others. The cursor
 * that carries that key is opaque: base64url of a version, a MAC and the key's parts as text. The MAC covers the path
 * and all query parameters but `cursor` and `limit` as well, so a cursor is good for its own list only. The MAC's key
 * is a row of the database (docs/decisions/0008), the same for every instance; it is read with the list, never kept.
 *
 *     struct thing_query { struct page_query page; ... };                 page first
 *     static const struct shape_member members[] = { PAGE_MEMBERS(struct thing_query), ... };
 *
 *     load:    p = pages_load(batch, &key);                               before all other statements
 *              if (!page_begin(&page, call, key, 2)) continue;            refused; decide passes the call over
 *              ask for page.limit + 1 rows after page.after[0], page.after[1]
 *     decide:  reply_begin(...); write "data" with at most page.limit rows;
 *              page_end(&w, &page, there_is_more ? parts_of_the_last_row_written : NULL);
 *              reply_end(...);
 *
 * engine/list.h does all this for a list whose page is rows.
 */
#pragma once

#include "engine/call.h"
#include "engine/reply.h"

#define CURSOR_PARTS_MAX  4
#define CURSOR_SIZE_MAX   1024 /* characters */
#define CURSOR_KEY_SIZE   32
#define CURSOR_PARAMETERS 32                         /* of a query at most */
#define PAGE_SIZE_MAX     ((size_t) 2 * 1024 * 1024) /* bytes of a reply after which a list should end its page */

struct page_query {
        const char *cursor;
        int64_t limit;
        bool has_limit;
};

/* `type` begins with a struct page_query named `page`. */
#define PAGE_MEMBERS(type)                                                                                             \
        { .name = "cursor",                                                                                            \
                .kind = SHAPE_TEXT,                                                                                    \
                .offset = offsetof(type, page.cursor),                                                                 \
                .present_offset = SHAPE_NO_OFFSET,                                                                     \
                BETWEEN(0, INT64_MAX) },                                                                               \
        {                                                                                                              \
                .name = "limit", .kind = SHAPE_INTEGER, .offset = offsetof(type, page.limit),                          \
                .present_offset = offsetof(type, page.has_limit), BETWEEN(1, PAGE_LIMIT_MAX)                           \
        }

/* The query of a list without filters. */
extern const struct shape page_query_shape;

struct cursor_key {
        uint8_t bytes[CURSOR_KEY_SIZE];
        bool known;
        int64_t position; /* the last one of the log of events: a list has all changes up to it */
};

struct page {
        const struct call *call;
        const struct cursor_key *key;
        size_t n_parts;
        const char *after[CURSOR_PARTS_MAX]; /* all NULL on the first page */
        int64_t limit;
};

/* Queue the look-up of the key, which lives in the batch's arena; makes a separate trip when a call brings a cursor.
 */
must_check enum problem pages_load(struct batch *batch, const struct cursor_key **ret_key);

/* Queue the look-up of the key for cursors of positions. */
void cursor_key_ask(struct batch *batch, struct cursor_key *key);

/* A cursor of the log of events: it names a position and holds for every filter. NULL without memory. */
const char *position_cursor_seal(const struct cursor_key *key, int64_t position, struct arena *arena);

/* False when the text is no such cursor, or was altered. */
must_check bool position_cursor_open(
        const struct cursor_key *key, const char *cursor, struct arena *arena, int64_t *ret_position);

/* Open the call's page of a list ordered by `n_parts` parts. False when its cursor is none of ours, was altered, or was
 * made for another list or other filters: refused with INVALID_CURSOR. */
must_check bool page_begin(struct page *page, struct call *call, const struct cursor_key *key, size_t n_parts);

/* The key of a list ordered by time and id: read from the cursor (TIMESTAMP_NONE on the first page; false after a
 * refusal with INVALID_CURSOR), and made of a row. */
#define TIME_KEY_PARTS 2
must_check bool page_after_time(const struct page *page, struct call *call, timestamp *ret_time, struct uuid *ret_id);
void time_key_parts(timestamp time, const struct uuid *id, struct arena *arena, const char **ret_parts);

/* Write `next_cursor` and set the headers Holdfast-Cursor (events after it may be missing in the page) and Link: the
 * next page goes on after a row with these parts; NULL: there is none. Parts fit, with the rest, CURSOR_SIZE_MAX. A
 * part that is NULL, for want of memory, fails the reply. */
void page_end(struct reply_writer *writer, const struct page *page, const char *const *parts);
