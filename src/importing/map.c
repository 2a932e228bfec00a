#include "importing/map.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

void import_map_init(struct import_map *map, struct arena *arena, const struct import_columns *columns) {
        *map = (struct import_map){ .arena = arena, .columns = columns };
}

const char *import_map_joint(const struct import_map *map, size_t column) {
        static const char *const codes[] = { "code", "location", "sku", "StockCode", "InvoiceNo", NULL };
        static const char *const lists[] = { "capabilities", "closures", "opening_hours", "slots", NULL };
        const char *name = map->columns->at[column].name;

        return text_index(codes, name) >= 0 ? "-" : text_index(lists, name) >= 0 ? "; " : " ";
}

bool import_map_fits(const struct import_map *map, const struct import_header *header) {
        for (size_t i = 0; i < map->has.n; i++)
                if (import_field_named(header, map->has.at[i]) == header->width)
                        return false;
        return map->has.n > 0;
}

/* ---- words ---- */

struct parser {
        struct import_map *map;
        const char *at; /* within one statement, which a NUL ends */
        char *reason;
};

static bool fail(struct parser *parser, const char *fault) {
        if (!*parser->reason)
                (void) snprintf(
                        parser->reason, IMPORT_REASON_SIZE, "%s at \"%.64s\"", fault, parser->at ? parser->at : "");
        return false;
}

static void blanks_skip(struct parser *parser) {
        parser->at += strspn(parser->at, " \t");
}

static bool byte_take(struct parser *parser, char byte) {
        blanks_skip(parser);
        if (*parser->at != byte || !byte)
                return false;
        parser->at++;
        return true;
}

/* "Text with ""quotes""" without the quotes. */
static bool quoted_take(struct parser *parser, char quote, const char **ret_word) {
        char *word = arena_text(parser->map->arena, parser->at), *out = word;

        if (!word)
                return fail(parser, "there is no memory left");
        for (parser->at++; *parser->at; parser->at++) {
                if (*parser->at == quote && parser->at[1] != quote)
                        break;
                parser->at += *parser->at == quote;
                *out++ = *parser->at;
        }
        *out = '\0';
        *ret_word = word;
        return *parser->at++ == quote || (parser->at--, fail(parser, "a quote is never closed"));
}

/* A word in quotes, or all up to one of the bytes. */
static bool word_take(struct parser *parser, const char *stops, const char **ret_word) {
        size_t size;

        blanks_skip(parser);
        if (*parser->at == '"')
                return quoted_take(parser, '"', ret_word);
        size = strcspn(parser->at, stops);
        *ret_word = arena_text_sized(parser->map->arena, parser->at, size);
        parser->at += size;
        while (*ret_word && size && strchr(" \t", (*ret_word)[size - 1]))
                ((char *) *ret_word)[--size] = '\0';
        return (*ret_word && size) || fail(parser, "a name is missing");
}

static bool keyword_take(struct parser *parser, const char *word) {
        const size_t size = strlen(word);

        blanks_skip(parser);
        if (strncmp(parser->at, word, size) != 0 || !strchr(" \t\"", parser->at[size]) || !parser->at[size])
                return false;
        parser->at += size;
        return true;
}

static bool target_take(struct parser *parser, size_t *ret_column) {
        const struct import_columns *columns = parser->map->columns;
        const char *name;

        if (!word_take(parser, "=,", &name))
                return false;
        *ret_column = import_column_named(columns, name);
        if (*ret_column == columns->n) {
                (void) snprintf(parser->reason, IMPORT_REASON_SIZE, "there is no column \"%.64s\"", name);
                import_columns_list(columns, parser->reason, IMPORT_REASON_SIZE);
                return false;
        }
        return byte_take(parser, '=') || fail(parser, "a = is missing");
}

/* ---- rules ---- */

static bool form_take(struct parser *parser, enum map_form *ret_form) {
        const size_t size = strspn(parser->at, "abcdefghijklmnopqrstuvwxyz");

        if (parser->at[size] != '(' || !map_form_named(parser->at, size, ret_form))
                return false;
        parser->at += size + 1;
        return true;
}

