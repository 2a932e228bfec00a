#include "fulfillment_scene.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

struct scene scene;
struct fulfillment *const it = &scene.fulfillment;
static struct fulfillment *list[] = { &scene.fulfillment };

static void scene_line(size_t i, const char *sku, int64_t quantity, struct stock_row *row) {
        scene.order_lines[i] = (struct order_line){
                .id = uuid_new(),
                .number = (int64_t) i,
                .sku = sku,
                .title = sku,
                .quantity = quantity,
                .unit_price = 1000,
                .order = &scene.order,
                .allocations = &scene.lines[i],
        };
        scene.lines[i] = (struct fulfillment_line){
                .order_line = &scene.order_lines[i], .fulfillment = it, .stock = row, .quantity = quantity
        };
}

static void scene_documents(enum fulfillment_method method) {
        scene.order = (struct order){
                .id = uuid_new(),
                .balance.currency = "EUR",
                .lines = scene.order_lines,
                .n_lines = LINES,
                .fulfillments = list,
                .n_fulfillments = 1,
                .fulfillments_capacity = 1,
                .subtotal = 6000,
                .balance.total = 6000,
                .version = 1,
        };
        till_pay(&scene.till, &scene.order, FUNDS_CAPTURED);
        *it = (struct fulfillment){
                .id = uuid_new(),
                .order = &scene.order,
                .method = method,
                .location = "store",
                .packages = "[]",
                .hold_until = TIMESTAMP_NONE,
                .locked_until = TIMESTAMP_NONE,
                .check_in = NO_CHECK_IN,
                .link.expires_at = TIMESTAMP_NONE,
                .remind_at = TIMESTAMP_NONE,
                .pickup_serial = 1,
                .version = 1,
                .lines = scene.lines,
                .n_lines = LINES,
        };
}

void given(enum fulfillment_method method) {
        arena_clear(&scene.arena);
        memset(&scene, 0, sizeof(scene));
        arena_init(&scene.arena, 1024 * 1024);
        stock_init(&scene.stock, &scene.arena);
        events_init(&scene.events, &scene.arena);
        scene.rows[0] = (struct stock_row){ .sku = "SKU-A", .on_hand = 10, .reserved = 5, .exists = true };
        scene.rows[1] = (struct stock_row){ .sku = "SKU-B", .on_hand = 4, .reserved = 1, .exists = true };
        scene_documents(method);
        scene_line(FIRST, "SKU-A", 2, &scene.rows[0]);
        scene_line(SECOND_LINE, "SKU-B", 1, &scene.rows[1]);
        scene_line(THIRD, "SKU-A", 3, &scene.rows[0]);
        scene.command = (struct command){
                .actor = "ana",
                .now = NOW,
                .stock = &scene.stock,
                .events = &scene.events,
                .arena = &scene.arena,
                .refusal = &scene.refusal,
        };
}

void given_pickup(void) {
        given(BY_PICKUP);
}

void given_shipping(void) {
        given(BY_SHIPPING);
}

void scene_clear(void) {
        arena_clear(&scene.arena);
}

/* ---- saying things shortly ---- */

size_t told(const char *type) {
        size_t n = 0;

        for (const struct event *event = scene.events.first; event; event = event->next)
                n += text_equal(event_types[event->type].name, type);
        return n;
}

const char *data_of(const char *type) {
        for (const struct event *event = scene.events.first; event; event = event->next)
                if (text_equal(event_types[event->type].name, type))
                        return buffer_text(&event->data);
        return "";
}

size_t movements(void) {
        size_t n = 0;

        for (const struct stock_movement *movement = scene.stock.movements; movement; movement = movement->next)
                n++;
        return n;
}

void assert_figures(size_t row, int64_t on_hand, int64_t unsellable, int64_t reserved) {
        cr_assert_eq(scene.rows[row].on_hand, on_hand, "on_hand is %ld", (long) scene.rows[row].on_hand);
        cr_assert_eq(scene.rows[row].unsellable, unsellable, "unsellable is %ld", (long) scene.rows[row].unsellable);
        cr_assert_eq(scene.rows[row].reserved, reserved, "reserved is %ld", (long) scene.rows[row].reserved);
}

void assert_done(enum problem p) {
        cr_assert_eq(p, PROBLEM_NONE, "%s: %s", problem_slug(p), scene.refusal.detail ? scene.refusal.detail : "");
}

