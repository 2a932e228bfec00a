/* What happens on the shelf; what leaves the house is in rules_handover.c. */
#include "fulfillment/sourcing.h"

#include "base/gtin.h"
#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <stdio.h>

const char *const short_reason_texts[] = { "capacity", "closed", "customer_request", "damaged", "not_found", "theft",
        NULL };

/* ---- what the rules share ---- */

enum problem fulfillment_allows(
        const struct fulfillment *fulfillment, enum fulfillment_event event, const struct act *act) {
        struct fulfillment trial = *fulfillment;

        return fulfillment_advance(&trial, event, act->arena, act->refusal);
}

struct fulfillment_line *fulfillment_line_find(
        const struct fulfillment *fulfillment, const struct uuid *order_line_id) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (uuid_equal(&fulfillment->lines[i].order_line->id, order_line_id))
                        return &fulfillment->lines[i];
        return NULL;
}

void event_lines(struct event *event, const struct line_units *lines, size_t n_lines) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_name(&json, "lines");
        write_list_begin(&json);
        for (size_t i = 0; i < n_lines; i++) {
                write_object_begin(&json);
                write_uuid_member(&json, "order_line_id", &lines[i].order_line_id);
                write_integer_member(&json, "quantity", lines[i].quantity);
                write_object_end(&json);
        }
        write_list_end(&json);
}

struct stock_cause fulfillment_cause(const struct fulfillment *fulfillment, const char *reason, const struct act *act) {
        char id[UUID_TEXT_SIZE];
        const char *document;

        uuid_format(&fulfillment->id, id);
        document = arena_format(act->arena, "fulfillment/%s", id);
        if (!document)
                act->stock->exhausted = true;
        return (struct stock_cause){ .reason = reason, .document = document, .actor = act->actor };
}

enum problem fulfillment_refuse_state(const struct fulfillment *fulfillment, const struct act *act, const char *what) {
        act->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(act->refusal, act->arena, PROBLEM_INVALID_TRANSITION, "A fulfillment that is %s cannot be %s.",
                act->refusal->current_status, what);
}

enum problem fulfillment_repeat(const struct fulfillment *fulfillment, bool same, const struct act *act) {
        if (same && text_equal(fulfillment->moved_by, act->actor))
                return PROBLEM_NONE;
        act->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(act->refusal, act->arena, PROBLEM_INVALID_TRANSITION, "It is %s already, and %s.",
                act->refusal->current_status, same ? "by somebody else" : "not as this request says");
}

static void name_over_pick(const struct act *act, const char *list, size_t place, int64_t remaining, int64_t quantity) {
        char pointer[64];

        (void) snprintf(pointer, sizeof(pointer), "#/%s/%zu/quantity", list, place);
        refuse_beyond(act->refusal, act->arena, pointer, "over-pick", remaining,
                "%" PRId64 " units remain to be picked, %" PRId64 " are named.", remaining, quantity);
}

static enum problem refuse_over_pick(const struct act *act) {
        return refuse(act->refusal, act->arena, PROBLEM_OVER_PICK,
                "More units are named than remain to be picked; none of them was noted.");
}

/* ---- assigning ---- */

bool fulfillment_is_in_the_house(enum fulfillment_status status) {
        return status == FULFILLMENT_ALLOCATED || status == FULFILLMENT_PICKING || status == FULFILLMENT_READY ||
               status == FULFILLMENT_PACKED;
}

