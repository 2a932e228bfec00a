/*
 * store/scene: rows that tests of several rooms begin with, and one command on them.
 *
 * A test calls the functions that its story needs after store_open.
 */
#pragma once

#include "fixture.h"
#include "orders/orders.h"

#define SCENE_ORDER       "0190a6e2-0000-7000-8000-000000000001"
#define SCENE_FULFILLMENT "0190a6e2-0000-7000-8000-000000000002"
#define SCENE_LINE_A      "0190a6e2-0000-7000-8000-00000000000a"
#define SCENE_LINE_B      "0190a6e2-0000-7000-8000-00000000000b"

/* ---- catalogue and stock ---- */

/* A store in the time zone UTC. `position` in SQL: "52.5, 13.4" or "null, null". `capabilities`: "pickup,ship". */
void location_given(const char *code, const char *position, const char *capabilities);

/* `skus`: "{A,B}". */
void products_given(const char *skus);

void stock_given(const char *location, const char *sku, int64_t on_hand);

/* ---- an order ---- */

/* A captured order of two A and one B, which one fulfillment at "alpha" holds. */
struct given_order {
        const char *method, *status;
        const char *ship_to; /* in SQL; NULL: none */
        bool picked;         /* all units */
        int64_t on_hand_a;   /* units of A at alpha */
};

/* With the location, its products, and the stock that the order has reserved. */
void order_given(const struct given_order *given);

/* ---- one batch of one command ---- */

struct scene {
        struct stock stock;
        struct order_set set;
        struct events events;
        struct refusal refusal;
        struct command command; /* of ben, at STORE_NOW */
        struct fulfillment *fulfillment;
};

/* Wants the fulfillment of the order; the caller locks it. */
void scene_begin(struct scene *scene);

/* After the lock: find the fulfillment. */
void scene_found(struct scene *scene);

void scene_save(struct scene *scene);

struct uuid scene_id(const char *text);
