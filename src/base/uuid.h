/*
 * base/uuid: public identifiers, UUID version 7 (RFC 9562, section 5.7).
 *
 * Time-ordered, so that B-tree inserts stay local; it tells when it was made, so it is never a secret.
 * Random bits come from getrandom(2). uuid_new may be called from any thread.
 */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct uuid {
        uint8_t bytes[16];
};

#define UUID_TEXT_SIZE 37 /* canonical text and its NUL */

/* A new version 7 id of this moment by the wall clock; later calls of one thread sort after earlier ones. */
struct uuid uuid_new(void);

/* As uuid_new, but its last two bytes are uuid_place_of(place): the id alone tells which worker serves that place. */
struct uuid uuid_new_at(const char *place);
uint16_t uuid_place_of(const char *place);
/* The place in the last two bytes of an id; of an id made without a place, a random number. */
uint16_t uuid_place(const struct uuid *uuid);

/* Sorts before every id of version 7 that is made at that instant or later, and after every earlier one. */
struct uuid uuid_floor(timestamp instant);

/* 16 bytes from the CSPRNG: for keys and link tokens, not for ids. */
struct uuid uuid_random(void);

/* Canonical lower-case text only ("0190a6e2-7b7c-7def-8123-456789abcdef"); any version. */
must_check bool uuid_parse(const char *text, struct uuid *ret_uuid);
void uuid_format(const struct uuid *uuid, char *text);

/* As memcmp: byte order, which is also the order of PostgreSQL's uuid type. */
int uuid_compare(const struct uuid *a, const struct uuid *b);
static inline bool uuid_equal(const struct uuid *a, const struct uuid *b) {
        return uuid_compare(a, b) == 0;
}
bool uuid_is_nil(const struct uuid *uuid);

/* Whether an element before the i-th has the same id. `first` is the id in the first element, `stride` the size of an
 * element. */
bool uuid_is_repeated(const struct uuid *first, size_t i, size_t stride);
