/*
 * orders/fulfillments: the work of one location on its part of an order.
 *
 * A fulfillment has the lines of one order that share method and location. Quantities per line carry the state of the
 * units. The state of the fulfillment changes in `fulfillment_advance` only, that of the customer's visit in
 * `check_in_advance`. A fulfillment is locked, loaded and saved with its order (orders/order.h).
 */
#pragma once

#include "base/enum_column.h"
#include "events/arguments.h"
#include "inventory/inventory.h"

#define PICKUP_CODE_SIZE 9 /* 8 letters and the NUL */

struct order;
struct order_line;
struct fulfillment;

enum fulfillment_method { BY_PICKUP, BY_CURBSIDE, BY_SHIPPING };

enum fulfillment_status {
        FULFILLMENT_ALLOCATED,
        FULFILLMENT_PICKING,
        FULFILLMENT_READY,       /* pickup and curbside */
        FULFILLMENT_HANDED_OVER, /* pickup and curbside */
        FULFILLMENT_PACKED,      /* ship */
        FULFILLMENT_SHIPPED,     /* ship */
        FULFILLMENT_DELIVERED,   /* ship */
        FULFILLMENT_REJECTED,
        FULFILLMENT_CANCELLED,
        FULFILLMENT_EXPIRED, /* pickup and curbside: not collected in time */
};

enum fulfillment_event {
        FULFILLMENT_PICK,       /* a unit is picked */
        FULFILLMENT_MAKE_READY, /* every unit is picked or short; the order waits for the customer */
        FULFILLMENT_HAND_OVER,  /* the last unit is in the customer's hands */
        FULFILLMENT_PACK,       /* the last unit that is not short is picked */
        FULFILLMENT_SHIP,       /* the last package has left */
        FULFILLMENT_DELIVER,
        FULFILLMENT_REJECT, /* the location cannot do it */
        FULFILLMENT_CANCEL, /* no unit of it is wanted or left */
        FULFILLMENT_EXPIRE,
        FULFILLMENT_UNDO_PICK, /* units go back to the shelf: they were the wrong ones */
        FULFILLMENT_CLOSE,     /* a part has left; no unit of the rest is wanted or in stock */
        FULFILLMENT_REINSTATE, /* the customer comes after all, and the units are there */
};

/* State of the customer's visit, independent of the fulfillment's status. */
enum check_in_state { CHECK_IN_NONE, CHECK_IN_ON_THE_WAY, CHECK_IN_ARRIVED };

enum check_in_event { CHECK_IN_SET_OUT, CHECK_IN_ARRIVE, CHECK_IN_LEAVE };

extern const struct lifecycle check_in_lifecycle; /* pickup and curbside */
extern const struct lifecycle pickup_lifecycle;   /* pickup and curbside */
extern const struct lifecycle shipping_lifecycle; /* ship */

/* As on the wire and in SQL; NULL-terminated. */
extern const char *const fulfillment_method_texts[];
extern const char *const relation_texts[]; /* relation of the alternate pickup person to the customer */

extern const struct enum_column fulfillment_check_in_column, fulfillment_method_column, fulfillment_status_column;

struct fulfillment_line {
        struct order_line *order_line;
        struct fulfillment *fulfillment;
        struct fulfillment_line *older; /* of the same order line, in a fulfillment made before this one; may be NULL */
        struct stock_row *stock;        /* locked; NULL when read without a lock */
        int64_t quantity, picked, shorted, cancelled, fulfilled;
        int64_t resourced;    /* of the short units: taken over by other fulfillments */
        int64_t moved;        /* of the cancelled units: moved to other fulfillments */
        int64_t expired;      /* cancelled units that nobody collected in time */
        bool is_new, changed; /* to be inserted into a fulfillment that exists, to be updated */
};

struct vehicle {
        const char *make, *color; /* NULL: no vehicle given */
        const char *plate;        /* may be NULL */
};

struct check_in {
        enum check_in_state state;
        int64_t eta_minutes; /* from on_the_way_at on; -1: not given */
        const char *bay;
        struct vehicle vehicle;
        timestamp on_the_way_at; /* time of the latest on-the-way message */
        timestamp arrived_at;
        int64_t waited_s; /* from the arrival to the hand-over; -1: nobody waited */
        bool changed;
};

#define NO_CHECK_IN                                                                                                    \
        { .eta_minutes = -1, .on_the_way_at = TIMESTAMP_NONE, .arrived_at = TIMESTAMP_NONE, .waited_s = -1 }

#define ARRIVAL_GRACE (2 * HOUR) /* the hold of a customer who has arrived lasts so long at least */
#define WAY_GRACE     HOUR       /* the same after the arrival that a customer on the way has announced */

/* The customer's link. */
struct link {
        const uint8_t *digest; /* DIGEST_SIZE bytes (auth/link.h), or NULL: there is none */
        timestamp expires_at;
        bool changed;
};

