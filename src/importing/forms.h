/*
 * importing/forms: the forms that a map gives to a cell, such as the first of several addresses. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum map_form {
        FORM_AS_IS,
        FORM_FIRST,     /* "a, b": a */
        FORM_CODE,      /* a code made of the text: every byte that no code has becomes a dash */
        FORM_BRACKETED, /* "[REF] Name": REF; without brackets the text */
        FORM_TEXT,      /* HTML as plain text */
        FORM_CLOSURES,  /* "2026-12-24: 09:00-13:00, 2026-12-25: x" as a list of closures */
        FORM_HOURS,     /* FORM_HOURS + day: "09:00-12:30, 13:30-19:00" as openings of the day; 0 is Monday */
};

#define FORM_LAST (FORM_HOURS + 6)

/* By its name in a map: first, code, bracketed, text, closures, mon to sun. `name` need not end with a NUL. */
bool map_form_named(const char *name, size_t size, enum map_form *ret_form);

/* Write the form of the text. False: it is longer than `size`. */
bool map_form_apply(enum map_form form, const char *text, char *out, size_t size);
