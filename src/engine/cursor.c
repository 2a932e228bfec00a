#include "engine/cursor.h"

#include "base/sorted.h"
#include "base/text.h"
#include "db/connection.h"
#include "sql/cursor.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define CURSOR_VERSION          1
#define POSITION_CURSOR_VERSION 2
#define POSITION_SIZE           (HEAD_SIZE + sizeof(int64_t)) /* raw: version, MAC, position, big-endian */
#define MAC_SIZE                ((size_t) 16)                 /* of HMAC-SHA256's 32 bytes: RFC 2104, section 5 */
#define HEAD_SIZE               (1 + MAC_SIZE)
#define RAW_SIZE_MAX            ((size_t) CURSOR_SIZE_MAX * 3 / 4)
#define LIST_SIZE_MAX           ((size_t) 16 * 1024) /* of a list's description: the target without its cursor */

struct plain_query {
        struct page_query page;
};

static const struct shape_member plain_members[] = { PAGE_MEMBERS(struct plain_query) };
const struct shape page_query_shape = SHAPE(struct plain_query, plain_members);

/* ---- the list of a cursor ---- */

/* Whether the parameter has this name, however it is escaped; it ends at "&" or with the text. */
static bool parameter_is_named(const char *parameter, const char *wanted, struct arena *arena) {
        char *name = arena_text_sized(arena, parameter, strcspn(parameter, "=&"));

        return name && text_percent_decode(name, /* allow_slash= */ true) && text_equal(name, wanted);
}

static bool is_of_the_page(const char *parameter, struct arena *arena) {
        return parameter_is_named(parameter, "cursor", arena) || parameter_is_named(parameter, "limit", arena);
}

/* The same filters in another order or another escaping are the same list. False: one cannot be decoded, or there are
 * too many. All filters belong to the name of a list. */
static bool cursor_parameters_split(char *query, struct arena *arena, char **ret_parameters, size_t *ret_n) {
        size_t n = 0;

        while (query) {
                char *parameter = query;
                const bool counts = *parameter && *parameter != '&' && !is_of_the_page(parameter, arena);

                query = strchr(query, '&');
                if (query)
                        *query++ = '\0';
                for (char *plus = strchr(parameter, '+'); plus; plus = strchr(plus, '+'))
                        *plus = ' ';
                if (!text_percent_decode(parameter, /* allow_slash= */ true))
                        return false;
                if (!counts)
                        continue;
                if (n == CURSOR_PARAMETERS)
                        return false;
                ret_parameters[n++] = parameter;
        }
        sort(ret_parameters, n, sizeof(*ret_parameters), texts_compare);
        *ret_n = n;
        return true;
}

static void part_append(struct buffer *buffer, const char *part) {
        buffer_append(buffer, part, strlen(part) + 1);
}

/* Each text with its NUL, an empty one at the end, so that no two lists read alike whatever follows. False: the target
 * names no list. */
static bool list_describe(struct buffer *buffer, const struct call *call, struct arena *arena) {
        char *path = arena_text(arena, call->target ? call->target : "");
        char *parameters[CURSOR_PARAMETERS];
        char *query = path ? strchr(path, '?') : NULL;
        size_t n = 0;

        if (query)
                *query++ = '\0';
        if (!path || !text_percent_decode(path, /* allow_slash= */ true) ||
                !cursor_parameters_split(query, arena, parameters, &n))
                return false;
        part_append(buffer, path);
        for (size_t i = 0; i < n; i++)
                part_append(buffer, parameters[i]);
        part_append(buffer, "");
        return true;
}

/* False when the target names no list, or there is no memory. */
static bool mac_make(const struct page *page, const char *parts, size_t size, struct arena *arena, uint8_t *ret_mac) {
        uint8_t mac[EVP_MAX_MD_SIZE];
        struct buffer text;

        buffer_init(&text, arena, LIST_SIZE_MAX);
        if (!list_describe(&text, page->call, arena))
                return false;
        buffer_append(&text, parts, size);
        if (text.failed || !HMAC(EVP_sha256(), page->key->bytes, CURSOR_KEY_SIZE, (const unsigned char *) text.bytes,
                                   text.size, mac, NULL))
                return false;
        memcpy(ret_mac, mac, MAC_SIZE);
        return true;
}

/* ---- reading ---- */

static bool parts_split(struct page *page, const char *bytes, size_t size) {
        const char *end = bytes + size;

        for (size_t i = 0; i < page->n_parts; i++) {
                const char *nul = memchr(bytes, '\0', (size_t) (end - bytes));

                if (!nul)
                        return false;
                page->after[i] = bytes;
                bytes = nul + 1;
        }
        return bytes == end;
}

