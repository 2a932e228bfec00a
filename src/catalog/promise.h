/*
 * catalog/promise: the promised time of an order.
 *
 * An order is promised for the time when the location has been open for its lead time. Pure: no I/O, no clock, no
 * allocation; the local clocks are a `struct zone` that was read before.
 *
 * Wall times. Hours, closures and the cut-off are local wall times. A wall time means the first instant at which the
 * local clocks show that time of that date, or a later one. So a time that the clocks skip in spring is the instant of
 * the jump, and of a time that they show twice in autumn the first one counts.
 *
 * Days. Hours belong to the day on which they begin, and may run past its midnight, even into a day that is closed. A
 * closure replaces the hours that begin on its date. A location without hours is open all day, every day.
 *
 * The cut-off. An order belongs to the day of the current hours, else of the next ones. Placed at or
 * after that day's cut-off it counts as placed when the hours of the next day begin. When a day's hours run past
 * midnight as far as its cut-off or further, the cut-off is the one after midnight. A weekday may have a cut-off that
 * replaces the one of all days.
 */
#pragma once

#include "catalog/catalog.h"

#define PROMISE_HORIZON_DAYS 366 /* local days whose hours are searched */

/* When an order placed at the instant is ready: at the end of hours when the lead time just fits; at once without a
 * lead time while the location is open. False when the hours of a year do not suffice, so that no time can be promised.
 */
must_check bool promise_time(
        const struct location *location, const struct zone *zone, timestamp placed_at, timestamp *ret_promised_at);

/* The wall time of an instant, as the instant at which UTC shows the same. */
timestamp zone_wall_time(const struct zone *zone, timestamp instant);

/* The date they show, as day_number has it; and the weekday of a date, 0 for Monday. */
int64_t zone_day(const struct zone *zone, timestamp instant);
int weekday_of(int64_t day);

/* The first instant at which the clocks show this wall time or a later one. */
timestamp zone_instant(const struct zone *zone, timestamp wall_time);
