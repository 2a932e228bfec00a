#include "catalog/hours.h"

#include "base/sorted.h"

#include <stdio.h>
#include <string.h>

#define MINUTES_OF_DAY  (24 * 60)
#define MINUTES_OF_WEEK (7 * MINUTES_OF_DAY)
#define DATE_SIZE       16

DEFINE_CLEANUP(json_t, tree_cleanup, json_decref)

const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

static const struct shape_member opening_members[] = {
        REQUIRED(TEXT, struct opening_body, closes, BETWEEN(1, TIME_SIZE)),
        REQUIRED(ENUM, struct opening_body, day, .names = day_names),
        REQUIRED(TEXT, struct opening_body, opens, BETWEEN(1, TIME_SIZE)),
};
const struct shape opening_shape = SHAPE(struct opening_body, opening_members);

static const struct shape_member closure_members[] = {
        OPTIONAL(TEXT, struct closure_body, closes, BETWEEN(1, TIME_SIZE)),
        REQUIRED(TEXT, struct closure_body, date, BETWEEN(1, DATE_SIZE)),
        OPTIONAL(TEXT, struct closure_body, opens, BETWEEN(1, TIME_SIZE)),
};
const struct shape closure_shape = SHAPE(struct closure_body, closure_members);

static const struct shape_member slot_members[] = {
        REQUIRED(INTEGER, struct slot_body, capacity, BETWEEN(1, SLOT_CAPACITY_MAX)),
        REQUIRED(ENUM, struct slot_body, day, .names = day_names),
        REQUIRED(TEXT, struct slot_body, from, BETWEEN(1, TIME_SIZE)),
        REQUIRED(TEXT, struct slot_body, to, BETWEEN(1, TIME_SIZE)),
};
const struct shape slot_shape = SHAPE(struct slot_body, slot_members);

#define CUT_OFF_OF(name_, day_)                                                                                        \
        {                                                                                                              \
                .name = (name_), .kind = SHAPE_TEXT, .offset = offsetof(struct cut_offs_body, days[day_]),             \
                .present_offset = SHAPE_NO_OFFSET, BETWEEN(1, TIME_SIZE)                                               \
        }
static const struct shape_member cut_offs_members[] = { CUT_OFF_OF("fri", 4), CUT_OFF_OF("mon", 0),
        CUT_OFF_OF("sat", 5), CUT_OFF_OF("sun", 6), CUT_OFF_OF("thu", 3), CUT_OFF_OF("tue", 1), CUT_OFF_OF("wed", 2) };
const struct shape cut_offs_shape = SHAPE(struct cut_offs_body, cut_offs_members);

/* ---- requests ---- */

/* One list of the request under check. */
struct checking {
        const char *list;
        struct arena *arena;
        struct refusal *refusal;
};

static int minutes_of(const struct checking *checking, size_t i, const char *member, const char *text, int latest) {
        int minutes = 0;

        if (!time_of_day_parse(text, &minutes) || minutes > latest)
                violation_at(checking->refusal, checking->arena, checking->list, i, member, "malformed",
                        "A time of day looks like 09:30; only closing may be 24:00.");
        return minutes;
}

static int length_of(int opens, int closes) {
        return closes > opens ? closes - opens : closes + MINUTES_OF_DAY - opens;
}

/* On the circle of the week: the later opening begins before the other ends. */
static bool openings_overlap(const struct opening *a, const struct opening *b) {
        const int a_begins = a->day * MINUTES_OF_DAY + a->opens;
        const int b_begins = b->day * MINUTES_OF_DAY + b->opens;
        const int from_a_to_b = (b_begins - a_begins + MINUTES_OF_WEEK) % MINUTES_OF_WEEK;
        const int from_b_to_a = (a_begins - b_begins + MINUTES_OF_WEEK) % MINUTES_OF_WEEK;

        return from_a_to_b < length_of(a->opens, a->closes) || from_b_to_a < length_of(b->opens, b->closes);
}

static int opening_compare(const void *left, const void *right) {
        const struct opening *a = left, *b = right;

        return a->day != b->day ? a->day - b->day : a->opens - b->opens;
}

static void refuse_overlaps(const struct checking *checking, const struct opening *openings, size_t n) {
        for (size_t i = 1; i < n; i++)
                for (size_t j = 0; j < i; j++)
                        if (openings_overlap(&openings[i], &openings[j])) {
                                violation_at(checking->refusal, checking->arena, checking->list, i, NULL, "overlap",
                                        "This overlaps with an earlier opening.");
                                break;
                        }
}

struct opening *openings_from(
        const struct opening_body *bodies, size_t n, struct arena *arena, struct refusal *refusal) {
        const struct checking checking = { .list = "#/opening_hours", .arena = arena, .refusal = refusal };
        struct opening *openings = arena_new_array(arena, struct opening, n);
        const size_t n_before = refusal->n_violations;

        for (size_t i = 0; openings && i < n; i++) {
                openings[i].day = bodies[i].day;
                openings[i].opens = minutes_of(&checking, i, "opens", bodies[i].opens, MINUTES_OF_DAY - 1);
                openings[i].closes = minutes_of(&checking, i, "closes", bodies[i].closes, MINUTES_OF_DAY);
        }
        if (!openings || refusal->n_violations > n_before)
                return NULL;
        refuse_overlaps(&checking, openings, n);
        if (refusal->n_violations > n_before)
                return NULL;
        sort(openings, n, sizeof(*openings), opening_compare);
        return openings;
}

