/*
 * tests/promise_cases: when orders are promised, as one table.
 *
 * The unit suite runs it with the spans of zones written down here, the store suite with those that PostgreSQL tells.
 * Each expectation was worked out by hand from a calendar.
 */
#pragma once

#include "catalog/promise.h"

struct promise_case {
        const char *says;
        const char *zone;
        const char *hours;    /* "mon-fri 09:00-18:00; sat 10:00-14:00"; "": none are kept */
        const char *closures; /* "2026-12-24 09:00-13:00; 2026-12-25/2026-12-27"; NULL: none */
        const char *cut_off;  /* "16:00; fri 14:00": of all days, and of a weekday; NULL: none */
        const char *lead_time;
        const char *placed_at;   /* RFC 3339 at the offset of the place, so that the wall time can be read */
        const char *promised_at; /* NULL: nothing can be promised */
};

extern const struct promise_case promise_cases[];
extern const size_t n_promise_cases;

/* Every zone of the table, as the IANA database has it from 2026 to 2029. */
extern const struct zone promise_zones[];
extern const size_t n_promise_zones;

/* The location of a case; false without memory or when the table is not well written. */
must_check bool promise_case_location(
        const struct promise_case *promise, struct arena *arena, struct location *ret_location);