static bool term_take(struct parser *parser, struct map_term *term) {
        *term = (struct map_term){ 0 };
        blanks_skip(parser);
        if (*parser->at == '\'') {
                term->is_text = true;
                return quoted_take(parser, '\'', &term->name);
        }
        if (form_take(parser, &term->form))
                return word_take(parser, ")", &term->name) &&
                       (byte_take(parser, ')') || fail(parser, "a ) is missing"));
        term->is_place = byte_take(parser, '@');
        return word_take(parser, "+|,", &term->name);
}

static bool choice_take(struct parser *parser, struct map_choice *choice) {
        do {
                if (choice->n == MAP_TERMS_MAX)
                        return fail(parser, "there are more than 8 columns");
                if (!term_take(parser, &choice->terms[choice->n++]))
                        return false;
        } while (byte_take(parser, '+'));
        return true;
}

static struct map_rule *rule_of(struct import_map *map, size_t column) {
        for (size_t i = 0; i < map->n_rules; i++)
                if (map->rules[i].column == column)
                        return &map->rules[i];
        return &map->rules[map->n_rules++];
}

static bool rule_take(struct parser *parser) {
        struct map_rule *rule;
        size_t column;

        if (!target_take(parser, &column))
                return false;
        rule = rule_of(parser->map, column);
        *rule = (struct map_rule){ .column = column };
        do {
                if (rule->n == MAP_CHOICES_MAX)
                        return fail(parser, "there are more than 4 choices");
                if (!choice_take(parser, &rule->choices[rule->n++]))
                        return false;
        } while (byte_take(parser, '|'));
        return true;
}

/* ---- other statements ---- */

static bool names_take(struct parser *parser, struct map_names *names) {
        do {
                if (names->n == MAP_NAMES_MAX)
                        return fail(parser, "there are more than 64 names");
                if (!word_take(parser, ",", &names->at[names->n++]))
                        return false;
        } while (byte_take(parser, ','));
        return true;
}

static bool test_take(struct parser *parser, struct map_test *test) {
        if (!word_take(parser, " \t=!", &test->name))
                return false;
        test->negated = byte_take(parser, '!');
        if (!byte_take(parser, '='))
                return fail(parser, "a = is missing");
        do {
                if (test->n == MAP_VALUES_MAX)
                        return fail(parser, "there are more than 8 values");
                if (!word_take(parser, "|", &test->values[test->n++]))
                        return false;
        } while (byte_take(parser, '|'));
        return true;
}

static bool put_take(struct parser *parser, struct map_change *change) {
        return word_take(parser, " \t=", &change->name) && (byte_take(parser, '=') || fail(parser, "a = is missing")) &&
               word_take(parser, " \t", &change->value) &&
               (keyword_take(parser, "if") || fail(parser, "if is missing")) && test_take(parser, &change->test);
}

static bool fill_take(struct parser *parser, struct map_change *change) {
        return word_take(parser, " \t", &change->name) &&
               (keyword_take(parser, "by") || fail(parser, "by is missing")) &&
               word_take(parser, " \t", &change->value);
}

static bool change_take(struct parser *parser, enum map_change_kind kind) {
        struct map_change *change = &parser->map->changes[parser->map->n_changes];

        if (parser->map->n_changes == MAP_CHANGES_MAX)
                return fail(parser, "there are more than 24 rules of rows");
        *change = (struct map_change){ .kind = kind };
        parser->map->n_changes++;
        return kind == CHANGE_FILL  ? fill_take(parser, change)
               : kind == CHANGE_PUT ? put_take(parser, change)
                                    : test_take(parser, &change->test);
}