enum problem fulfillment_assign(
        struct fulfillment *fulfillment, const char *assignee, bool force, const struct act *act) {
        if (text_equal(fulfillment->assignee, assignee))
                return PROBLEM_NONE;
        if (!fulfillment_is_in_the_house(fulfillment->status))
                return fulfillment_refuse_state(fulfillment, act, "assigned");
        if (fulfillment->assignee && !force) {
                act->refusal->current_status = fulfillment_shown_status(fulfillment);
                return refuse(act->refusal, act->arena, PROBLEM_INVALID_TRANSITION,
                        "It is assigned to %s; taking it over needs force.", fulfillment->assignee);
        }
        fulfillment->assignee = assignee;
        fulfillment->touched = true;
        event_text(
                fulfillment_tell(act->events, fulfillment, "fulfillment.assigned", act->actor), "assignee", assignee);
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

/* ---- picking ---- */

/* What an item means in this fulfillment. A code that is an SKU here is never read as a GTIN. */
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

/* How many units of the line can be meant. */
static int64_t basket_room(const struct basket *basket, const struct fulfillment_line *line) {
        return basket->undo ? line->picked - line->fulfilled : fulfillment_line_remaining(line);
}

static void name_too_many(const struct basket *basket, const struct act *act, const char *list, size_t place,
        int64_t possible, int64_t quantity) {
        char pointer[64];

        if (!basket->undo) {
                name_over_pick(act, list, place, possible, quantity);
                return;
        }
        (void) snprintf(pointer, sizeof(pointer), "#/%s/%zu/quantity", list, place);
        refuse_beyond(act->refusal, act->arena, pointer, "not-picked", possible,
                "%" PRId64 " units are picked and still here, %" PRId64 " are named.", possible, quantity);
}

static void name_foreign(
        struct basket *basket, const struct act *act, const char *list, size_t place, const struct pick_item *item) {
        const char *member = item->code ? "code" : item->sku ? "sku" : "order_line_id";
        char pointer[64];

        basket->foreign = true;
        (void) snprintf(pointer, sizeof(pointer), "#/%s/%zu/%s", list, place, member);
        (void) refuse_because(act->refusal, act->arena, pointer, "foreign-item", "The fulfillment has no such item.");
}

/* Put the units of one item into the basket, line by line; both kinds of mistake are noted. */
static void basket_add(struct basket *basket, const struct fulfillment *fulfillment, const struct pick_item *item,
        const char *list, size_t place, const char *const *gtins, const struct act *act) {
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
                name_foreign(basket, act, list, place, item);
        } else if (left) {
                basket->over = true;
                name_too_many(basket, act, list, place, item->quantity - left, item->quantity);
        }
}

/* Note the units, and tell them. */
static void take_basket(struct fulfillment *fulfillment, const struct basket *basket, const struct act *act) {
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
                act->events, fulfillment, basket->undo ? "fulfillment.pick_undone" : "fulfillment.picked", act->actor);
        event_lines(event, lines, n_lines);
}

static enum problem refuse_too_many(
        const struct basket *basket, const struct fulfillment *fulfillment, const struct act *act) {
        if (!basket->undo)
                return refuse_over_pick(act);
        act->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(act->refusal, act->arena, PROBLEM_INVALID_TRANSITION,
                "More units are named than are picked and still here; none of them was put back.");
}

/* Fill a basket with all items and take the step of the lifecycle that goes with it. Refuses before it changes
 * anything. */
static enum problem basket_fill(struct basket *basket, struct fulfillment *fulfillment, const struct pick_item *items,
        size_t n_items, const char *list, const char *const *gtins, const struct act *act) {
        const enum fulfillment_event event = basket->undo ? FULFILLMENT_UNDO_PICK : FULFILLMENT_PICK;
        enum problem p;

        for (size_t i = 0; i < n_items; i++)
                basket_add(basket, fulfillment, &items[i], list, i, gtins, act);
        if (basket->foreign)
                return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED,
                        "The request names what is not in the fulfillment.");
        p = fulfillment_allows(fulfillment, event, act);
        if (p)
                return p;
        if (basket->over)
                return refuse_too_many(basket, fulfillment, act);
        return fulfillment_advance(fulfillment, event, act->arena, act->refusal);
}

