#include "base/mustache.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX ((size_t) 16 * 1024)

static const char *render_as(
        struct arena *arena, const char *template, const json_t *data, enum mustache_escaping how) {
        struct mustache mustache;
        struct mustache_fault fault = { 0 };
        struct buffer buffer;
        const enum problem problem = mustache_parse(template, strlen(template), arena, &mustache, &fault);

        cr_assert_eq(problem, PROBLEM_NONE, "%zu:%zu: %s in %s", fault.line, fault.column, fault.reason, template);
        buffer_init(&buffer, arena, OUTPUT_MAX);
        cr_assert(mustache_render(&mustache, data, how, &buffer), "%s", template);
        return buffer_text(&buffer);
}

static void assert_rendered(const char *json, const char *template, const char *expected, enum mustache_escaping how) {
        json_t *data = json_loads(json, 0, NULL);
        struct arena arena;

        arena_init(&arena, 1024 * 1024);
        cr_assert_not_null(data, "%s", json);
        cr_expect_str_eq(render_as(&arena, template, data, how), expected, "%s", template);
        arena_clear(&arena);
        json_decref(data);
}

static void assert_fault(const char *template, size_t size, size_t line, size_t column, const char *reason) {
        struct mustache mustache;
        struct mustache_fault fault = { 0 };
        struct arena arena;

        arena_init(&arena, 1024 * 1024);
        cr_assert_eq(mustache_parse(template, size, &arena, &mustache, &fault), PROBLEM_VALIDATION_FAILED, "%.80s",
                template);
        cr_expect_str_eq(fault.reason, reason, "%.80s", template);
        cr_expect(fault.line == line && fault.column == column, "%zu:%zu in %.80s", fault.line, fault.column, template);
        arena_clear(&arena);
}

static void refuses(const char *template, size_t line, size_t column, const char *reason) {
        assert_fault(template, strlen(template), line, column, reason);
}

/* ---- the tests of the specification ---- */

static size_t specification_passes(const char *part, bool with_partials) {
        char path[512];
        json_t *document, *test;
        size_t i, n = 0;

        (void) snprintf(path, sizeof(path), "%s/unit/mustache/%s.json", TESTS_DIRECTORY, part);
        document = json_load_file(path, 0, NULL);
        cr_assert_not_null(document, "%s", path);
        json_array_foreach(json_object_get(document, "tests"), i, test) {
                struct arena arena;
                const char *template = json_string_value(json_object_get(test, "template"));

                if (!with_partials && json_object_get(test, "partials"))
                        continue;
                arena_init(&arena, 1024 * 1024);
                cr_expect_str_eq(render_as(&arena, template, json_object_get(test, "data"), MUSTACHE_HTML),
                        json_string_value(json_object_get(test, "expected")), "%s: %s", part,
                        json_string_value(json_object_get(test, "name")));
                arena_clear(&arena);
                n++;
        }
        json_decref(document);
        return n;
}

Test(mustache, passes_the_specification_of_interpolation) {
        cr_expect_eq(specification_passes("interpolation", true), 30);
}

Test(mustache, passes_the_specification_of_sections) {
        cr_expect_eq(specification_passes("sections", true), 25);
}

Test(mustache, passes_the_specification_of_inverted_sections) {
        cr_expect_eq(specification_passes("inverted", true), 21);
}

Test(mustache, passes_the_specification_of_comments) {
        cr_expect_eq(specification_passes("comments", true), 11);
}

Test(mustache, passes_the_specification_of_delimiters_without_partials) {
        cr_expect_eq(specification_passes("delimiters", false), 12);
}

/* ---- beyond the specification's version of the package ---- */

Test(mustache, writes_nothing_for_null_and_for_a_broken_chain) {
        assert_rendered("{\"a\": null}", "[{{a}}{{&a}}{{b}}{{a.b}}]", "[]", MUSTACHE_HTML);
        assert_rendered("{\"a\": null}", "[{{#a}}x{{/a}}{{^a}}none{{/a}}]", "[none]", MUSTACHE_HTML);
        assert_rendered(
                "{\"a\": {\"b\": null}, \"b\": {\"c\": \"wrong\"}}", "[{{#a}}{{b.c}}{{/a}}]", "[]", MUSTACHE_HTML);
}

Test(mustache, finds_names_in_the_nearest_section_that_has_them) {
        assert_rendered("{\"a\": \"out\", \"s\": {\"b\": \"in\"}, \"b\": \"out\"}", "{{#s}}{{a}} {{b}}{{/s}}", "out in",
                MUSTACHE_HTML);
        assert_rendered("{\"foo\": \"bar\"}", "{{#foo}}{{.}} is {{foo}}{{/foo}}", "bar is bar", MUSTACHE_HTML);
}

