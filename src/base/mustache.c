#include "base/mustache.h"

#include <stdint.h>
#include <string.h>

#define DELIMITER_SIZE_MAX ((size_t) 16)

enum node_kind {
        NODE_INVERTED, /* rendered when the value is empty */
        NODE_RAW,      /* a value, never escaped */
        NODE_SECTION,  /* rendered for each element, or once */
        NODE_TEXT,
        NODE_VALUE, /* a value, escaped */
};

struct mustache_node {
        enum node_kind kind;
        const char *text; /* the text, or the name */
        size_t size;
        size_t end; /* of a section: the index behind its last node */
};

/* ---- parsing ---- */

struct delimiter {
        const char *text;
        size_t size;
};

struct parser {
        const char *text;
        size_t size;
        size_t at; /* everything before is in `nodes` */
        struct arena *arena;
        struct mustache_node *nodes;
        size_t n, capacity;
        size_t open[MUSTACHE_DEPTH_MAX]; /* indices of the sections that have no end yet */
        size_t n_open;
        struct delimiter opening, closing;
        struct mustache_fault *fault;
};

/* A tag: the byte behind the opening delimiter, its trimmed content, and its bounds in the template. */
struct tag {
        char sigil; /* one of # ^ / ! = & {, or 0 for a plain name */
        const char *content;
        size_t size;
        size_t begin, end;
};

static enum problem fault_at(const struct parser *parser, size_t at, const char *reason) {
        *parser->fault = (struct mustache_fault){ .reason = reason, .line = 1, .column = 1 };
        for (size_t i = 0; i < at; i++) {
                const bool new_line = parser->text[i] == '\n';

                parser->fault->line += new_line;
                parser->fault->column = new_line ? 1 : parser->fault->column + 1;
        }
        return PROBLEM_VALIDATION_FAILED;
}

static bool is_blank(char byte) {
        return byte == ' ' || byte == '\t';
}

static bool is_space(char byte) {
        return is_blank(byte) || byte == '\n' || byte == '\r';
}

static void tag_trim(struct tag *tag) {
        while (tag->size && is_space(tag->content[0])) {
                tag->content++;
                tag->size--;
        }
        while (tag->size && is_space(tag->content[tag->size - 1]))
                tag->size--;
}

/* The index of the first such text from `from` on, or `size` when there is none. */
static size_t index_of(const struct parser *parser, size_t from, const char *text, size_t size) {
        const char *found = memmem(parser->text + from, parser->size - from, text, size);

        return found ? (size_t) (found - parser->text) : parser->size;
}

static enum problem node_add(struct parser *parser, enum node_kind kind, const char *text, size_t size, size_t at) {
        struct mustache_node *nodes;

        if (parser->n == MUSTACHE_NODES_MAX)
                return fault_at(parser, at, "the template has too many tags");
        nodes = arena_grow(parser->arena, parser->nodes, parser->n, &parser->capacity, sizeof(*nodes));
        if (!nodes)
                return PROBLEM_OVERLOADED;
        parser->nodes = nodes;
        nodes[parser->n++] = (struct mustache_node){ .kind = kind, .text = text, .size = size };
        return PROBLEM_NONE;
}

static enum problem text_node_add(struct parser *parser, size_t end) {
        if (end <= parser->at)
                return PROBLEM_NONE;
        return node_add(parser, NODE_TEXT, parser->text + parser->at, end - parser->at, parser->at);
}

/* {{{name}}} ends with a brace before the delimiter, {{=a b=}} with a "=". */
static const char *ending_of(char sigil) {
        return sigil == '{' ? "}" : sigil == '=' ? "=" : "";
}

/* Read the tag that begins at `begin`. */
static enum problem tag_read(const struct parser *parser, size_t begin, struct tag *ret_tag) {
        struct tag tag = { .begin = begin };
        size_t inside = begin + parser->opening.size, end;
        const char *closing;

