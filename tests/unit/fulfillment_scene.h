/*
 * fulfillment_scene: an order of three lines for one location, and short ways to say what happens to it.
 *
 * Two of SKU-A, one of SKU-B, three of SKU-A again; paid, 10.00 a unit. One scene for each test process; `given...`
 * makes it anew, `scene_clear` drops it.
 */
#pragma once

#include "fulfillment/fulfillment.h"
#include "till.h"

#define NOW    (INT64_C(1795256130) * SECOND)
#define SECRET "a secret of the tests, 32 bytes or more"
#define OTHER  "another secret of the tests, just as long"

#define LINES  3

enum { FIRST, SECOND_LINE, THIRD };

struct scene {
        struct arena arena;
        struct stock stock;
        struct stock_row rows[2];
        struct events events;
        struct refusal refusal;
        struct order order;
        struct till till;
        struct order_line order_lines[LINES];
        struct fulfillment fulfillment;
        struct fulfillment_line lines[LINES];
        struct command command;
        struct sourcing_search *search; /* for other locations; NULL: missing units are cancelled */
};

extern struct scene scene;
extern struct fulfillment *const it;

void given(enum fulfillment_method method);
void given_pickup(void);
void given_shipping(void);
void scene_clear(void);

/* Events so far: how many of a type, and the data of the first. */
size_t told(const char *type);
const char *data_of(const char *type);

size_t movements(void);
void assert_figures(size_t row, int64_t on_hand, int64_t unsellable, int64_t reserved);
void assert_done(enum problem p);
void assert_refused(enum problem p, enum problem expected);
void assert_status(enum fulfillment_status status);

/* No event, no movement, no saved row. */
void assert_untouched(void);
void assert_violation(const char *pointer, const char *code);

struct line_units units(size_t line, int64_t quantity);
enum problem pick_sku(const char *sku, int64_t quantity);
enum problem pick_line(size_t line, int64_t quantity);
enum problem undo_line(size_t line, int64_t quantity);
enum problem scan(const char *code, int64_t quantity);
enum problem short_of(size_t line, int64_t quantity, enum short_reason reason);
void pick_all(void);
enum problem make_ready(void);
void ready(void);
struct handover by_code(const char *value);
enum problem hand_over_by(const char *value);
const char *right_code(const char *secret);
enum problem hand_over_lines(const struct line_units *lines, size_t n_lines); /* by the right code */
enum problem ship(const struct line_units *lines, size_t n_lines);
