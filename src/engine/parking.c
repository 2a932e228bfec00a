#include "engine/parking.h"

#include "base/text.h"
#include "db/notes.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

/* A topic with waiting calls. */
struct lot {
        char topic[NOTE_SIZE_MAX + 1];
        uint64_t changes;          /* changes so far */
        size_t n_spots;            /* spots of the topic, parked or asking */
        struct spot *first, *last; /* parked, in the order in which they came */
        struct lot *next;          /* in its bucket */
};

/* How many spots a bearer has. */
struct bearer {
        size_t n_spots;
        struct bearer *next;
        char subject[];
};

struct parking {
        struct parking_settings settings;
        struct lot *lots[BUCKETS];
        struct bearer *bearers[BUCKETS];
        size_t n_parked;
};

struct parking *parking_new(const struct parking_settings *settings) {
        struct parking *parking = calloc(1, sizeof(*parking));

        if (parking)
                parking->settings = *settings;
        return parking;
}

struct parking *parking_free(struct parking *parking) {
        for (size_t i = 0; parking && i < BUCKETS; i++) {
                while (parking->lots[i]) {
                        struct lot *lot = parking->lots[i];

                        parking->lots[i] = lot->next;
                        free(lot);
                }
                while (parking->bearers[i]) {
                        struct bearer *bearer = parking->bearers[i];

                        parking->bearers[i] = bearer->next;
                        free(bearer);
                }
        }
        free(parking);
        return NULL;
}

size_t parking_count(const struct parking *parking) {
        return parking->n_parked;
}

/* ---- bearers and topics ---- */

/* FNV-1a; a client that chooses colliding texts makes only its own lists long. */
static size_t topic_bucket(const char *text) {
        uint64_t hash = UINT64_C(14695981039346656037);

        for (; *text; text++)
                hash = (hash ^ (uint8_t) *text) * UINT64_C(1099511628211);
        return (size_t) (hash >> 32) % BUCKETS;
}

static const char *subject_of(const struct call *call) {
        return call->claims ? call->claims->subject : "";
}

static struct bearer **bearer_place(struct parking *parking, const char *subject) {
        struct bearer **place = &parking->bearers[topic_bucket(subject)];

        while (*place && !text_equal((*place)->subject, subject))
                place = &(*place)->next;
        return place;
}

static bool bearer_take(struct parking *parking, const char *subject) {
        struct bearer **place = bearer_place(parking, subject);

        if (!*place) {
                *place = calloc(1, sizeof(**place) + strlen(subject) + 1);
                if (!*place)
                        return false;
                memcpy((*place)->subject, subject, strlen(subject) + 1);
        }
        if ((*place)->n_spots >= PARKED_PER_SUBJECT_MAX)
                return false;
        (*place)->n_spots++;
        return true;
}

static void bearer_give_back(struct parking *parking, const char *subject) {
        struct bearer **place = bearer_place(parking, subject);
        struct bearer *bearer = *place;

        if (!bearer || --bearer->n_spots)
                return;
        *place = bearer->next;
        free(bearer);
}

static struct lot **lot_place(struct parking *parking, const char *topic) {
        struct lot **place = &parking->lots[topic_bucket(topic)];

        while (*place && !text_equal((*place)->topic, topic))
                place = &(*place)->next;
        return place;
}

static struct lot *lot_take(struct parking *parking, const char *topic) {
        struct lot **place = lot_place(parking, topic);

        if (strlen(topic) > NOTE_SIZE_MAX)
                return NULL;
        if (!*place) {
                *place = calloc(1, sizeof(**place));
                if (!*place)
                        return NULL;
                memcpy((*place)->topic, topic, strlen(topic) + 1);
                parking->settings.watch(topic);
        }
        (*place)->n_spots++;
        return *place;
}

static void lot_give_back(struct parking *parking, struct lot *lot) {
        struct lot **place = lot_place(parking, lot->topic);

        if (--lot->n_spots)
                return;
        parking->settings.unwatch(lot->topic);
        *place = lot->next;
        free(lot);
}

/* ---- spots ---- */

static void spot_park(struct parking *parking, struct spot *spot, timestamp until) {
        struct lot *lot = spot->lot;

        spot->parked = true;
        spot->until = until;
        spot->after = NULL;
        spot->before = lot->last;
        if (lot->last)
                lot->last->after = spot;
        else
                lot->first = spot;
        lot->last = spot;
        parking->n_parked++;
}