        if (inside < parser->size && strchr("#^/!=&{><$", parser->text[inside]) && parser->text[inside])
                tag.sigil = parser->text[inside++];
        closing = arena_format(
                parser->arena, "%s%.*s", ending_of(tag.sigil), (int) parser->closing.size, parser->closing.text);
        if (!closing)
                return PROBLEM_OVERLOADED;
        end = index_of(parser, inside, closing, strlen(closing));
        if (end == parser->size)
                return fault_at(parser, begin, "the tag has no end");
        tag.content = parser->text + inside;
        tag.size = end - inside;
        tag.end = end + strlen(closing);
        tag_trim(&tag);
        *ret_tag = tag;
        return PROBLEM_NONE;
}

/* A tag that writes nothing is standalone when its lines hold nothing else: then the lines go with it. */
static bool is_standalone(const struct parser *parser, const struct tag *tag, size_t *ret_begin, size_t *ret_end) {
        size_t begin = tag->begin, end = tag->end;

        if (!tag->sigil || tag->sigil == '&' || tag->sigil == '{')
                return false;
        while (begin > 0 && is_blank(parser->text[begin - 1]))
                begin--;
        if (begin > 0 && parser->text[begin - 1] != '\n')
                return false;
        while (end < parser->size && is_blank(parser->text[end]))
                end++;
        if (end + 1 < parser->size && parser->text[end] == '\r' && parser->text[end + 1] == '\n')
                end++;
        if (end < parser->size && parser->text[end] != '\n')
                return false;
        *ret_begin = begin;
        *ret_end = end < parser->size ? end + 1 : end;
        return true;
}

static enum problem name_check(const struct parser *parser, const struct tag *tag) {
        const char *name = tag->content;

        if (tag->size == 0)
                return fault_at(parser, tag->begin, "the tag has no name");
        if (tag->size > MUSTACHE_NAME_MAX)
                return fault_at(parser, tag->begin, "the name in the tag is too long");
        for (size_t i = 0; i < tag->size; i++)
                if (is_space(name[i]))
                        return fault_at(parser, tag->begin, "the name in the tag has a blank");
        if (tag->size == 1 && name[0] == '.')
                return PROBLEM_NONE;
        if (name[0] == '.' || name[tag->size - 1] == '.' || memmem(name, tag->size, "..", 2))
                return fault_at(parser, tag->begin, "a part of the dotted name is empty");
        return PROBLEM_NONE;
}

static enum problem section_open(struct parser *parser, const struct tag *tag) {
        enum problem problem;

        if (parser->n_open == MUSTACHE_DEPTH_MAX)
                return fault_at(parser, tag->begin, "too many sections are inside each other");
        problem =
                node_add(parser, tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED, tag->content, tag->size, tag->begin);
        if (problem)
                return problem;
        parser->open[parser->n_open++] = parser->n - 1;
        return PROBLEM_NONE;
}

static enum problem section_close(struct parser *parser, const struct tag *tag) {
        struct mustache_node *section;

        if (parser->n_open == 0)
                return fault_at(parser, tag->begin, "the end tag has no section");
        section = &parser->nodes[parser->open[parser->n_open - 1]];
        if (section->size != tag->size || memcmp(section->text, tag->content, tag->size) != 0)
                return fault_at(parser, tag->begin, "the end tag names another section than the open one");
        section->end = parser->n;
        parser->n_open--;
        return PROBLEM_NONE;
}

/* {{=<% %>=}}: two texts without blanks and "=". */
static enum problem delimiters_set(struct parser *parser, const struct tag *tag) {
        size_t first = 0, gap;

