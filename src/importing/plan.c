#include "importing/plan.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ROOM_SIZE ((size_t) 512 * 1024) /* for joined and formed cells of one row */

/* A column that is a location. */
struct place {
        size_t field;
        const char *name;    /* the location's, as the header has it */
        const char *pattern; /* of the term that found it */
};

/* The last value of a column that is filled down, and the thing that it was of. */
struct filling {
        char *value, *key;
};

struct import_plan {
        const struct import_map *map;
        const struct import_header *header;
        size_t fields[IMPORT_COLUMNS_MAX][MAP_CHOICES_MAX][MAP_TERMS_MAX]; /* of each term; width: the file has none */
        size_t put[MAP_CHANGES_MAX], by[MAP_CHANGES_MAX], tested[MAP_CHANGES_MAX];
        struct filling fillings[MAP_CHANGES_MAX];
        struct place *places;
        size_t n_places, next;
        bool has_places;
        char *row[CSV_FIELDS_MAX + 1];
        char *room;
        size_t used;
        bool full;
};

/* ---- binding ---- */

static bool names_have(const struct map_names *names, const char *name) {
        for (size_t i = 0; i < names->n; i++)
                if (import_names_match(names->at[i], name))
                        return true;
        return false;
}

/* The location that a column stands for; NULL: it is none. `*` stands for its name. */
static const char *place_name(const char *pattern, const char *header) {
        const char *star = strchr(pattern, '*');
        const size_t size = star ? (size_t) (star - pattern) : 0;

        if (!star)
                return import_names_match(pattern, header) ? header : NULL;
        if (strncmp(pattern, header, size) != 0 || !header[size])
                return NULL;
        return header + size;
}

static bool is_place(const struct import_plan *plan, size_t field) {
        for (size_t i = 0; i < plan->n_places; i++)
                if (plan->places[i].field == field)
                        return true;
        return false;
}

/* All columns that no other rule takes, or those of the pattern. */
static bool places_bind(struct import_plan *plan, struct import_header *header, const char *pattern) {
        const size_t before = plan->n_places;

        for (size_t i = 0; i < header->width; i++) {
                const char *name = place_name(pattern, header->names[i]);

                if (!name || is_place(plan, i) || (text_equal(pattern, "*") && header->used[i]))
                        continue;
                header->used[i] = true;
                plan->places[plan->n_places++] = (struct place){ i, name, pattern };
        }
        plan->has_places = true;
        return plan->n_places > before;
}

static bool bind_fault(const char *name, char *reason) {
        (void) snprintf(reason, IMPORT_FAULT_SIZE, "the file has no column \"%.64s\", which the map names", name);
        return false;
}

static bool field_bind(
        struct import_plan *plan, struct import_header *header, const char *name, size_t *ret_field, char *reason) {
        *ret_field = import_field_named(header, name);
        if (*ret_field < header->width)
                header->used[*ret_field] = true;
        return *ret_field < header->width || plan->map->format || bind_fault(name, reason);
}

static bool term_bind(struct import_plan *plan, struct import_header *header, const struct map_term *term,
        size_t *ret_field, bool *bound, char *reason) {
        *ret_field = header->width;
        if (term->is_place)
                return true;
        if (!term->is_text && !field_bind(plan, header, term->name, ret_field, reason))
                return false;
        *bound = *bound || term->is_text || *ret_field < header->width;
        return true;
}

/* A rule of a format of which the file has no column leaves the kind's own column. */
static bool rule_bind(struct import_plan *plan, struct import_header *header, const struct map_rule *rule, size_t index,
        char *reason) {
        bool bound = false;

        for (size_t i = 0; i < rule->n; i++)
                for (size_t j = 0; j < rule->choices[i].n; j++)
                        if (!term_bind(plan, header, &rule->choices[i].terms[j], &plan->fields[index][i][j], &bound,
                                    reason))
                                return false;
        header->given[rule->column] = header->given[rule->column] || bound;
        return true;
}

/* After the other rules, because `@*` takes the columns that they leave. */
static bool rule_places_bind(
        struct import_plan *plan, struct import_header *header, const struct map_rule *rule, char *reason) {
        for (size_t i = 0; i < rule->n; i++)
                for (size_t j = 0; j < rule->choices[i].n; j++) {
                        const struct map_term *term = &rule->choices[i].terms[j];

                        if (!term->is_place)
                                continue;
                        if (!places_bind(plan, header, term->name) && !plan->map->format)
                                return bind_fault(term->name, reason);
                        header->given[rule->column] = header->given[rule->column] || plan->n_places;
                }
        return true;
}

