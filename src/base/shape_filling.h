/*
 * base/shape_filling: the inside of base/shape: a filling's place in the document, and its violations. For the files of
 * base/shape alone.
 */
#pragma once

#include "base/shape.h"

#define DETAIL_SIZE_MAX ((size_t) 512) /* of a violation */

/* A place in the document: a chain on the stack, written as a pointer only for a violation. */
struct place {
        const struct place *parent; /* NULL at the root */
        const char *name;           /* NULL in a list */
        size_t index;
};

/* One call of shape_fill: where text and violations go. */
struct filling {
        struct arena *arena;
        struct refusal *refusal;
        bool rounded; /* the tree has integers beyond 64 bits, all read as reals */
};

typedef void filler(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record);

/* One for each enum shape_kind (shape_kinds.c). A value that does not fit adds a violation and leaves the record
 * unchanged.
 */
extern filler *const fillers[];

/* Fill the record from an object, with a violation for each member that is wrong, missing or unknown (shape.c). */
void filling_record(struct filling *filling, const struct place *place, const struct shape *shape, const json_t *tree,
        void *record);

/* Note a violation, named by its JSON Pointer. */
void filling_violate(struct filling *filling, const struct place *place, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void filling_expect(struct filling *filling, const struct place *place, const char *what);
void filling_out_of_range(struct filling *filling, const struct place *place, const struct shape_member *member);

/* The text of a value that must be text without NUL, else NULL after a violation. */
const char *filling_expect_text(struct filling *filling, const struct place *place, const json_t *value);

static inline void *record_slot(void *record, size_t offset) {
        return (char *) record + offset;
}

/* As shape_parse; whether integers beyond 64 bits were read as reals (shape_parse.c). */
enum problem shape_parse_rounded(const char *body, size_t size, struct arena *arena, struct refusal *refusal,
        json_t **ret_tree, bool *ret_rounded);
