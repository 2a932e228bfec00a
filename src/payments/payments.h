/*
 * payments: payments and refunds of an order.
 *
 * Payments and refunds are part of the order's aggregate (orders/orders.h): they are loaded, locked and saved with it.
 * This service never talks to a card. It records the reports of the payment provider, and sends its requests as events:
 * payment.capture_due, payment.void_due, refund.requested.
 *
 * An order costs `total`. `credited` is the part that the customer no longer owes: the share of every unit cancelled or
 * returned (`order_line_value`), the shipping when everything was cancelled, an appeasement. The rest is the charge.
 * The balance is the charge, less paid, plus refunded: above 0 the customer owes it, below 0 it is due as a refund. So
 * it makes no difference whether units are cancelled before or after they were paid. Paid, refunded, refund due and the
 * order's payment status are projections made by `order_settle`; no command sets them by hand.
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

/* State of the money behind one payment; a payment begins with one of the first three. */
enum funds_state {
        FUNDS_PENDING,
        FUNDS_AUTHORIZED,
        FUNDS_CAPTURED,           /* all that was not voided or failed */
        FUNDS_PARTIALLY_CAPTURED, /* the provider still holds the rest */
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
        int64_t number;        /* from 1; captures are requested in this order */
        const char *provider;  /* holder of the money: "adyen", "gift_card"; may be NULL */
        const char *reference; /* the provider's; may be NULL */
        enum funds_state state;
        enum funds_state opened; /* state when it was made: pending, authorized or captured */
        int64_t amount;          /* the amount that it covers */
        int64_t authorized;      /* held by the provider at some time */
        int64_t captured;        /* taken */
        int64_t voided;          /* voided, as the provider reported */
        int64_t failed;          /* cannot be captured, as the provider reported */
        int64_t capture_due;     /* capture requested, not yet answered */
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

static inline int64_t amount_smaller(int64_t a, int64_t b) {
        return a < b ? a : b;
}

/* The sums of all payments and refunds of an order. */
struct order_money {
        int64_t held; /* authorized; no capture or void of it was requested or reported */
        int64_t capture_due, paid, refunded;
};

struct order_money order_money(const struct order *order);

/* The part of a payment whose capture can still be requested. */
int64_t payment_held(const struct payment *payment);

int64_t order_charge(const struct order *order);

/* Above 0: the customer owes it. Below 0: it is due as a refund. */
int64_t order_balance(const struct order *order);

/* The refundable amount. To the payments: captured and requested captures, less refunds, since such a refund fails with
 * its capture. As store credit, which cannot be taken back: captured less refunds. */
int64_t order_refundable(const struct order *order, enum refund_to to);

/* The refund due once every requested capture is answered. Never above the amount refundable to the payments. */
int64_t order_refund_expected(const struct order *order);

/* ---- crediting: the customer owes less ---- */

/* Credit the share of `units` more of a line. Call it before the line counts them as cancelled or returned. Returns the
 * share, which is credited up to the total of the order. */
int64_t order_credit_units(struct order_line *line, int64_t units);

/* Credit an amount that belongs to no line, and the tax in it: an appeasement, or returned shipping. A negative amount
 * withholds, such as a restocking fee from the credit that order_credit_units has just made. Credited stays within 0
 * and the total. This makes no refund: order_settle adds the event of the amount that became due. */
void order_credit(struct order *order, int64_t amount, int64_t tax);

/* Credit the shipping, because everything was cancelled. Part of order_settle. */
void order_credit_shipping(struct order *order);

/* Charge cancelled units of a line that the customer wants again. Call it before the line counts them. */
void order_charge_units(struct order_line *line, int64_t units);

/* Charge the shipping of a cancelled order that has units again, and reopen the payments that were never secured. Part
 * of order_settle. */
void order_revive(struct order *order, struct events *events, const char *actor);

/* ---- paying ---- */

struct payment_request {
        int status; /* FUNDS_PENDING, FUNDS_AUTHORIZED or FUNDS_CAPTURED; -1: not given, pending */
        int64_t amount;
        bool has_amount;
        const char *provider, *reference;
};

/* A new payment at the end of the order's list. NULL without memory. */
struct payment *order_add_payment(struct order *order, const struct payment_request *request, const char *actor,
        timestamp now, struct arena *arena);

/* Project paid, refunded, refund due and payment status from the payments and refunds. A covered order has no payment
 * deadline. Part of order_settle; new orders need it once. */
void order_project_money(struct order *order);

/* An event about a payment or a refund; the caller may add data. */
struct event *payment_tell(
        struct events *events, const struct payment *payment, enum event_type type, int64_t amount, const char *actor);
struct event *refund_tell(struct events *events, const struct refund *refund, enum event_type type, const char *actor);

/* Request captures for units that have left: their share, the shipping with the first of them, and the whole rest with
 * the last. `from` (may be NULL) is the fulfillment that they left from. Part of order_settle; a caller that knows the
 * fulfillment calls it before. */
void order_ask_capture(struct order *order, const struct fulfillment *from, struct events *events, const char *actor);

/* Part of order_settle: request captures, release payments that are no longer needed, add the event of a refund that
 * became due, and project. */
void order_settle_money(struct order *order, struct events *events, const char *actor, timestamp now);

/* ---- refunds ---- */

struct refund_request {
        int64_t amount; /* above 0 */
        enum refund_to to;
        const char *reason;
        struct uuid return_id; /* nil: none */
        int64_t due, due_tax;  /* the amount that the refund pays in part, and the tax in it; 0: unknown */
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

/* Refund money: one refund to the store credit, or one for each payment by number, captured amounts before requested
 * captures (then a payment may get two). The caller credits the order, and calls order_settle afterwards. OVER_REFUND:
 * more than order_refundable. TOO_MANY: the order has no room for more refunds. Refuses before it changes anything. */
enum problem order_refund(struct order *order, const struct refund_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal);

/* Add a payment for the balance of the order: all of it, unless the request has an amount. OVER_PAYMENT: more than the
 * part that is neither paid nor held. TOO_MANY: the order has no room for more payments. */
enum problem order_pay(struct order *order, const struct payment_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal,
        struct payment **ret_payment);

/* Refund the amount due (amount 0), or a given amount. The part beyond the expected refund is an appeasement, and is
 * credited. The refund due pays the returns first, the oldest first, each up to its claim (order.claims). With a
 * return_id it pays that return only, and no more than its claim. VALIDATION_FAILED: a return that is not the order's.
 * Settles the order. */
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

/* The payment or refund of an order; NULL: no such id. */
struct payment *payment_find(const struct order *order, const struct uuid *id);
struct refund *refund_find(const struct order *order, const struct uuid *id);

/* Queue: insert the payments of new orders. */
void payments_insert(struct database *database, struct arena *arena, struct order *const *list, size_t n);

/* Queue: insert new payments and refunds, and update changed ones. */
void payments_update(struct database *database, const struct order_set *set);
