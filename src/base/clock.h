/*
 * base/clock: instants and spans of time as 64-bit counts of microseconds.
 *
 * A `timestamp` counts from 1970-01-01T00:00:00Z, without leap seconds, as PostgreSQL does. Instants that decide about
 * business come from the database (`clock_timestamp()` read after the locks), never from here; `clock_wall` is for
 * logs, tokens and new ids, `clock_monotonic` for deadlines.
 */
#pragma once

#include "base/cleanup.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t timestamp; /* microseconds since the Unix epoch, UTC */
typedef int64_t duration;  /* microseconds */

#define TIMESTAMP_NONE INT64_MIN /* SQL null, JSON null */

#define MILLISECOND    ((duration) 1000)
#define SECOND         (1000 * MILLISECOND)
#define MINUTE         (60 * SECOND)
#define HOUR           (60 * MINUTE)
#define DAY            (24 * HOUR)

/* Room for "2026-11-21T10:15:30.123Z" and its NUL. */
#define TIMESTAMP_TEXT_SIZE 25

timestamp clock_wall(void);
timestamp clock_monotonic(void); /* of no known epoch; never goes back */

/* RFC 3339 (section 5.6) with any offset, fraction up to nanoseconds (cut to microseconds); years 1 to 9999, in UTC as
 * well; a leap second ":60" reads as the following second and stands only before midnight UTC. False for anything else,
 * also for a missing offset. */
must_check bool timestamp_parse(const char *text, timestamp *ret_timestamp);

/* RFC 3339 in UTC with milliseconds, cut, not rounded; an instant outside the years 1 to 9999 shows as the nearest one
 * inside. `text` has TIMESTAMP_TEXT_SIZE bytes. */
void timestamp_format(timestamp instant, char *text);

/* ISO 8601 duration of weeks alone ("P2W"), or days, hours, minutes and whole seconds ("P1DT2H30M", "PT90S"); at least
 * one part, digits only, no sign, no fraction, no years or months (they have no fixed length); a day is 24 hours. At
 * most ten years of 365 days. */
must_check bool duration_parse(const char *text, duration *ret_duration);

/* The canonical ISO 8601 text: "PT10M", "P7D", "PT0S" (also for a negative span). Whole seconds, cut; `text` has
 * DURATION_TEXT_SIZE bytes. */
#define DURATION_TEXT_SIZE 40
void duration_format(duration span, char *text);

/* A calendar day "2026-11-21", Gregorian, checked for existence; years 1 to 9999. */
struct day {
        int year, month, day;
};
must_check bool day_parse(const char *text, struct day *ret_day);

/* Days since 1970-01-01, which was a Thursday, and back; for the years that day_parse takes. */
int64_t day_number(struct day day);
struct day day_of_number(int64_t number);

/* A time of day "00:00" to "24:00", as minutes since midnight. */
must_check bool time_of_day_parse(const char *text, int *ret_minutes);