enum problem fulfillment_pick(struct fulfillment *fulfillment, const struct pick_item *items, size_t n_items,
        const char *list, const char *const *gtins, const struct act *act) {
        const bool first = fulfillment->status == FULFILLMENT_ALLOCATED;
        struct basket basket = { 0 };
        const enum problem p = basket_fill(&basket, fulfillment, items, n_items, list, gtins, act);

        if (p)
                return p;
        if (first)
                (void) fulfillment_tell(act->events, fulfillment, "fulfillment.picking", act->actor);
        take_basket(fulfillment, &basket, act);
        fulfillment_pack_if_done(fulfillment, act->events, act->actor);
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

enum problem fulfillment_undo_pick(struct fulfillment *fulfillment, const struct pick_item *items, size_t n_items,
        const char *list, const char *const *gtins, const struct act *act) {
        struct basket basket = { .undo = true };
        const enum problem p = basket_fill(&basket, fulfillment, items, n_items, list, gtins, act);

        if (p)
                return p;
        take_basket(fulfillment, &basket, act);
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

/* ---- what is not to be had ---- */

/* What the reason says about the shelf, once the units are no longer reserved. */
static void note_on_stock(
        struct fulfillment_line *line, int64_t quantity, enum short_reason reason, const struct act *act) {
        struct stock_cause cause = { 0 };

        switch (reason) {
        case SHORT_DAMAGED:
                cause = fulfillment_cause(line->fulfillment, "damage", act);
                stock_move(act->stock, line->stock, 0, quantity, &cause);
                break;
        case SHORT_NOT_FOUND:
                cause = fulfillment_cause(line->fulfillment, "correction", act);
                stock_move(act->stock, line->stock, -quantity, 0, &cause);
                break;
        case SHORT_THEFT:
                cause = fulfillment_cause(line->fulfillment, "theft", act);
                stock_move(act->stock, line->stock, -quantity, 0, &cause);
                break;
        case SHORT_CAPACITY:
        case SHORT_CLOSED:
        case SHORT_CUSTOMER_REQUEST:
                break;
        }
}

static bool is_repeated(const struct line_units *lines, size_t place) {
        for (size_t i = 0; i < place; i++)
                if (uuid_equal(&lines[i].order_line_id, &lines[place].order_line_id))
                        return true;
        return false;
}

static enum problem check_short_lines(
        const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines, const struct act *act) {
        bool wrong = false;

        for (size_t i = 0; i < n_lines; i++) {
                const bool foreign = !fulfillment_line_find(fulfillment, &lines[i].order_line_id);
                char pointer[64];

                if (!foreign && !is_repeated(lines, i))
                        continue;
                wrong = true;
                (void) snprintf(pointer, sizeof(pointer), "#/lines/%zu/order_line_id", i);
                (void) refuse_because(act->refusal, act->arena, pointer, foreign ? "foreign-item" : "repeated", "%s",
                        foreign ? "The fulfillment has no such line." : "The line is named twice.");
        }
        if (wrong)
                return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED,
                        "The request names lines that cannot be meant.");
        return PROBLEM_NONE;
}

static enum problem check_short_units(
        const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines, const struct act *act) {
        bool too_many = false;

        for (size_t i = 0; i < n_lines; i++) {
                const int64_t remaining =
                        fulfillment_line_remaining(fulfillment_line_find(fulfillment, &lines[i].order_line_id));

                if (lines[i].quantity <= remaining)
                        continue;
                too_many = true;
                name_over_pick(act, "lines", i, remaining, lines[i].quantity);
        }
        return too_many ? refuse_over_pick(act) : PROBLEM_NONE;
}

static enum problem check_short(
        const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines, const struct act *act) {
        enum problem p = check_short_lines(fulfillment, lines, n_lines, act);

        if (p)
                return p;
        if (fulfillment->status != FULFILLMENT_ALLOCATED && fulfillment->status != FULFILLMENT_PICKING)
                return fulfillment_refuse_state(fulfillment, act, "short of anything");
        return check_short_units(fulfillment, lines, n_lines, act);
}

/* Find out who has what is missing, and reserve it there. */
static enum problem look_elsewhere(
        struct need *needs, size_t n_needs, const struct act *act, struct source **ret_sources, size_t *ret_n) {
        struct search *search = act->search;
        int64_t left = 0;
        enum problem p;

        if (!search || !n_needs)
                return PROBLEM_NONE;
        candidates_promise(search->candidates, search->n_candidates, needs[0].line->fulfillment->method, act->now);
        p = sources_choose(needs, n_needs, search, act->stock, ret_sources, ret_n);
        for (size_t i = 0; i < n_needs; i++)
                left += needs[i].left;
        return !p && left > search->left ? FAULT_STALE : p;
}

static void fall_short(const struct need *need) {
        const int64_t resourced = need->quantity - need->left;

        if (resourced)
                fulfillment_line_resource(need->line, resourced);
        if (need->left)
                fulfillment_line_short(need->line, need->left);
}

enum problem fulfillment_short(struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines,
        enum short_reason reason, const struct act *act) {
        struct need needs[ORDER_LINES_MAX];
        struct source *sources = NULL;
        size_t n_needs, n_sources = 0;
        struct event *event;
        enum problem p;

        p = check_short(fulfillment, lines, n_lines, act);
        if (p)
                return p;
        n_needs = needs_of(fulfillment, lines, n_lines, needs);
        p = look_elsewhere(needs, n_needs, act, &sources, &n_sources);
        if (p)
                return p;
        for (size_t i = 0; i < n_needs; i++) {
                fall_short(&needs[i]);
                note_on_stock(needs[i].line, needs[i].quantity, reason, act);
        }
        event = fulfillment_tell(act->events, fulfillment, "fulfillment.short_picked", act->actor);
        event_text(event, "reason", short_reason_texts[reason]);
        event_lines(event, lines, n_lines);
        p = sources_take_over(fulfillment, sources, n_sources, act);
        return p ? p
                 : order_after_units(fulfillment->order, short_reason_texts[reason], act->actor, act->events, act->now,
                           act->arena, act->refusal);
}

static void give_back(const struct need *needs, size_t n_needs, enum short_reason reason, const struct act *act) {
        for (size_t i = 0; i < n_needs; i++) {
                struct fulfillment_line *line = needs[i].line;
                const int64_t gone = reason == SHORT_NOT_FOUND ? fulfillment_line_remaining(line) : needs[i].quantity;

                fall_short(&needs[i]);
                if (gone)
                        note_on_stock(line, gone, reason, act);
        }
}

enum problem fulfillment_reject(struct fulfillment *fulfillment, enum short_reason reason, const struct act *act) {
        struct need needs[ORDER_LINES_MAX];
        struct source *sources = NULL;
        size_t n_needs, n_sources = 0;
        enum problem p;

        if (fulfillment->status == FULFILLMENT_REJECTED)
                return fulfillment_repeat(
                        fulfillment, text_equal(fulfillment->reason, short_reason_texts[reason]), act);
        p = fulfillment_allows(fulfillment, FULFILLMENT_REJECT, act);
        if (p)
                return p;
        n_needs = needs_of(fulfillment, NULL, 0, needs);
        p = look_elsewhere(needs, n_needs, act, &sources, &n_sources);
        if (!p)
                p = fulfillment_advance(fulfillment, FULFILLMENT_REJECT, act->arena, act->refusal);
        if (p)
                return p;
        fulfillment->reason = short_reason_texts[reason];
        give_back(needs, n_needs, reason, act);
        event_text(fulfillment_tell(act->events, fulfillment, "fulfillment.rejected", act->actor), "reason",
                short_reason_texts[reason]);
        p = sources_take_over(fulfillment, sources, n_sources, act);
        return p ? p
                 : order_after_units(fulfillment->order, short_reason_texts[reason], act->actor, act->events, act->now,
                           act->arena, act->refusal);
}

enum problem fulfillment_cancel(struct fulfillment *fulfillment, const char *reason, const struct act *act) {
        enum problem p;

        if (fulfillment->status == FULFILLMENT_CANCELLED)
                return fulfillment_repeat(fulfillment, text_equal(fulfillment->reason, reason), act);
        p = fulfillment_allows(fulfillment, FULFILLMENT_CANCEL, act);
        if (p)
                return p;
        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                const int64_t open = fulfillment_line_open(&fulfillment->lines[i]);

                if (open)
                        fulfillment_line_cancel(&fulfillment->lines[i], open);
        }
        return order_after_units(
                fulfillment->order, reason, act->actor, act->events, act->now, act->arena, act->refusal);
}

