#include "http/query.h"

#include "base/text.h"

#include <string.h>

static void tree_cleanup(json_t **tree) {
        json_decref(*tree);
}

static const struct shape_member *member_named(const struct shape *shape, const char *name) {
        for (size_t i = 0; shape && i < shape->n_members; i++)
                if (text_equal(shape->members[i].name, name))
                        return &shape->members[i];
        return NULL;
}

static json_t *list_value(char *text) {
        json_t *list = json_array();

        for (char *item = text; item;) {
                char *comma = strchr(item, ',');

                if (comma)
                        *comma++ = '\0';
                if (json_array_append_new(list, json_string(item)) < 0)
                        break;
                item = comma;
        }
        return list;
}

static json_t *integer_value(const char *text) {
        int64_t integer = 0;

        return text_to_integer(text, INT64_MIN, INT64_MAX, &integer) ? json_integer(integer) : json_string(text);
}

static json_t *number_value(const char *text) {
        double number = 0;

        return text_to_number(text, &number) ? json_real(number) : json_string(text);
}

/* A parameter's text as the JSON value of its member's kind; unreadable text stays text, for the shape to refuse. */
static json_t *parameter_value(const struct shape_member *member, char *text) {
        switch (member->kind) {
        case SHAPE_BOOLEAN:
                if (text_equal(text, "true"))
                        return json_true();
                return text_equal(text, "false") ? json_false() : json_string(text);
        case SHAPE_INTEGER:
                return integer_value(text);
        case SHAPE_NUMBER:
                return number_value(text);
        case SHAPE_TEXTS:
                return list_value(text);
        default:
                return json_string(text);
        }
}

static enum problem parameter_add(const struct shape *shape, char *name, char *value, json_t *tree, struct arena *arena,
        struct refusal *refusal) {
        const struct shape_member *member;

        for (char *plus = strchr(value, '+'); plus; plus = strchr(plus, '+'))
                *plus = ' ';
        if (!text_percent_decode(name, true) || !text_percent_decode(value, true))
                return refuse(refusal, arena, PROBLEM_INVALID_PARAMETER, "The query is not valid percent-encoding.");
        member = member_named(shape, name);
        if (!member)
                return refuse(
                        refusal, arena, PROBLEM_UNKNOWN_PARAMETER, "This route has no parameter \"%.64s\".", name);
        if (json_object_get(tree, name))
                return refuse(refusal, arena, PROBLEM_INVALID_PARAMETER, "The parameter %s is given twice.", name);
        if (json_object_set_new(tree, name, parameter_value(member, value)) < 0)
                return refuse(refusal, arena, PROBLEM_INVALID_PARAMETER, "The parameter %s cannot be read.", name);
        return PROBLEM_NONE;
}

static enum problem query_parameters_split(
        const struct shape *shape, char *text, json_t *tree, struct arena *arena, struct refusal *refusal) {
        size_t n = 0;

        while (text && *text) {
                char *name = text;
                char *end = strchr(text, '&');
                char *value;
                enum problem p;

                if (end)
                        *end++ = '\0';
                text = end;
                if (!*name)
                        continue;
                if (++n > QUERY_PARAMETERS_MAX)
                        return refuse(refusal, arena, PROBLEM_INVALID_PARAMETER, "There are too many parameters.");
                value = strchr(name, '=');
                if (value)
                        *value++ = '\0';
                else
                        value = name + strlen(name);
                p = parameter_add(shape, name, value, tree, arena, refusal);
                if (p)
                        return p;
        }
        return PROBLEM_NONE;
}

enum problem query_read(
        const struct shape *shape, char *text, struct arena *arena, struct refusal *refusal, void **ret_filled) {
        _cleanup_(tree_cleanup) json_t *tree = json_object();
        void *filled = NULL;
        enum problem p;

        if (!tree)
                return refuse(refusal, arena, PROBLEM_OVERLOADED, "There is no memory left.");
        p = query_parameters_split(shape, text, tree, arena, refusal);
        if (p || !shape)
                return p;
        filled = arena_alloc(arena, shape->size);
        if (!filled)
                return refuse(refusal, arena, PROBLEM_OVERLOADED, "There is no memory left.");
        p = shape_fill(shape, tree, arena, refusal, filled);
        if (p) {
                refusal->problem = PROBLEM_INVALID_PARAMETER;
                refusal->detail = "A query parameter is not valid; errors says which and why.";
                return PROBLEM_INVALID_PARAMETER;
        }
        *ret_filled = filled;
        return PROBLEM_NONE;
}
