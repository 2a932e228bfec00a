/*
 * orders/order: one order, its lines, and the value of their units.
 *
 * An order is loaded and saved whole: header, lines, discounts, fulfillments and balance. The status of the order is a
 * projection of the units of its lines (`order_project`), never set by hand. A command that changes any part holds the
 * lock of the order, then of its fulfillments, then of their stock rows; its last step is `order_settle` or
 * `order_after_units`.
 */
#pragma once

#include "base/money.h"
#include "orders/fulfillments.h"
#include "payments/payments.h"

#define ORDER_LINES_MAX     1000
#define ORDER_DISCOUNTS_MAX 100

struct told_events;
struct provider_event;

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

/* As on the wire and in SQL; NULL-terminated. */
extern const char *const order_status_texts[];
extern const char *const open_reason_texts[]; /* in SQL alone; NULL at the end, which is OPEN_FOR_NOTHING */

extern const struct enum_column order_status_column, order_payment_status_column;

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

struct order {
        struct uuid id;
        const char *number, *channel, *external_ref, *actor;
        const char *customer; /* JSON object */
        const char *ship_to;  /* JSON object, or NULL */
        const char *payment_reference, *cancel_reason;
        enum order_status status;
        struct balance balance;                    /* its money (payments/payments.h) */
        struct uuid reservation_id;                /* nil: none */
        int64_t subtotal, discount, shipping, tax; /* the total is in the balance */
        int64_t adjusted;     /* credits that belong to no line; below 0: withheld from the lines' credit */
        int64_t adjusted_tax; /* the tax in them */
        struct taxed credits; /* all credits, uncapped; not stored, known if has_credits */
        bool has_credits;
        int64_t returns_awaited; /* returns with goods on their way back; kept by the returns room */
        const char *open_for;    /* of open_reason_texts, once it is settled; not read */
        bool tax_included;
        timestamp placed_at, updated_at;
        int64_t version;
        struct order_line *lines;
        size_t n_lines, lines_capacity;
        struct order_discount *discounts;
        size_t n_discounts;
        struct fulfillment **fulfillments; /* sorted by id, then those that are new */
        size_t n_fulfillments, fulfillments_capacity;
        const char **return_places; /* locations that took its goods back; set by return_places_load only */
        size_t n_return_places, places_capacity;
        bool is_new, changed;
        bool rewritten; /* customer, address, amounts or discounts, which change seldom */
        bool valued;    /* its lines have values */
        uint64_t mark;  /* order_worth_mark as it was read */
};

/* Keep a copy of an order, its parts and the stock rows that its lines hold. NULL is allowed. */
void order_snapshot(struct snapshot *snapshot, struct order *order);

/* Connect the balance with id, version and status of a new or loaded order. */
void order_open_balance(struct order *order);

/* The line of that id, or NULL. */
struct order_line *order_line_find(const struct order *order, const struct uuid *line_id);

/* ---- units ---- */

/* The fulfillment's line becomes one of the order line's allocations. */
void order_line_allocate(struct order_line *line, struct fulfillment_line *allocation);

/* Units of an order line that some location still holds; these can be cancelled. */
int64_t order_line_open(const struct order_line *line);

/* Cancel units at every location that holds them: unpicked units first, the newest fulfillment first. At most the open
 * units. */
void order_line_cancel(struct order_line *line, int64_t quantity);

/* ---- values ---- */

/* The share of further units of a line, when `before` of them were cancelled or returned already: of its price less its
 * discounts, its part of the discounts of the whole order, and its part of a tax on top. The shares of all units of all
 * lines, and the shipping, add up to the total. The value is stored with the line, so a line added later does not
 * change it. */
int64_t order_line_value(const struct order_line *line, int64_t before, int64_t units);

/* The tax in the value of these units. The shares of all units, and that of the shipping, give the tax of the order. */
int64_t order_line_tax(const struct order_line *line, int64_t before, int64_t units);

/* The tax in the shipping: 0 when the tax is on top, since that tax is dealt over the lines. */
int64_t order_shipping_tax(const struct order *order);

/* The amount and the tax of a share: order_line_value and order_line_tax. */
struct taxed order_line_share(const struct order_line *line, int64_t before, int64_t units);

/* The value of the units of a line that were not given back. */
int64_t order_line_left(const struct order_line *line);

/* The share of the last cancelled or returned units of a line. The line then counts as if they had not been given back;
 * the caller lowers `cancelled`. */
struct taxed order_line_take_back(struct order_line *line, int64_t units);

/* A digest of all members that a return shows of its order: the values of its lines, its payments and refunds. When it
 * changes, the versions of the order's returns are raised. */
uint64_t order_worth_mark(const struct order *order);

/* Fix the values before a change of amounts: units given back keep their value, each line has its separate value from
 * now on, and the credited amount stays (order_keep_credited). A caller that adds units or changes an amount then adds
 * to `value` the gain of the total. The second function is for a line that gets more units; the order is valued. */
void order_settle_values(struct order *order);
void order_line_settle_value(struct order_line *line);