Test(mustache, repeats_lists_in_lists) {
        assert_rendered("{\"l\": [[1, 2], [\"a\"]]}", "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "(12)(a)", MUSTACHE_HTML);
}

Test(mustache, takes_empty_text_as_absent) {
        assert_rendered("{\"a\": \"\"}", "{{#a}}x{{/a}}{{^a}}none{{/a}}", "none", MUSTACHE_HTML);
}

Test(mustache, escapes_all_that_could_end_text_or_an_attribute) {
        assert_rendered("{\"a\": \"<a href='x' title=\\\"y\\\">&\"}", "{{a}}",
                "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;", MUSTACHE_HTML);
        assert_rendered("{\"a\": \"<b>&'\\\"\"}", "{{{a}}}{{&a}}", "<b>&'\"<b>&'\"", MUSTACHE_HTML);
}

Test(mustache, keeps_plain_text_as_it_is) {
        assert_rendered("{\"a\": \"Tom & Jerry's <3\"}", "{{a}}", "Tom & Jerry's <3", MUSTACHE_PLAIN);
}

Test(mustache, does_not_render_the_tags_in_a_value) {
        assert_rendered("{\"a\": \"{{b}}\", \"b\": \"secret\"}", "{{a}}{{{a}}}", "{{b}}{{b}}", MUSTACHE_HTML);
}

Test(mustache, names_the_place_of_a_fault) {
        refuses("a\nbc {{name", 2, 4, "the tag has no end");
        refuses("{{{name}}", 1, 1, "the tag has no end");
        refuses("{{#a}}\n{{#b}}\n{{/a}}", 3, 1, "the end tag names another section than the open one");
        refuses("\n  {{/a}}", 2, 3, "the end tag has no section");
        refuses("{{#a}}text", 1, 4, "the section has no end tag");
        refuses("{{}}", 1, 1, "the tag has no name");
        refuses("{{ a b }}", 1, 1, "the name in the tag has a blank");
        refuses("{{a..b}}", 1, 1, "a part of the dotted name is empty");
        refuses("{{a.}}", 1, 1, "a part of the dotted name is empty");
        refuses("{{> footer}}", 1, 1, "partials and blocks are not supported");
        refuses("{{$title}}x{{/title}}", 1, 1, "partials and blocks are not supported");
        refuses("{{=<%=}}", 1, 1, "the tag needs two delimiters with a blank between them");
        refuses("{{=< a b >=}}", 1, 1, "a delimiter has a blank or an equals sign");
        refuses("{{=<<<<<<<<<<<<<<<<< >=}}", 1, 1, "a delimiter is too long");
}

/* `n` copies of the text in memory that the caller frees. */
static char *repeated(const char *text, size_t n) {
        char *copies = calloc(n, strlen(text) + 1);

        cr_assert_not_null(copies);
        for (size_t i = 0; i < n; i++)
                memcpy(copies + i * strlen(text), text, strlen(text));
        return copies;
}

Test(mustache, refuses_templates_beyond_its_limits) {
        _cleanup_free_ char *large = repeated("x", MUSTACHE_SIZE_MAX + 1);
        _cleanup_free_ char *tags = repeated("{{a}}", MUSTACHE_NODES_MAX + 1);
        _cleanup_free_ char *deep = repeated("{{#a}}", MUSTACHE_DEPTH_MAX + 1);
        _cleanup_free_ char *name = repeated("n", MUSTACHE_NAME_MAX + 1);
        char tag[MUSTACHE_NAME_MAX + 16];

        refuses(large, 1, 1, "the template is larger than 64 KiB");
        refuses(tags, 1, MUSTACHE_NODES_MAX * 5 + 1, "the template has too many tags");
        refuses(deep, 1, MUSTACHE_DEPTH_MAX * 6 + 1, "too many sections are inside each other");
        (void) snprintf(tag, sizeof(tag), "{{%s}}", name);
        refuses(tag, 1, 1, "the name in the tag is too long");
}

static bool renders_within(const char *template, const char *json, size_t maximum) {
        json_t *data = json_loads(json, 0, NULL);
        struct mustache mustache;
        struct mustache_fault fault;
        struct buffer buffer;
        struct arena arena;
        bool rendered;

        arena_init(&arena, 1024 * 1024);
        cr_assert_eq(mustache_parse(template, strlen(template), &arena, &mustache, &fault), PROBLEM_NONE);
        buffer_init(&buffer, &arena, maximum);
        rendered = mustache_render(&mustache, data, MUSTACHE_HTML, &buffer);
        cr_expect_leq(buffer.size, maximum);
        arena_clear(&arena);
        json_decref(data);
        return rendered;
}

Test(mustache, stops_at_the_maximum_of_the_output) {
        cr_expect(renders_within("{{#l}}12345{{/l}}", "{\"l\": [1, 2]}", 10));
        cr_expect_not(renders_within("{{#l}}12345{{/l}}", "{\"l\": [1, 2, 3]}", 10));
}

/* Eight sections over a list of ten would visit 100 million elements without one byte of output. */
Test(mustache, stops_when_sections_multiply) {
        cr_expect_not(renders_within("{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}"
                                     "{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}",
                "{\"l\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}", OUTPUT_MAX));
}
