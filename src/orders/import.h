/*
 * orders/import: orders that were placed and fulfilled before this service kept them, taken over as they were.
 *
 * Such an order is fulfilled from the first moment: its location has shipped and delivered every unit at the time when
 * it was placed, and it is paid. Stock and ledger know nothing of it, because the figures of today have its units out
 * of them already.
 */
#pragma once

#include "orders/placing.h"

struct import_line_body {
        const char *sku;
        const char *title; /* may be NULL: that of the product */
        int64_t quantity;
        struct money unit_price;
};

struct import_order_body {
        const char *channel, *external_ref, *currency, *location;
        const char *placed_at; /* "2010-12-01 08:26": local time at the location; ":00" may follow, and "Z": UTC then */
        const char *country;   /* of the customer, in words; may be NULL */
        const struct customer_body *customer;
        const struct import_line_body *lines;
        size_t n_lines;
};

/* What can be told from the request alone: VALIDATION_FAILED with every violation. */
enum problem order_import_check(const struct import_order_body *body, struct arena *arena, struct refusal *refusal);

/* Take one order over, placed at an instant (TIMESTAMP_NONE: the location is unknown), against catalogue and known
 * orders in `placing`, to which it is added. VALIDATION_FAILED, DUPLICATE_EXTERNAL_REF, FAULT_BUSY without memory. */
enum problem order_import_decide(struct placing *placing, const struct import_order_body *body, timestamp placed_at,
        const char *actor, struct arena *arena, struct refusal *refusal, struct order **ret_order);

/* Queue: the instants of such times at locations; TIMESTAMP_NONE where there is no such location. */
struct local_time {
        const char *location, *text;
        timestamp instant;
};
void local_times_ask(struct database *database, struct arena *arena, struct local_time *times, size_t n);

/* A line that an order has already. */
struct known_line {
        const char *sku, *title;
        int64_t quantity, unit_price;
        bool matched;
};

/* An order that is there already. */
struct known_order {
        const char *currency, *customer_id, *location, *country; /* the last three may be NULL */
        timestamp placed_at;
        bool is_erased;     /* its customer was taken out */
        bool tells_country; /* its events are kept */
        struct known_line *lines;
        size_t n_lines;
};

struct known_orders {
        struct arena *arena;
        struct known_order *at; /* by place of their reference; without lines: there is none */
        size_t n;
};

/* Queue: the orders that have one of these references. */
void known_orders_ask(struct database *database, const struct order_ref *refs, size_t n, struct known_orders *orders);

/* Whether one of the order's lines says the same as the body's; each line answers for one. A title is compared when the
 * body has one. */
bool known_line_match(struct known_order *order, const struct import_line_body *body);

/* Name the differences between the order and the body, which was placed at an instant: up to KNOWN_NAMES names. Call it
 * after its lines were matched: "lines" are those that the body lacks. Erased and pruned members are not compared. */
#define KNOWN_NAMES 6
size_t known_order_differs(const struct known_order *order, const struct import_order_body *body, timestamp placed_at,
        const char *names[KNOWN_NAMES]);