static bool change_bind(struct import_plan *plan, struct import_header *header, size_t index, char *reason) {
        const struct map_change *change = &plan->map->changes[index];

        plan->put[index] = plan->by[index] = plan->tested[index] = header->width;
        if (change->name && !field_bind(plan, header, change->name, &plan->put[index], reason))
                return false;
        if (change->kind == CHANGE_FILL)
                return field_bind(plan, header, change->value, &plan->by[index], reason);
        return text_equal(change->test.name, "@") ||
               field_bind(plan, header, change->test.name, &plan->tested[index], reason);
}

static void known_bind(const struct import_map *map, struct import_header *header) {
        for (size_t i = 0; i < header->width; i++)
                header->used[i] = header->used[i] || names_have(&map->known, header->names[i]);
}

/* A rule or a fixed value takes the place of the kind's own column. */
static void columns_unbind(const struct import_map *map, struct import_header *header) {
        for (size_t i = 0; i < map->columns->n; i++) {
                bool ruled = map->set[i];

                for (size_t j = 0; j < map->n_rules; j++)
                        ruled = ruled || (map->rules[j].column == i && !map->format);
                if (ruled && header->place[i] < header->width) {
                        header->used[header->place[i]] = false;
                        header->place[i] = header->width;
                        header->given[i] = false;
                }
                header->given[i] = header->given[i] || map->set[i];
        }
}

/* A column by which locations are known as columns gives the location, too. */
static void location_give(const struct import_plan *plan, struct import_header *header) {
        const size_t location = import_column_named(plan->map->columns, "location");

        if (plan->n_places && location < plan->map->columns->n)
                header->given[location] = true;
}

static bool map_bind(struct import_plan *plan, struct import_header *header, char *reason) {
        const struct import_map *map = plan->map;

        columns_unbind(map, header);
        known_bind(map, header);
        for (size_t i = 0; i < map->n_rules; i++)
                if (!rule_bind(plan, header, &map->rules[i], i, reason))
                        return false;
        for (size_t i = 0; i < map->n_changes; i++)
                if (!change_bind(plan, header, i, reason))
                        return false;
        for (size_t i = 0; i < map->n_rules; i++)
                if (!rule_places_bind(plan, header, &map->rules[i], reason))
                        return false;
        location_give(plan, header);
        return true;
}

struct import_plan *import_plan_bind(const struct import_map *map, struct import_header *header, char *reason) {
        struct import_plan *plan = calloc(1, sizeof(*plan));

        (void) snprintf(reason, IMPORT_FAULT_SIZE, "there is no memory left");
        if (!plan)
                return NULL;
        plan->map = map;
        plan->header = header;
        plan->room = malloc(ROOM_SIZE);
        plan->places = calloc(header->width + 1, sizeof(*plan->places));
        if (plan->room && plan->places && map_bind(plan, header, reason))
                return plan;
        import_plan_free(plan);
        return NULL;
}

void import_plan_free(struct import_plan *plan) {
        if (!plan)
                return;
        for (size_t i = 0; i < MAP_CHANGES_MAX; i++) {
                free(plan->fillings[i].value);
                free(plan->fillings[i].key);
        }
        free(plan->places);
        free(plan->room);
        free(plan);
}

/* ---- rows ---- */

static bool value_fits(const char *value, const char *text) {
        const size_t size = strlen(value);

        if (size && value[size - 1] == '*')
                return strncmp(value, text, size - 1) == 0;
        return strcmp(value, text) == 0;
}

static bool test_holds(const struct map_test *test, const char *text) {
        for (size_t i = 0; i < test->n; i++)
                if (value_fits(test->values[i], text))
                        return !test->negated;
        return test->negated;
}

static const char *field_of(const struct import_plan *plan, size_t field) {
        return field < plan->header->width ? plan->row[field] : "";
}

static char *copy(char *old, const char *text) {
        const size_t size = strlen(text) + 1;
        char *kept = realloc(old, size);

        if (kept)
                memcpy(kept, text, size);
        else
                free(old);
        return kept;
}

/* An empty cell of the same thing takes the value of the row above. */
static void fill_down(struct import_plan *plan, size_t index) {
        struct filling *filling = &plan->fillings[index];
        const size_t field = plan->put[index];
        const char *key = field_of(plan, plan->by[index]);

        if (field == plan->header->width)
                return;
        if (!*plan->row[field] && *key && text_equal(filling->key, key) && filling->value) {
                plan->row[field] = filling->value;
                return;
        }
        filling->value = copy(filling->value, plan->row[field]);
        filling->key = copy(filling->key, key);
}

/* False: a rule skips the row. */
static bool changes_make(struct import_plan *plan) {
        for (size_t i = 0; i < plan->map->n_changes; i++) {
                const struct map_change *change = &plan->map->changes[i];

                if (change->kind == CHANGE_FILL) {
                        fill_down(plan, i);
                        continue;
                }
                if (plan->tested[i] == plan->header->width ||
                        !test_holds(&change->test, field_of(plan, plan->tested[i])))
                        continue;
                if (change->kind == CHANGE_SKIP)
                        return false;
                if (plan->put[i] < plan->header->width)
                        plan->row[plan->put[i]] = (char *) change->value;
        }
        return true;
}