struct fulfillment {
        struct uuid id;
        struct uuid replaces; /* the fulfillment that fell short of its units; nil: none */
        struct order *order;
        int64_t number; /* from 1 */
        enum fulfillment_method method;
        enum fulfillment_status status;
        const char *location;
        const char *reason, *assignee, *staging_location;
        const char *moved_by; /* actor of its latest status; NULL: unknown */
        const char *handover; /* JSON object, or NULL */
        const char *packages; /* JSON list */
        struct check_in check_in;
        struct link link;
        const char *recipient; /* the alternate pickup person: JSON object, or NULL */
        timestamp promised_at, hold_until, locked_until, created_at, updated_at;
        timestamp remind_at;    /* TIMESTAMP_NONE: no reminder is due */
        timestamp slot_at;      /* of the slot whose place it holds, if has_slot; or has held, if gives_slot_back */
        timestamp slot_ends_at; /* not stored: as a command found it in the calendar, or 0 */
        bool has_slot, gives_slot_back;
        int64_t pickup_serial, wrong_codes, version;
        struct fulfillment_line *lines;
        size_t n_lines;
        bool moved;           /* to another status, likewise */
        bool touched;         /* by the command that is being decided: its version is raised when the order settles */
        bool is_new, changed; /* to be inserted, to be updated */
};

/* The capability that a location needs for it: an enum capability of the catalogue. */
unsigned fulfillment_capability(enum fulfillment_method method);

/* A new fulfillment at the end of the order's list, allocated and without lines. NULL without memory. One of an order
 * that exists has no version until the order settles: its first version is 1, as that of a new order's fulfillments. */
struct fulfillment *order_add_fulfillment(struct order *order, enum fulfillment_method method, const char *location,
        timestamp promised_at, timestamp now, struct arena *arena);

/* ---- units ---- */

/* Units of a line that its location still holds: neither short, cancelled nor fulfilled. */
int64_t fulfillment_line_open(const struct fulfillment_line *line);

/* Units of a line still to be picked. */
int64_t fulfillment_line_remaining(const struct fulfillment_line *line);
int64_t fulfillment_remaining(const struct fulfillment *fulfillment);

/* Units that its location still holds. */
int64_t fulfillment_open(const struct fulfillment *fulfillment);

/* Take units off the order: no longer reserved, cancelled on both lines, their share credited. The stock stays on hand.
 * At most the open units; picked ones only when no others are left. */
void fulfillment_line_cancel(struct fulfillment_line *line, int64_t quantity);

/* Cancel all open units because the customer did not collect them in time. */
void fulfillment_line_expire(struct fulfillment_line *line);

/* Take the expired units back into the order: reserved and picked again, no longer credited. The caller has checked
 * that the stock row has as many available. */
void fulfillment_line_reinstate(struct fulfillment_line *line);

/* Cancel units that the location does not have: they count as short there. */
void fulfillment_line_short(struct fulfillment_line *line, int64_t quantity);

/* Take units off this fulfillment, not off the order: the caller allocates them in another one. At most the open
 * units. */
void fulfillment_line_move(struct fulfillment_line *line, int64_t quantity);

/* Record units as short without taking them off the order: the caller allocates them elsewhere. */
void fulfillment_line_resource(struct fulfillment_line *line, int64_t quantity);

/* Take picked units out of the stock: off on_hand and off reserved at once, with a ledger row. At most the picked units
 * not yet fulfilled. */
void fulfillment_line_fulfill(
        struct fulfillment_line *line, int64_t quantity, struct stock *stock, const struct stock_cause *cause);

/* ---- states ---- */

/* The only places where a state changes. INVALID_TRANSITION names the current one. */
enum problem fulfillment_advance(
        struct fulfillment *fulfillment, enum fulfillment_event event, struct arena *arena, struct refusal *refusal);
enum problem check_in_advance(
        struct fulfillment *fulfillment, enum check_in_event event, struct arena *arena, struct refusal *refusal);

/* Pack a ship fulfillment without units left to be picked, and add its event: the last unit was picked, or is no longer
 * wanted. Others are left as they are. */
void fulfillment_pack_if_done(struct fulfillment *fulfillment, const struct command *command);

/* End a fulfillment without held units: it is cancelled, or closed with the part that has left. Others are left as they
 * are. Each state in which a location holds units allows both. */
enum problem fulfillment_close_if_empty(
        struct fulfillment *fulfillment, const char *reason, const struct command *command);

/* Whether a fulfillment is not yet with a customer or a carrier, nor given up. */
bool fulfillment_is_at_location(enum fulfillment_status status);

/* The status that clients see: once the fulfillment is ready, a check-in shows as the status. */
const char *fulfillment_shown_status(const struct fulfillment *fulfillment);

/* The end of the hold that clients see, and at which it expires: `hold_until`, or later while it waits for a customer
 * who has checked in. TIMESTAMP_NONE before it is ready. */
timestamp fulfillment_held_until(const struct fulfillment *fulfillment);

/* The lifecycle of fulfillments of this method. */
const struct lifecycle *fulfillment_lifecycle(enum fulfillment_method method);

/* An event of the fulfillment; the caller may add data. */
struct event *fulfillment_tell(
        const struct fulfillment *fulfillment, enum event_type type, const struct command *command);

/* ---- handing over ---- */

/* 8 letters without look-alikes, by HMAC-SHA256 over fulfillment id and serial. False without a secret. */
must_check bool pickup_code(const char *secret, const struct uuid *fulfillment_id, int64_t serial, char *ret_code);

/* The person who collects: {"name","relation"}, with the known members only; NULL without memory. */
const char *recipient_text(const char *name, int relation, struct arena *arena);
