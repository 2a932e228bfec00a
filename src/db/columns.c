#include "db/columns.h"

#include "base/digest.h"
#include "base/text.h"
#include "db/rows_libpq.h"
#include "db/sql.h"
#include "db/types.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#define WORD_SIZE_MAX  64
#define WORDS_SIZE_MAX ((size_t) 32 * WORD_SIZE_MAX)

static const struct {
        const char *type;         /* in a cast of SQL */
        Oid on_wire, alternative; /* of a result */
        struct array *(*begin)(struct parameters *);
} kinds[COLUMN_KIND_COUNT] = {
        [COLUMN_TEXT] = { "text", TYPE_TEXT, TYPE_VARCHAR, parameter_texts },
        [COLUMN_JSONB] = { "jsonb", TYPE_JSONB, TYPE_JSONB, parameter_jsonbs },
        [COLUMN_INTEGER] = { "bigint", TYPE_BIGINT, TYPE_INTEGER, parameter_integers },
        [COLUMN_BOOLEAN] = { "boolean", TYPE_BOOLEAN, TYPE_BOOLEAN, parameter_booleans },
        [COLUMN_NUMBER] = { "float8", TYPE_DOUBLE, TYPE_DOUBLE, parameter_numbers },
        [COLUMN_UUID] = { "uuid", TYPE_UUID, TYPE_UUID, parameter_uuids },
        [COLUMN_TIME] = { "timestamptz", TYPE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ, parameter_times },
        [COLUMN_ENUM] = { "text", TYPE_TEXT, TYPE_VARCHAR, parameter_texts },
        [COLUMN_WORD] = { "text", TYPE_TEXT, TYPE_VARCHAR, parameter_texts },
        [COLUMN_DIGEST] = { "bytea", TYPE_BYTEA, TYPE_BYTEA, parameter_byteas },
        [COLUMN_BITS] = { "text", TYPE_TEXT, TYPE_VARCHAR, parameter_texts },
};

const char *column_type(enum column_kind kind) {
        return kinds[kind].type;
}

/* Lists mostly name the columns in the order of the table, so the search continues behind the last one found. */
static const struct column *column_find(const struct columns *columns, const char *name, size_t *next) {
        for (size_t tried = 0; tried < columns->n; tried++) {
                const size_t i = (*next + tried) % columns->n;

                if (text_equal(columns->at[i].name, name)) {
                        *next = i + 1;
                        return &columns->at[i];
                }
        }
        return NULL;
}

/* ---- reading ---- */

static bool column_bind(struct binding *binding, int place, size_t *next) {
        PGresult *result = binding->rows->result;
        const struct column *column = column_find(binding->columns, PQfname(result, place), next);
        const Oid type = PQftype(result, place);

        if (!column || (type != kinds[column->kind].on_wire && type != kinds[column->kind].alternative)) {
                binding->rows->broken = true;
                binding->rows->broken_column = PQfname(result, place);
                return false;
        }
        binding->at[place] = column;
        if (type == TYPE_INTEGER)
                binding->narrow |= UINT64_C(1) << place;
        return true;
}

bool rows_bind(struct rows *rows, const struct columns *columns, struct binding *ret_binding) {
        const int n = PQnfields(rows->result);
        size_t next = 0;

        *ret_binding = (struct binding){ .rows = rows, .columns = columns, .n = n };
        if (n > COLUMNS_MAX || (rows->statement && !text_equal(rows->statement->record, columns->record))) {
                rows->broken = true;
                rows->broken_column = columns->record;
                return false;
        }
        for (int place = 0; place < n; place++)
                if (!column_bind(ret_binding, place, &next))
                        return false;
        return true;
}

static int64_t integer_of(const char *bytes, bool narrow) {
        uint64_t wide;
        uint32_t wire;

        if (narrow) {
                memcpy(&wire, bytes, sizeof(wire));
                return (int32_t) ntohl(wire);
        }
        memcpy(&wide, bytes, sizeof(wide));
        return (int64_t) be64toh(wide);
}

