#include "db/rows_libpq.h"
#include "db/types.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

size_t rows_count(const struct rows *rows) {
        return (size_t) PQntuples(rows->result);
}

struct row row_at(struct rows *rows, size_t index) {
        return (struct row){ .rows = rows, .index = (int) index };
}

size_t rows_affected(const struct rows *rows) {
        size_t n = 0;

        for (const char *digit = PQcmdTuples(rows->result); *digit; digit++)
                n = n * 10 + (size_t) (*digit - '0');
        return n;
}

bool row_is_null(const struct row *row) {
        return PQgetisnull(row->rows->result, row->index, row->column) != 0;
}

/* The next column's bytes when it has the type (or the alternative) and is not null; NULL otherwise. */
static const char *column_take(struct row *row, Oid type, Oid alternative) {
        const int column = row->column++;
        PGresult *result = row->rows->result;
        const Oid actual = column < PQnfields(result) ? PQftype(result, column) : 0;

        if (actual != type && actual != alternative) {
                row->rows->broken = true;
                return NULL;
        }
        return PQgetisnull(result, row->index, column) ? NULL : PQgetvalue(result, row->index, column);
}

const char *row_text(struct row *row) {
        const bool jsonb =
                row->column < PQnfields(row->rows->result) && PQftype(row->rows->result, row->column) == TYPE_JSONB;
        const char *text = column_take(row, jsonb ? TYPE_JSONB : TYPE_TEXT, TYPE_VARCHAR);

        return text && jsonb ? text + 1 : text;
}

int64_t row_integer(struct row *row) {
        const bool narrow =
                row->column < PQnfields(row->rows->result) && PQftype(row->rows->result, row->column) == TYPE_INTEGER;
        const char *bytes = column_take(row, TYPE_BIGINT, TYPE_INTEGER);
        uint64_t wide = 0;
        uint32_t wire = 0;

        if (!bytes)
                return 0;
        if (narrow) {
                memcpy(&wire, bytes, sizeof(wire));
                return (int32_t) ntohl(wire);
        }
        memcpy(&wide, bytes, sizeof(wide));
        return (int64_t) be64toh(wide);
}

bool row_boolean(struct row *row) {
        const char *bytes = column_take(row, TYPE_BOOLEAN, TYPE_BOOLEAN);

        return bytes && *bytes;
}

double row_number(struct row *row) {
        const char *bytes = column_take(row, TYPE_DOUBLE, TYPE_DOUBLE);
        uint64_t wire = 0;
        double value = 0;

        if (!bytes)
                return 0;
        memcpy(&wire, bytes, sizeof(wire));
        wire = be64toh(wire);
        memcpy(&value, &wire, sizeof(value));
        return value;
}

struct uuid row_uuid(struct row *row) {
        const char *bytes = column_take(row, TYPE_UUID, TYPE_UUID);
        struct uuid uuid = { 0 };

        if (bytes)
                memcpy(uuid.bytes, bytes, sizeof(uuid.bytes));
        return uuid;
}

timestamp row_time(struct row *row) {
        const char *bytes = column_take(row, TYPE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ);
        uint64_t wire = 0;

        if (!bytes)
                return TIMESTAMP_NONE;
        memcpy(&wire, bytes, sizeof(wire));
        return (int64_t) be64toh(wire) + POSTGRES_EPOCH;
}

const void *row_bytes(struct row *row, size_t *ret_size) {
        const int column = row->column;
        const char *bytes = column_take(row, TYPE_BYTEA, TYPE_BYTEA);

        *ret_size = bytes ? (size_t) PQgetlength(row->rows->result, row->index, column) : 0;
        return bytes;
}

static uint32_t read_word(const char **position) {
        uint32_t wire;

        memcpy(&wire, *position, sizeof(wire));
        *position += sizeof(wire);
        return ntohl(wire);
}

const char *const *row_texts(struct row *row, struct arena *arena, size_t *ret_n) {
        const char *bytes = column_take(row, TYPE_TEXT_ARRAY, TYPE_TEXT_ARRAY);
        const char **texts = NULL;
        uint32_t dimensions = 0, n = 0;

        if (bytes)
                dimensions = read_word(&bytes);
        if (dimensions == 1) {
                bytes += 2 * sizeof(uint32_t); /* flags and element type */
                n = read_word(&bytes);
                bytes += sizeof(uint32_t); /* lower bound */
        }
        texts = arena_new_array(arena, const char *, n);
        for (uint32_t i = 0; texts && i < n; i++) {
                const uint32_t size = read_word(&bytes);

                texts[i] = arena_text_sized(arena, bytes, size);
                bytes += size;
        }
        *ret_n = texts ? n : 0;
        return texts;
}

/* The first unknown word of the rows is kept for the log. */
int rows_enum(struct rows *rows, const struct enum_column *column, const char *text) {
        int index = 0;

        if (enum_column_find(column, text, &index))
                return index;
        if (!rows->unknown_in) {
                rows->unknown_in = column;
                rows->unknown = text;
        }
        return 0;
}

int row_enum(struct row *row, const struct enum_column *column) {
        return rows_enum(row->rows, column, row_text(row));
}

int row_enum_or(struct row *row, const struct enum_column *column, int otherwise) {
        const char *text = row_text(row);

        return text ? rows_enum(row->rows, column, text) : otherwise;
}

const char *row_enum_text(struct row *row, const struct enum_column *column) {
        const char *text = row_text(row);

        if (text)
                (void) rows_enum(row->rows, column, text);
        return text;
}

unsigned row_enum_bits(struct row *row, const struct enum_column *column, struct arena *arena) {
        size_t n = 0;
        const char *const *texts = row_texts(row, arena, &n);
        unsigned bits = 0;

        for (size_t i = 0; i < n; i++)
                bits |= 1u << rows_enum(row->rows, column, texts[i]);
        return bits;
}