void assert_refused(enum problem p, enum problem expected) {
        cr_assert_eq(p, expected, "%s", problem_slug(p));
        cr_assert_eq(scene.refusal.problem, expected);
        scene.refusal = (struct refusal){ 0 };
}

void assert_status(enum fulfillment_status status) {
        cr_assert_eq(it->status, status, "it is %s", enum_column_text(&fulfillment_status_column, (int) it->status));
}

/* No event, no movement, no saved row. */
void assert_untouched(void) {
        cr_assert_null(scene.events.first);
        cr_assert_eq(movements(), 0);
        cr_assert_not(it->changed || scene.order.changed || scene.rows[0].changed || scene.rows[1].changed);
        for (size_t i = 0; i < LINES; i++)
                cr_assert_not(scene.lines[i].changed || scene.order_lines[i].changed);
        cr_assert_eq(it->version, 1);
}

void assert_violation(const char *pointer, const char *code) {
        cr_assert_not_null(scene.refusal.violations);
        cr_assert_str_eq(scene.refusal.violations->pointer, pointer);
        cr_assert_str_eq(scene.refusal.violations->code, code);
}

struct line_units units(size_t line, int64_t quantity) {
        return (struct line_units){ scene.order_lines[line].id, quantity };
}

enum problem pick_sku(const char *sku, int64_t quantity) {
        const struct pick_item item = { .sku = sku, .quantity = quantity };

        return fulfillment_pick(it, &item, 1, "#/lines", NULL, &scene.command);
}

enum problem pick_line(size_t line, int64_t quantity) {
        const struct pick_item item = {
                .has_order_line_id = true, .order_line_id = scene.order_lines[line].id, .quantity = quantity
        };

        return fulfillment_pick(it, &item, 1, "#/lines", NULL, &scene.command);
}

enum problem undo_line(size_t line, int64_t quantity) {
        const struct pick_item item = {
                .has_order_line_id = true, .order_line_id = scene.order_lines[line].id, .quantity = quantity
        };

        return fulfillment_undo_pick(it, &item, 1, "#/lines", NULL, &scene.command);
}

enum problem scan(const char *code, int64_t quantity) {
        static const char *const gtins[LINES] = { "06291041500213", "00012345678905", "06291041500213" };
        const struct pick_item item = { .code = code, .quantity = quantity };

        return fulfillment_pick(it, &item, 1, "#/scans", gtins, &scene.command);
}

enum problem short_of(size_t line, int64_t quantity, enum short_reason reason) {
        const struct line_units lines[] = { units(line, quantity) };

        return fulfillment_short(it, lines, 1, reason, scene.search, &scene.command);
}

void pick_all(void) {
        assert_done(pick_sku("SKU-A", 5));
        assert_done(pick_sku("SKU-B", 1));
}

enum problem make_ready(void) {
        return fulfillment_make_ready(it, "shelf C3", 7 * DAY, &scene.command);
}

void ready(void) {
        pick_all();
        assert_done(make_ready());
}

struct handover by_code(const char *value) {
        return (struct handover){ .method = PROOF_CODE, .value = value, .relation = -1, .secret = SECRET };
}

/* As the engine does it: a refusal writes what it has to. */
enum problem hand_over_by(const char *value) {
        const struct handover handover = by_code(value);
        const enum problem p = fulfillment_hand_over(it, &handover, &scene.command);

        if (p)
                fulfillment_count_wrong_code(it, &handover, &scene.command);
        return p;
}

const char *right_code(const char *secret) {
        static char code[PICKUP_CODE_SIZE];

        cr_assert(pickup_code(secret, &it->id, it->pickup_serial, code));
        return code;
}

enum problem hand_over_lines(const struct line_units *lines, size_t n_lines) {
        struct handover handover = by_code(right_code(SECRET));

        handover.lines = lines;
        handover.n_lines = n_lines;
        return fulfillment_hand_over(it, &handover, &scene.command);
}

enum problem ship(const struct line_units *lines, size_t n_lines) {
        const struct package package = {
                .carrier = "DHL", .tracking_number = "0034", .lines = lines, .n_lines = n_lines
        };

        return fulfillment_ship(it, &package, 1, &scene.command);
}