static bool set_take(struct parser *parser) {
        size_t column;

        if (!target_take(parser, &column))
                return false;
        blanks_skip(parser);
        if (*parser->at == '"')
                return quoted_take(parser, '"', &parser->map->set[column]);
        parser->map->set[column] = arena_text(parser->map->arena, parser->at);
        parser->at += strlen(parser->at);
        return parser->map->set[column] || fail(parser, "there is no memory left");
}

static bool decimal_take(struct parser *parser) {
        blanks_skip(parser);
        if (*parser->at != '.' && *parser->at != ',')
                return fail(parser, "decimal is . or ,");
        parser->map->decimal = *parser->at++;
        return true;
}

static bool statement_take(struct parser *parser) {
        if (keyword_take(parser, "has"))
                return names_take(parser, &parser->map->has);
        if (keyword_take(parser, "known"))
                return names_take(parser, &parser->map->known);
        if (keyword_take(parser, "fill"))
                return change_take(parser, CHANGE_FILL);
        if (keyword_take(parser, "put"))
                return change_take(parser, CHANGE_PUT);
        if (keyword_take(parser, "skip"))
                return change_take(parser, CHANGE_SKIP);
        if (keyword_take(parser, "set"))
                return set_take(parser);
        if (keyword_take(parser, "decimal"))
                return decimal_take(parser);
        return rule_take(parser);
}

static bool all_read(struct parser *parser) {
        blanks_skip(parser);
        return !*parser->at || fail(parser, "this is not understood");
}

bool import_map_add_lines(struct import_map *map, const char *text, char *reason) {
        const char *at;
        size_t size, line = 0;

        *reason = '\0';
        while (text_next_part(&text, '\n', &at, &size)) {
                struct parser parser = { .map = map, .reason = reason };

                line++;
                size -= size && at[size - 1] == '\r';
                parser.at = arena_text_sized(map->arena, at, size);
                if (!parser.at)
                        return fail(&parser, "there is no memory left");
                blanks_skip(&parser);
                if (!*parser.at || *parser.at == '#')
                        continue;
                if (!statement_take(&parser) || !all_read(&parser)) {
                        char fault[IMPORT_REASON_SIZE];

                        (void) snprintf(fault, sizeof(fault), "%.*s", IMPORT_REASON_SIZE - 1, reason);
                        (void) snprintf(reason, IMPORT_REASON_SIZE, "line %zu: %.900s", line, fault);
                        return false;
                }
        }
        return true;
}

bool import_map_add_pairs(struct import_map *map, const char *text, char *reason) {
        struct parser parser = { .map = map, .at = text, .reason = reason };

        *reason = '\0';
        do
                if (!rule_take(&parser))
                        return false;
        while (byte_take(&parser, ','));
        return all_read(&parser);
}

bool import_map_set(struct import_map *map, const char *text, char *reason) {
        struct parser parser = { .map = map, .at = text, .reason = reason };

        *reason = '\0';
        return set_take(&parser) && all_read(&parser);
}

/* ---- sections ---- */

static const char section_word[] = "format ";

static const char *section_begin(const char *text) {
        while (text && *text && !text_starts_with(text, section_word)) {
                text = strchr(text, '\n');
                text = text ? text + 1 : NULL;
        }
        return text && *text ? text : NULL;
}

bool import_map_section(
        struct arena *arena, const char **at, const char **ret_name, const char **ret_kind, const char **ret_text) {
        const char *begin = section_begin(*at), *end, *rest, *words;
        size_t n_name, n_kind;

        if (!begin)
                return false;
        words = begin + sizeof(section_word) - 1;
        n_name = strcspn(words, " \r\n");
        *ret_name = arena_text_sized(arena, words, n_name);
        words += n_name + strspn(words + n_name, " ");
        n_kind = strcspn(words, " \r\n");
        *ret_kind = arena_text_sized(arena, words, n_kind);
        rest = words + n_kind;
        end = section_begin(rest);
        *at = end ? end : rest + strlen(rest);
        *ret_text = *ret_name && *ret_kind ? arena_text_sized(arena, rest, (size_t) (*at - rest)) : NULL;
        return true;
}
