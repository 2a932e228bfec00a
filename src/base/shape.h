/*
 * base/shape: JSON in, by a table of members.
 *
 * A shape lists the members an object may have, with their bounds and the place in a C struct where each one goes.
 * `shape_fill` checks a parsed document against it and fills the struct; every violation is reported with its JSON
 * Pointer, not just the first. The struct's text and arrays live in the arena, so the JSON tree can be dropped.
 *
 * Rules that hold for all shapes (conventions of the API): an unknown member is a violation ("unknown-member");
 * `null` counts as absent; NUL in text is refused ("nul-not-allowed"); text length counts code points; an integer may
 * be written `2.0` but not `2.5` (wrong-type) or `1e308` (out-of-range); integers in raw objects have 64 bits. Bounds
 * are inclusive and always apply: a table row without bounds allows only 0.
 *
 * Codes of violations: required, wrong-type, unknown-member, too-short, too-long, too-few, too-many, out-of-range,
 * not-allowed (no such enum value, or another exponent than the currency's), malformed (code, uuid, time, duration,
 * gtin, e-mail, currency), nul-not-allowed. A list with too many elements is not looked into. A pointer above 1 KiB
 * names the nearest enclosing value that fits.
 *
 * An absent list leaves NULL and 0, an empty one an address and 0. Elements of a list may not be null.
 */
#pragma once

#include "base/clock.h"
#include "base/money.h"
#include "base/problem.h"
#include "base/uuid.h"

#include <jansson.h>

enum shape_kind {
        SHAPE_BOOLEAN,   /* bool */
        SHAPE_CODE,      /* const char *: text_is_code */
        SHAPE_DURATION,  /* duration; minimum and maximum in microseconds */
        SHAPE_ENUM,      /* int: index into `names`; absent leaves -1 */
        SHAPE_INTEGER,   /* int64_t */
        SHAPE_LIST,      /* pointer to an array of struct, and size_t: minimum to maximum objects of `shape` */
        SHAPE_MONEY,     /* struct money: {"amount","currency","exponent"?}; bounds on the amount */
        SHAPE_NUMBER,    /* double; bounds as integers */
        SHAPE_OBJECT,    /* pointer to a struct in the arena, filled by `shape`; NULL when absent */
        SHAPE_RAW,       /* const char *: any JSON object, compact text, at most `maximum` bytes */
        SHAPE_TEXT,      /* const char *: minimum to maximum code points */
        SHAPE_TEXT_LIST, /* the same as SHAPE_TEXTS, of any texts: 1 to TEXT_LIST_SIZE_MAX code points */
        SHAPE_TEXTS,     /* pointer to an array of const char *, and size_t: minimum to maximum codes, or `names` */
        SHAPE_TIME,      /* timestamp; absent leaves TIMESTAMP_NONE */
        SHAPE_UUID,      /* struct uuid */
};

struct shape;

struct shape_member {
        const char *name;
        enum shape_kind kind;
        bool required;
        size_t offset;         /* of the value in the struct */
        size_t present_offset; /* of a bool that says it was there (never the struct's first member: 0 is none too), or
                                  of the size_t of a list; SHAPE_NO_OFFSET for none */
        int64_t minimum, maximum;
        const char *const *names; /* NULL-terminated, for enums */
        const struct shape *shape;
};

#define SHAPE_NO_OFFSET    SIZE_MAX
#define TEXT_LIST_SIZE_MAX 100

struct shape {
        size_t size; /* of the struct */
        const struct shape_member *members;
        size_t n_members;
};

#define SHAPE(type, table)                                                                                             \
        { .size = sizeof(type), .members = (table), .n_members = array_size(table) }

/* Rows of a member table; the field of the struct has the member's name. What follows are designated initialisers,
 * such as BETWEEN(1, 100) or .shape = &line_shape.
 *     REQUIRED(CODE, struct line_body, sku),
 *     OPTIONAL(TEXT, struct body, reference, BETWEEN(1, 200)),
 *     OPTIONAL_FLAGGED(DURATION, struct body, ttl, ...),      optional; `has_ttl` says whether it was there
 *     COUNTED(TEXTS, false, struct body, kinds, ...),         a list, required or not; count in `n_kinds`
 *     LIST(struct body, lines, &line_shape, 1, 100),          required; count in `n_lines`
 *     OPTIONAL_LIST(struct body, lines, &line_shape, 0, 100),
 *     CODES(struct body, skus, 1, 100), OPTIONAL_CODES(...)   lists of codes; count in `n_skus` */
#define BETWEEN(smallest, largest) .minimum = (smallest), .maximum = (largest)
#define REQUIRED(kind_, type, field, ...)                                                                              \
        {                                                                                                              \
                .name = #field, .kind = SHAPE_##kind_, .required = true, .offset = offsetof(type, field),              \
                .present_offset = SHAPE_NO_OFFSET, __VA_ARGS__                                                         \
        }
#define OPTIONAL(kind_, type, field, ...)                                                                              \
        {                                                                                                              \
                .name = #field, .kind = SHAPE_##kind_, .offset = offsetof(type, field),                                \
                .present_offset = SHAPE_NO_OFFSET, __VA_ARGS__                                                         \
        }
#define OPTIONAL_FLAGGED(kind_, type, field, ...)                                                                      \
        {                                                                                                              \
                .name = #field, .kind = SHAPE_##kind_, .offset = offsetof(type, field),                                \
                .present_offset = offsetof(type, has_##field), __VA_ARGS__                                             \
        }
#define COUNTED(kind_, needed, type, field, ...)                                                                       \
        {                                                                                                              \
                .name = #field, .kind = SHAPE_##kind_, .required = (needed), .offset = offsetof(type, field),          \
                .present_offset = offsetof(type, n_##field), __VA_ARGS__                                               \
        }
#define LIST(type, field, shape_, smallest, largest)                                                                   \
        COUNTED(LIST, true, type, field, .shape = (shape_), BETWEEN(smallest, largest))
#define OPTIONAL_LIST(type, field, shape_, smallest, largest)                                                          \
        COUNTED(LIST, false, type, field, .shape = (shape_), BETWEEN(smallest, largest))
#define CODES(type, field, smallest, largest)          COUNTED(TEXTS, true, type, field, BETWEEN(smallest, largest))
#define OPTIONAL_CODES(type, field, smallest, largest) COUNTED(TEXTS, false, type, field, BETWEEN(smallest, largest))

/* Parse a body into a tree: duplicate members and more than 32 levels of nesting are MALFORMED_JSON; so are invalid
 * UTF-8, lone surrogates and anything that is not one JSON value. NUL in a name is VALIDATION_FAILED. NUL inside a
 * string and integers beyond 64 bits pass here and are refused by the shape. `detail` tells line and column. OVERLOADED
 * when there is no memory left. The caller owns *ret_tree (json_decref). */
must_check enum problem shape_parse(
        const char *body, size_t size, struct arena *arena, struct refusal *refusal, json_t **ret_tree);

/* Fill `into` (zeroed by this call) from the tree. With violations: VALIDATION_FAILED in `refusal`; when the arena is
 * exhausted: CONTENT_TOO_LARGE, without violations. Then `into` is not to be used. */
must_check enum problem shape_fill(
        const struct shape *shape, const json_t *tree, struct arena *arena, struct refusal *refusal, void *into);

/* Parse and fill in one step, as a route does with its body. An empty body reads as {} when no member is required. */
must_check enum problem shape_read(const struct shape *shape, const char *body, size_t size, struct arena *arena,
        struct refusal *refusal, void **ret_filled);