static double number_of(const char *bytes) {
        const int64_t bits = integer_of(bytes, /* narrow= */ false);
        double value;

        memcpy(&value, &bits, sizeof(value));
        return value;
}

static unsigned bits_of(struct rows *rows, const struct column *column, const char *bytes) {
        unsigned bits = 0;
        const char *part;
        size_t size;

        while (text_next_part(&bytes, ' ', &part, &size)) {
                char word[WORD_SIZE_MAX];

                (void) snprintf(word, sizeof(word), "%.*s", (int) size, part);
                bits |= 1u << rows_enum(rows, column->words, word);
                if (rows->unknown == word)
                        rows->unknown = part; /* from the unknown word on; lives as long as the result */
        }
        return bits;
}

static void cell_fill(struct rows *rows, const struct column *column, const char *bytes, bool narrow, void *member) {
        switch (column->kind) {
        case COLUMN_WORD:
                if (bytes)
                        (void) rows_enum(rows, column->words, bytes);
                *(const char **) member = bytes;
                break;
        case COLUMN_TEXT:
                *(const char **) member = bytes;
                break;
        case COLUMN_DIGEST:
                *(const uint8_t **) member = (const uint8_t *) bytes;
                break;
        case COLUMN_JSONB:
                *(const char **) member = bytes ? bytes + 1 : NULL;
                break;
        case COLUMN_INTEGER:
                *(int64_t *) member = bytes ? integer_of(bytes, narrow) : column->absent;
                break;
        case COLUMN_BOOLEAN:
                *(bool *) member = bytes && *bytes;
                break;
        case COLUMN_NUMBER:
                *(double *) member = bytes ? number_of(bytes) : 0;
                break;
        case COLUMN_UUID:
                *(struct uuid *) member = (struct uuid){ 0 };
                if (bytes)
                        memcpy(member, bytes, sizeof(struct uuid));
                break;
        case COLUMN_TIME:
                *(timestamp *) member =
                        bytes ? integer_of(bytes, /* narrow= */ false) + POSTGRES_EPOCH : TIMESTAMP_NONE;
                break;
        case COLUMN_ENUM:
                *(int *) member =
                        !bytes && column->nullable ? (int) column->absent : rows_enum(rows, column->words, bytes);
                break;
        case COLUMN_BITS:
                *(unsigned *) member = bits_of(rows, column, bytes);
                break;
        case COLUMN_KIND_COUNT:
                break;
        }
}

int binding_place(const struct binding *binding, const char *name) {
        for (int place = 0; place < binding->n; place++)
                if (text_equal(binding->at[place]->name, name))
                        return place;
        return -1;
}

static struct row row_from(const struct binding *binding, size_t row, int place) {
        return (struct row){ .rows = binding->rows, .index = (int) row, .column = place };
}

struct uuid binding_uuid(const struct binding *binding, size_t row, int place) {
        struct row at = row_from(binding, row, place);

        return row_uuid(&at);
}

int64_t binding_integer(const struct binding *binding, size_t row, int place) {
        struct row at = row_from(binding, row, place);

        return row_integer(&at);
}

const char *binding_text(const struct binding *binding, size_t row, int place) {
        struct row at = row_from(binding, row, place);

        return row_text(&at);
}

void row_fill(const struct binding *binding, size_t row, void *record) {
        PGresult *result = binding->rows->result;

        for (int place = 0; place < binding->n; place++) {
                const struct column *column = binding->at[place];
                const bool is_null = PQgetisnull(result, (int) row, place);

                if (column->through)
                        continue;
                if (column->has)
                        *(bool *) ((char *) record + column->has - 1) = !is_null;
                cell_fill(binding->rows, column, is_null ? NULL : PQgetvalue(result, (int) row, place),
                        binding->narrow >> place & 1, (char *) record + column->offset);
        }
}