        while (first < tag->size && !is_space(tag->content[first]))
                first++;
        gap = first;
        while (gap < tag->size && is_space(tag->content[gap]))
                gap++;
        if (first == 0 || gap == tag->size || gap == first)
                return fault_at(parser, tag->begin, "the tag needs two delimiters with a blank between them");
        if (first > DELIMITER_SIZE_MAX || tag->size - gap > DELIMITER_SIZE_MAX)
                return fault_at(parser, tag->begin, "a delimiter is too long");
        for (size_t i = 0; i < tag->size; i++)
                if (tag->content[i] == '=' || (i >= gap && is_space(tag->content[i])))
                        return fault_at(parser, tag->begin, "a delimiter has a blank or an equals sign");
        parser->opening = (struct delimiter){ tag->content, first };
        parser->closing = (struct delimiter){ tag->content + gap, tag->size - gap };
        return PROBLEM_NONE;
}

static enum problem tag_take(struct parser *parser, const struct tag *tag) {
        enum problem problem;

        if (tag->sigil == '!')
                return PROBLEM_NONE;
        if (tag->sigil == '=')
                return delimiters_set(parser, tag);
        if (tag->sigil == '>' || tag->sigil == '<' || tag->sigil == '$')
                return fault_at(parser, tag->begin, "partials and blocks are not supported");
        problem = name_check(parser, tag);
        if (problem)
                return problem;
        if (tag->sigil == '/')
                return section_close(parser, tag);
        if (tag->sigil == '#' || tag->sigil == '^')
                return section_open(parser, tag);
        return node_add(parser, tag->sigil ? NODE_RAW : NODE_VALUE, tag->content, tag->size, tag->begin);
}

/* Take the text before the next tag, and the tag. */
static enum problem step(struct parser *parser) {
        const size_t begin = index_of(parser, parser->at, parser->opening.text, parser->opening.size);
        size_t text_end = begin, next;
        struct tag tag;
        enum problem problem;

        if (begin == parser->size) {
                problem = text_node_add(parser, parser->size);
                parser->at = parser->size;
                return problem;
        }
        problem = tag_read(parser, begin, &tag);
        if (problem)
                return problem;
        next = tag.end;
        if (!is_standalone(parser, &tag, &text_end, &next))
                text_end = begin;
        problem = text_node_add(parser, text_end);
        if (problem)
                return problem;
        parser->at = next;
        return tag_take(parser, &tag);
}

enum problem mustache_parse(const char *text, size_t size, struct arena *arena, struct mustache *ret_mustache,
        struct mustache_fault *ret_fault) {
        struct parser parser = {
                .text = text,
                .size = size,
                .arena = arena,
                .opening = { "{{", 2 },
                .closing = { "}}", 2 },
                .fault = ret_fault,
        };

        if (size > MUSTACHE_SIZE_MAX)
                return fault_at(&parser, 0, "the template is larger than 64 KiB");
        while (parser.at < size) {
                const enum problem problem = step(&parser);

                if (problem)
                        return problem;
        }
        if (parser.n_open)
                return fault_at(&parser, (size_t) (parser.nodes[parser.open[parser.n_open - 1]].text - text),
                        "the section has no end tag");
        *ret_mustache = (struct mustache){ .nodes = parser.nodes, .n = parser.n };
        return PROBLEM_NONE;
}

/* ---- rendering ---- */

struct rendering {
        const json_t *stack[MUSTACHE_DEPTH_MAX + 1]; /* the document, and the value of each section around */
        size_t n;
        enum mustache_escaping escaping;
        struct buffer *into;
        size_t steps;
};

/* The value of one part of a name in an object; NULL when it is no object or lacks the member. */
static const json_t *object_member(const json_t *object, const char *name, size_t size) {
        return json_is_object(object) ? json_object_getn(object, name, size) : NULL;
}

/* Resolve a name: the first part in the nearest object that has it, the others below it alone. */
static const json_t *value_of(const struct rendering *rendering, const struct mustache_node *node) {
        const char *name = node->text, *const end = node->text + node->size;
        const char *dot = memchr(name, '.', node->size);
        const json_t *value = NULL;

        if (node->size == 1 && name[0] == '.')
                return rendering->stack[rendering->n - 1];
        for (size_t i = rendering->n; i > 0 && !value; i--)
                value = object_member(rendering->stack[i - 1], name, (size_t) ((dot ? dot : end) - name));
        while (value && dot) {
                name = dot + 1;
                dot = memchr(name, '.', (size_t) (end - name));
                value = object_member(value, name, (size_t) ((dot ? dot : end) - name));
        }
        return value;
}

