/*
 * base/mustache: text from a Mustache template and a JSON document.
 *
 * The language is that of the Mustache specification: {{name}}, {{{name}}} and {{&name}}, sections {{#name}} and
 * {{^name}} up to {{/name}}, comments {{! }}, other delimiters {{=<% %>=}}, dotted names, and {{.}} for the element of
 * a list. Partials, blocks and lambdas are faults: a template can neither read a file nor run code.
 *
 * A section is empty for a missing value, null, false, an empty list and empty text. Names that the document lacks
 * write nothing. Templates of operators are input like any other: size, tags, nesting, output and steps have limits.
 *
 * Pure: no I/O and no clock. The parsed template points into the text of the template and lives in the arena.
 */
#pragma once

#include "base/buffer.h"
#include "base/problem.h"

#include <jansson.h>

#define MUSTACHE_SIZE_MAX  ((size_t) 64 * 1024)
#define MUSTACHE_NODES_MAX ((size_t) 4096)   /* tags, and pieces of text between them */
#define MUSTACHE_DEPTH_MAX 16                /* sections in sections */
#define MUSTACHE_NAME_MAX  ((size_t) 128)    /* bytes of a name */
#define MUSTACHE_STEPS_MAX ((size_t) 200000) /* nodes that one rendering visits; sections over lists multiply them */

enum mustache_escaping {
        MUSTACHE_HTML,  /* & < > " ' of {{name}} become entities */
        MUSTACHE_PLAIN, /* {{name}} is written as it is: for text that is no HTML */
};

/* Why and where a template does not parse. Lines and columns count from 1, columns in bytes. */
struct mustache_fault {
        const char *reason; /* a clause without a full stop; static text */
        size_t line, column;
};

struct mustache_node;

struct mustache {
        const struct mustache_node *nodes;
        size_t n;
};

/* Parse a template, which must be valid UTF-8. VALIDATION_FAILED with `ret_fault` set, or OVERLOADED when the arena is
 * exhausted. */
must_check enum problem mustache_parse(const char *text, size_t size, struct arena *arena,
        struct mustache *ret_mustache, struct mustache_fault *ret_fault);

/* Append the rendered text. False, with a part of the text appended, when the buffer's maximum, the arena or
 * MUSTACHE_STEPS_MAX is reached. */
must_check bool mustache_render(
        const struct mustache *mustache, const json_t *data, enum mustache_escaping escaping, struct buffer *into);
