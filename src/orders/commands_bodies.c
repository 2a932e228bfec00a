/* Parts of an order that the bodies of several routes have. */
#include "orders/commands.h"
#include "orders/placing.h"

static const struct shape_member choice_members[] = {
        OPTIONAL(CODE, struct fulfillment_choice, location),
        REQUIRED(ENUM, struct fulfillment_choice, method, .names = fulfillment_method_texts),
        OPTIONAL(TIME, struct fulfillment_choice, slot),
};
const struct shape order_choice_shape = SHAPE(struct fulfillment_choice, choice_members);

static const struct shape_member customer_members[] = {
        OPTIONAL(TEXT, struct customer_body, customer_id, BETWEEN(1, 100)),
        OPTIONAL(TEXT, struct customer_body, email, BETWEEN(3, 254)),
        REQUIRED(TEXT, struct customer_body, name, BETWEEN(1, 200)),
        OPTIONAL(TEXT, struct customer_body, phone, BETWEEN(1, 40)),
};
const struct shape order_customer_shape = SHAPE(struct customer_body, customer_members);

static const struct shape_member address_members[] = {
        REQUIRED(TEXT, struct address_body, city, BETWEEN(1, 100)),
        REQUIRED(TEXT, struct address_body, country, BETWEEN(2, 2)),
        OPTIONAL_FLAGGED(NUMBER, struct address_body, latitude, BETWEEN(-90, 90)),
        REQUIRED(TEXT, struct address_body, line1, BETWEEN(1, 200)),
        OPTIONAL(TEXT, struct address_body, line2, BETWEEN(1, 200)),
        OPTIONAL_FLAGGED(NUMBER, struct address_body, longitude, BETWEEN(-180, 180)),
        REQUIRED(TEXT, struct address_body, name, BETWEEN(1, 200)),
        REQUIRED(TEXT, struct address_body, postal_code, BETWEEN(1, 20)),
};
const struct shape order_address_shape = SHAPE(struct address_body, address_members);

static const struct shape_member discount_members[] = {
        REQUIRED(INTEGER, struct discount_body, amount, BETWEEN(0, MONEY_MAXIMUM)),
        OPTIONAL_FLAGGED(INTEGER, struct discount_body, line, BETWEEN(0, ORDER_LINES_MAX - 1)),
        OPTIONAL(TEXT, struct discount_body, reason, BETWEEN(1, ORDER_REASON_MAX)),
};
const struct shape order_discount_shape = SHAPE(struct discount_body, discount_members);

static const struct shape_member tax_members[] = {
        REQUIRED(INTEGER, struct tax_body, amount, BETWEEN(0, MONEY_MAXIMUM)),
        OPTIONAL_FLAGGED(BOOLEAN, struct tax_body, included),
};
const struct shape order_tax_shape = SHAPE(struct tax_body, tax_members);
