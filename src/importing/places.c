#include "importing/places.h"

#include "base/text.h"
#include "importing/report.h"

#include <stdio.h>
#include <string.h>

#define PATH_SIZE      2048
#define PLACE_KEY_SIZE 512

/* ---- keys ---- */

static void key_of_code(const char *code, char key[PLACE_KEY_SIZE]) {
        (void) snprintf(key, PLACE_KEY_SIZE, "c%s", code);
}

static void key_of_name(const char *name, char key[PLACE_KEY_SIZE]) {
        size_t n = 0;

        key[n++] = 'n';
        for (; *name && n < PLACE_KEY_SIZE - 1; name++)
                if (!strchr(" _-", *name))
                        key[n++] = (char) (*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
        key[n] = '\0';
}

static int compare_places(const void *left, const void *right) {
        const struct import_place *a = left, *b = right;

        return strcmp(a->key, b->key);
}

/* ---- reading ---- */

static bool place_keep(struct import_places *places, const char *key, const char *code) {
        struct import_place *place;

        if (places->n == places->capacity) {
                const size_t capacity = places->capacity ? 2 * places->capacity : 64;
                struct import_place *at = realloc(places->at, capacity * sizeof(*at));

                if (!at)
                        return false;
                places->at = at;
                places->capacity = capacity;
        }
        place = &places->at[places->n++];
        *place = (struct import_place){ .key = strdup(key), .code = strdup(code) };
        return place->key && place->code;
}

static bool page_keep(struct import_places *places, const json_t *page) {
        const json_t *location;
        char key[PLACE_KEY_SIZE];
        bool kept = true;
        size_t i;

        json_array_foreach(json_object_get(page, "data"), i, location) {
                const char *code = json_string_value(json_object_get(location, "code"));
                const char *name = json_string_value(json_object_get(location, "name"));

                if (!code || !name)
                        continue;
                key_of_code(code, key);
                kept = kept && place_keep(places, key, code);
                key_of_name(name, key);
                kept = kept && place_keep(places, key, code);
        }
        return kept;
}

static int places_read(struct import_places *places, struct importer *importer) {
        char path[PATH_SIZE] = "/v1/locations?limit=200";
        bool more = true;

        places->read = true;
        while (more) {
                _cleanup_(import_json_cleanup) json_t *page = NULL;
                const int code = importer_ask(importer, path, "the list of locations", &page);
                const char *next;

                if (code)
                        return code;
                if (!page_keep(places, page))
                        return EXIT_OUR_FAULT;
                next = json_string_value(json_object_get(page, "next_cursor"));
                more = next != NULL;
                (void) snprintf(path, sizeof(path), "/v1/locations?limit=200&cursor=%s", more ? next : "");
        }
        if (places->n)
                qsort(places->at, places->n, sizeof(*places->at), compare_places);
        return EXIT_OK;
}

/* ---- finding ---- */

static const struct import_place *place_with(const struct import_places *places, char *key) {
        const struct import_place wanted = { .key = key };

        return places->n ? bsearch(&wanted, places->at, places->n, sizeof(wanted), compare_places) : NULL;
}

static bool has_twin(const struct import_places *places, const struct import_place *place) {
        const struct import_place *end = places->at + places->n;

        return (place > places->at && strcmp(place[-1].key, place->key) == 0) ||
               (place + 1 < end && strcmp(place[1].key, place->key) == 0);
}

int import_place_find(struct import_places *places, struct importer *importer, const char *text, const char **ret_code,
        const char **ret_fault) {
        const int code = places->read ? EXIT_OK : places_read(places, importer);
        const struct import_place *place;
        char key[PLACE_KEY_SIZE];

        *ret_code = NULL;
        *ret_fault = "is neither the code nor the name of a location; create it first, or map the column";
        if (code)
                return code;
        key_of_code(text, key);
        place = place_with(places, key);
        if (!place) {
                key_of_name(text, key);
                place = key[1] ? place_with(places, key) : NULL;
        }
        if (place && has_twin(places, place)) {
                *ret_fault = "is the name of several locations; name the location by its code";
                return EXIT_OK;
        }
        if (place)
                *ret_code = place->code;
        return EXIT_OK;
}

void import_places_clear(struct import_places *places) {
        for (size_t i = 0; i < places->n; i++) {
                free(places->at[i].key);
                free(places->at[i].code);
        }
        free(places->at);
        *places = (struct import_places){ 0 };
}
