/*
 * payments: the money that an order owes and has.
 *
 * An order holds one `struct balance`: its total, its payments and its refunds. The rules here know nothing else of the
 * order. The rules of orders say how much of the charge is earned, and whether units are still to leave. This service
 * never talks to a card. It records the reports of the payment provider, and sends its requests as events:
 * payment.capture_due, payment.void_due, refund.requested.
 *
 * An order costs `total`. `credited` is the part that the customer no longer owes: the share of every unit cancelled or
 * returned, the shipping when everything was cancelled, an appeasement. The rest is the charge. The amount due is the
 * charge, less paid, plus refunded: above 0 the customer owes it, below 0 it is due as a refund. So it makes no
 * difference whether units are cancelled before or after they were paid. Paid, refunded, refund due and the payment
 * status are projections made by `balance_settle`; no command sets them by hand.
 *
 * Of each payment: captured + voided + failed + void_due + capture_due <= authorized <= amount, and refunded <=
 * captured + capture_due.
 *
 * The lock of the order guards its balance. Balances are loaded and saved with their orders, and live in the arena of
 * the batch. The rules are pure but for the new ids. They refuse before they change anything.
 */
#pragma once

#include "base/enum_column.h"
#include "base/money.h"
#include "events/arguments.h"

#define ORDER_PAYMENTS_MAX 20
#define ORDER_REFUNDS_MAX  1000

struct database;
struct rows;
struct writer;

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

/* Of the whole balance: a projection of its payments and refunds. */
enum payment_status {
        PAYMENT_PENDING,
        PAYMENT_AUTHORIZED,
        PAYMENT_CAPTURED,
        PAYMENT_PARTIALLY_REFUNDED,
        PAYMENT_REFUNDED,
        PAYMENT_VOIDED,
};

/* Whether units of the order are still to leave. */
enum balance_stage {
        BALANCE_OPEN,
        BALANCE_COMPLETE,  /* all units have left or are cancelled: the whole charge is captured, the rest voided */
        BALANCE_CANCELLED, /* no unit has left or will: everything is voided */
};

extern const struct lifecycle payment_lifecycle;
extern const struct lifecycle refund_lifecycle;

/* As on the wire and in SQL; NULL-terminated. */
extern const char *const payment_status_texts[];
extern const char *const payment_opening_texts[]; /* the states that a payment may begin with: enum funds_state */
extern const char *const refund_to_texts[];

extern const struct enum_column payment_opened_column, payment_status_column, refund_destination_column,
        refund_status_column;

/* Amounts are minor units of the balance's currency. */
struct balance {
        struct uuid order_id;
        const int64_t *order_version; /* events about the order bear it */
        const char *channel, *currency;
        int64_t total;
        int64_t credited; /* the part of the total that the customer no longer owes */
        enum balance_stage stage;
        int64_t paid, refunded, refund_due; /* projections */
        enum payment_status payment_status; /* likewise */
        timestamp payment_due_at;  /* as the client named it; of a cancelled balance, the deadline that it had */
        timestamp unpaid_since;    /* waits for payment under the policy of its channel; TIMESTAMP_NONE: it does not */
        int64_t unpaid_ttl_s;      /* that policy, read with the order; 0: for ever */
        struct payment **payments; /* by number */
        size_t n_payments, payments_capacity;
        struct refund **refunds; /* by number */
        size_t n_refunds, refunds_capacity;
        const struct return_claim *claims; /* of its returns, the oldest first; loaded for refunds only */
        size_t n_claims;
};

struct payment {
        struct uuid id;
        struct balance *balance;
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
        bool touched;         /* by the command that is being decided: its version is raised when the balance settles */
        bool is_new, changed; /* to be inserted, to be updated */
};

struct refund {
        struct uuid id;
        struct balance *balance;
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
        bool touched;         /* by the command that is being decided: its version is raised when the balance settles */
        bool is_new, changed; /* to be inserted, to be updated */
};

/* Keep a copy of a balance's payments and refunds; the balance itself is part of its order. */
void balance_snapshot(struct snapshot *snapshot, struct balance *balance);

/* ---- amounts ---- */

/* An amount and the tax in it. */
struct taxed {
        int64_t amount, tax;
};

/* The tax in a part of an amount: `tax`, but never below 0, above the part, or so that the rest would have more tax
 * than amount. So the parts of an amount, taken one by one, have all of its tax. */
int64_t tax_of_part(struct taxed whole, int64_t part, int64_t tax);

/* The sums of all payments and refunds. */
struct balance_sums {
        int64_t held; /* authorized; no capture or void of it was requested or reported */
        int64_t capture_due, paid, refunded;
};

struct balance_sums balance_sums(const struct balance *balance);

/* The part of a payment whose capture can still be requested. */
int64_t payment_held(const struct payment *payment);

int64_t balance_charge(const struct balance *balance);

/* Above 0: the customer owes it. Below 0: it is due as a refund. */
int64_t balance_due(const struct balance *balance);

/* The refundable amount. To the payments: captured and requested captures, less refunds, since such a refund fails with
 * its capture. As store credit, which cannot be taken back: captured less refunds. */
int64_t balance_refundable(const struct balance *balance, enum refund_to to);

/* The refund due once every requested capture is answered. Never above the amount refundable to the payments. */
int64_t balance_refund_expected(const struct balance *balance);

/* A mark (base/mark.h) of the payments and refunds, which continues that of the caller. */
uint64_t balance_mark(const struct balance *balance, uint64_t mark);

