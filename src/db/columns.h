/*
 * db/columns: the columns of a record, bound by name.
 *
 * A room writes one table for each kind of record: name, kind and place of each column. A statement that reads or
 * writes such records names them in its SQL file (`-- :name payments_insert of payments`). The order of a select list
 * or of an unnest list then does not matter:
 *
 *     static const struct column columns[] = {
 *             { "id", UUID_AT(struct payment, id) },
 *             { "status", ENUM_AT(struct payment, status), .words = &payment_status_column },
 *             { "number", INTEGER_AT(struct payment, number) },
 *     };
 *     const struct columns payment_columns = { "payments", COLUMNS(struct payment, columns) };
 *
 * Names and types are resolved once a result and once a statement, not once a row. A statement of another record, a
 * name without a column and a column of another type are FAULT_BROKEN; tests/store/statements_test.c compares all
 * statements with their tables. Tables are constant.
 *
 * Null: text, jsonb and bytea are NULL, a time is TIMESTAMP_NONE. Of a `nullable` column, an integer or enum is
 * `absent`, a uuid is nil; of others the value is written as it is.
 */
#pragma once

#include "base/cleanup.h"
#include "base/enum_column.h"
#include "db/connection.h"

#define COLUMNS_MAX 64 /* of one result */

enum column_kind {
        COLUMN_TEXT,    /* const char * */
        COLUMN_JSONB,   /* const char *: its text */
        COLUMN_INTEGER, /* int64_t; bigint or integer */
        COLUMN_BOOLEAN, /* bool */
        COLUMN_NUMBER,  /* double */
        COLUMN_UUID,    /* struct uuid */
        COLUMN_TIME,    /* timestamp */
        COLUMN_ENUM,    /* an enum, which is a word of `words` in SQL */
        COLUMN_WORD,    /* const char *: a word of `words` */
        COLUMN_DIGEST,  /* const uint8_t *: bytea of DIGEST_SIZE */
        COLUMN_BITS,    /* unsigned: bit n for word n; text of words between spaces */
        COLUMN_KIND_COUNT,
};

struct column {
        const char *name; /* in the select list or in the unnest list */
        enum column_kind kind;
        size_t offset;
        const struct enum_column *words;
        bool nullable;
        int64_t absent;
        size_t through, then; /* POINTER(record, member): the member is in the record that it points to; 0: none */
        size_t has; /* behind the place of a bool that tells whether there is a value: HAS(record, member); 0: none */
};

struct columns {
        const char *record;
        const struct column *at;
        size_t n;
        size_t size; /* of a record in C */
};

#define COLUMNS(record, list) (list), array_size(list), sizeof(record)
#define STATEMENTS(...)                                                                                                \
        (const struct statement *const[]) {                                                                            \
                __VA_ARGS__, NULL                                                                                      \
        }

/* Kind and offset of a member; does not compile when the member has another type. */
#define TEXT_AT(record, member)    .kind = COLUMN_TEXT, .offset = MEMBER_AT(record, member, const char *)
#define JSONB_AT(record, member)   .kind = COLUMN_JSONB, .offset = MEMBER_AT(record, member, const char *)
#define INTEGER_AT(record, member) .kind = COLUMN_INTEGER, .offset = MEMBER_AT(record, member, int64_t)
#define BOOLEAN_AT(record, member) .kind = COLUMN_BOOLEAN, .offset = MEMBER_AT(record, member, bool)
#define NUMBER_AT(record, member)  .kind = COLUMN_NUMBER, .offset = MEMBER_AT(record, member, double)
#define UUID_AT(record, member)    .kind = COLUMN_UUID, .offset = MEMBER_AT(record, member, struct uuid)
#define TIME_AT(record, member)    .kind = COLUMN_TIME, .offset = MEMBER_AT(record, member, timestamp)
#define WORD_AT(record, member)    .kind = COLUMN_WORD, .offset = MEMBER_AT(record, member, const char *)
#define DIGEST_AT(record, member)  .kind = COLUMN_DIGEST, .offset = MEMBER_AT(record, member, const uint8_t *)
#define BITS_AT(record, member)    .kind = COLUMN_BITS, .offset = MEMBER_AT(record, member, unsigned)
#define ENUM_AT(record, member)                                                                                        \
        .kind = COLUMN_ENUM,                                                                                           \
        .offset = offsetof(record, member) + 0 * sizeof(char[sizeof(((record *) 0)->member) == sizeof(int) ? 1 : -1])
#define HAS(record, member)     (1 + MEMBER_AT(record, member, bool))
#define POINTER(record, member) (1 + offsetof(record, member) + 0 * sizeof(*((record *) 0)->member))
#define MEMBER_AT(record, member, type)                                                                                \
        offsetof(record, member) +                                                                                     \
                0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((record *) 0)->member), type) ? 1 : -1])

/* The type of a column of this kind as a statement casts it: "bigint". */
const char *column_type(enum column_kind kind);

/* ---- reading ---- */

/* The columns of a result, resolved. */
struct binding {
        struct rows *rows;
        const struct columns *columns;
        const struct column *at[COLUMNS_MAX]; /* by their place in the result */
        uint64_t narrow;                      /* a bit for each that is an integer of four bytes */
        int n;
};

/* Resolve; false, and the trip fails, when the result does not fit the table. */
must_check bool rows_bind(struct rows *rows, const struct columns *columns, struct binding *ret_binding);

/* The place of a column in the result, for those of another record (`through`), which a reader looks up by its key. -1:
 * the result lacks it. */
int binding_place(const struct binding *binding, const char *name);
struct uuid binding_uuid(const struct binding *binding, size_t row, int place); /* nil for null */
int64_t binding_integer(const struct binding *binding, size_t row, int place);  /* 0 for null */
const char *binding_text(const struct binding *binding, size_t row, int place); /* NULL for null */

/* Set the members of the record that the result has a column for; members of other records stay as they are. */
void row_fill(const struct binding *binding, size_t row, void *record);

/* All rows as records in the arena, zeroed before they are filled. NULL: no memory. */
must_check void *rows_fill(struct rows *rows, const struct columns *columns, struct arena *arena);

/* ---- writing ---- */

/* The parameters of one statement: arrays of the columns that its unnest list names. Further parameters may be added to
 * `parameters` behind them. */
struct records {
        struct parameters parameters;
        const struct statement *statement;
        const struct column *columns[PARAMETERS_MAX];
        struct array *arrays[PARAMETERS_MAX];
        size_t n_columns;
        size_t n; /* records added */
};

void records_begin(
        struct records *records, struct arena *arena, const struct statement *statement, const struct columns *columns);
void records_add(struct records *records, const void *record);

/* Queue the statement if there is any record. */
void records_ask(struct records *records, struct database *database);
