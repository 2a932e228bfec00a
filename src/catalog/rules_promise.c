#include "catalog/promise.h"

#define MINUTES_OF_DAY (24 * 60)

/* ---- wall times ---- */

timestamp zone_wall_time(const struct zone *zone, timestamp instant) {
        size_t i = zone->n_spans - 1;

        while (i && instant < zone->spans[i].begins)
                i--;
        return instant + zone->spans[i].ahead;
}

timestamp zone_instant(const struct zone *zone, timestamp wall_time) {
        timestamp instant = TIMESTAMP_NONE;

        for (size_t i = 0; i < zone->n_spans; i++) {
                const struct zone_span *span = &zone->spans[i];

                instant = wall_time - span->ahead;
                if (instant < span->begins)
                        instant = span->begins; /* the jump has skipped it */
                if (i + 1 == zone->n_spans || instant < zone->spans[i + 1].begins)
                        break;
        }
        return instant;
}

int64_t zone_day(const struct zone *zone, timestamp instant) {
        const timestamp wall_time = zone_wall_time(zone, instant);

        return wall_time / DAY - (wall_time % DAY < 0);
}

int weekday_of(int64_t day) {
        return (int) (((day + 3) % 7 + 7) % 7);
}

/* ---- the calendar of a location: its hours, day by day ---- */

/* Minutes since the midnight with which the day begins; `closes` may be of the day after. */
struct hours {
        int opens, closes;
};

struct calendar {
        const struct location *location;
        const struct zone *zone;
        int64_t day; /* as day_number */
        size_t next; /* of the hours of that day */
};

static struct hours hours_between(int opens, int closes) {
        return (struct hours){ opens, closes > opens ? closes : closes + MINUTES_OF_DAY };
}

/* The hours of a closure, which replace the day's own. False: there is no closure on that date. */
static bool exception_of(
        const struct location *location, int64_t day, size_t n, bool *ret_open, struct hours *ret_hours) {
        bool found = false;

        *ret_open = false;
        for (size_t i = 0; i < location->n_closures; i++) {
                const struct closure *closure = &location->closures[i];
                const int64_t date = day_number(closure->date);

                if (date > day)
                        break;
                if (date < day)
                        continue;
                found = true;
                if (!closure->has_hours || n--)
                        continue;
                *ret_open = true;
                *ret_hours = hours_between(closure->opens, closure->closes);
                break;
        }
        return found;
}

static bool weekly_of(const struct location *location, int64_t day, size_t n, struct hours *ret_hours) {
        const int weekday = weekday_of(day);

        for (size_t i = 0; i < location->n_opening_hours; i++) {
                const struct opening *opening = &location->opening_hours[i];

                if (opening->day != weekday || n--)
                        continue;
                *ret_hours = hours_between(opening->opens, opening->closes);
                return true;
        }
        return false;
}

/* The n-th hours that begin on a day; false when there are no more. */
static bool hours_of(const struct location *location, int64_t day, size_t n, struct hours *ret_hours) {
        bool open = false;

        if (exception_of(location, day, n, &open, ret_hours))
                return open;
        if (location->n_opening_hours)
                return weekly_of(location, day, n, ret_hours);
        *ret_hours = (struct hours){ 0, MINUTES_OF_DAY };
        return n == 0;
}

/* Open from `begins` until `ends`; the hours began on `day`. */
struct stretch {
        timestamp begins, ends;
        int64_t day;
};

static timestamp instant_of(const struct calendar *calendar, int64_t day, int minutes) {
        return zone_instant(calendar->zone, day * DAY + minutes * MINUTE);
}

/* The next stretch of days up to `last_day`, in the order of their beginnings; it is empty when the clocks skip it. */
static bool calendar_next(struct calendar *calendar, int64_t last_day, struct stretch *ret_stretch) {
        for (; calendar->day <= last_day; calendar->day++, calendar->next = 0) {
                const int64_t day = calendar->day;
                struct hours hours;

                if (!hours_of(calendar->location, day, calendar->next++, &hours))
                        continue;
                *ret_stretch = (struct stretch){
                        .begins = instant_of(calendar, day, hours.opens),
                        .ends = instant_of(calendar, day, hours.closes),
                        .day = day,
                };
                return true;
        }
        return false;
}

/* ---- the promise ---- */

/* The weekday's cut-off, else that of all days. False: the day has none. */
static bool cut_off_minutes(const struct location *location, int64_t day, int *ret_minutes) {
        const int weekday = weekday_of(day);
        const bool of_weekday = location->cut_off_days & 1u << weekday;

        *ret_minutes = of_weekday ? location->cut_offs[weekday] : location->cut_off;
        return of_weekday || location->has_cut_off;
}

/* Whether an order is placed at or after the day's cut-off, which is after midnight when hours of the day run as far.
 */
static bool is_past_cut_off(const struct calendar *calendar, int64_t day, timestamp placed_at) {
        struct hours hours;
        int minutes;

        if (!cut_off_minutes(calendar->location, day, &minutes))
                return false;
        for (size_t n = 0; hours_of(calendar->location, day, n, &hours); n++)
                if (minutes + MINUTES_OF_DAY <= hours.closes)
                        return placed_at >= instant_of(calendar, day, minutes + MINUTES_OF_DAY);
        return placed_at >= instant_of(calendar, day, minutes);
}

/* The first day whose hours serve an order placed at the instant; false when there is none. */
static bool first_day_for(struct calendar calendar, int64_t last_day, timestamp placed_at, int64_t *ret_day) {
        struct stretch stretch;

        do
                if (!calendar_next(&calendar, last_day, &stretch))
                        return false;
        while (stretch.ends <= placed_at);
        *ret_day = stretch.day;
        if (is_past_cut_off(&calendar, stretch.day, placed_at))
                (*ret_day)++;
        return true;
}

bool promise_time(
        const struct location *location, const struct zone *zone, timestamp placed_at, timestamp *ret_promised_at) {
        const int64_t today = zone_day(zone, placed_at);
        const int64_t last_day = today + PROMISE_HORIZON_DAYS;
        struct calendar calendar = { .location = location, .zone = zone, .day = today - 1 };
        duration left = location->lead_time;
        timestamp reached = placed_at; /* open time up to here is counted */
        struct stretch stretch;

        if (!first_day_for(calendar, last_day, placed_at, &calendar.day))
                return false;
        while (calendar_next(&calendar, last_day, &stretch)) {
                if (stretch.begins > reached)
                        reached = stretch.begins;
                if (stretch.ends <= reached)
                        continue;
                if (left <= stretch.ends - reached) {
                        *ret_promised_at = reached + left;
                        return true;
                }
                left -= stretch.ends - reached;
                reached = stretch.ends;
        }
        return false;
}
