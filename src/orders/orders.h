/*
 * orders: the lines of an order, and the state of each unit.
 *
 * An order is loaded and saved whole: header, lines, discounts and fulfillments. A fulfillment is the unit of work for
 * one location: the lines of one order that share method and location. Quantities per line carry the state. The status
 * of the order is a projection of them (`order_project`), never set by hand. A command that changes any part holds the
 * lock of the order, then of its fulfillments, then of their stock rows.
 *
 * An `order_set` lives in the arena of its batch. All calls of the batch share it, so that each sees the decisions of
 * the calls before it.
 */
#pragma once

#include "base/enum_column.h"
#include "base/money.h"
#include "events/events.h"
#include "inventory/inventory.h"
#include "payments/payments.h"

#define ORDER_LINES_MAX     1000
#define ORDER_DISCOUNTS_MAX 100
#define ORDER_NUMBER_SIZE   12 /* "7KM-2QX-9RT" and its NUL */
#define PICKUP_CODE_SIZE    9  /* 8 letters and the NUL */

enum order_status { ORDER_OPEN, ORDER_PARTIALLY_FULFILLED, ORDER_FULFILLED, ORDER_CANCELLED };

/* Why an order is open; the first reason counts. While there is one, something of the order may still come, so its
 * events and its customer stay. */
enum open_reason {
        OPEN_FOR_UNITS,       /* a location holds units */
        OPEN_FOR_FULFILLMENT, /* units are neither fulfilled nor cancelled */
        OPEN_FOR_GOODS,       /* goods are on their way back */
        OPEN_FOR_CAPTURE,     /* a payment waits for its capture */
        OPEN_FOR_REFUND_DUE,  /* a refund is to be requested */
        OPEN_FOR_REFUND,      /* a refund is under way */
        OPEN_FOR_NOTHING,     /* the order is closed */
};

/* Of the whole order: a projection of its payments and refunds (payments/payments.h). */
enum payment_status {
        PAYMENT_PENDING,
        PAYMENT_AUTHORIZED,
        PAYMENT_CAPTURED,
        PAYMENT_PARTIALLY_REFUNDED,
        PAYMENT_REFUNDED,
        PAYMENT_VOIDED,
};

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
extern const char *const order_status_texts[];
extern const char *const fulfillment_method_texts[];
extern const char *const open_reason_texts[]; /* in SQL alone; NULL at the end, which is OPEN_FOR_NOTHING */
extern const char *const relation_texts[];    /* relation of the alternate pickup person to the customer */

extern const struct enum_column order_status_column, order_payment_status_column;
extern const struct enum_column fulfillment_check_in_column, fulfillment_method_column, fulfillment_status_column;

struct order;
struct fulfillment;

struct order_line {
        struct uuid id;
        int64_t number; /* from 0, as in the request */
        const char *sku, *title;
        int64_t quantity, unit_price;
        int64_t cancelled, fulfilled, returned; /* units; short units count as cancelled, too */
        int64_t value;                          /* of all its units; set once the order is valued (order_line_value) */
        int64_t tax;                            /* the part of the order's tax in it, be it included or on top */
        int64_t settled, settled_value;         /* units given back before the value last changed, and their value */
        int64_t settled_tax;                    /* and the tax in it */
        int64_t cancelled_value, cancelled_tax; /* value of the cancelled units, and the tax in it */
        int64_t dropped, dropped_value, dropped_tax; /* of them: by the command that is being decided */
        struct order *order;
        struct fulfillment_line *allocations; /* the fulfillments of its units: a list by `older`, newest first */
        bool is_new, changed;                 /* to be inserted into an order that exists, to be updated */
};

struct order_discount {
        int64_t amount;
        int64_t line; /* -1: the whole order */
        const char *reason;
};

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

