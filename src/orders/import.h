/*
 * orders/import: orders that were placed and fulfilled before this deployment recorded them, imported unchanged.
 *
 * Such an order is fulfilled from the first moment: its location has shipped and delivered every unit at the time when
 * it was placed, and it is paid. It changes neither stock nor ledger, because today's figures already lack its units.
 */
#pragma once

#include "orders/placing.h"

struct import_line_body {
        const char *sku;
        const char *title; /* NULL: the title of the product */
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

/* Check the request without the database: VALIDATION_FAILED with every violation. */
enum problem order_import_check(const struct import_order_body *body, struct arena *arena, struct refusal *refusal);

/* Import one order, placed at an instant (TIMESTAMP_NONE: the location is unknown). `placing` holds catalogue and known
 * orders; the order is added to it. VALIDATION_FAILED, DUPLICATE_EXTERNAL_REF, FAULT_BUSY without memory. */
enum problem order_import_decide(struct placing *placing, const struct import_order_body *body, timestamp placed_at,
        const struct command *command, struct order **ret_order);

/* Queue: read the instants of such times at locations; TIMESTAMP_NONE for an unknown location. */
struct local_time {
        const char *location, *text;
        timestamp instant;
};
void local_times_ask(struct database *database, struct arena *arena, struct local_time *times, size_t n);

/* A line of a known order. */
struct known_line {
        const char *sku, *title;
        int64_t quantity, unit_price;
        bool matched;
};

/* An order that was imported or placed before. */
struct known_order {
        const char *currency, *customer_id, *location, *country; /* the last three may be NULL */
        timestamp placed_at;
        bool is_erased;     /* its personal data was erased */
        bool tells_country; /* its events were not pruned */
        struct known_line *lines;
        size_t n_lines;
};

struct known_orders {
        struct arena *arena;
        struct known_order *at; /* by place of their reference; without lines: no such order */
        size_t n;
};

/* Queue: read the orders with one of these references. */
void known_orders_ask(struct database *database, const struct order_ref *refs, size_t n, struct known_orders *orders);

/* Whether one of the order's lines equals the body's; each line matches once. Titles are compared when the body has
 * one. */
bool known_line_match(struct known_order *order, const struct import_line_body *body);

/* Name the differences between the order and the body, which was placed at an instant: up to KNOWN_NAMES names. Call it
 * after the lines were matched: "lines" stands for lines of the body that the order lacks. Erased and pruned members
 * are not compared. */
#define KNOWN_NAMES 6
size_t known_order_differs(const struct known_order *order, const struct import_order_body *body, timestamp placed_at,
        const char *names[KNOWN_NAMES]);