/* ---- waiting for the customer ---- */

static void tell_ready(const struct fulfillment *fulfillment, const struct act *act) {
        struct event *event = fulfillment_tell(act->events, fulfillment, "fulfillment.ready", act->actor);
        char hold_until[TIMESTAMP_TEXT_SIZE];

        timestamp_format(fulfillment->hold_until, hold_until);
        event_text(event, "hold_until", hold_until);
}

/* Nothing is lost when somebody says again that it is ready, so everybody may. */
static enum problem move_staged(struct fulfillment *fulfillment, const char *staging_location, const struct act *act) {
        if (!staging_location || text_equal(staging_location, fulfillment->staging_location))
                return PROBLEM_NONE;
        fulfillment->staging_location = staging_location;
        fulfillment->touched = true;
        event_text(fulfillment_tell(act->events, fulfillment, "fulfillment.staged", act->actor), "staging_location",
                staging_location);
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

enum problem fulfillment_make_ready(
        struct fulfillment *fulfillment, const char *staging_location, duration hold_for, const struct act *act) {
        const int64_t remaining = fulfillment_remaining(fulfillment);
        enum problem p;

        if (fulfillment->status == FULFILLMENT_READY)
                return move_staged(fulfillment, staging_location, act);
        p = fulfillment_allows(fulfillment, FULFILLMENT_MAKE_READY, act);
        if (p)
                return p;
        if (remaining) {
                act->refusal->current_status = fulfillment_shown_status(fulfillment);
                return refuse(act->refusal, act->arena, PROBLEM_INVALID_TRANSITION,
                        "%" PRId64 " units are neither picked nor short.", remaining);
        }
        p = fulfillment_advance(fulfillment, FULFILLMENT_MAKE_READY, act->arena, act->refusal);
        if (p)
                return p;
        fulfillment_hold(fulfillment, fulfillment_hold_end(fulfillment, hold_for, act->now), act->now);
        if (staging_location)
                fulfillment->staging_location = staging_location;
        tell_ready(fulfillment, act);
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}
