/*
 * base/writer: JSON out, written straight into a buffer.
 *
 * The writer places commas and escapes by itself; the caller opens and closes. Strings must be valid UTF-8; all text
 * from base/shape and from PostgreSQL is. Output is compact, members in the order written. A failed buffer fails the
 * document: check `writer->buffer->failed` at the end.
 */
#pragma once

#include "base/buffer.h"
#include "base/clock.h"
#include "base/money.h"
#include "base/uuid.h"

#include <stdint.h>

struct writer {
        struct buffer *buffer;
        bool comma; /* the next value or member needs one before it */
};

void writer_init(struct writer *writer, struct buffer *buffer);

void write_object_begin(struct writer *writer);
void write_object_end(struct writer *writer);
void write_list_begin(struct writer *writer);
void write_list_end(struct writer *writer);

/* The name of the next member; it is escaped too. */
void write_name(struct writer *writer, const char *name);

void write_null(struct writer *writer);
void write_boolean(struct writer *writer, bool value);
void write_integer(struct writer *writer, int64_t value);
void write_number(struct writer *writer, double value); /* shortest text that reads back the same; null unless finite */
void write_text(struct writer *writer, const char *value); /* NULL writes null */
void write_time(struct writer *writer, timestamp value);   /* "2026-11-21T10:15:30.123Z"; TIMESTAMP_NONE: null */
void write_uuid(struct writer *writer, const struct uuid *value);
void write_money(struct writer *writer, struct money value); /* {"amount":1999,"currency":"EUR"} */
void write_raw(struct writer *writer, const char *json);     /* a value that is JSON already */

/* Name and value in one call, as most members of a reply need. */
void write_text_member(struct writer *writer, const char *name, const char *value);
void write_integer_member(struct writer *writer, const char *name, int64_t value);
void write_boolean_member(struct writer *writer, const char *name, bool value);
void write_number_member(struct writer *writer, const char *name, double value);
void write_time_member(struct writer *writer, const char *name, timestamp value);
void write_uuid_member(struct writer *writer, const char *name, const struct uuid *value);
void write_money_member(struct writer *writer, const char *name, struct money value);

/* A member whose value is JSON already; NULL writes null. */
void write_raw_member(struct writer *json, const char *name, const char *raw);
void write_amount_member(struct writer *writer, const char *name, int64_t amount, const char *currency);
