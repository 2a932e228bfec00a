/*
 * importing/map: rules that turn the columns of a file into those of a kind.
 *
 * A map is text, a rule on each line; docs/import.md has its grammar. Texts live in the arena of the caller. Pure.
 */
#pragma once

#include "base/arena.h"
#include "importing/forms.h"
#include "importing/header.h"

#define MAP_TERMS_MAX   8
#define MAP_CHOICES_MAX 4
#define MAP_VALUES_MAX  8
#define MAP_CHANGES_MAX 24
#define MAP_NAMES_MAX   64

/* A column, a text, or the columns that are locations. */
struct map_term {
        const char *name; /* of a place: `*` stands for the location's name */
        enum map_form form;
        bool is_text, is_place;
};

/* Terms that are joined; empty ones are left out. */
struct map_choice {
        struct map_term terms[MAP_TERMS_MAX];
        size_t n;
};

/* The first choice that is not empty. */
struct map_rule {
        size_t column;
        struct map_choice choices[MAP_CHOICES_MAX];
        size_t n;
};

/* Whether the column, or with "@" the cell of the location, has one of the values; `*` at a value's end stands for any
 * text. */
struct map_test {
        const char *name;
        const char *values[MAP_VALUES_MAX];
        size_t n;
        bool negated;
};

enum map_change_kind { CHANGE_FILL, CHANGE_PUT, CHANGE_SKIP };

struct map_change {
        enum map_change_kind kind;
        const char *name;  /* of the column that is filled or put */
        const char *value; /* to put; of a fill: the column that rows of one thing share */
        struct map_test test;
};

struct map_names {
        const char *at[MAP_NAMES_MAX];
        size_t n;
};

struct import_map {
        struct arena *arena;
        const struct import_columns *columns;
        struct map_names has, known; /* columns that prove the format; others that are no locations */
        struct map_rule rules[IMPORT_COLUMNS_MAX];
        size_t n_rules;
        const char *set[IMPORT_COLUMNS_MAX]; /* NULL: not set */
        struct map_change changes[MAP_CHANGES_MAX];
        size_t n_changes;
        char decimal;       /* '\0': not said */
        const char *format; /* NULL: rules of the caller alone, whose columns must be there */
};

void import_map_init(struct import_map *map, struct arena *arena, const struct import_columns *columns);

/* Add rules. False with a reason of IMPORT_REASON_SIZE that names the line. */
bool import_map_add_lines(struct import_map *map, const char *text, char *reason);

/* TARGET=COLUMN,TARGET=COLUMN; a later rule of a target replaces an earlier one. */
bool import_map_add_pairs(struct import_map *map, const char *text, char *reason);

/* TARGET=VALUE */
bool import_map_set(struct import_map *map, const char *text, char *reason);

/* The next section of a file with sections, each begun by `format NAME KIND`. `*at` begins with the file and moves on.
 * False: there is none. Names and text live in the arena; *ret_text is NULL without memory. */
bool import_map_section(
        struct arena *arena, const char **at, const char **ret_name, const char **ret_kind, const char **ret_text);

/* Whether the header has the columns that prove the format. */
bool import_map_fits(const struct import_map *map, const struct import_header *header);

/* Text between the joined terms of the column. */
const char *import_map_joint(const struct import_map *map, size_t column);
