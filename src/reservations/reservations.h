/*
 * reservations: units held for a customer for a limited time.
 *
 * A reservation holds units of one location until an order claims it, a client releases it, or it expires. Its lines
 * are granted all or none; lines of one SKU are one line. `held` and `expires_at` of a line change only under the lock
 * of its stock row, so a transaction with that row locked may free lapsed lines without the reservation.
 */
#pragma once

#include "base/enum_column.h"
#include "events/events.h"
#include "inventory/inventory.h"

#define RESERVATION_LINES_MAX   100
#define RESERVATION_TTL_DEFAULT (10 * MINUTE)
#define RESERVATION_TTL_MIN     (1 * SECOND)
#define RESERVATION_TTL_MAX     (4 * HOUR)
#define QUANTITY_MAX            1000000 /* units of one line */

enum reservation_status { RESERVATION_ACTIVE, RESERVATION_CLAIMED, RESERVATION_RELEASED, RESERVATION_EXPIRED };

enum reservation_event { RESERVATION_CLAIM, RESERVATION_RELEASE, RESERVATION_EXPIRE };

extern const struct lifecycle reservation_lifecycle;

struct reservation_line {
        const char *sku;
        int64_t quantity;
        size_t place; /* of the first line of the request that named the SKU */
        bool held;
        struct stock_row *stock; /* locked; NULL when it was read without a lock */
};

struct reservation {
        struct uuid id;
        const char *location;
        const char *channel;   /* may be NULL */
        const char *reference; /* may be NULL */
        const char *reason;    /* the reason of a release by the service; may be NULL */
        const char *actor;     /* the subject that made it */
        enum reservation_status status;
        struct uuid order_id; /* that claimed it; nil */
        timestamp expires_at, created_at, updated_at;
        int64_t version;
        struct reservation_line *lines;
        size_t n_lines;
        bool is_new, changed; /* to be inserted, to be updated */
};

/* ---- pure rules ---- */

/* Grant all lines or none against the locked rows: on success they are reserved and the reservation is active until now
 * + ttl. INSUFFICIENT_STOCK names each line that falls short. */
enum problem reservation_grant(
        struct reservation *reservation, duration ttl, timestamp now, struct arena *arena, struct refusal *refusal);

/* Give the units of lines still held back to their rows. */
void reservation_free_lines(struct reservation *reservation);

/* It has expired, or a line was freed because it had. */
bool reservation_has_lapsed(const struct reservation *reservation, timestamp now);

/* The status for clients: the state, with expiry computed. */
enum reservation_status reservation_status_at(const struct reservation *reservation, timestamp now);

/* The version of that status: a lapsed reservation is shown as the job will write it, under the next version. So a
 * different body has another version, whether the job has run or not. */
int64_t reservation_version_at(const struct reservation *reservation, timestamp now);

/* The only place where the state changes; frees the units still held unless an order takes them over (claim).
 * INVALID_TRANSITION names the state. */
enum problem reservation_advance(struct reservation *reservation, enum reservation_event event, timestamp now,
        struct arena *arena, struct refusal *refusal);

/* Set a new expiry. RESERVATION_EXPIRED when it has expired, INVALID_TRANSITION when claimed. */
enum problem reservation_extend(
        struct reservation *reservation, duration ttl, timestamp now, struct arena *arena, struct refusal *refusal);

/* Keep a reservation with its lines and their stock rows. NULL is fine. */
void reservation_snapshot(struct snapshot *snapshot, struct reservation *reservation);

/* ---- for rooms that act on reservations ---- */

struct reservation_set {
        struct arena *arena;
        struct uuid *wanted;
        size_t n_wanted, capacity;
        struct reservation *rows; /* sorted by id */
        size_t n_rows;
        struct stock *stock; /* the stock rows of its lines */
        bool exhausted;
};

void reservations_init(struct reservation_set *set, struct arena *arena, struct stock *stock);
void reservations_want(struct reservation_set *set, const struct uuid *id);

/* Queue, in this order: lock the wanted reservations by id; lock the stock rows of their lines (or let another
 * statement lock these and more); read the lines, which only then hold still. */
enum problem reservations_lock(struct database *database, struct reservation_set *set);
enum problem reservations_lock_stock(struct database *database, struct reservation_set *set);
enum problem reservations_read_lines(struct database *database, struct reservation_set *set);

/* Queue: read the wanted reservations and their lines without any lock; their lines have no stock row. */
enum problem reservations_read(struct database *database, struct reservation_set *set);

/* Queue: lock some active reservations that have expired, unless another session has locked them, and want them. */
enum problem reservations_lock_lapsed(struct database *database, struct reservation_set *set, int64_t at_most);

struct reservation *reservation_find(const struct reservation_set *set, const struct uuid *id);

/* Queue: insert the new and update the changed ones of the list. */
enum problem reservations_save(
        struct database *database, struct arena *arena, struct reservation *const *list, size_t n);

/* Queue, after the lock of the rows that `stock` wants: free lapsed lines on them, of any reservation, and give their
 * units back to the rows. */
enum problem reservations_free_lapsed(struct database *database, struct stock *stock);

/* Add the event of a reservation that expired or was taken away. */
void reservation_tell(
        struct events *events, const struct reservation *reservation, enum event_type type, const char *actor);