static void unpark(struct parking *parking, struct spot *spot) {
        struct lot *lot = spot->lot;

        if (!spot->parked)
                return;
        if (spot->before)
                spot->before->after = spot->after;
        else
                lot->first = spot->after;
        if (spot->after)
                spot->after->before = spot->before;
        else
                lot->last = spot->before;
        spot->before = spot->after = NULL;
        spot->parked = false;
        parking->n_parked--;
}

enum parking_answer parking_enter(struct parking *parking, struct spot *spot, struct call *call, const char *topic) {
        *spot = (struct spot){ .call = call };
        if (!bearer_take(parking, subject_of(call)))
                return PARKING_FULL;
        spot->lot = lot_take(parking, topic);
        if (!spot->lot) {
                bearer_give_back(parking, subject_of(call));
                return PARKING_FULL;
        }
        spot->seen = spot->lot->changes;
        return PARKING_ENTERED;
}

void parking_leave(struct parking *parking, struct spot *spot) {
        if (!spot->lot)
                return;
        unpark(parking, spot);
        bearer_give_back(parking, subject_of(spot->call));
        lot_give_back(parking, spot->lot);
        spot->lot = NULL;
}

/* ---- asking ---- */

static void spot_ask(struct parking *parking, struct spot *spot) {
        spot->woken = spot->seen != spot->lot->changes;
        spot->seen = spot->lot->changes;
        parking->settings.ask(parking->settings.context, spot);
}

void parking_wait(struct parking *parking, struct spot *spot, timestamp until) {
        if (spot->seen == spot->lot->changes)
                spot_park(parking, spot, until);
        else
                spot_ask(parking, spot);
}

/* Spots that are about to ask, in the order of arrival. */
struct leaders {
        struct spot *first, **last;
        struct spot *compared[LEADERS_COMPARED_MAX]; /* a ring of the newest ones */
        size_t n;
};

/* Let the spot follow one of the last leaders, or lead itself. */
static void bring_together(struct leaders *leaders, struct spot *spot) {
        for (size_t i = 0; i < leaders->n && i < LEADERS_COMPARED_MAX; i++) {
                struct spot *leader = leaders->compared[i];

                if (leader->call->may_wait != spot->call->may_wait ||
                        leader->call->read_up_to != spot->call->read_up_to ||
                        !text_equal(leader->call->park.key, spot->call->park.key))
                        continue;
                spot->seen = spot->lot->changes;
                spot->after = leader->followers;
                leader->followers = spot;
                return;
        }
        leaders->compared[leaders->n++ % LEADERS_COMPARED_MAX] = spot;
        *leaders->last = spot;
        leaders->last = &spot->after;
}

/* Let all spots of the lot ask that are due by then. All leave their places before the first one asks, because it may
 * be parked again at once. */
static void ask_all(struct parking *parking, struct lot *lot, timestamp due) {
        struct leaders leaders = { .last = &leaders.first };

        for (struct spot *spot = lot->first, *next; spot; spot = next) {
                next = spot->after;
                if (spot->until > due)
                        continue;
                unpark(parking, spot);
                bring_together(&leaders, spot);
        }
        for (struct spot *spot = leaders.first, *next; spot; spot = next) {
                next = spot->after;
                spot->after = NULL;
                spot_ask(parking, spot);
        }
}

void parking_wake(struct parking *parking, const char *topic) {
        struct lot *lot = *lot_place(parking, topic);

        if (!lot)
                return;
        lot->changes++;
        ask_all(parking, lot, INT64_MAX);
}

/* Asking may end a lot only later, from the loop, so the lists stand still meanwhile. */
void parking_expire(struct parking *parking, timestamp now) {
        for (size_t i = 0; parking->n_parked && i < BUCKETS; i++)
                for (struct lot *lot = parking->lots[i]; lot; lot = lot->next)
                        ask_all(parking, lot, now);
}

void parking_wake_all(struct parking *parking) {
        for (size_t i = 0; parking->n_parked && i < BUCKETS; i++)
                for (struct lot *lot = parking->lots[i]; lot; lot = lot->next) {
                        for (struct spot *spot = lot->first; spot; spot = spot->after)
                                spot->call->may_wait = false;
                        ask_all(parking, lot, INT64_MAX);
                }
}
