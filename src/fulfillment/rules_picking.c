/* Assigning and picking: an associate takes units off the shelf. */
#include "fulfillment/fulfillment.h"

#include "base/gtin.h"
#include "base/text.h"

#include <inttypes.h>

/* ---- assigning ---- */

enum problem fulfillment_assign(
        struct fulfillment *fulfillment, const char *assignee, bool force, const struct command *command) {
        if (text_equal(fulfillment->assignee, assignee))
                return PROBLEM_NONE;
        if (!fulfillment_is_at_location(fulfillment->status))
                return fulfillment_refuse_state(fulfillment, command, "assigned");
        if (fulfillment->assignee && !force) {
                command->refusal->current_status = fulfillment_shown_status(fulfillment);
                return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                        "The fulfillment is assigned to %s; taking it over needs `force`.", fulfillment->assignee);
        }
        fulfillment->assignee = assignee;
        fulfillment->touched = true;
        event_text(fulfillment_tell(fulfillment, EVENT_FULFILLMENT_ASSIGNED, command), "assignee", assignee);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

/* ---- picking ---- */

/* The SKU or GTIN that an item names in this fulfillment. A code that is an SKU here is never read as a GTIN. */
struct wanted {
        const struct pick_item *item;
        const char *sku;
        char gtin[GTIN_SIZE];
};

static bool has_sku(const struct fulfillment *fulfillment, const char *sku) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (text_equal(fulfillment->lines[i].order_line->sku, sku))
                        return true;
        return false;
}

static struct wanted wanted_from(const struct fulfillment *fulfillment, const struct pick_item *item) {
        struct wanted wanted = { .item = item, .sku = item->sku };

        if (!item->code)
                return wanted;
        if (has_sku(fulfillment, item->code))
                wanted.sku = item->code;
        else if (!gtin_parse(item->code, wanted.gtin) && !gtin_from_digital_link(item->code, wanted.gtin))
                wanted.gtin[0] = '\0';
        return wanted;
}

static bool is_wanted(const struct fulfillment_line *line, const char *gtin, const struct wanted *wanted) {
        if (wanted->item->has_order_line_id)
                return uuid_equal(&line->order_line->id, &wanted->item->order_line_id);
        if (wanted->sku)
                return text_equal(line->order_line->sku, wanted->sku);
        return *wanted->gtin && text_equal(gtin, wanted->gtin);
}

struct basket {
        int64_t units[ORDER_LINES_MAX]; /* to be picked or put back, for each line of the fulfillment */
        bool undo, foreign, over;
};

/* How many units of the line the request may name. */
static int64_t basket_room(const struct basket *basket, const struct fulfillment_line *line) {
        return basket->undo ? line->picked - line->fulfilled : fulfillment_line_remaining(line);
}

static void name_too_many_picked(const struct basket *basket, const struct command *command, const char *list,
        size_t place, int64_t possible, int64_t quantity) {
        if (!basket->undo)
                fulfillment_name_over_pick(command, list, place, possible, quantity);
        else
                violation_beyond(command->refusal, command->arena, list, place, "quantity", "not-picked", possible,
                        "%" PRId64 " units are picked and still here, %" PRId64 " are named.", possible, quantity);
}

static void name_foreign(struct basket *basket, const struct command *command, const char *list, size_t place,
        const struct pick_item *item) {
        const char *member = item->code ? "code" : item->sku ? "sku" : "order_line_id";

        basket->foreign = true;
        violation_at(command->refusal, command->arena, list, place, member, "foreign-item",
                "The fulfillment has no such item.");
}

/* Put the units of one item into the basket, line by line; both kinds of mistake are noted. */
static void basket_add(struct basket *basket, const struct fulfillment *fulfillment, const struct pick_item *item,
        const char *list, size_t place, const char *const *gtins, const struct command *command) {
        const struct wanted wanted = wanted_from(fulfillment, item);
        int64_t left = item->quantity;
        bool found = false;

        for (size_t step = 0; step < fulfillment->n_lines; step++) {
                const size_t i = basket->undo ? fulfillment->n_lines - 1 - step : step;
                const struct fulfillment_line *line = &fulfillment->lines[i];
                int64_t units = basket_room(basket, line) - basket->units[i];

                if (!is_wanted(line, gtins ? gtins[i] : NULL, &wanted))
                        continue;
                found = true;
                if (units > left)
                        units = left;
                basket->units[i] += units;
                left -= units;
        }
        if (!found) {
                name_foreign(basket, command, list, place, item);
        } else if (left) {
                basket->over = true;
                name_too_many_picked(basket, command, list, place, item->quantity - left, item->quantity);
        }
}

/* Note the units, and tell them. */
static void take_basket(struct fulfillment *fulfillment, const struct basket *basket, const struct command *command) {
        struct line_units lines[ORDER_LINES_MAX];
        struct event *event;
        size_t n_lines = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                struct fulfillment_line *line = &fulfillment->lines[i];

                if (!basket->units[i])
                        continue;
                line->picked += basket->undo ? -basket->units[i] : basket->units[i];
                line->changed = true;
                lines[n_lines++] = (struct line_units){ line->order_line->id, basket->units[i] };
        }
        event = fulfillment_tell(
                fulfillment, basket->undo ? EVENT_FULFILLMENT_PICK_UNDONE : EVENT_FULFILLMENT_PICKED, command);
        event_lines(event, lines, n_lines);
}

static enum problem refuse_too_many(
        const struct basket *basket, const struct fulfillment *fulfillment, const struct command *command) {
        if (!basket->undo)
                return fulfillment_refuse_over_pick(command);
        command->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                "More units are named than are picked and still here; none of them was put back.");
}

/* Fill a basket with all items and take the step of the lifecycle that goes with it. Refuses before it changes
 * anything. */
static enum problem basket_fill(struct basket *basket, struct fulfillment *fulfillment, const struct pick_item *items,
        size_t n_items, const char *list, const char *const *gtins, const struct command *command) {
        const enum fulfillment_event event = basket->undo ? FULFILLMENT_UNDO_PICK : FULFILLMENT_PICK;
        enum problem p;

        for (size_t i = 0; i < n_items; i++)
                basket_add(basket, fulfillment, &items[i], list, i, gtins, command);
        if (basket->foreign)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "Some items are not in the fulfillment; see `errors`.");
        p = fulfillment_allows(fulfillment, event, command);
        if (p)
                return p;
        if (basket->over)
                return refuse_too_many(basket, fulfillment, command);
        return fulfillment_advance(fulfillment, event, command->arena, command->refusal);
}

enum problem fulfillment_pick(struct fulfillment *fulfillment, const struct pick_item *items, size_t n_items,
        const char *list, const char *const *gtins, const struct command *command) {
        const bool first = fulfillment->status == FULFILLMENT_ALLOCATED;
        struct basket basket = { 0 };
        const enum problem p = basket_fill(&basket, fulfillment, items, n_items, list, gtins, command);

        if (p)
                return p;
        if (first)
                (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_PICKING, command);
        take_basket(fulfillment, &basket, command);
        fulfillment_pack_if_done(fulfillment, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

enum problem fulfillment_undo_pick(struct fulfillment *fulfillment, const struct pick_item *items, size_t n_items,
        const char *list, const char *const *gtins, const struct command *command) {
        struct basket basket = { .undo = true };
        const enum problem p = basket_fill(&basket, fulfillment, items, n_items, list, gtins, command);

        if (p)
                return p;
        take_basket(fulfillment, &basket, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}
