/*
 * importing/places: locations by their codes or names, as a file may call them.
 *
 * Names match without regard to case, blanks, `_` and `-`. The list is read once, when a file first names a location.
 */
#pragma once

#include "importing/client.h"

struct import_place {
        char *key; /* "c" and a code, or "n" and a name in small letters without blanks */
        char *code;
};

struct import_places {
        struct import_place *at;
        size_t n, capacity;
        bool read;
};

/* The code of the location that has the text as its code, else as its name. *ret_code is NULL, and *ret_fault half a
 * sentence, when there is none or more than one. EXIT_OK, or an exit code after complaining. */
int import_place_find(struct import_places *places, struct importer *importer, const char *text, const char **ret_code,
        const char **ret_fault);

void import_places_clear(struct import_places *places);