void import_plan_begin(struct import_plan *plan, char **fields) {
        memcpy(plan->row, fields, plan->header->width * sizeof(*fields));
        plan->next = changes_make(plan) ? 0 : SIZE_MAX;
}

static void room_add(struct import_plan *plan, const char *text) {
        const size_t size = strlen(text);

        plan->full = plan->full || plan->used + size + 1 > ROOM_SIZE;
        if (plan->full)
                return;
        memcpy(plan->room + plan->used, text, size + 1);
        plan->used += size;
}

static const char *term_text(const struct import_plan *plan, const struct map_term *term, size_t field, size_t place) {
        if (term->is_text)
                return term->name;
        if (term->is_place)
                return place < plan->n_places && plan->places[place].pattern == term->name
                               ? plan->row[plan->places[place].field]
                               : "";
        return field_of(plan, field);
}

static void term_add(struct import_plan *plan, const struct map_term *term, const char *text) {
        if (term->form == FORM_AS_IS) {
                room_add(plan, text);
                return;
        }
        plan->full = plan->full || !map_form_apply(term->form, text, plan->room + plan->used, ROOM_SIZE - plan->used);
        if (!plan->full)
                plan->used += strlen(plan->room + plan->used);
}

/* A term behind others; one whose form is empty leaves no joint. Whether it added text. */
static bool term_join(struct import_plan *plan, const struct map_term *term, const char *text, const char *joint) {
        const size_t before = plan->used;
        size_t joined;

        room_add(plan, joint);
        joined = plan->used;
        term_add(plan, term, text);
        if (plan->used == joined)
                plan->used = before;
        return plan->used > before;
}

/* The joined terms, empty ones left out. Fixed texts beside columns that are all empty are none. */
static const char *choice_text(struct import_plan *plan, size_t rule, size_t index, size_t place) {
        const struct map_choice *choice = &plan->map->rules[rule].choices[index];
        const char *joint = import_map_joint(plan->map, plan->map->rules[rule].column);
        const size_t begin = plan->used;
        bool counts = true, any = false;

        for (size_t i = 0; i < choice->n && !plan->full; i++) {
                const struct map_term *term = &choice->terms[i];
                const char *text = term_text(plan, term, plan->fields[rule][index][i], place);
                const bool added = *text && term_join(plan, term, text, plan->used > begin ? joint : "");

                any = any || (added && !term->is_text);
                counts = counts && term->is_text;
        }
        if (plan->full)
                return "";
        if (!any && !counts)
                plan->used = begin;
        plan->room[plan->used++] = '\0';
        return plan->room + begin;
}

static const char *rule_text(struct import_plan *plan, size_t rule, size_t place) {
        const char *text = "";

        for (size_t i = 0; i < plan->map->rules[rule].n && !*text && !plan->full; i++)
                text = choice_text(plan, rule, i, place);
        return text;
}

static void cells_make(struct import_plan *plan, const char **cells, size_t place) {
        const struct import_map *map = plan->map;
        const struct import_header *header = plan->header;
        const size_t location = plan->n_places ? import_column_named(map->columns, "location") : map->columns->n;

        for (size_t i = 0; i < map->columns->n; i++)
                cells[i] = header->place[i] < header->width ? plan->row[header->place[i]] : NULL;
        if (location < map->columns->n)
                cells[location] = plan->places[place].name;
        for (size_t i = 0; i < map->n_rules; i++)
                if (header->given[map->rules[i].column])
                        cells[map->rules[i].column] = rule_text(plan, i, place);
        for (size_t i = 0; i < map->columns->n; i++)
                if (map->set[i])
                        cells[i] = map->set[i];
}

/* An empty cell of a location says nothing of it; rules may skip others. */
static bool place_counts(const struct import_plan *plan, size_t place) {
        const char *cell = plan->row[plan->places[place].field];

        for (size_t i = 0; i < plan->map->n_changes; i++)
                if (plan->map->changes[i].kind == CHANGE_SKIP && text_equal(plan->map->changes[i].test.name, "@") &&
                        test_holds(&plan->map->changes[i].test, cell))
                        return false;
        return *cell;
}

bool import_plan_next(struct import_plan *plan, const char **cells, bool *ret_fault) {
        const size_t n = plan->has_places ? plan->n_places : 1;

        while (plan->next < n && plan->n_places && !place_counts(plan, plan->next))
                plan->next++;
        if (plan->next >= n)
                return false;
        plan->used = 0;
        plan->full = false;
        cells_make(plan, cells, plan->next++);
        *ret_fault = plan->full;
        return true;
}
