#include "catalog/promise.h"
#include "catalog/slots.h"

#include "base/snapshot.h"

static bool closure_allows(const struct location *location, int64_t day, const struct slot *slot) {
        bool closed = false;

        for (size_t i = 0; i < location->n_closures; i++) {
                const struct closure *closure = &location->closures[i];

                if (day_number(closure->date) != day)
                        continue;
                closed = true;
                if (closure->has_hours && closure->opens <= slot->begins &&
                        (slot->ends <= closure->closes || closure->closes <= closure->opens))
                        return true;
        }
        return !closed;
}

/* The slots of one day, which come in the order of their beginnings. */
static size_t slots_of_day(const struct location *location, const struct zone *zone, int64_t day, timestamp from,
        timestamp to, struct slot_time *slots, size_t room) {
        size_t n = 0;

        for (size_t i = 0; i < location->n_slots && n < room; i++) {
                const struct slot *slot = &location->slots[i];
                timestamp begins, ends;

                if (slot->day != weekday_of(day) || !closure_allows(location, day, slot))
                        continue;
                begins = zone_instant(zone, day * DAY + slot->begins * MINUTE);
                ends = zone_instant(zone, day * DAY + slot->ends * MINUTE);
                if (begins < ends && begins >= from && begins < to && (!n || slots[n - 1].begins < begins))
                        slots[n++] = (struct slot_time){ begins, ends, slot->capacity };
        }
        return n;
}

size_t slots_between(const struct location *location, const struct zone *zone, timestamp from, timestamp to,
        struct slot_time *slots, size_t room) {
        const int64_t last_day = zone_day(zone, to);
        size_t n = 0;

        for (int64_t day = zone_day(zone, from); day <= last_day; day++)
                n += slots_of_day(location, zone, day, from, to, slots + n, room - n);
        return n;
}

bool slot_find(const struct location *location, const struct zone *zone, timestamp begins, struct slot_time *ret_slot) {
        return slots_between(location, zone, begins, begins + 1, ret_slot, 1) == 1;
}

void slots_snapshot(struct snapshot *snapshot, struct slot_set *set) {
        snapshot_one(snapshot, set);
        snapshot_list(snapshot, set->rows, set->n_rows);
}