/* Deal discounts and tax over the lines of a new order, before it gets more lines. */
void order_value_lines(struct order *order);

/* ---- crediting: the customer owes less ---- */

/* Each function returns the credited amount and the tax in it: less than the share when an appeasement has credited a
 * part of it before (rules_crediting.c). None makes a refund: order_settle adds the event of the amount that became
 * due. */

/* The credited part of the total, and the tax in it. All of the tax when all of the total is credited. */
struct taxed order_credited(const struct order *order);

/* Credit the share of `units` more of a line; or, for returned units, their refund in place of their share. Call it
 * before the line counts them as cancelled or returned. */
struct taxed order_credit_units(struct order_line *line, int64_t units);
struct taxed order_credit_return(struct order_line *line, int64_t units, struct taxed refund);

/* Charge cancelled units of a line that the customer wants again. Call it before the line counts them. */
void order_charge_units(struct order_line *line, int64_t units);

/* Credit an amount that belongs to no line: an appeasement, or returned shipping. */
struct taxed order_credit(struct order *order, struct taxed more);

/* Charge an amount again that was credited, and not refunded: so much of a return is withheld. */
void order_withhold(struct order *order, struct taxed kept);

/* Credit the shipping, because everything was cancelled; or charge it again. Part of order_settle, before the status
 * changes. */
struct taxed order_credit_shipping(struct order *order);
void order_charge_shipping(struct order *order);

/* Before the total changes: the credited amount stays as it is, whatever credits the old total capped. */
void order_keep_credited(struct order *order);

/* A trial of credits: each returns what it would credit, and nothing changes. An addition raises total and tax. */
struct credit_trial {
        struct taxed credits; /* uncapped */
        int64_t total, tax;
};

struct credit_trial credit_trial_of(const struct order *order);
struct taxed credit_try(struct credit_trial *trial, struct taxed credit);

/* ---- settling ---- */

/* The status of the order, projected from the units of its lines. */
enum order_status order_project(const struct order *order);

/* Request captures for units that have left: their share, the shipping with the first of them, and the whole rest with
 * the last. `from`: the fulfillment that they left from. Before order_settle, which requests them otherwise. */
void order_request_captures(struct order *order, const struct fulfillment *from, const struct command *command);

/* The payment status of a new order, from its payments. Orders that change are settled instead. */
void order_project_balance(struct order *order);

/* Why the order is open: the one home of this rule. */
enum open_reason order_open_reason(const struct order *order);

/* Set `open_for`. New orders need it once; order_settle does it for all others. */
void order_project_open(struct order *order);

/* The last step of each command that changed an order. It projects the status from the lines, settles the balance
 * (balance_settle), projects why the order is open, and raises the versions of the order and its touched fulfillments.
 * A change of the status adds an event. */
void order_settle(struct order *order, const struct command *command);

/* An event of the order; the caller may add data. */
struct event *order_tell(const struct order *order, enum event_type type, const struct command *command);

/* ---- commands: cancelling ---- */

struct cancel_line {
        struct uuid order_line_id;
        int64_t quantity;
};

/* Cancel lines (NULL: all open units), and their fulfillments when these have no unit left. When the order has no unit
 * left, release its payments. INVALID_TRANSITION: no unit is left to cancel, or fewer than named. An order cancelled
 * already is left as it is. */
enum problem order_cancel(struct order *order, const struct cancel_line *lines, size_t n_lines, const char *reason,
        const struct command *command);

/* Add an event for each touched fulfillment whose units were cancelled: also for one that stays open. */
void order_tell_units_cancelled(const struct order *order, const char *reason, const struct command *command);

/* The last step of every command that takes units off an order: close the touched fulfillments that have no unit left,
 * or pack the picked units, and settle the order. An order without any unit left is cancelled for the reason given. */
enum problem order_after_units(struct order *order, const char *reason, const struct command *command);

/* The effect of a cancellation: the amounts that it credits. */
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

/* Cancel an order that was read without locks and is not saved. Refuses as order_cancel does, and adds no event. The
 * order is changed, and its lines have other stock rows afterwards. */
enum problem order_cancel_quote(struct order *order, const struct cancel_line *lines, size_t n_lines,
        const char *reason, const struct command *command, struct cancel_quote *ret_quote);

/* ---- commands: money ---- */

/* Add a payment (balance_pay), and settle the order. */
enum problem order_pay(struct order *order, const struct payment_request *request, const struct command *command,
        struct payment **ret_payment);

/* Refund the amount due or a given amount (balance_give_back). The part beyond the expected refund is an appeasement,
 * and is credited. The balance has the claims of the order's returns (return_claims_load). Settles the order. */
enum problem order_give_back(struct order *order, const struct refund_request *request, const struct command *command);

/* Apply an event of the provider (provider_event_apply) to a payment of the order, and settle the order. */
enum problem order_provider_event(struct order *order, struct payment *payment, const struct provider_event *told,
        struct told_events *before, const struct command *command);