/* The bytes of a cursor of that version, in the arena; NULL when the text is none. */
static uint8_t *cursor_decode(const char *cursor, uint8_t version, struct arena *arena, size_t *ret_size) {
        const size_t text_size = strlen(cursor);
        uint8_t *raw = text_size <= CURSOR_SIZE_MAX ? arena_alloc(arena, text_size + 1) : NULL;

        if (!raw || !base64url_decode(cursor, text_size, raw, ret_size) || *ret_size < HEAD_SIZE || raw[0] != version)
                return NULL;
        return raw;
}

static bool cursor_open(struct page *page, const char *cursor, struct arena *arena) {
        uint8_t mac[MAC_SIZE];
        size_t size = 0;
        const uint8_t *raw = cursor_decode(cursor, CURSOR_VERSION, arena, &size);

        return raw && mac_make(page, (const char *) raw + HEAD_SIZE, size - HEAD_SIZE, arena, mac) &&
               CRYPTO_memcmp(mac, raw + 1, MAC_SIZE) == 0 &&
               parts_split(page, (const char *) raw + HEAD_SIZE, size - HEAD_SIZE);
}

static const struct page_query *query_of(const struct call *call) {
        return call->query;
}

static enum problem key_take(struct rows *rows, void *into) {
        struct cursor_key *key = into;

        if (rows_count(rows) == 1) {
                struct row row = row_at(rows, 0);
                size_t size = 0;
                const void *bytes = row_bytes(&row, &size);

                key->known = bytes && size == CURSOR_KEY_SIZE;
                if (key->known)
                        memcpy(key->bytes, bytes, CURSOR_KEY_SIZE);
                key->position = row_integer(&row);
        }
        return key->known ? PROBLEM_NONE : FAULT_BROKEN;
}

void cursor_key_ask(struct batch *batch, struct cursor_key *key) {
        database_ask(batch->database, &sql_cursor_key, NULL, key_take, key);
}

enum problem pages_load(struct batch *batch, const struct cursor_key **ret_key) {
        struct cursor_key *key = arena_new(batch->arena, struct cursor_key);
        bool needed = false;

        if (!key)
                return FAULT_BUSY;
        *ret_key = key;
        cursor_key_ask(batch, key);
        for (size_t i = 0; i < batch->n_calls; i++)
                needed = needed || query_of(batch->calls[i])->cursor;
        return needed ? batch_trip(batch) : PROBLEM_NONE;
}

bool page_begin(struct page *page, struct call *call, const struct cursor_key *key, size_t n_parts) {
        const struct page_query *query = query_of(call);

        *page = (struct page){
                .call = call, .key = key, .n_parts = n_parts, .limit = query->has_limit ? query->limit : PAGE_LIMIT
        };
        if (!query->cursor || cursor_open(page, query->cursor, &call->arena))
                return true;
        call_refuse(call, PROBLEM_INVALID_CURSOR, "Take next_cursor of the page before, with the same filters.");
        return false;
}

bool page_after_time(const struct page *page, struct call *call, timestamp *ret_time, struct uuid *ret_id) {
        *ret_time = TIMESTAMP_NONE;
        *ret_id = (struct uuid){ 0 };
        if (!page->after[0])
                return true;
        if (text_to_integer(page->after[0], INT64_MIN + 1, INT64_MAX, ret_time) && uuid_parse(page->after[1], ret_id))
                return true;
        call_refuse(call, PROBLEM_INVALID_CURSOR, "The cursor does not belong to this list.");
        return false;
}

/* ---- writing ---- */

void time_key_parts(timestamp time, const struct uuid *id, struct arena *arena, const char **ret_parts) {
        char text[UUID_TEXT_SIZE];

        uuid_format(id, text);
        ret_parts[0] = arena_format(arena, "%" PRId64, time);
        ret_parts[1] = arena_text(arena, text);
}

static const char *cursor_seal(const struct page *page, const char *const *parts, struct arena *arena) {
        struct buffer raw;
        char *text;

        buffer_init(&raw, arena, RAW_SIZE_MAX);
        buffer_append(&raw, (const char[HEAD_SIZE]){ CURSOR_VERSION }, HEAD_SIZE);
        for (size_t i = 0; i < page->n_parts; i++) {
                if (!parts[i])
                        return NULL;
                part_append(&raw, parts[i]);
        }
        text = arena_alloc(arena, CURSOR_SIZE_MAX + 1);
        if (raw.failed || !text ||
                !mac_make(page, raw.bytes + HEAD_SIZE, raw.size - HEAD_SIZE, arena, (uint8_t *) raw.bytes + 1))
                return NULL;
        base64url_encode((const uint8_t *) raw.bytes, raw.size, text);
        return text;
}