struct order {
        struct uuid id;
        const char *number, *channel, *external_ref, *currency, *actor;
        const char *customer; /* JSON object */
        const char *ship_to;  /* JSON object, or NULL */
        const char *payment_reference, *cancel_reason;
        enum order_status status;
        enum payment_status payment_status;
        struct uuid reservation_id; /* nil: none */
        int64_t subtotal, discount, shipping, tax, total;
        int64_t credited;     /* the part of the total that the customer no longer owes (payments/payments.h) */
        int64_t adjusted;     /* the credited part that belongs to no line; below 0: withheld from the lines' credit */
        int64_t adjusted_tax; /* the tax in that part */
        int64_t paid, refunded, refund_due; /* projections */
        int64_t returns_awaited;            /* returns with goods on their way back; kept by the returns room */
        const char *open_for;               /* of open_reason_texts, once it is settled; not read */
        bool tax_included;
        timestamp payment_due_at, placed_at, updated_at;
        int64_t version;
        struct order_line *lines;
        size_t n_lines, lines_capacity;
        struct order_discount *discounts;
        size_t n_discounts;
        struct payment **payments; /* by number */
        size_t n_payments, payments_capacity;
        struct refund **refunds; /* by number */
        size_t n_refunds, refunds_capacity;
        struct fulfillment **fulfillments; /* sorted by id, then those that are new */
        size_t n_fulfillments, fulfillments_capacity;
        const struct return_claim *claims; /* of its returns; read by return_claims_load only */
        size_t n_claims;
        const char **return_places; /* locations that took its goods back; set by return_places_load only */
        size_t n_return_places, places_capacity;
        bool is_new, changed;
        bool rewritten; /* customer, address, amounts or discounts, which change seldom */
        bool valued;    /* its lines have values */
        uint64_t mark;  /* order_worth_mark as it was read */
};

/* Keep a copy of an order, its parts and the stock rows that its lines hold. NULL is allowed. */
void order_snapshot(struct snapshot *snapshot, struct order *order);

/* The capability that a location needs for it: an enum capability of the catalogue. */
unsigned fulfillment_capability(enum fulfillment_method method);

/* ---- pure rules: units ---- */

/* Units of a line that its location still holds: neither short, cancelled nor fulfilled. */
int64_t fulfillment_line_open(const struct fulfillment_line *line);

/* Units of a line still to be picked. */
int64_t fulfillment_line_remaining(const struct fulfillment_line *line);
int64_t fulfillment_remaining(const struct fulfillment *fulfillment);

/* The fulfillment's line becomes one of the order line's allocations. */
void order_line_allocate(struct order_line *line, struct fulfillment_line *allocation);

/* Units of an order line that some location still holds; these can be cancelled. */
int64_t order_line_open(const struct order_line *line);

/* Cancel units at every location that holds them: unpicked units first, the newest fulfillment first. At most the open
 * units. */
void order_line_cancel(struct order_line *line, int64_t quantity);

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

/* The share of further units of a line, when `before` of them were cancelled or returned already: of its price less its
 * discounts, its part of the discounts of the whole order, and its part of a tax on top. The shares of all units of all
 * lines, and the shipping, add up to the total. The value is stored with the line, so a line added later does not
 * change it. */
int64_t order_line_value(const struct order_line *line, int64_t before, int64_t units);

/* The tax in the value of these units. The shares of all units, and that of the shipping, give the tax of the order. */
int64_t order_line_tax(const struct order_line *line, int64_t before, int64_t units);

/* The tax in the shipping: 0 when the tax is on top, since that tax is dealt over the lines. */
int64_t order_shipping_tax(const struct order *order);

/* The tax in all that was credited. */
int64_t order_credited_tax(const struct order *order);

/* The value of the units of a line that were not given back. */
int64_t order_line_left(const struct order_line *line);

/* The share of the last cancelled or returned units of a line. The line then counts as if they had not been given back;
 * the caller lowers `cancelled`. */
int64_t order_line_take_back(struct order_line *line, int64_t units);

/* A digest of all members that a return shows of its order: the values of its lines, its payments and refunds. When it
 * changes, the versions of the order's returns are raised. */
uint64_t order_worth_mark(const struct order *order);

/* Fix the values before a change of lines or amounts: units given back keep their value, and each line has its separate
 * value from now on. A caller that adds units or changes an amount then adds to `value` the gain of the total. */
void order_settle_values(struct order *order);

/* ---- pure rules: states ---- */

