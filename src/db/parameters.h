/*
 * db/parameters: the binary parameters of one statement.
 *
 * Values are added in the order of $1, $2, ...; arrays are begun in that order and then filled in any order. Memory
 * is the arena's; text is copied only into arrays. Exhaustion shows when the statement is sent (`failed`).
 * SQL types: text, bigint, boolean, uuid, timestamptz, double precision, bytea, jsonb, and arrays of them.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/uuid.h"

#define PARAMETERS_MAX      64 /* 22 are in use: a record has a column for each of its parts */
#define PARAMETER_BYTES_MAX ((size_t) 16 * 1024 * 1024)

struct array {
        struct buffer bytes;
        size_t n;
        bool has_null;
        uint32_t element; /* type of an element by its PostgreSQL OID; 0 for a scalar */
        int index;        /* which parameter this is */
};

struct parameters {
        struct arena *arena;
        int n;
        const char *values[PARAMETERS_MAX]; /* NULL is SQL null */
        int sizes[PARAMETERS_MAX];
        struct array *arrays[PARAMETERS_MAX];
        bool failed;
        const char *unbound; /* a name of the statement that its table of columns lacks (db/columns.h) */
};

void parameters_init(struct parameters *parameters, struct arena *arena);

void parameter_text(struct parameters *parameters, const char *text); /* NULL is SQL null */
/* A pattern for `like` that finds the words anywhere, taken literally; NULL is SQL null. */
void parameter_pattern(struct parameters *parameters, const char *words);
void parameter_integer(struct parameters *parameters, int64_t value);
void parameter_boolean(struct parameters *parameters, bool value);
void parameter_number(struct parameters *parameters, double value);
void parameter_uuid(struct parameters *parameters, const struct uuid *uuid); /* NULL is SQL null */
void parameter_time(struct parameters *parameters, timestamp instant);       /* TIMESTAMP_NONE is SQL null */
void parameter_jsonb(struct parameters *parameters, const char *json);       /* NULL is SQL null */
void parameter_null(struct parameters *parameters);

/* An array of n texts. A filter is SQL null unless it is `given`. */
void parameter_text_list(struct parameters *parameters, const char *const *texts, size_t n);
void parameter_text_filter(struct parameters *parameters, const char *const *texts, size_t n, bool given);

/* Begin an array parameter. Never NULL: when the arena is exhausted it is a scratch array and `failed` is set. */
struct array *parameter_texts(struct parameters *parameters);
struct array *parameter_integers(struct parameters *parameters);
struct array *parameter_booleans(struct parameters *parameters);
struct array *parameter_numbers(struct parameters *parameters);
struct array *parameter_uuids(struct parameters *parameters);
struct array *parameter_times(struct parameters *parameters);
struct array *parameter_byteas(struct parameters *parameters);
struct array *parameter_jsonbs(struct parameters *parameters);

void array_text(struct array *array, const char *text); /* NULL adds SQL null, here and below */
void array_integer(struct array *array, int64_t value);
void array_boolean(struct array *array, bool value);
void array_number(struct array *array, double value);
void array_uuid(struct array *array, const struct uuid *uuid);
void array_time(struct array *array, timestamp instant);
void array_bytes(struct array *array, const void *bytes, size_t size);
void array_jsonb(struct array *array, const char *json);
void array_null(struct array *array);

/* Close all arrays, so that `values` and `sizes` can be sent. False when a value did not fit. */
must_check bool parameters_finish(struct parameters *parameters);
