/*
 * catalog/promise: when an order is to be ready.
 *
 * A location is promised to be ready when its lead time has passed while it was open. Pure: no I/O, no clock, no
 * allocation; what the clocks of the place show stands in a `struct zone` that was read before.
 *
 * Wall times. Hours, closures and the cut-off are local wall times, and what one of them means stands in one sentence:
 * it is the first instant at which the clocks there show that time of that date, or a later one. So a time that the
 * clocks skip in spring is the instant of the jump, and of a time that they show twice in autumn the first one counts.
 *
 * Days. Hours belong to the day on which they begin, and may run past its midnight, even into a day that is closed. A
 * closure takes the place of the hours that would begin on its date. Where no hours are kept, every day is open whole.
 *
 * The cut-off. An order belongs to the day of the hours it meets: those that are running, else the next. Placed at or
 * after that day's cut-off it counts as placed when the hours of the next day begin. When a day's hours run past
 * midnight as far as its cut-off or further, the cut-off is the one after midnight. A weekday may have a cut-off that
 * counts instead of the one of all days.
 */
#pragma once

#include "catalog/catalog.h"

#define PROMISE_HORIZON_DAYS 366 /* local days on which hours may begin that count */

/* When an order placed at the instant is ready: at the end of hours when the lead time just fits in; at once when it is
 * none and the place is open. False when the hours of a year do not suffice, so that nothing can be promised. */
must_check bool promise_time(
        const struct location *location, const struct zone *zone, timestamp placed_at, timestamp *ret_promised_at);

/* What the clocks show at an instant, as the instant at which UTC shows it. */
timestamp zone_wall_time(const struct zone *zone, timestamp instant);

/* The date they show, as day_number has it; and the weekday of a date, 0 for Monday. */
int64_t zone_day(const struct zone *zone, timestamp instant);
int weekday_of(int64_t day);

/* The first instant at which the clocks show this wall time or a later one. */
timestamp zone_instant(const struct zone *zone, timestamp wall_time);