/* The only places where a state changes. INVALID_TRANSITION names the current one. */
enum problem fulfillment_advance(
        struct fulfillment *fulfillment, enum fulfillment_event event, struct arena *arena, struct refusal *refusal);
enum problem check_in_advance(
        struct fulfillment *fulfillment, enum check_in_event event, struct arena *arena, struct refusal *refusal);

/* Pack a ship fulfillment without units left to be picked, and add its event: the last unit was picked, or is no longer
 * wanted. Others are left as they are. */
void fulfillment_pack_if_done(struct fulfillment *fulfillment, struct events *events, const char *actor);

const char *fulfillment_status_text(enum fulfillment_status status);

/* The status that clients see: once the fulfillment is ready, a check-in shows as the status. */
const char *fulfillment_shown_status(const struct fulfillment *fulfillment);

/* The end of the hold that clients see, and at which it expires: `hold_until`, or later while it waits for a customer
 * who has checked in. TIMESTAMP_NONE before it is ready. */
timestamp fulfillment_held_until(const struct fulfillment *fulfillment);

/* The lifecycle of fulfillments of this method. */
const struct lifecycle *fulfillment_lifecycle(enum fulfillment_method method);
const char *payment_status_text(enum payment_status status);

/* The status of the order, projected from the units of its lines. */
enum order_status order_project(const struct order *order);

/* Whether a fulfillment is not yet with a customer or a carrier, nor given up. */
bool fulfillment_is_at_location(enum fulfillment_status status);

/* Why the order is open: the one home of this rule. */
enum open_reason order_open_reason(const struct order *order);

/* Set `open_for`. New orders need it once; order_settle does it for all others. */
void order_project_open(struct order *order);

/* The last step of each command that changed an order. It projects the status from the lines, settles the money
 * (order_settle_money), projects why the order is open, and raises the versions of the order and its touched
 * fulfillments. A change of the status adds an event. */
void order_settle(struct order *order, struct events *events, const char *actor, timestamp now);

/* ---- pure rules: commands ---- */

struct cancel_line {
        struct uuid order_line_id;
        int64_t quantity;
};

/* Cancel lines (NULL: all open units), and their fulfillments when these have no unit left. When the order has no unit
 * left, release its payments. INVALID_TRANSITION: no unit is left to cancel, or fewer than named. An order cancelled
 * already is left as it is. */
enum problem order_cancel(struct order *order, const struct cancel_line *lines, size_t n_lines, const char *reason,
        const char *actor, struct events *events, timestamp now, struct arena *arena, struct refusal *refusal);

/* Add an event for each touched fulfillment whose units were cancelled: also for one that stays open. */
void order_tell_units_cancelled(
        const struct order *order, const char *reason, const char *actor, struct events *events);

/* The last step of every command that takes units off an order: close the touched fulfillments that have no unit left,
 * or pack the picked units, and settle the order. An order without any unit left is cancelled for the reason given. */
enum problem order_after_units(struct order *order, const char *reason, const char *actor, struct events *events,
        timestamp now, struct arena *arena, struct refusal *refusal);

/* The effect of a cancellation. */
struct cancelled_line {
        const struct order_line *line;
        int64_t quantity, value, tax;
};

struct cancel_quote {
        struct cancelled_line *lines; /* lines with cancelled units */
        size_t n_lines;
        int64_t value, tax;             /* of all units */
        int64_t shipping, shipping_tax; /* credited with the last unit */
        int64_t void_due;               /* of all payments, after it */
};

/* Cancel an order that was read without locks and is not saved. Refuses as order_cancel does. The order is changed, and
 * its lines have other stock rows afterwards. */
enum problem order_cancel_quote(struct order *order, const struct cancel_line *lines, size_t n_lines,
        const char *reason, const char *actor, timestamp now, struct arena *arena, struct refusal *refusal,
        struct cancel_quote *ret_quote);

/* 8 letters without look-alikes, by HMAC-SHA256 over fulfillment id and serial. False without a secret. */
must_check bool pickup_code(const char *secret, const struct uuid *fulfillment_id, int64_t serial, char *ret_code);

