/*
 * orders/customer: the customer and the address of an order, as requested and as stored.
 */
#pragma once

#include "base/problem.h"

struct order;

struct customer_body {
        const char *name, *email, *phone, *customer_id;
};

struct address_body {
        const char *name, *line1, *line2, *city, *postal_code, *country;
        double latitude, longitude;
        bool has_latitude, has_longitude;
};

/* Add the violations of customer and address: "#/customer/...", "#/ship_to/...". */
void customer_check(const struct customer_body *customer, struct arena *arena, struct refusal *refusal);
void address_check(const struct address_body *address, struct arena *arena, struct refusal *refusal);

/* The JSON as stored. NULL without memory. */
const char *order_customer(struct arena *arena, const struct customer_body *customer);
const char *order_address(struct arena *arena, const struct address_body *address);

/* A member of an order's customer, such as "name" or "email"; NULL: there is none, or no memory. */
const char *order_customer_member(const struct order *order, const char *member, struct arena *arena);

/* The same of "name". */
const char *order_customer_name(const struct order *order, struct arena *arena);