static int day_compare(const struct day *a, const struct day *b) {
        if (a->year != b->year)
                return a->year - b->year;
        return a->month != b->month ? a->month - b->month : a->day - b->day;
}

static int closure_compare(const void *left, const void *right) {
        const struct closure *a = left, *b = right;
        const int by_date = day_compare(&a->date, &b->date);

        return by_date ? by_date : a->opens - b->opens;
}

/* A day may have several stretches of hours. A closed day has none, which counts as 00:00 to 00:00: the whole day. */
static bool closures_clash(const struct closure *a, const struct closure *b) {
        const int later = a->opens > b->opens ? a->opens : b->opens;

        if (day_compare(&a->date, &b->date) != 0)
                return false;
        return later < a->opens + length_of(a->opens, a->closes) && later < b->opens + length_of(b->opens, b->closes);
}

static void refuse_clashes(const struct checking *checking, const struct closure *closures, size_t n) {
        for (size_t i = 1; i < n; i++)
                for (size_t j = 0; j < i; j++)
                        if (closures_clash(&closures[i], &closures[j])) {
                                violation_at(checking->refusal, checking->arena, checking->list, i, NULL, "overlap",
                                        "This day is repeated in the list.");
                                break;
                        }
}

static void closure_from(
        const struct checking *checking, size_t i, const struct closure_body *body, struct closure *ret_closure) {
        if (!day_parse(body->date, &ret_closure->date))
                violation_at(checking->refusal, checking->arena, checking->list, i, "date", "malformed",
                        "A date looks like 2026-11-21, and exists.");
        if (!body->opens != !body->closes)
                violation_at(checking->refusal, checking->arena, checking->list, i, body->opens ? "closes" : "opens",
                        "required", "Other hours have a beginning and an end.");
        if (!body->opens || !body->closes)
                return;
        ret_closure->has_hours = true;
        ret_closure->opens = minutes_of(checking, i, "opens", body->opens, MINUTES_OF_DAY - 1);
        ret_closure->closes = minutes_of(checking, i, "closes", body->closes, MINUTES_OF_DAY);
}

struct closure *closures_from(
        const struct closure_body *bodies, size_t n, struct arena *arena, struct refusal *refusal) {
        const struct checking checking = { .list = "#/closures", .arena = arena, .refusal = refusal };
        struct closure *closures = arena_new_array(arena, struct closure, n);
        const size_t n_before = refusal->n_violations;

        for (size_t i = 0; closures && i < n; i++)
                closure_from(&checking, i, &bodies[i], &closures[i]);
        if (!closures || refusal->n_violations > n_before)
                return NULL;
        refuse_clashes(&checking, closures, n);
        if (refusal->n_violations > n_before)
                return NULL;
        sort(closures, n, sizeof(*closures), closure_compare);
        return closures;
}

static int slot_time_compare(const void *left, const void *right) {
        const struct slot *a = left, *b = right;

        return a->day != b->day ? a->day - b->day : a->begins - b->begins;
}

static void slot_check(const struct checking *checking, size_t i, const struct slot *slots) {
        if (slots[i].begins >= slots[i].ends)
                violation_at(checking->refusal, checking->arena, checking->list, i, "to", "out-of-range",
                        "A slot ends later on the day on which it begins.");
        for (size_t j = 0; j < i; j++)
                if (slots[j].day == slots[i].day && slots[j].begins == slots[i].begins)
                        violation_at(checking->refusal, checking->arena, checking->list, i, "from", "repeated",
                                "Another slot of the day begins then.");
}

struct slot *slots_from(const struct slot_body *bodies, size_t n, struct arena *arena, struct refusal *refusal) {
        const struct checking checking = { .list = "#/pickup/slots", .arena = arena, .refusal = refusal };
        struct slot *slots = arena_new_array(arena, struct slot, n);
        const size_t n_before = refusal->n_violations;

        for (size_t i = 0; slots && i < n; i++) {
                slots[i].day = bodies[i].day;
                slots[i].begins = minutes_of(&checking, i, "from", bodies[i].from, MINUTES_OF_DAY - 1);
                slots[i].ends = minutes_of(&checking, i, "to", bodies[i].to, MINUTES_OF_DAY);
                slots[i].capacity = bodies[i].capacity;
        }
        for (size_t i = 0; slots && refusal->n_violations == n_before && i < n; i++)
                slot_check(&checking, i, slots);
        if (!slots || refusal->n_violations > n_before)
                return NULL;
        sort(slots, n, sizeof(*slots), slot_time_compare);
        return slots;
}