/* A new fulfillment at the end of the order's list, allocated and without lines. NULL without memory. */
struct fulfillment *order_add_fulfillment(struct order *order, enum fulfillment_method method, const char *location,
        timestamp promised_at, timestamp now, struct arena *arena);

/* The line of that id, or NULL. */
struct order_line *order_line_find(const struct order *order, const struct uuid *line_id);

/* ---- events ---- */

/* Add an event of the order, or of one of its fulfillments; the caller may add data. */
struct event *order_tell(struct events *events, const struct order *order, enum event_type type, const char *actor);
struct event *fulfillment_tell(
        struct events *events, const struct fulfillment *fulfillment, enum event_type type, const char *actor);

/* ---- load and save ---- */

struct order_set {
        struct arena *arena;
        struct stock *stock; /* NULL: lines have no stock row */
        struct uuid *orders_wanted, *fulfillments_wanted;
        size_t n_orders_wanted, n_fulfillments_wanted, orders_capacity, fulfillments_capacity;
        struct order *rows; /* sorted by id */
        size_t n_rows;
        struct fulfillment **fulfillments; /* as read: those of all orders, by order and id */
        size_t n_fulfillments;
        bool returns_loaded; /* their returns are loaded, too, and raise their versions themselves (returns/returns.h)
                              */
        bool exhausted;
};

void orders_init(struct order_set *set, struct arena *arena, struct stock *stock);
void orders_want(struct order_set *set, const struct uuid *order_id);
void orders_want_fulfillment(struct order_set *set, const struct uuid *fulfillment_id);

/* Queue: lock the orders, their fulfillments, and the stock rows of their lines together with those that the caller has
 * named in the stock; then read their parts. */
enum problem orders_lock(struct database *database, struct order_set *set);

/* Queue the same in two steps, for callers that lock stock rows in between: lines of any other row then have none. */
enum problem orders_lock_headers(struct database *database, struct order_set *set);
enum problem orders_read_parts(struct database *database, struct order_set *set);

/* Queue: the same documents without any lock; lines have no stock row. */
enum problem orders_read(struct database *database, struct order_set *set);

struct order *order_find(const struct order_set *set, const struct uuid *id);
struct fulfillment *fulfillment_find(const struct order_set *set, const struct uuid *id);

/* Queue: insert new orders with all their parts. */
enum problem orders_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n);

/* Queue: update the changed parts of the orders of a set, and insert the new fulfillments. */
enum problem orders_update(struct database *database, struct order_set *set);

/* ---- replies ---- */

struct writer;

/* The locations whose pickup codes a reader sees. A client that reads an order for another part of it, or because goods
 * of it came back, hands over nothing and needs no code. */
struct code_viewer {
        const char *secret; /* NULL: no codes */
        bool all_locations;
        const char *const *locations;
        size_t n_locations;
};

/* An order, or one fulfillment of it, as clients see it: the members of an open object. `viewer` or `pickup_secret`
 * NULL: codes are not shown. */
void order_write(struct writer *json, const struct order *order, const struct code_viewer *viewer);
void fulfillment_write(struct writer *json, const struct fulfillment *fulfillment, const char *pickup_secret);

/* A digest of the fulfillments whose pickup codes the viewer does not see; 0: sees them all. */
uint64_t order_codes_hidden(const struct order *order, const struct code_viewer *viewer);

/* Members of an open object: an amount of the order's currency; all payments and refunds; or one of them. */
void write_amount_member(struct writer *json, const char *name, int64_t amount, const char *currency);
void payments_write(struct writer *json, const struct order *order);
void payment_write(struct writer *json, const struct payment *payment);
void refund_write(struct writer *json, const struct refund *refund);

/* "replaces": the fulfillment that fell short of its units; null when there is none. */
void replaces_write(struct writer *json, const struct fulfillment *fulfillment);

/* "check_in": the messages of the customer on the way; null when there are none. */
void check_in_write(struct writer *json, const struct check_in *check_in);

/* The person who collects: {"name","relation"}, with the known members only; NULL without memory. */
const char *recipient_text(const char *name, int relation, struct arena *arena);

/* The customer's name; NULL without memory. */
const char *order_customer_name(const struct order *order, struct arena *arena);