static bool is_empty(const json_t *value) {
        switch (value ? json_typeof(value) : JSON_NULL) {
        case JSON_NULL:
        case JSON_FALSE:
                return true;
        case JSON_ARRAY:
                return json_array_size(value) == 0;
        case JSON_STRING:
                return json_string_length(value) == 0;
        default:
                return false;
        }
}

static const char *entity(char byte) {
        switch (byte) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        default:
                return NULL;
        }
}

static void escaped_append(struct buffer *into, const char *text, size_t size) {
        size_t begin = 0;

        for (size_t i = 0; i < size; i++) {
                const char *escaped = entity(text[i]);

                if (!escaped)
                        continue;
                buffer_append(into, text + begin, i - begin);
                buffer_append_text(into, escaped);
                begin = i + 1;
        }
        buffer_append(into, text + begin, size - begin);
}

static void value_append(struct rendering *rendering, const json_t *value, bool raw) {
        struct buffer *into = rendering->into;

        if (json_is_string(value) && (raw || rendering->escaping == MUSTACHE_PLAIN))
                buffer_append(into, json_string_value(value), json_string_length(value));
        else if (json_is_string(value))
                escaped_append(into, json_string_value(value), json_string_length(value));
        else if (json_is_integer(value))
                buffer_append_format(into, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else if (json_is_real(value))
                buffer_append_format(into, "%.15g", json_real_value(value));
        else if (json_is_boolean(value))
                buffer_append_text(into, json_is_true(value) ? "true" : "false");
}

static bool nodes_render(struct rendering *rendering, const struct mustache_node *nodes, size_t begin, size_t end);

static bool render_with(
        struct rendering *rendering, const struct mustache_node *nodes, size_t at, const json_t *value) {
        bool done;

        rendering->stack[rendering->n++] = value;
        done = nodes_render(rendering, nodes, at + 1, nodes[at].end);
        rendering->n--;
        return done;
}

static bool section_render(struct rendering *rendering, const struct mustache_node *nodes, size_t at) {
        const json_t *value = value_of(rendering, &nodes[at]);

        if (nodes[at].kind == NODE_INVERTED)
                return !is_empty(value) || nodes_render(rendering, nodes, at + 1, nodes[at].end);
        if (is_empty(value))
                return true;
        if (!json_is_array(value))
                return render_with(rendering, nodes, at, value);
        for (size_t i = 0; i < json_array_size(value); i++) {
                if (++rendering->steps > MUSTACHE_STEPS_MAX)
                        return false;
                if (!render_with(rendering, nodes, at, json_array_get(value, i)))
                        return false;
        }
        return true;
}

/* Recursion is at most MUSTACHE_DEPTH_MAX deep: the parser counted. */
static bool nodes_render(struct rendering *rendering, const struct mustache_node *nodes, size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) {
                const struct mustache_node *node = &nodes[i];

                if (++rendering->steps > MUSTACHE_STEPS_MAX || rendering->into->failed)
                        return false;
                if (node->kind == NODE_TEXT) {
                        buffer_append(rendering->into, node->text, node->size);
                } else if (node->kind == NODE_SECTION || node->kind == NODE_INVERTED) {
                        if (!section_render(rendering, nodes, i))
                                return false;
                        i = node->end - 1;
                } else {
                        value_append(rendering, value_of(rendering, node), node->kind == NODE_RAW);
                }
        }
        return true;
}

bool mustache_render(
        const struct mustache *mustache, const json_t *data, enum mustache_escaping escaping, struct buffer *into) {
        struct rendering rendering = { .stack = { data }, .n = 1, .escaping = escaping, .into = into };

        return nodes_render(&rendering, mustache->nodes, 0, mustache->n) && !into->failed;
}
