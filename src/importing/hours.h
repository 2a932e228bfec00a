/*
 * importing/hours: opening hours, closures and pickup slots in a cell of a file.
 *
 * Parts are separated by ";":
 *
 *     opening hours     mon-fri 09:00-18:00; sat 10:00-14:00
 *     closures          2026-12-24 09:00-13:00; 2026-12-25
 *     slots             sat 10:00-12:00 x 8
 *
 * Only the form is read here; the rule of the location refuses times and days that do not exist. Pure.
 */
#pragma once

#include "base/cleanup.h"

#include <jansson.h>
#include <stdbool.h>

#define IMPORT_HOURS_EXAMPLE    "mon-fri 09:00-18:00; sat 10:00-14:00"
#define IMPORT_CLOSURES_EXAMPLE "2026-12-24 09:00-13:00; 2026-12-25"
#define IMPORT_SLOTS_EXAMPLE    "sat 10:00-12:00 x 8"

/* The list as a PUT takes it, the caller's to release; NULL when a part has another form. */
must_check json_t *import_opening_hours(const char *cell);
must_check json_t *import_closures(const char *cell);
must_check json_t *import_slots(const char *cell);
