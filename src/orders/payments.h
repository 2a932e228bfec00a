/*
 * orders/payments: what was paid for an order, and what was given back.
 *
 * Payments and refunds are part of the order's aggregate (orders/orders.h): they are loaded, locked and saved with it.
 * This service never talks to a card. It records what the payment provider tells, and asks by event:
 * payment.capture_due, payment.void_due, refund.requested.
 *
 * An order costs `total`; `credited` is what the customer no longer owes of it: the share of every unit cancelled or
 * returned (`order_line_value`), the shipping when everything was cancelled, an appeasement. What remains is the
 * charge. The balance is the charge less what was paid, plus what was given back: above 0 the customer owes it, below 0
 * it is due as a refund. So it makes no difference whether units are cancelled before or after they were paid. Paid,
 * refunded, refund due and the order's payment status are projections that `order_settle` makes; nobody sets them by
 * hand.
 *
 * Of each payment: captured + voided + failed + void_due + capture_due <= authorized <= amount, and refunded <=
 * captured + capture_due.
 */
#pragma once

#include "base/enum_column.h"
#include "events/events.h"

#define ORDER_PAYMENTS_MAX 20
#define ORDER_REFUNDS_MAX  1000

struct database;
struct fulfillment;
struct order;
struct order_line;
struct order_set;
struct rows;

/* Of the money behind one payment; the first three are those it may begin with. */
enum funds_state {
        FUNDS_PENDING,
        FUNDS_AUTHORIZED,
        FUNDS_CAPTURED,           /* all that was not let go */
        FUNDS_PARTIALLY_CAPTURED, /* the rest is still held by the provider */
        FUNDS_VOIDED,
        FUNDS_FAILED,
};

enum funds_event {
        FUNDS_AUTHORIZE,
        FUNDS_AUTHORIZE_ANEW, /* more than was captured, or after a void */
        FUNDS_CAPTURE_PART,
        FUNDS_CAPTURE_ALL,
        FUNDS_VOID,
        FUNDS_FAIL,
        FUNDS_REOPEN,
};

enum refund_state { REFUND_PENDING, REFUND_ISSUED, REFUND_SETTLED, REFUND_FAILED };

enum refund_event { REFUND_ISSUE, REFUND_SETTLE, REFUND_FAIL };

enum refund_to { REFUND_TO_ORIGINAL, REFUND_TO_STORE_CREDIT };

extern const struct lifecycle payment_lifecycle;
extern const struct lifecycle refund_lifecycle;

/* As on the wire and in SQL; NULL-terminated. */
extern const char *const payment_status_texts[]; /* of an order: enum payment_status */
extern const char *const refund_to_texts[];

extern const struct enum_column payment_opened_column, payment_status_column, refund_destination_column,
        refund_status_column;

/* Amounts are minor units of the order's currency. */
struct payment {
        struct uuid id;
        struct order *order;
        int64_t number;        /* from 1; money is asked for in this order */
        const char *provider;  /* who holds it: "adyen", "gift_card"; may be NULL */
        const char *reference; /* the provider's; may be NULL */
        enum funds_state state;
        enum funds_state opened; /* as it was placed: pending, authorized or captured */
        int64_t amount;          /* what it is meant to pay */
        int64_t authorized;      /* held at some time */
        int64_t captured;        /* taken */
        int64_t voided;          /* voided, as the provider told */
        int64_t failed;          /* not to be had, as the provider told */
        int64_t capture_due;     /* asked for, not yet answered */
        int64_t void_due;        /* void requested, not yet answered */
        int64_t void_asked;      /* sum of all requested voids */
        int64_t refunded;        /* by refunds that have not failed */
        const char *actor;
        timestamp created_at, updated_at;
        int64_t version;
        bool is_new, changed;
};

struct refund {
        struct uuid id;
        struct order *order;
        struct payment *payment; /* that it goes back to; NULL: store credit */
        struct uuid return_id;   /* nil: no return */
        int64_t number;          /* from 1 */
        int64_t amount;
        int64_t tax; /* in it */
        enum refund_to to;
        enum refund_state state;
        const char *reason;
        const char *reference; /* the provider's; may be NULL */
        const char *actor;
        timestamp created_at, updated_at;
        int64_t version;
        bool is_new, changed;
};

/* ---- amounts ---- */

/* What all payments of an order come to. */
struct order_money {
        int64_t held; /* authorized, neither taken, asked for nor let go */
        int64_t capture_due, paid, refunded;
};

struct order_money order_money(const struct order *order);

/* What of a payment could still be asked for. */
int64_t payment_held(const struct payment *payment);

int64_t order_charge(const struct order *order);

/* Above 0: the customer owes it. Below 0: it is due as a refund. */
int64_t order_balance(const struct order *order);

/* What may be given back at most: to the payments what was taken or asked for by a hand-over, less what was given back,
 * since such a refund fails with its capture; as store credit, which nobody takes back, only of what was taken. */
int64_t order_refundable(const struct order *order, enum refund_to to);

/* What is due when each capture asked for is answered. Never above what is refundable to the payments. */
int64_t order_refund_expected(const struct order *order);

/* ---- crediting: the customer owes less ---- */

/* `units` more of a line are the customer's no longer, before the line counts them as cancelled or returned: their
 * share is credited. Returns the share, which is credited up to the total of the order. */
