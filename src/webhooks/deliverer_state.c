#include "db/connection.h"
#include "webhooks/deliverer_internal.h"

#define TRIP_TIME_MAX (6 * SECOND)

timestamp deliverer_time(const struct deliverer *deliverer) {
        return clock_monotonic() + deliverer->clock_offset;
}

/* The offset lies between `told - after` and `told - before`. One that fits stays, so that pauses do not vary with the
 * time of a round trip. */
void deliverer_time_set(struct deliverer *deliverer, timestamp told, timestamp before, timestamp after) {
        const duration least = told - after, most = told - before;

        if (!deliverer->clock_is_known || deliverer->clock_offset < least || deliverer->clock_offset > most)
                deliverer->clock_offset = least + (most - least) / 2;
        deliverer->clock_is_known = true;
}

uint64_t deliverer_random(struct deliverer *deliverer) {
        deliverer->random = deliverer->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return deliverer->random >> 16;
}

enum problem deliverer_trip(struct deliverer *deliverer) {
        return database_trip(deliverer->database, clock_monotonic() + TRIP_TIME_MAX);
}