void *rows_fill(struct rows *rows, const struct columns *columns, struct arena *arena) {
        const size_t n = rows_count(rows);
        char *records = arena_array(arena, n, columns->size);
        struct binding binding;

        if (!records || !rows_bind(rows, columns, &binding))
                return records;
        for (size_t i = 0; i < n; i++)
                row_fill(&binding, i, records + i * columns->size);
        return records;
}

/* ---- writing ---- */

void records_begin(struct records *records, struct arena *arena, const struct statement *statement,
        const struct columns *columns) {
        size_t next = 0;

        *records = (struct records){ .statement = statement };
        parameters_init(&records->parameters, arena);
        if (!text_equal(statement->record, columns->record))
                records->parameters.unbound = statement->name;
        for (size_t i = 0; i < statement->n_parameters && i < PARAMETERS_MAX && !records->parameters.unbound; i++) {
                const struct column *column = column_find(columns, statement->parameters[i].name, &next);

                if (!column) {
                        records->parameters.unbound = statement->parameters[i].name;
                        return;
                }
                records->columns[i] = column;
                records->arrays[i] = kinds[column->kind].begin(&records->parameters);
                records->n_columns = i + 1;
        }
}

static void integer_add(struct array *array, const struct column *column, int64_t value) {
        if (column->nullable && value == column->absent)
                array_null(array);
        else
                array_integer(array, value);
}

static void enum_add(struct array *array, const struct column *column, int value) {
        if (column->nullable && value == column->absent)
                array_null(array);
        else
                array_text(array, enum_column_text(column->words, value));
}

static void bits_add(struct array *array, const struct column *column, unsigned bits) {
        struct buffer words;

        buffer_init(&words, array->bytes.arena, WORDS_SIZE_MAX);
        for (int i = 0; bits >> i; i++)
                if (bits >> i & 1)
                        buffer_append_format(&words, "%s%s", words.size ? " " : "", enum_column_text(column->words, i));
        array->bytes.failed |= words.failed;
        array_text(array, buffer_text(&words));
}

static void cell_add(struct array *array, const struct column *column, const void *member) {
        switch (column->kind) {
        case COLUMN_TEXT:
        case COLUMN_WORD:
                array_text(array, *(const char *const *) member);
                break;
        case COLUMN_DIGEST:
                array_bytes(array, *(const uint8_t *const *) member, DIGEST_SIZE);
                break;
        case COLUMN_JSONB:
                array_jsonb(array, *(const char *const *) member);
                break;
        case COLUMN_INTEGER:
                integer_add(array, column, *(const int64_t *) member);
                break;
        case COLUMN_BOOLEAN:
                array_boolean(array, *(const bool *) member);
                break;
        case COLUMN_NUMBER:
                array_number(array, *(const double *) member);
                break;
        case COLUMN_UUID:
                array_uuid(array, column->nullable && uuid_is_nil(member) ? NULL : member);
                break;
        case COLUMN_TIME:
                array_time(array, *(const timestamp *) member);
                break;
        case COLUMN_ENUM:
                enum_add(array, column, *(const int *) member);
                break;
        case COLUMN_BITS:
                bits_add(array, column, *(const unsigned *) member);
                break;
        case COLUMN_KIND_COUNT:
                break;
        }
}

/* NULL behind a NULL pointer. */
static const char *record_of(const struct column *column, const char *record) {
        if (column->through)
                record = *(const char *const *) (record + column->through - 1);
        if (record && column->then)
                record = *(const char *const *) (record + column->then - 1);
        return record;
}

void records_add(struct records *records, const void *record) {
        for (size_t i = 0; i < records->n_columns; i++) {
                const struct column *column = records->columns[i];
                const char *owner = record_of(column, record);

                if (owner && (!column->has || *(const bool *) (owner + column->has - 1)))
                        cell_add(records->arrays[i], column, owner + column->offset);
                else
                        array_null(records->arrays[i]);
        }
        records->n++;
}

void records_ask(struct records *records, struct database *database) {
        if (records->n)
                database_ask(database, records->statement, &records->parameters, NULL, NULL);
}