int64_t order_credit_units(struct order_line *line, int64_t units);

/* Credit an amount that no line tells, and the tax in it: an appeasement, a shipping given back; a negative amount
 * withholds, such as a restocking fee of what order_credit_units has just credited. Credited stays within 0 and the
 * total. Refunds nothing by itself: order_settle tells what comes due. */
void order_credit(struct order *order, int64_t amount, int64_t tax);

/* Everything was cancelled: the shipping goes with it. Part of order_settle. */
void order_credit_shipping(struct order *order);

/* Units of a line that were cancelled are wanted again: the customer owes their share. Before the line counts them. */
void order_charge_units(struct order_line *line, int64_t units);

/* A cancelled order has units again: it costs its shipping, and payments that nobody had secured can be made. Part of
 * order_settle. */
void order_revive(struct order *order, struct events *events, const char *actor);

/* ---- paying ---- */

struct payment_request {
        int status; /* FUNDS_PENDING, FUNDS_AUTHORIZED or FUNDS_CAPTURED; -1: not said, pending */
        int64_t amount;
        bool has_amount;
        const char *provider, *reference;
};

/* A new payment at the end of the order's list. NULL without memory. */
struct payment *order_add_payment(struct order *order, const struct payment_request *request, const char *actor,
        timestamp now, struct arena *arena);

/* Paid, refunded, refund due and payment status of the order, as its payments and refunds have it; what is covered is
 * not due by a time any more. Part of order_settle; new orders need it once. */
void order_project_money(struct order *order);

/* An event about a payment or a refund; the caller may add data. */
struct event *payment_tell(
        struct events *events, const struct payment *payment, const char *type, int64_t amount, const char *actor);
struct event *refund_tell(struct events *events, const struct refund *refund, const char *type, const char *actor);

/* What an order that leaves the house costs is asked for: the share of the units that have left, the shipping with the
 * first of them, and all that remains with the last. `from` (may be NULL) is where they left. Part of order_settle; to
 * be called before it by who knows the fulfillment. */
void order_ask_capture(struct order *order, const struct fulfillment *from, struct events *events, const char *actor);

/* Part of order_settle: ask for captures, let go what is not needed any more, tell the refund that came due, and
 * project.
 */
void order_settle_money(struct order *order, struct events *events, const char *actor, timestamp now);

/* ---- giving back ---- */

struct refund_request {
        int64_t amount; /* above 0 */
        enum refund_to to;
        const char *reason;
        struct uuid return_id; /* nil: none */
        int64_t due, due_tax;  /* the amount that the refund pays a part of, and the tax in it; 0: unknown */
};

/* The refundable amount of a return: its accepted lines and the shipping, less the withheld amount. Refunds that name
 * the return pay it. */
struct return_claim {
        struct uuid return_id;
        int64_t amount, tax;
};

/* The sum of the refunds of a return (nil: of none) that have not failed, and the tax in them. */
int64_t order_refunded_for(const struct order *order, const struct uuid *return_id);
int64_t order_refunded_tax_for(const struct order *order, const struct uuid *return_id);

/* Queue: read the claims of the returns of the orders of a set (order.claims), the oldest first. The orders are named
 * by their id, and locked. */
void return_claims_load(struct database *database, struct order_set *set);

/* Give money back: one refund to the store credit, or one for each payment it goes back to, by number, what was taken
 * before what is only asked for (then a payment may get two). What is credited is the caller's matter; so is
 * order_settle, after it. OVER_REFUND: more than order_refundable. TOO_MANY: the order has no room for more refunds.
 * Refuses before it changes anything. */
enum problem order_refund(struct order *order, const struct refund_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal);

/* A further payment for the balance of the order: all of it, unless an amount is said. OVER_PAYMENT: more than is
 * neither paid nor held. TOO_MANY: the order has no room for more payments. */
enum problem order_pay(struct order *order, const struct payment_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal,
        struct payment **ret_payment);

/* Give back the refund due (amount 0), or an amount. The part beyond the expected refund is an appeasement, and is
 * credited. The refund due pays the returns first, the oldest first, each up to its claim (order.claims); with a
 * return_id it pays that return only, and no more than its claim. VALIDATION_FAILED:
 * a return that is not the order's. Settles the order. */
enum problem order_give_back(struct order *order, const struct refund_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal);

/* ---- states ---- */

/* The only places where a state changes. INVALID_TRANSITION names the current one. */
enum problem payment_advance(
        struct payment *payment, enum funds_event event, struct arena *arena, struct refusal *refusal);
enum problem refund_advance(
        struct refund *refund, enum refund_event event, struct arena *arena, struct refusal *refusal);

/* ---- load and save: part of orders_lock, orders_read, orders_insert and orders_update ---- */

/* Readers of rows into a struct order_set, after its orders; payments before refunds. */
enum problem payments_row(struct rows *rows, void *into);
enum problem refunds_row(struct rows *rows, void *into);

/* Of an order; NULL when it has none of that id. */
struct payment *payment_find(const struct order *order, const struct uuid *id);
struct refund *refund_find(const struct order *order, const struct uuid *id);

/* Queue: insert the payments of new orders. */
void payments_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n);

/* Queue: insert what is new, and update what has changed. */
void payments_update(struct database *database, const struct order_set *set);
