#include "promise_cases.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS_MAX      50
#define CLOSED_MAX     400
#define PART_SIZE      64
#define MINUTES_OF_DAY (24 * 60)

/* Tables, to be read line by line. */
/* clang-format off */

/* Seconds since 1970 and hours ahead, so that one line is one change. */
#define FIRST(hours)         { TIMESTAMP_NONE, (duration) ((hours) * 60) * MINUTE }
#define FROM(seconds, hours) { INT64_C(seconds) * SECOND, (duration) ((hours) * 60) * MINUTE }

static const struct zone_span utc[] = { FIRST(0) };
static const struct zone_span kolkata[] = { FIRST(5.5) };
static const struct zone_span berlin[] = {
        FIRST(1),
        FROM(1774746000, 2), /* 2026-03-29T01:00Z */
        FROM(1792890000, 1), /* 2026-10-25T01:00Z */
        FROM(1806195600, 2), /* 2027-03-28T01:00Z */
        FROM(1824944400, 1), /* 2027-10-31T01:00Z */
        FROM(1837645200, 2), /* 2028-03-26T01:00Z */
        FROM(1856394000, 1), /* 2028-10-29T01:00Z */
};
static const struct zone_span new_york[] = {
        FIRST(-5),
        FROM(1772953200, -4), /* 2026-03-08T07:00Z */
        FROM(1793512800, -5), /* 2026-11-01T06:00Z */
        FROM(1805007600, -4), /* 2027-03-14T07:00Z */
        FROM(1825567200, -5), /* 2027-11-07T06:00Z */
        FROM(1836457200, -4), /* 2028-03-12T07:00Z */
        FROM(1857016800, -5), /* 2028-11-05T06:00Z */
};
static const struct zone_span lord_howe[] = {
        FIRST(11),
        FROM(1775314800, 10.5), /* 2026-04-04T15:00Z */
        FROM(1791041400, 11),   /* 2026-10-03T15:30Z */
        FROM(1806764400, 10.5), /* 2027-04-03T15:00Z */
        FROM(1822491000, 11),   /* 2027-10-02T15:30Z */
        FROM(1838214000, 10.5), /* 2028-04-01T15:00Z */
        FROM(1853940600, 11),   /* 2028-09-30T15:30Z */
};
static const struct zone_span santiago[] = {
        FIRST(-3),
        FROM(1775358000, -4), /* 2026-04-05T03:00Z */
        FROM(1788667200, -3), /* 2026-09-06T04:00Z */
        FROM(1806807600, -4), /* 2027-04-04T03:00Z */
        FROM(1820116800, -3), /* 2027-09-05T04:00Z */
        FROM(1838257200, -4), /* 2028-04-02T03:00Z */
        FROM(1851566400, -3), /* 2028-09-03T04:00Z */
};
static const struct zone_span auckland[] = {
        FIRST(13),
        FROM(1775311200, 12), /* 2026-04-04T14:00Z */
        FROM(1790431200, 13), /* 2026-09-26T14:00Z */
        FROM(1806760800, 12), /* 2027-04-03T14:00Z */
        FROM(1821880800, 13), /* 2027-09-25T14:00Z */
        FROM(1838210400, 12), /* 2028-04-01T14:00Z */
        FROM(1853330400, 13), /* 2028-09-23T14:00Z */
};
static const struct zone_span beirut[] = {
        FIRST(2),
        FROM(1774735200, 3), /* 2026-03-28T22:00Z */
        FROM(1792875600, 2), /* 2026-10-24T21:00Z */
        FROM(1806184800, 3), /* 2027-03-27T22:00Z */
        FROM(1824930000, 2), /* 2027-10-30T21:00Z */
        FROM(1837634400, 3), /* 2028-03-25T22:00Z */
        FROM(1856379600, 2), /* 2028-10-28T21:00Z */
};

#define ZONE(name_, spans_) { .name = (name_), .spans = (spans_), .n_spans = array_size(spans_) }

const struct zone promise_zones[] = {
        ZONE("America/New_York", new_york),
        ZONE("America/Santiago", santiago),
        ZONE("Asia/Beirut", beirut),
        ZONE("Asia/Kolkata", kolkata),
        ZONE("Australia/Lord_Howe", lord_howe),
        ZONE("Europe/Berlin", berlin),
        ZONE("Pacific/Auckland", auckland),
        ZONE("UTC", utc),
};
const size_t n_promise_zones = array_size(promise_zones);

