/*
 * mustache_fuzz: templates as any operator may write them.
 *
 * The first line is the document, the rest the template. A fault has a reason and a place in the template. Rendering
 * stays within its maximum, and output that is escaped has no tag of HTML but those of the template.
 */
#include "fuzz.h"

#include "base/mustache.h"
#include "base/text.h"

#define OUTPUT_MAX ((size_t) 64 * 1024)

static size_t count(const char *text, size_t size, char byte) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += text[i] == byte;
        return n;
}

static void fault_has_a_place(const struct mustache_fault *fault, const char *template, size_t size) {
        require(fault->reason && *fault->reason);
        require(fault->line >= 1 && fault->line <= count(template, size, '\n') + 1);
        require(fault->column >= 1 && fault->column <= size + 1);
}

static void values_add_no_html(const char *template, size_t size, struct arena *arena) {
        json_t *data = json_pack("{s:s, s:[s, s]}", "a", "<>", "l", "<", ">");
        struct mustache mustache;
        struct mustache_fault fault;
        struct buffer buffer;

        require(data);
        buffer_init(&buffer, arena, OUTPUT_MAX);
        if (count(template, size, '<') == 0 && !memmem(template, size, "{{{", 3) && count(template, size, '&') == 0 &&
                count(template, size, '=') == 0 && mustache_parse(template, size, arena, &mustache, &fault) == 0) {
                (void) !mustache_render(&mustache, data, MUSTACHE_HTML, &buffer);
                require(count(buffer_text(&buffer), buffer.size, '<') == 0);
        }
        json_decref(data);
}

static void renders_in_bounds(
        const struct mustache *mustache, const char *json, enum mustache_escaping escaping, struct arena *arena) {
        json_t *data = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
        struct buffer buffer;

        buffer_init(&buffer, arena, OUTPUT_MAX);
        if (data) {
                const bool rendered = mustache_render(mustache, data, escaping, &buffer);

                require(!rendered || !buffer.failed);
                require(buffer.size <= OUTPUT_MAX);
        }
        json_decref(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const uint8_t *end = memchr(bytes, '\n', size);
        const size_t first = end ? (size_t) (end - bytes) : 0, rest = end ? first + 1 : 0;
        const char *template = (const char *) bytes + rest;
        struct mustache mustache;
        struct mustache_fault fault = { 0 };
        struct arena arena;
        char *json;

        arena_init(&arena, FUZZ_MEMORY);
        json = arena_text_sized(&arena, (const char *) bytes, first);
        require(json);
        if (mustache_parse(template, size - rest, &arena, &mustache, &fault) == PROBLEM_NONE) {
                renders_in_bounds(&mustache, json, MUSTACHE_HTML, &arena);
                renders_in_bounds(&mustache, json, MUSTACHE_PLAIN, &arena);
                values_add_no_html(template, size - rest, &arena);
        } else if (!arena.exhausted) {
                fault_has_a_place(&fault, template, size - rest);
        }
        arena_clear(&arena);
        return 0;
}
