#include "base/shape_filling.h"

#include <errno.h>

#define NESTING_MAX 32

/* The parser's finding in a sentence of the program, because jansson's own text may quote the body. */
static const char *fault_sentence(enum json_error_code code) {
        switch (code) {
        case json_error_duplicate_key:
                return "a member occurs twice";
        case json_error_end_of_input_expected:
                return "something follows the value";
        case json_error_invalid_utf8:
                return "this is not valid UTF-8";
        case json_error_numeric_overflow:
                return "a number is too large";
        case json_error_premature_end_of_input:
                return "the body ends too early";
        case json_error_stack_overflow:
                return "the nesting is too deep";
        default:
                return "this is not valid JSON";
        }
}

/* No pointer can name the member, so the sentence says where it stands. */
static enum problem refuse_name(struct arena *arena, struct refusal *refusal, const json_error_t *error) {
        (void) refuse_because(refusal, arena, "#", "nul-not-allowed", "U+0000 in a name, line %d, column %d.",
                error->line, error->column);
        return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The name of a member holds the character U+0000.");
}

static enum problem refuse_parse(struct arena *arena, struct refusal *refusal, const json_error_t *error) {
        /* without memory for a token, jansson reports an unknown token; errno shows the real cause */
        if (errno == ENOMEM)
                return refuse(refusal, arena, PROBLEM_OVERLOADED, "There is no memory left for the body.");
        if (json_error_code(error) == json_error_null_byte_in_key)
                return refuse_name(arena, refusal, error);
        return refuse(refusal, arena, PROBLEM_MALFORMED_JSON, "Line %d, column %d: %s.", error->line, error->column,
                fault_sentence(json_error_code(error)));
}

static json_t *body_parse(const char *body, size_t size, size_t flags, json_error_t *error) {
        errno = 0;
        return json_loadb(body, size, flags, error);
}

/* Where nesting first passes the limit, or NULL. Only brackets outside strings count; whether they match is left to
 * the parser, which this keeps from building a deep tree. */
static const char *find_too_deep(const char *body, size_t size) {
        bool in_text = false;
        int depth = 0;

        for (size_t i = 0; i < size; i++) {
                if (in_text && body[i] == '\\')
                        i++;
                else if (body[i] == '"')
                        in_text = !in_text;
                else if (!in_text && (body[i] == '[' || body[i] == '{'))
                        depth++;
                else if (!in_text && (body[i] == ']' || body[i] == '}'))
                        depth--;
                if (depth > NESTING_MAX)
                        return body + i;
        }
        return NULL;
}

static enum problem refuse_depth(struct arena *arena, struct refusal *refusal, const char *body, const char *too_deep) {
        size_t line = 1, column = 1;

        for (; body < too_deep; body++) {
                column = *body == '\n' ? 1 : column + (((unsigned char) *body & 0xC0) != 0x80);
                line += *body == '\n';
        }
        return refuse(refusal, arena, PROBLEM_MALFORMED_JSON, "Line %zu, column %zu: more than %d levels of nesting.",
                line, column, NESTING_MAX);
}

enum problem shape_parse_rounded(const char *body, size_t size, struct arena *arena, struct refusal *refusal,
        json_t **ret_tree, bool *ret_rounded) {
        const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
        const char *too_deep = NULL;
        json_error_t error;
        json_t *tree = NULL;
        bool rounded;

        if (size == 0)
                return refuse(refusal, arena, PROBLEM_MALFORMED_JSON, "The body is empty.");
        too_deep = find_too_deep(body, size);
        if (too_deep)
                return refuse_depth(arena, refusal, body, too_deep);
        tree = body_parse(body, size, flags, &error);
        /* An integer beyond 64 bits is well formed; read as a double, its member can be named in a violation. */
        rounded = !tree && json_error_code(&error) == json_error_numeric_overflow;
        if (rounded)
                tree = body_parse(body, size, flags | JSON_DECODE_INT_AS_REAL, &error);
        if (!tree)
                return refuse_parse(arena, refusal, &error);
        *ret_tree = tree;
        *ret_rounded = rounded;
        return PROBLEM_NONE;
}

enum problem shape_parse(
        const char *body, size_t size, struct arena *arena, struct refusal *refusal, json_t **ret_tree) {
        bool rounded;

        return shape_parse_rounded(body, size, arena, refusal, ret_tree, &rounded);
}
