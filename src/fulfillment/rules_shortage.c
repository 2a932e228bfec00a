/* Short, reject, cancel: units or the whole fulfillment will not be picked here. */
#include "fulfillment/resourcing.h"

#include "base/text.h"

const char *const short_reason_texts[] = { "capacity", "closed", "customer_request", "damaged", "not_found", "theft",
        NULL };

/* Correct the stock row as the reason says, once the units are no longer reserved. */
static void note_on_stock(
        struct fulfillment_line *line, int64_t quantity, enum short_reason reason, const struct command *command) {
        struct stock_cause cause = { 0 };

        switch (reason) {
        case SHORT_DAMAGED:
                cause = fulfillment_cause(line->fulfillment, "damage", command);
                stock_move(command->stock, line->stock, 0, quantity, &cause);
                break;
        case SHORT_NOT_FOUND:
                cause = fulfillment_cause(line->fulfillment, "correction", command);
                stock_move(command->stock, line->stock, -quantity, 0, &cause);
                break;
        case SHORT_THEFT:
                cause = fulfillment_cause(line->fulfillment, "theft", command);
                stock_move(command->stock, line->stock, -quantity, 0, &cause);
                break;
        case SHORT_CAPACITY:
        case SHORT_CLOSED:
        case SHORT_CUSTOMER_REQUEST:
                break;
        }
}

static enum problem check_short_lines(const struct fulfillment *fulfillment, const struct line_units *lines,
        size_t n_lines, const struct command *command) {
        bool wrong = false;

        for (size_t i = 0; i < n_lines; i++) {
                const bool foreign = !fulfillment_line_find(fulfillment, &lines[i].order_line_id);

                if (!foreign && !uuid_is_repeated(&lines[0].order_line_id, i, sizeof(lines[0])))
                        continue;
                wrong = true;
                violation_at(command->refusal, command->arena, "#/lines", i, "order_line_id",
                        foreign ? "foreign-item" : "repeated", "%s",
                        foreign ? "The fulfillment has no such line." : "The line is named twice.");
        }
        if (wrong)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "Some lines are unknown or repeated; see `errors`.");
        return PROBLEM_NONE;
}

static enum problem check_short_units(const struct fulfillment *fulfillment, const struct line_units *lines,
        size_t n_lines, const struct command *command) {
        bool too_many = false;

        for (size_t i = 0; i < n_lines; i++) {
                const int64_t remaining =
                        fulfillment_line_remaining(fulfillment_line_find(fulfillment, &lines[i].order_line_id));

                if (lines[i].quantity <= remaining)
                        continue;
                too_many = true;
                fulfillment_name_over_pick(command, "#/lines", i, remaining, lines[i].quantity);
        }
        return too_many ? fulfillment_refuse_over_pick(command) : PROBLEM_NONE;
}

static enum problem check_short(const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines,
        const struct command *command) {
        enum problem p = check_short_lines(fulfillment, lines, n_lines, command);

        if (p)
                return p;
        if (fulfillment->status != FULFILLMENT_ALLOCATED && fulfillment->status != FULFILLMENT_PICKING)
                return fulfillment_refuse_state(fulfillment, command, "short of anything");
        return check_short_units(fulfillment, lines, n_lines, command);
}

static void fall_short(struct fulfillment_line *line, const struct sourcing_need *need) {
        const int64_t resourced = need->quantity - need->left;

        if (resourced)
                fulfillment_line_resource(line, resourced);
        if (need->left)
                fulfillment_line_short(line, need->left);
}

enum problem fulfillment_short(struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines,
        enum short_reason reason, struct sourcing_search *search, const struct command *command) {
        struct shortage shortage;
        struct sourcing_plan plan;
        struct event *event;
        enum problem p;

        p = check_short(fulfillment, lines, n_lines, command);
        if (p)
                return p;
        p = shortage_find(fulfillment, lines, n_lines, command->stock->arena, &shortage);
        if (!p)
                p = shortage_source(&shortage, search, command, &plan);
        if (p)
                return p;
        for (size_t i = 0; i < shortage.n; i++) {
                fall_short(shortage.lines[i], &shortage.needs[i]);
                note_on_stock(shortage.lines[i], shortage.needs[i].quantity, reason, command);
        }
        event = fulfillment_tell(fulfillment, EVENT_FULFILLMENT_SHORT_PICKED, command);
        event_text(event, "reason", short_reason_texts[reason]);
        event_lines(event, lines, n_lines);
        p = shortage_take_over(fulfillment, &shortage, &plan, command);
        return p ? p : order_after_units(fulfillment->order, short_reason_texts[reason], command);
}

static void shorted_units_release(
        const struct shortage *shortage, enum short_reason reason, const struct command *command) {
        for (size_t i = 0; i < shortage->n; i++) {
                struct fulfillment_line *line = shortage->lines[i];
                const struct sourcing_need *need = &shortage->needs[i];
                const int64_t gone = reason == SHORT_NOT_FOUND ? fulfillment_line_remaining(line) : need->quantity;

                fall_short(line, need);
                if (gone)
                        note_on_stock(line, gone, reason, command);
        }
}

static bool has_left_in_part(const struct fulfillment *fulfillment) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (fulfillment->lines[i].fulfilled)
                        return true;
        return false;
}

/* A fulfillment of which a part has left is not rejected as a whole: it ends with that part. */
enum problem fulfillment_reject(struct fulfillment *fulfillment, enum short_reason reason,
        struct sourcing_search *search, const struct command *command) {
        struct shortage shortage;
        struct sourcing_plan plan;
        enum problem p;

        if (fulfillment->status == FULFILLMENT_REJECTED)
                return fulfillment_repeat(
                        fulfillment, text_equal(fulfillment->reason, short_reason_texts[reason]), command);
        p = fulfillment_allows(fulfillment, FULFILLMENT_REJECT, command);
        if (p)
                return p;
        p = shortage_find(fulfillment, NULL, 0, command->stock->arena, &shortage);
        if (!p)
                p = shortage_source(&shortage, search, command, &plan);
        if (!p && !has_left_in_part(fulfillment))
                p = fulfillment_advance(fulfillment, FULFILLMENT_REJECT, command->arena, command->refusal);
        if (p)
                return p;
        fulfillment->reason = short_reason_texts[reason];
        shorted_units_release(&shortage, reason, command);
        event_text(fulfillment_tell(fulfillment, EVENT_FULFILLMENT_REJECTED, command), "reason",
                short_reason_texts[reason]);
        p = shortage_take_over(fulfillment, &shortage, &plan, command);
        return p ? p : order_after_units(fulfillment->order, short_reason_texts[reason], command);
}

enum problem fulfillment_cancel(struct fulfillment *fulfillment, const char *reason, const struct command *command) {
        enum problem p;

        if (fulfillment->status == FULFILLMENT_CANCELLED)
                return fulfillment_repeat(fulfillment, text_equal(fulfillment->reason, reason), command);
        p = fulfillment_allows(fulfillment, FULFILLMENT_CANCEL, command);
        if (p)
                return p;
        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                const int64_t open = fulfillment_line_open(&fulfillment->lines[i]);

                if (open)
                        fulfillment_line_cancel(&fulfillment->lines[i], open);
        }
        return order_after_units(fulfillment->order, reason, command);
}
