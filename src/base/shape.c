#include "base/shape_filling.h"
#include "base/text.h"

#include <string.h>

DEFINE_CLEANUP(json_t, tree_cleanup, json_decref)

static enum problem refuse_size(struct arena *arena, struct refusal *refusal) {
        return refuse(
                refusal, arena, PROBLEM_CONTENT_TOO_LARGE, "The body needs more memory than one request may use.");
}

/* A table row without a flag has offset 0; writing there would overwrite the first member of the struct. */
static bool has_flag(const struct shape_member *member) {
        if (member->kind == SHAPE_LIST || member->kind == SHAPE_TEXTS || member->kind == SHAPE_TEXT_LIST)
                return false;
        return member->present_offset != SHAPE_NO_OFFSET && member->present_offset != 0;
}

static void fill_member(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        if (!value || json_is_null(value)) {
                if (member->required)
                        filling_violate(filling, place, "required", "This member is required.");
                return;
        }
        fillers[member->kind](filling, place, member, value, record);
        if (has_flag(member))
                *(bool *) record_slot(record, member->present_offset) = true;
}

static void empty_record(const struct shape *shape, void *record) {
        memset(record, 0, shape->size);
        for (size_t i = 0; i < shape->n_members; i++) {
                const struct shape_member *member = &shape->members[i];

                if (member->kind == SHAPE_ENUM)
                        *(int *) record_slot(record, member->offset) = -1;
                if (member->kind == SHAPE_TIME)
                        *(timestamp *) record_slot(record, member->offset) = TIMESTAMP_NONE;
        }
}

static bool is_member(const struct shape *shape, const char *name) {
        for (size_t i = 0; i < shape->n_members; i++)
                if (text_equal(name, shape->members[i].name))
                        return true;
        return false;
}

static const char *nearest_member(struct filling *filling, const struct shape *shape, const char *name) {
        const char **names = arena_new_array(filling->arena, const char *, shape->n_members);

        if (!names)
                return NULL;
        for (size_t i = 0; i < shape->n_members; i++)
                names[i] = shape->members[i].name;
        return text_nearest(name, names, shape->n_members);
}

/* The name itself is in the pointer; it is the client's, so the sentence does not repeat it. */
static void refuse_member(
        struct filling *filling, const struct place *place, const struct shape *shape, const char *name) {
        const struct place at = { .parent = place, .name = name };
        const char *meant = NULL;

        /* no search for violations beyond the listed ones */
        if (filling->refusal->n_violations < VIOLATIONS_MAX)
                meant = nearest_member(filling, shape, name);
        if (meant)
                filling_violate(filling, &at, "unknown-member", "There is no such member; did you mean \"%s\"?", meant);
        else
                filling_violate(filling, &at, "unknown-member", "There is no such member.");
}

static void refuse_unknown_members(
        struct filling *filling, const struct place *place, const struct shape *shape, const json_t *tree) {
        json_t *object = (json_t *) tree; /* jansson iterates over nothing const */
        const char *name;
        json_t *value;

        json_object_foreach(object, name, value) {
                if (!is_member(shape, name))
                        refuse_member(filling, place, shape, name);
        }
}

void filling_record(struct filling *filling, const struct place *place, const struct shape *shape, const json_t *tree,
        void *record) {
        empty_record(shape, record);
        if (!json_is_object(tree)) {
                filling_expect(filling, place, "an object");
                return;
        }
        for (size_t i = 0; i < shape->n_members; i++) {
                const struct place at = { .parent = place, .name = shape->members[i].name };

                fill_member(filling, &at, &shape->members[i], json_object_get(tree, at.name), record);
        }
        refuse_unknown_members(filling, place, shape, tree);
}

static enum problem fill_all(struct filling *filling, const struct shape *shape, const json_t *tree, void *into) {
        struct arena *arena = filling->arena;
        struct refusal *refusal = filling->refusal;
        const struct place root = { 0 };
        const size_t n_before = refusal->n_violations;

        filling_record(filling, &root, shape, tree, into);
        if (arena->exhausted) {
                /* Some of them may lack their text. */
                refusal->violations = refusal->last_violation = NULL;
                refusal->n_violations = 0;
                return refuse_size(arena, refusal);
        }
        if (refusal->n_violations > n_before)
                return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED,
                        "The body is not valid in %zu places; errors says where and why.",
                        refusal->n_violations - n_before);
        return PROBLEM_NONE;
}

enum problem shape_fill(
        const struct shape *shape, const json_t *tree, struct arena *arena, struct refusal *refusal, void *into) {
        struct filling filling = { .arena = arena, .refusal = refusal };

        return fill_all(&filling, shape, tree, into);
}

static bool requires_nothing(const struct shape *shape) {
        for (size_t i = 0; i < shape->n_members; i++)
                if (shape->members[i].required)
                        return false;
        return true;
}

enum problem shape_read(const struct shape *shape, const char *body, size_t size, struct arena *arena,
        struct refusal *refusal, void **ret_filled) {
        const bool as_empty_object = size == 0 && requires_nothing(shape);
        struct filling filling = { .arena = arena, .refusal = refusal };
        _cleanup_(tree_cleanup) json_t *tree = NULL;
        enum problem problem;
        void *filled = NULL;

        problem = shape_parse_rounded(
                as_empty_object ? "{}" : body, as_empty_object ? 2 : size, arena, refusal, &tree, &filling.rounded);
        if (problem)
                return problem;
        filled = arena_alloc(arena, shape->size);
        if (!filled)
                return refuse_size(arena, refusal);
        problem = fill_all(&filling, shape, tree, filled);
        if (problem)
                return problem;
        *ret_filled = filled;
        return PROBLEM_NONE;
}