#define BERLIN    "Europe/Berlin"
#define NEW_YORK  "America/New_York"
#define LORD_HOWE "Australia/Lord_Howe"
#define SANTIAGO  "America/Santiago"
#define AUCKLAND  "Pacific/Auckland"
#define BEIRUT    "Asia/Beirut"

#define STORE     "mon-fri 09:00-18:00; sat 10:00-14:00"
#define BREAK     "mon-fri 09:00-12:00; mon-fri 14:00-18:00"
#define NIGHTLY   "mon-sun 18:00-02:00"
#define ALWAYS    "mon-sun 00:00-24:00"
#define NIGHTS    "sat 22:00-06:00; sun 22:00-06:00"
#define NONE      ""

/* 2026-11-23 is a Monday. */
const struct promise_case promise_cases[] = {
        /* the hours of a week */
        { "the lead time passes while it is open",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-23T10:00:00+01:00", "2026-11-23T12:00:00+01:00" },
        { "placed before it opens",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-23T07:00:00+01:00", "2026-11-23T11:00:00+01:00" },
        { "placed after it has closed",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-23T19:00:00+01:00", "2026-11-24T11:00:00+01:00" },
        { "work that does not fit into today goes on tomorrow",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-23T17:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "work that just fits is ready when it closes",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-23T16:00:00+01:00", "2026-11-23T18:00:00+01:00" },
        { "a second less is missing until tomorrow",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-23T16:00:01+01:00", "2026-11-24T09:00:01+01:00" },
        { "no lead time: at once while it is open",
          BERLIN, STORE, NULL, NULL, "PT0S", "2026-11-23T10:00:00+01:00", "2026-11-23T10:00:00+01:00" },
        { "no lead time: when it opens",
          BERLIN, STORE, NULL, NULL, "PT0S", "2026-11-23T20:00:00+01:00", "2026-11-24T09:00:00+01:00" },
        { "at the instant of closing it is closed",
          BERLIN, STORE, NULL, NULL, "PT0S", "2026-11-23T18:00:00+01:00", "2026-11-24T09:00:00+01:00" },
        { "at the instant of opening it is open",
          BERLIN, STORE, NULL, NULL, "PT0S", "2026-11-23T09:00:00+01:00", "2026-11-23T09:00:00+01:00" },
        { "on Friday evening for Saturday",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-27T19:00:00+01:00", "2026-11-28T12:00:00+01:00" },
        { "over the Sunday",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-28T13:00:00+01:00", "2026-11-30T10:00:00+01:00" },
        { "on a Sunday",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-29T12:00:00+01:00", "2026-11-30T11:00:00+01:00" },
        { "a day of lead time is 24 hours of open time",
          BERLIN, STORE, NULL, NULL, "P1D", "2026-11-20T10:00:00+01:00", "2026-11-24T12:00:00+01:00" },
        { "a long lead time over a weekend",
          BERLIN, STORE, NULL, NULL, "P3D", "2026-11-23T09:00:00+01:00", "2026-12-02T14:00:00+01:00" },
        { "the longest lead time, over fourteen weekends",
          BERLIN, STORE, NULL, NULL, "P30D", "2026-11-23T09:00:00+01:00", "2027-03-04T16:00:00+01:00" },
        { "fractions of a second stay",
          BERLIN, STORE, NULL, NULL, "PT2H", "2026-11-23T10:00:00.123+01:00", "2026-11-23T12:00:00.123+01:00" },
        { "a break at noon does not count",
          BERLIN, BREAK, NULL, NULL, "PT2H", "2026-11-23T11:00:00+01:00", "2026-11-23T15:00:00+01:00" },
        { "placed in the break",
          BERLIN, BREAK, NULL, NULL, "PT2H", "2026-11-23T13:00:00+01:00", "2026-11-23T16:00:00+01:00" },
        { "a zone of half hours",
          "Asia/Kolkata", "mon-sat 10:00-20:00", NULL, NULL, "PT2H",
          "2026-11-23T19:00:00+05:30", "2026-11-24T11:00:00+05:30" },
        { "how the client wrote the instant is of no matter",
          "UTC", STORE, NULL, NULL, "PT2H", "2026-11-23T05:00:00-04:00", "2026-11-23T11:00:00Z" },
        { "before 1970 the days count backwards",
          "UTC", STORE, NULL, NULL, "PT2H", "1969-12-26T17:00:00Z", "1969-12-27T11:00:00Z" },

        /* midnight */
        { "closing at 24:00",
          BERLIN, "mon-sun 10:00-24:00", NULL, NULL, "PT2H", "2026-11-23T23:00:00+01:00", "2026-11-24T11:00:00+01:00" },
        { "closing at 00:00 is the same midnight",
          BERLIN, "mon-sun 12:00-00:00", NULL, NULL, "PT1H", "2026-11-23T23:30:00+01:00", "2026-11-24T12:30:00+01:00" },
        { "open round the clock, midnight is like any other time",
          BERLIN, ALWAYS, NULL, NULL, "PT2H", "2026-11-23T23:00:00+01:00", "2026-11-24T01:00:00+01:00" },
        { "hours that run past midnight",
          BERLIN, "fri 18:00-02:00", NULL, NULL, "PT2H", "2026-11-27T23:00:00+01:00", "2026-11-28T01:00:00+01:00" },
        { "placed in the rest of yesterday's hours",
          BERLIN, "fri 18:00-02:00", NULL, NULL, "PT1H", "2026-11-28T00:30:00+01:00", "2026-11-28T01:30:00+01:00" },
        { "from yesterday's hours into today's",
          BERLIN, NIGHTLY, NULL, NULL, "PT2H", "2026-11-24T01:00:00+01:00", "2026-11-24T19:00:00+01:00" },
        { "Sunday's hours run into Monday",
          BERLIN, "sun 22:00-03:00", NULL, NULL, "PT1H", "2026-11-23T01:00:00+01:00", "2026-11-23T02:00:00+01:00" },
        { "closing when it opened is a whole day",
          BERLIN, "mon 18:00-18:00", NULL, NULL, "PT30M", "2026-11-24T17:00:00+01:00", "2026-11-24T17:30:00+01:00" },
        { "and not more",
          BERLIN, "mon 18:00-18:00", NULL, NULL, "PT2H", "2026-11-24T17:00:00+01:00", "2026-11-30T19:00:00+01:00" },
        { "hours that follow one another without a gap",
          BERLIN, "fri 18:00-06:00; sat 06:00-12:00", NULL, NULL, "PT3H",
          "2026-11-28T05:00:00+01:00", "2026-11-28T08:00:00+01:00" },

        /* holidays */
        { "over Christmas",
          BERLIN, STORE, "2026-12-25/2026-12-26", NULL, "PT2H",
          "2026-12-24T17:00:00+01:00", "2026-12-28T10:00:00+01:00" },
        { "Christmas Eve has other hours",
          BERLIN, STORE, "2026-12-24 09:00-13:00", NULL, "PT1H",
          "2026-12-24T12:30:00+01:00", "2026-12-25T09:30:00+01:00" },
        { "other hours in two stretches",
          BERLIN, STORE, "2026-12-24 09:00-11:00; 2026-12-24 12:00-13:00", NULL, "PT1H",
          "2026-12-24T10:30:00+01:00", "2026-12-24T12:30:00+01:00" },
        { "a Sunday with hours",
          BERLIN, STORE, "2026-12-20 13:00-18:00", NULL, "PT1H",
          "2026-12-19T15:00:00+01:00", "2026-12-20T14:00:00+01:00" },
        { "the eve's hours run into a day that is closed",
          BERLIN, NIGHTLY, "2027-01-01", NULL, "PT2H", "2026-12-31T23:00:00+01:00", "2027-01-01T01:00:00+01:00" },
        { "a closed day has no evening",
          BERLIN, NIGHTLY, "2027-01-01", NULL, "PT1H", "2027-01-01T12:00:00+01:00", "2027-01-02T19:00:00+01:00" },
        { "other hours may run past midnight",
          BERLIN, STORE, "2026-12-31 20:00-04:00", NULL, "PT3H",
          "2026-12-31T23:00:00+01:00", "2027-01-01T02:00:00+01:00" },
        { "overlapping hours count once",
          BERLIN, "thu 18:00-04:00", "2027-01-01 02:00-06:00", NULL, "PT7H",
          "2026-12-31T22:00:00+01:00", "2027-01-01T05:00:00+01:00" },
        { "a closure on a day that is closed anyway",
          BERLIN, STORE, "2026-11-29", NULL, "PT2H", "2026-11-28T13:00:00+01:00", "2026-11-30T10:00:00+01:00" },
        { "a closure of long ago",
          BERLIN, STORE, "2020-01-01", NULL, "PT2H", "2026-11-23T10:00:00+01:00", "2026-11-23T12:00:00+01:00" },
        { "three weeks of refitting",
          BERLIN, STORE, "2026-12-01/2026-12-21", NULL, "PT2H",
          "2026-11-30T17:00:00+01:00", "2026-12-22T10:00:00+01:00" },
        { "Thanksgiving",
          NEW_YORK, STORE, "2026-11-26", NULL, "PT2H", "2026-11-25T17:00:00-05:00", "2026-11-27T10:00:00-05:00" },
        { "over the end of the year",
          BERLIN, STORE, NULL, NULL, "PT1H", "2026-12-31T17:30:00+01:00", "2027-01-01T09:30:00+01:00" },
        { "a leap day is a day",
          BERLIN, STORE, NULL, NULL, "PT1H", "2028-02-28T17:30:00+01:00", "2028-02-29T09:30:00+01:00" },
        { "a leap day may be closed",
          BERLIN, STORE, "2028-02-29", NULL, "PT2H", "2028-02-28T17:00:00+01:00", "2028-03-01T10:00:00+01:00" },
        { "other years have none",
          BERLIN, "mon-sun 09:00-18:00", NULL, NULL, "PT1H", "2027-02-28T17:30:00+01:00", "2027-03-01T09:30:00+01:00" },

        /* no hours are kept */
        { "a warehouse is always open",
          BERLIN, NONE, NULL, NULL, "PT2H", "2026-11-29T03:00:00+01:00", "2026-11-29T05:00:00+01:00" },
        { "also over a weekend",
          BERLIN, NONE, NULL, NULL, "P2D", "2026-11-27T18:00:00+01:00", "2026-11-29T18:00:00+01:00" },
        { "but not on a holiday",
          BERLIN, NONE, "2026-12-25", NULL, "PT2H", "2026-12-24T23:00:00+01:00", "2026-12-26T01:00:00+01:00" },
        { "nor outside other hours",
          BERLIN, NONE, "2026-12-24 06:00-12:00", NULL, "PT2H",
          "2026-12-24T11:00:00+01:00", "2026-12-25T01:00:00+01:00" },
        { "a day of lead time is 24 hours when the day has 23",
          BERLIN, NONE, NULL, NULL, "P1D", "2027-03-27T12:00:00+01:00", "2027-03-28T13:00:00+02:00" },

        /* Berlin in spring: 02:00 is 03:00 on 2027-03-28 */
        { "a night that lacks an hour",
          BERLIN, NIGHTS, NULL, NULL, "PT4H", "2027-03-27T23:00:00+01:00", "2027-03-28T04:00:00+02:00" },
        { "round the clock over the missing hour",
          BERLIN, ALWAYS, NULL, NULL, "P1D", "2027-03-27T12:00:00+01:00", "2027-03-28T13:00:00+02:00" },
        { "opening in the missing hour is opening after it",
          BERLIN, "sun 02:30-06:00", NULL, NULL, "PT1H", "2027-03-27T20:00:00+01:00", "2027-03-28T04:00:00+02:00" },
        { "closing in the missing hour is closing before it",
          BERLIN, "sat 22:00-02:30", NULL, NULL, "PT3H", "2027-03-27T23:00:00+01:00", "2027-03-28T03:00:00+02:00" },
        { "and not a minute later",
          BERLIN, "sat 22:00-02:30", NULL, NULL, "PT3H1M", "2027-03-27T23:00:00+01:00", "2027-04-03T22:01:00+02:00" },
        { "hours that lie in the missing hour are missing, too",
          BERLIN, "sun 02:10-02:50; mon 09:00-18:00", NULL, NULL, "PT30M",
          "2027-03-27T20:00:00+01:00", "2027-03-29T09:30:00+02:00" },
        { "the morning after",
          BERLIN, "mon-sun 09:00-18:00", NULL, NULL, "PT2H", "2027-03-27T19:00:00+01:00", "2027-03-28T11:00:00+02:00" },

        /* Berlin in autumn: 03:00 is 02:00 on 2027-10-31 */
        { "a night with an hour more",
          BERLIN, NIGHTS, NULL, NULL, "PT5H", "2027-10-30T23:00:00+02:00", "2027-10-31T03:00:00+01:00" },
        { "round the clock over the doubled hour",
          BERLIN, ALWAYS, NULL, NULL, "P1D", "2027-10-30T12:00:00+02:00", "2027-10-31T11:00:00+01:00" },
        { "opening in the doubled hour is opening when it comes first",
          BERLIN, "sun 02:30-06:00", NULL, NULL, "PT1H", "2027-10-30T20:00:00+02:00", "2027-10-31T02:30:00+01:00" },
        { "closing in the doubled hour is closing when it comes first",
          BERLIN, "sat 22:00-02:30", NULL, NULL, "PT3H30M", "2027-10-30T23:00:00+02:00", "2027-10-31T02:30:00+02:00" },
        { "and not an hour later",
          BERLIN, "sat 22:00-02:30", NULL, NULL, "PT4H", "2027-10-30T23:00:00+02:00", "2027-11-06T22:30:00+01:00" },
        { "placed when the hour comes again, it has closed already",
          BERLIN, "sat 22:00-02:30", NULL, NULL, "PT1H", "2027-10-31T02:15:00+01:00", "2027-11-06T23:00:00+01:00" },
        { "hours that lie in the doubled hour come once",
          BERLIN, "sun 02:10-02:50", NULL, NULL, "PT30M", "2027-10-30T20:00:00+02:00", "2027-10-31T02:40:00+02:00" },
        { "the morning after, in winter time",
          BERLIN, "mon-sun 09:00-18:00", NULL, NULL, "PT2H", "2027-10-30T19:00:00+02:00", "2027-10-31T11:00:00+01:00" },

        /* New York: 2027-03-14 and 2027-11-07 at 02:00 */
        { "New York in spring",
          NEW_YORK, "sat 20:00-05:00", NULL, NULL, "PT4H", "2027-03-13T23:00:00-05:00", "2027-03-14T04:00:00-04:00" },
        { "New York in autumn",
          NEW_YORK, "sat 20:00-05:00", NULL, NULL, "PT4H", "2027-11-06T23:00:00-04:00", "2027-11-07T02:00:00-05:00" },
        { "opening in the hour New York lacks",
          NEW_YORK, "sun 02:15-06:00", NULL, NULL, "PT1H", "2027-03-13T20:00:00-05:00", "2027-03-14T04:00:00-04:00" },
        { "closing in the hour New York has twice",
          NEW_YORK, "sat 20:00-01:30", NULL, NULL, "PT2H30M", "2027-11-06T23:00:00-04:00", "2027-11-07T01:30:00-04:00" },

        /* Lord Howe: half an hour, 2027-10-03 at 02:00 and 2027-04-04 at 02:00 */
        { "a night that lacks half an hour",
          LORD_HOWE, "sat 22:00-05:00", NULL, NULL, "PT4H", "2027-10-02T23:00:00+10:30", "2027-10-03T03:30:00+11:00" },
        { "opening in the missing half hour",
          LORD_HOWE, "sun 02:10-06:00", NULL, NULL, "PT1H", "2027-10-02T20:00:00+10:30", "2027-10-03T03:30:00+11:00" },
        { "a night with half an hour more",
          LORD_HOWE, "sat 22:00-05:00", NULL, NULL, "PT4H", "2027-04-03T23:00:00+11:00", "2027-04-04T02:30:00+10:30" },
        { "closing in the doubled half hour",
          LORD_HOWE, "sat 22:00-01:45", NULL, NULL, "PT2H45M", "2027-04-03T23:00:00+11:00", "2027-04-04T01:45:00+11:00" },

        /* where the clocks change at midnight: Santiago 2027-09-05 and 2027-04-03, Beirut 2027-10-30 */
        { "a day that begins at 01:00",
          SANTIAGO, "sun 00:00-06:00", NULL, NULL, "PT1H", "2027-09-04T20:00:00-04:00", "2027-09-05T02:00:00-03:00" },
        { "closing at a midnight that is skipped",
          SANTIAGO, "sat 10:00-24:00", NULL, NULL, "PT1H30M", "2027-09-04T22:30:00-04:00", "2027-09-05T01:00:00-03:00" },
        { "closing at midnight when 23:00 comes twice",
          SANTIAGO, "sat 10:00-24:00", NULL, NULL, "PT2H", "2027-04-03T22:30:00-03:00", "2027-04-03T23:30:00-04:00" },
        { "and in Beirut",
          BEIRUT, "sat 20:00-24:00", NULL, NULL, "PT2H", "2027-10-30T22:30:00+03:00", "2027-10-30T23:30:00+02:00" },
        { "round the clock when midnight is skipped",
          SANTIAGO, ALWAYS, NULL, NULL, "PT2H", "2027-09-04T23:00:00-04:00", "2027-09-05T02:00:00-03:00" },

        /* the southern summer */
        { "Auckland goes back in April",
          AUCKLAND, "mon-sun 09:00-17:00", NULL, NULL, "PT2H", "2027-04-03T16:00:00+13:00", "2027-04-04T10:00:00+12:00" },
        { "and forward in September",
          AUCKLAND, "mon-sun 09:00-17:00", NULL, NULL, "PT2H", "2027-09-25T16:00:00+12:00", "2027-09-26T10:00:00+13:00" },
        { "a night in Auckland that lacks an hour",
          AUCKLAND, NIGHTS, NULL, NULL, "PT4H", "2027-09-25T23:00:00+12:00", "2027-09-26T04:00:00+13:00" },

        /* the cut-off */
        { "just before the cut-off",
          BERLIN, STORE, NULL, "16:00", "PT1H", "2026-11-23T15:59:59+01:00", "2026-11-23T16:59:59+01:00" },
        { "at the cut-off",
          BERLIN, STORE, NULL, "16:00", "PT1H", "2026-11-23T16:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "after the cut-off",
          BERLIN, STORE, NULL, "16:00", "PT1H", "2026-11-23T17:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "no lead time, after the cut-off",
          BERLIN, STORE, NULL, "16:00", "PT0S", "2026-11-23T17:00:00+01:00", "2026-11-24T09:00:00+01:00" },
        { "late in the evening is early for tomorrow",
          BERLIN, STORE, NULL, "16:00", "PT1H", "2026-11-23T22:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "and so is early in the morning",
          BERLIN, STORE, NULL, "16:00", "PT1H", "2026-11-24T07:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "after the cut-off of a Friday",
          BERLIN, STORE, NULL, "16:00", "PT1H", "2026-11-27T17:00:00+01:00", "2026-11-28T11:00:00+01:00" },
        { "a day that closes before its cut-off",
          BERLIN, STORE, NULL, "16:00", "PT30M", "2026-11-28T13:30:00+01:00", "2026-11-28T14:00:00+01:00" },
        { "a cut-off before the hours begin: just before it",
          BERLIN, STORE, NULL, "08:00", "PT1H", "2026-11-23T07:59:00+01:00", "2026-11-23T10:00:00+01:00" },
        { "a cut-off before the hours begin: after it",
          BERLIN, STORE, NULL, "08:00", "PT1H", "2026-11-23T08:30:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "after the cut-off the afternoon is no next day",
          BERLIN, BREAK, NULL, "10:00", "PT1H", "2026-11-23T11:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "nor is it in the break",
          BERLIN, BREAK, NULL, "10:00", "PT1H", "2026-11-23T13:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "a cut-off after midnight: the evening before",
          BERLIN, NIGHTLY, NULL, "01:00", "PT1H", "2026-11-23T20:00:00+01:00", "2026-11-23T21:00:00+01:00" },
        { "a cut-off after midnight: just before it",
          BERLIN, NIGHTLY, NULL, "01:00", "PT30M", "2026-11-24T00:59:00+01:00", "2026-11-24T01:29:00+01:00" },
        { "a cut-off after midnight: at it",
          BERLIN, NIGHTLY, NULL, "01:00", "PT30M", "2026-11-24T01:00:00+01:00", "2026-11-24T18:30:00+01:00" },
        { "a cut-off when the night's hours end",
          BERLIN, NIGHTLY, NULL, "02:00", "PT20M", "2026-11-24T01:30:00+01:00", "2026-11-24T01:50:00+01:00" },
        { "a cut-off in the afternoon before a night: before it",
          BERLIN, NIGHTLY, NULL, "16:00", "PT1H", "2026-11-23T15:00:00+01:00", "2026-11-23T19:00:00+01:00" },
        { "a cut-off in the afternoon before a night: after it",
          BERLIN, NIGHTLY, NULL, "16:00", "PT1H", "2026-11-23T17:00:00+01:00", "2026-11-24T19:00:00+01:00" },
        { "a cut-off at midnight is the end of the day",
          BERLIN, ALWAYS, NULL, "00:00", "PT30M", "2026-11-23T23:00:00+01:00", "2026-11-23T23:30:00+01:00" },
        { "after the cut-off of the last day before a holiday",
          BERLIN, STORE, "2026-12-25/2026-12-26", "16:00", "PT1H",
          "2026-12-24T17:00:00+01:00", "2026-12-28T10:00:00+01:00" },
        { "other hours are all after the cut-off",
          BERLIN, STORE, "2026-12-24 17:00-21:00", "16:00", "PT1H",
          "2026-12-24T18:00:00+01:00", "2026-12-25T10:00:00+01:00" },
        { "before the cut-off of a warehouse",
          BERLIN, NONE, NULL, "16:00", "PT2H", "2026-11-23T15:00:00+01:00", "2026-11-23T17:00:00+01:00" },
        { "after the cut-off of a warehouse",
          BERLIN, NONE, NULL, "16:00", "PT2H", "2026-11-23T17:00:00+01:00", "2026-11-24T02:00:00+01:00" },
        { "after the cut-off of a warehouse that is closed tomorrow",
          BERLIN, NONE, "2026-11-24", "16:00", "PT2H", "2026-11-23T17:00:00+01:00", "2026-11-25T02:00:00+01:00" },
        { "a cut-off in the missing hour: before it",
          BERLIN, NIGHTS, NULL, "02:30", "PT1H", "2027-03-28T01:59:59+01:00", "2027-03-28T03:59:59+02:00" },
        { "a cut-off in the missing hour: after it",
          BERLIN, NIGHTS, NULL, "02:30", "PT1H", "2027-03-28T03:00:00+02:00", "2027-03-28T23:00:00+02:00" },
        { "a cut-off in the doubled hour: before it",
          BERLIN, NIGHTS, NULL, "02:30", "PT1H", "2027-10-31T02:29:00+02:00", "2027-10-31T02:29:00+01:00" },
        { "a cut-off in the doubled hour has passed when the hour comes again",
          BERLIN, NIGHTS, NULL, "02:30", "PT1H", "2027-10-31T02:10:00+01:00", "2027-10-31T23:00:00+01:00" },

        /* cut-offs of weekdays */
        { "the cut-off of a weekday counts instead of that of all days",
          BERLIN, STORE, NULL, "16:00; fri 14:00", "PT2H", "2026-11-27T15:00:00+01:00", "2026-11-28T12:00:00+01:00" },
        { "before the cut-off of the weekday",
          BERLIN, STORE, NULL, "16:00; fri 14:00", "PT2H", "2026-11-27T13:59:00+01:00", "2026-11-27T15:59:00+01:00" },
        { "the other weekdays have that of all days: before it",
          BERLIN, STORE, NULL, "16:00; fri 14:00", "PT2H", "2026-11-26T15:00:00+01:00", "2026-11-26T17:00:00+01:00" },
        { "the other weekdays have that of all days: after it",
          BERLIN, STORE, NULL, "16:00; fri 14:00", "PT2H", "2026-11-26T16:00:00+01:00", "2026-11-27T11:00:00+01:00" },
        { "a weekday alone may have one",
          BERLIN, STORE, NULL, "fri 14:00", "PT2H", "2026-11-26T17:00:00+01:00", "2026-11-27T10:00:00+01:00" },
        { "that of a weekday may be later",
          BERLIN, STORE, NULL, "10:00; mon 17:30", "PT2H", "2026-11-23T17:00:00+01:00", "2026-11-24T10:00:00+01:00" },
        { "a night belongs to the weekday on which it begins: before its cut-off",
          BERLIN, NIGHTLY, NULL, "fri 01:00; sat 12:00", "PT1H",
          "2026-11-28T00:59:00+01:00", "2026-11-28T01:59:00+01:00" },
        { "a night belongs to the weekday on which it begins: after its cut-off",
          BERLIN, NIGHTLY, NULL, "fri 01:00; sat 12:00", "PT1H",
          "2026-11-28T01:00:00+01:00", "2026-11-28T19:00:00+01:00" },
        { "that of a weekday in the missing hour: before it",
          BERLIN, NIGHTS, NULL, "12:00; sat 02:30", "PT1H", "2027-03-28T01:59:59+01:00", "2027-03-28T03:59:59+02:00" },
        { "that of a weekday in the missing hour: after it",
          BERLIN, NIGHTS, NULL, "12:00; sat 02:30", "PT1H", "2027-03-28T03:00:00+02:00", "2027-03-28T23:00:00+02:00" },
        { "that of a weekday in the doubled hour: before it",
          BERLIN, NIGHTS, NULL, "12:00; sat 02:30", "PT1H", "2027-10-31T02:29:00+02:00", "2027-10-31T02:29:00+01:00" },
        { "that of a weekday in the doubled hour has passed when the hour comes again",
          BERLIN, NIGHTS, NULL, "12:00; sat 02:30", "PT1H", "2027-10-31T02:10:00+01:00", "2027-10-31T23:00:00+01:00" },

        /* orders without a promise */
        { "closed for all of the year that counts",
          BERLIN, STORE, "2026-11-24/2027-11-24", NULL, "PT1H", "2026-11-23T19:00:00+01:00", NULL },
        { "the last day that counts is open",
          BERLIN, STORE, "2026-11-24/2027-11-23", NULL, "PT1H",
          "2026-11-23T19:00:00+01:00", "2027-11-24T10:00:00+01:00" },
        { "a minute a week is too little",
          BERLIN, "mon 09:00-09:01", NULL, NULL, "PT1H", "2026-11-23T10:00:00+01:00", NULL },
        { "after the last cut-off there is no day any more",
          BERLIN, STORE, "2026-11-24/2027-11-24", "16:00", "PT1H", "2026-11-23T17:00:00+01:00", NULL },
};
/* clang-format on */
const size_t n_promise_cases = array_size(promise_cases);

/* ---- from text to a location ---- */

static bool weekday_parse(const char *text, int *ret_day) {
        for (int day = 0; day_names[day]; day++)
                if (text_equal(day_names[day], text)) {
                        *ret_day = day;
                        return true;
                }
        return false;
}

/* "mon-fri 09:00-18:00" or "sat 10:00-14:00". */
static bool openings_add(const char *part, struct opening *openings, size_t *n) {
        char first[4], last[4], opens[6], closes[6];
        struct opening opening;
        int last_day;

        if (sscanf(part, " %3[a-z] %5[0-9:]-%5[0-9:]", first, opens, closes) == 3)
                memcpy(last, first, sizeof(last));
        else if (sscanf(part, " %3[a-z]-%3[a-z] %5[0-9:]-%5[0-9:]", first, last, opens, closes) != 4)
                return false;
        if (!weekday_parse(first, &opening.day) || !weekday_parse(last, &last_day) ||
                !time_of_day_parse(opens, &opening.opens) || !time_of_day_parse(closes, &opening.closes))
                return false;
        for (; opening.day <= last_day && *n < HOURS_MAX; opening.day++)
                openings[(*n)++] = opening;
        return true;
}

/* "2026-12-24 09:00-13:00", "2026-12-25" or "2026-12-25/2026-12-27". */
static bool closures_add(const char *part, struct closure *closures, size_t *n) {
        char first[11], last[11], opens[6], closes[6];
        struct closure closure = { .has_hours = true };
        struct day last_date;

        if (sscanf(part, " %10[0-9-] %5[0-9:]-%5[0-9:]", first, opens, closes) == 3) {
                memcpy(last, first, sizeof(last));
                if (!time_of_day_parse(opens, &closure.opens) || !time_of_day_parse(closes, &closure.closes))
                        return false;
        } else {
                closure.has_hours = false;
                if (sscanf(part, " %10[0-9-]/%10[0-9-]", first, last) == 1)
                        memcpy(last, first, sizeof(last));
        }
        if (!day_parse(first, &closure.date) || !day_parse(last, &last_date))
                return false;
        for (int64_t day = day_number(closure.date); day <= day_number(last_date) && *n < CLOSED_MAX; day++) {
                closure.date = day_of_number(day);
                closures[(*n)++] = closure;
        }
        return true;
}

/* "16:00", of all days, or "fri 14:00". */
static bool cut_off_add(const char *part, struct location *location) {
        char first[4], time[6];
        int day;

        if (sscanf(part, " %3[a-z] %5[0-9:]", first, time) != 2) {
                location->has_cut_off = true;
                return sscanf(part, " %5[0-9:]", time) == 1 && time_of_day_parse(time, &location->cut_off);
        }
        if (!weekday_parse(first, &day))
                return false;
        location->cut_off_days |= 1u << day;
        return time_of_day_parse(time, &location->cut_offs[day]);
}

static int opening_compare(const void *left, const void *right) {
        const struct opening *a = left, *b = right;

        return a->day != b->day ? a->day - b->day : a->opens - b->opens;
}

static const char *next_part(const char *part) {
        const char *end = strchr(part, ';');

        return end ? end + 1 : part + strlen(part);
}

bool promise_case_location(const struct promise_case *promise, struct arena *arena, struct location *ret_location) {
        struct opening *openings = arena_new_array(arena, struct opening, HOURS_MAX);
        struct closure *closures = arena_new_array(arena, struct closure, CLOSED_MAX);
        struct location location = { .record = { .exists = true },
                .code = "place",
                .name = "Place",
                .time_zone = promise->zone,
                .country = "DE",
                .opening_hours = openings,
                .closures = closures };

        if (!openings || !closures || !duration_parse(promise->lead_time, &location.lead_time))
                return false;
        for (const char *part = promise->cut_off ? promise->cut_off : ""; *part; part = next_part(part))
                if (!cut_off_add(part, &location))
                        return false;
        for (const char *part = promise->hours; *part; part = next_part(part))
                if (!openings_add(part, openings, &location.n_opening_hours))
                        return false;
        for (const char *part = promise->closures ? promise->closures : ""; *part; part = next_part(part))
                if (!closures_add(part, closures, &location.n_closures))
                        return false;
        qsort(openings, location.n_opening_hours, sizeof(*openings), opening_compare);
        *ret_location = location;
        return true;
}