void cut_offs_from(
        const struct cut_offs_body *body, struct arena *arena, struct refusal *refusal, struct location *location) {
        location->cut_off_days = 0;
        for (int day = 0; day < WEEKDAYS; day++) {
                char pointer[64];

                location->cut_offs[day] = 0;
                if (!body || !body->days[day])
                        continue;
                location->cut_off_days |= 1u << day;
                if (time_of_day_parse(body->days[day], &location->cut_offs[day]) &&
                        location->cut_offs[day] < MINUTES_OF_DAY)
                        continue;
                (void) snprintf(pointer, sizeof(pointer), "#/pickup/cut_offs/%s", day_names[day]);
                (void) refuse_because(
                        refusal, arena, pointer, "malformed", "A cut-off must be a time of day from 00:00 to 23:59.");
        }
}

/* ---- stored texts ---- */

/* Fill an array of the shape's structs from a stored list. A stored list has passed the checks, so a refusal here means
 * that another program has written it. */
static void *bodies_read(const char *json, const struct shape *shape, struct arena *arena, size_t *ret_n) {
        _cleanup_(tree_cleanup) json_t *tree = NULL;
        struct refusal refusal = { 0 };
        char *bodies;
        size_t n;

        if (!json || shape_parse(json, strlen(json), arena, &refusal, &tree) || !json_is_array(tree))
                return NULL;
        n = json_array_size(tree);
        bodies = arena_array(arena, n, shape->size);
        for (size_t i = 0; bodies && i < n; i++)
                if (shape_fill(shape, json_array_get(tree, i), arena, &refusal, bodies + i * shape->size))
                        return NULL;
        *ret_n = n;
        return bodies;
}

struct opening *openings_read(const char *json, struct arena *arena, size_t *ret_n) {
        const struct opening_body *bodies = bodies_read(json, &opening_shape, arena, ret_n);
        struct refusal refusal = { 0 };

        return bodies ? openings_from(bodies, *ret_n, arena, &refusal) : NULL;
}

struct closure *closures_read(const char *json, struct arena *arena, size_t *ret_n) {
        const struct closure_body *bodies = bodies_read(json, &closure_shape, arena, ret_n);
        struct refusal refusal = { 0 };

        return bodies ? closures_from(bodies, *ret_n, arena, &refusal) : NULL;
}

struct slot *slots_read(const char *json, struct arena *arena, size_t *ret_n) {
        const struct slot_body *bodies = bodies_read(json, &slot_shape, arena, ret_n);
        struct refusal refusal = { 0 };

        return bodies ? slots_from(bodies, *ret_n, arena, &refusal) : NULL;
}

bool cut_offs_read(const char *json, struct arena *arena, struct location *location) {
        _cleanup_(tree_cleanup) json_t *tree = NULL;
        struct cut_offs_body body = { 0 };
        struct refusal refusal = { 0 };

        if (!json || shape_parse(json, strlen(json), arena, &refusal, &tree) ||
                shape_fill(&cut_offs_shape, tree, arena, &refusal, &body))
                return false;
        cut_offs_from(&body, arena, &refusal, location);
        return !refusal.n_violations;
}

/* ---- JSON ---- */

void write_minutes_member(struct writer *json, const char *name, int minutes) {
        char text[TIME_SIZE];

        (void) snprintf(text, sizeof(text), "%02d:%02d", minutes / 60 % 100, minutes % 60);
        write_text_member(json, name, text);
}

void write_openings(struct writer *json, const struct opening *openings, size_t n) {
        write_list_begin(json);
        for (size_t i = 0; i < n; i++) {
                write_object_begin(json);
                write_text_member(json, "day", day_names[openings[i].day]);
                write_minutes_member(json, "opens", openings[i].opens);
                write_minutes_member(json, "closes", openings[i].closes);
                write_object_end(json);
        }
        write_list_end(json);
}

void write_closures(struct writer *json, const struct closure *closures, size_t n) {
        char date[DATE_SIZE];

        write_list_begin(json);
        for (size_t i = 0; i < n; i++) {
                const struct day *day = &closures[i].date;

                write_object_begin(json);
                (void) snprintf(
                        date, sizeof(date), "%04d-%02d-%02d", day->year % 10000, day->month % 100, day->day % 100);
                write_text_member(json, "date", date);
                if (closures[i].has_hours) {
                        write_minutes_member(json, "opens", closures[i].opens);
                        write_minutes_member(json, "closes", closures[i].closes);
                }
                write_object_end(json);
        }
        write_list_end(json);
}

void write_slots(struct writer *json, const struct slot *slots, size_t n) {
        write_list_begin(json);
        for (size_t i = 0; i < n; i++) {
                write_object_begin(json);
                write_text_member(json, "day", day_names[slots[i].day]);
                write_minutes_member(json, "from", slots[i].begins);
                write_minutes_member(json, "to", slots[i].ends);
                write_integer_member(json, "capacity", slots[i].capacity);
                write_object_end(json);
        }
        write_list_end(json);
}

void write_cut_offs(struct writer *json, const struct location *location) {
        write_object_begin(json);
        for (int day = 0; day < WEEKDAYS; day++)
                if (location->cut_off_days & 1u << day)
                        write_minutes_member(json, day_names[day], location->cut_offs[day]);
        write_object_end(json);
}
