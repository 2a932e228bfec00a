/*
 * catalog/hours: opening hours, closures, slots and cut-offs of a location, as JSON.
 *
 * Requests, stored texts and replies use the same JSON: a list of {"day","opens","closes"}, one of
 * {"date","opens"?,"closes"?}, and one of
 * {"day","from","to","capacity"} for the slots in which orders may be collected; and {"mon":"16:00",...} for the
 * cut-offs of weekdays. Times are local wall times; an opening that closes at or before it opens ends on the next day.
 * Pure.
 */
#pragma once

#include "base/shape.h"
#include "base/writer.h"
#include "catalog/slots.h"

#define OPENINGS_MAX 50
#define CLOSURES_MAX 400
#define TIME_SIZE    8 /* room for "23:59", and for a wrong text that a violation explains */

struct opening_body {
        int day;
        const char *opens, *closes;
};

struct closure_body {
        const char *date;
        const char *opens, *closes; /* both or neither */
};

struct slot_body {
        int day;
        const char *from, *to;
        int64_t capacity;
};

/* By weekday; NULL: none. */
struct cut_offs_body {
        const char *days[WEEKDAYS];
};

extern const struct shape opening_shape, closure_shape, slot_shape, cut_offs_shape;

/* Check and sort the hours of a request; every violation is named below "#/opening_hours" and "#/closures". NULL after
 * a refusal or without memory. */
struct opening *openings_from(
        const struct opening_body *bodies, size_t n, struct arena *arena, struct refusal *refusal);
struct closure *closures_from(
        const struct closure_body *bodies, size_t n, struct arena *arena, struct refusal *refusal);

/* Likewise below "#/pickup/slots". */
struct slot *slots_from(const struct slot_body *bodies, size_t n, struct arena *arena, struct refusal *refusal);

/* Likewise below "#/pickup/cut_offs"; `body` may be NULL. */
void cut_offs_from(
        const struct cut_offs_body *body, struct arena *arena, struct refusal *refusal, struct location *location);

/* Read the stored form of the cut-offs of weekdays; false when it is malformed. */
must_check bool cut_offs_read(const char *json, struct arena *arena, struct location *location);

/* Read the stored text; NULL when it is not the output of write_..., or without memory. */
struct opening *openings_read(const char *json, struct arena *arena, size_t *ret_n);
struct closure *closures_read(const char *json, struct arena *arena, size_t *ret_n);
struct slot *slots_read(const char *json, struct arena *arena, size_t *ret_n);

/* A time of day "09:30" as a member. */
void write_minutes_member(struct writer *json, const char *name, int minutes);

void write_openings(struct writer *json, const struct opening *openings, size_t n);
void write_closures(struct writer *json, const struct closure *closures, size_t n);
void write_slots(struct writer *json, const struct slot *slots, size_t n);
void write_cut_offs(struct writer *json, const struct location *location);