/* Escape characters that a Link header forbids: a client may have sent them raw. */
static void link_append(struct buffer *link, const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (text[i] > ' ' && text[i] < '\x7f' && !strchr("<>\"", text[i]))
                        buffer_append(link, &text[i], 1);
                else
                        buffer_append_format(link, "%%%02X", (unsigned) (unsigned char) text[i]);
}

/* The target as the client sent it, with the new cursor for an old one. */
static const char *link_to(const struct page *page, const char *cursor, struct arena *arena) {
        const char *query = strchr(page->call->target, '?');
        const char separator[] = { '?', '&' };
        struct buffer link;
        size_t n = 0;

        buffer_init(&link, arena, LIST_SIZE_MAX);
        buffer_append_text(&link, "<");
        link_append(
                &link, page->call->target, query ? (size_t) (query - page->call->target) : strlen(page->call->target));
        while (query) {
                const char *parameter = query + 1;
                const size_t size = strcspn(parameter, "&");

                if (size && !parameter_is_named(parameter, "cursor", arena)) {
                        buffer_append(&link, &separator[n++ != 0], 1);
                        link_append(&link, parameter, size);
                }
                query = strchr(parameter, '&');
        }
        buffer_append(&link, &separator[n != 0], 1);
        buffer_append_format(&link, "cursor=%s>; rel=\"next\"", cursor);
        return link.failed ? NULL : buffer_text(&link);
}

void page_end(struct reply_writer *writer, const struct page *page, const char *const *parts) {
        struct call *call = writer->call;
        const char *cursor = parts ? cursor_seal(page, parts, &call->arena) : NULL;

        /* Without the cursor the client would take this page for the last one. */
        if (parts && !cursor)
                writer->buffer.failed = true;
        write_text_member(&writer->json, "next_cursor", cursor);
        call->reply.events_cursor = position_cursor_seal(page->key, page->key->position, &call->arena);
        if (cursor)
                call->reply.link = link_to(page, cursor, &call->arena);
}

/* ---- cursors of positions ---- */

static void position_write(int64_t position, uint8_t *ret_bytes) {
        for (size_t i = 0; i < sizeof(position); i++)
                ret_bytes[i] = (uint8_t) ((uint64_t) position >> (8 * (sizeof(position) - 1 - i)));
}

static int64_t position_read(const uint8_t *bytes) {
        uint64_t position = 0;

        for (size_t i = 0; i < sizeof(position); i++)
                position = position << 8 | bytes[i];
        return (int64_t) position;
}

/* The version is part of the text, so that no cursor of a list is one of a position. */
static bool position_mac_make(const struct cursor_key *key, int64_t position, uint8_t *ret_mac) {
        uint8_t text[1 + sizeof(position)] = { POSITION_CURSOR_VERSION }, mac[EVP_MAX_MD_SIZE];

        position_write(position, text + 1);
        if (!HMAC(EVP_sha256(), key->bytes, CURSOR_KEY_SIZE, text, sizeof(text), mac, NULL))
                return false;
        memcpy(ret_mac, mac, MAC_SIZE);
        return true;
}

const char *position_cursor_seal(const struct cursor_key *key, int64_t position, struct arena *arena) {
        uint8_t raw[POSITION_SIZE] = { POSITION_CURSOR_VERSION };
        char *text = arena_alloc(arena, 2 * POSITION_SIZE);

        if (!text || !position_mac_make(key, position, raw + 1))
                return NULL;
        position_write(position, raw + HEAD_SIZE);
        base64url_encode(raw, sizeof(raw), text);
        return text;
}

bool position_cursor_open(
        const struct cursor_key *key, const char *cursor, struct arena *arena, int64_t *ret_position) {
        uint8_t mac[MAC_SIZE];
        size_t size = 0;
        const uint8_t *raw = cursor_decode(cursor, POSITION_CURSOR_VERSION, arena, &size);

        if (!raw || size != POSITION_SIZE)
                return false;
        *ret_position = position_read(raw + HEAD_SIZE);
        return position_mac_make(key, *ret_position, mac) && CRYPTO_memcmp(mac, raw + 1, MAC_SIZE) == 0;
}