/* The payment or refund of that id; NULL: the balance has none. */
struct payment *payment_find(const struct balance *balance, const struct uuid *id);
struct refund *refund_find(const struct balance *balance, const struct uuid *id);

/* When its payment is due: as the client named it, else by the policy of its channel; TIMESTAMP_NONE: never. */
timestamp balance_due_at(const struct balance *balance);

/* Project paid, refunded, refund due and payment status from the payments and refunds. A covered balance has no payment
 * deadline. Part of balance_settle; new orders need it once. */
void balance_project(struct balance *balance);

/* ---- events ---- */

/* An event of the balance's order, or about a payment or a refund; the caller may add data. */
struct event *balance_tell(const struct balance *balance, enum event_type type, const struct command *command);
struct event *payment_tell(
        const struct payment *payment, enum event_type type, int64_t amount, const struct command *command);
struct event *refund_tell(const struct refund *refund, enum event_type type, const struct command *command);

/* ---- capturing ---- */

/* Request captures up to the earned part of the charge: that of the units that have left. A complete balance has earned
 * the whole charge. `fulfillment_id` (may be NULL): the fulfillment that the units left from, for the events. Part of
 * balance_settle; a caller that knows the fulfillment calls it before. */
void balance_request_captures(
        struct balance *balance, int64_t earned, const struct uuid *fulfillment_id, const struct command *command);

/* The last step of each command on a balance or its order. It requests captures (`earned` as above), voids payments
 * that are no longer needed, projects, and adds the event of a refund that became due. */
void balance_settle(struct balance *balance, int64_t earned, const struct command *command);

/* A cancelled balance has a charge again: reopen the payments that were never secured. Before balance_settle. */
void balance_reopen(struct balance *balance, const struct command *command);

/* ---- paying ---- */

struct payment_request {
        int status; /* FUNDS_PENDING, FUNDS_AUTHORIZED or FUNDS_CAPTURED; -1: not given, pending */
        int64_t amount;
        bool has_amount;
        const char *provider, *reference;
};

/* A new payment at the end of the list, as a new order has it. NULL without memory. */
struct payment *payment_add(struct balance *balance, const struct payment_request *request, const char *actor,
        timestamp now, struct arena *arena);

/* Add a payment for the amount due: all of it, unless the request has an amount. OVER_PAYMENT: more than the part that
 * is neither paid nor held. TOO_MANY: no room for more payments. The caller settles the balance: until then the payment
 * has no version. */
enum problem balance_pay(struct balance *balance, const struct payment_request *request, const struct command *command,
        struct payment **ret_payment);

/* ---- refunding ---- */

struct refund_request {
        int64_t amount; /* above 0 */
        enum refund_to to;
        const char *reason;
        struct uuid return_id; /* nil: none */
        struct taxed due;      /* the amount that the refund pays in part */
        struct taxed credited; /* of the balance, once the refund is made: all refunds share its tax */
};

/* The refundable amount of a return: its accepted lines and the shipping, less the withheld amount. Refunds that name
 * the return pay it. */
struct return_claim {
        struct uuid return_id;
        int64_t amount, tax;
};

/* The sum of the refunds that have not failed: of a return (nil: of none), or of the whole balance (NULL). */
struct taxed balance_refunded(const struct balance *balance, const struct uuid *return_id);

/* Refund money: one refund to the store credit, or one for each payment by number, captured amounts before requested
 * captures (then a payment may get two). The caller credits the balance, and settles it afterwards. OVER_REFUND: more
 * than balance_refundable. TOO_MANY: no room for more refunds. */
enum problem balance_refund(
        struct balance *balance, const struct refund_request *request, const struct command *command);

/* Refund the amount due (amount 0), or a given amount. The refund pays the returns first, the oldest first, each up to
 * its claim. With a return_id it pays that return only, and no more than its claim. `tax`: in the total; the request
 * has the credited part. VALIDATION_FAILED: a return that has no claim. *ret_beyond: the part beyond the expected
 * refund, an appeasement that the caller credits. The caller settles the balance. */
enum problem balance_give_back(struct balance *balance, const struct refund_request *request, int64_t tax,
        const struct command *command, struct taxed *ret_beyond);

/* ---- states ---- */

/* The only places where a state changes, but for the replay of provider events, which leads a state to where the events
 * do (rules_provider.c). INVALID_TRANSITION names the current one. */
enum problem payment_advance(
        struct payment *payment, enum funds_event event, struct arena *arena, struct refusal *refusal);
enum problem refund_advance(
        struct refund *refund, enum refund_event event, struct arena *arena, struct refusal *refusal);

/* ---- load and save ---- */

/* The balances of a batch, sorted by order id. */
struct balance_set {
        struct arena *arena;
        struct balance **list;
        size_t n;
};

/* The balance of that order; NULL: it is not in the set. */
struct balance *balance_find(const struct balance_set *set, const struct uuid *order_id);

/* Readers of rows into a struct balance_set; payments before refunds. */
enum problem payments_row(struct rows *rows, void *into);
enum problem refunds_row(struct rows *rows, void *into);

/* Queue: insert all payments of new balances. */
void payments_insert(struct database *database, struct arena *arena, struct balance *const *list, size_t n);

/* Queue: insert new payments and refunds, and update changed ones. */
void balances_update(struct database *database, const struct balance_set *set);

/* ---- replies ---- */

/* Members of an open object: all payments and refunds, or one of them. */
void payments_write(struct writer *json, const struct balance *balance);
void payment_write(struct writer *json, const struct payment *payment);
void refund_write(struct writer *json, const struct refund *refund);
