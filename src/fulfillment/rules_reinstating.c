/* A customer comes after the hold has ended, and the units are still there. */
#include "fulfillment/fulfillment.h"

/* ---- whether all units are there ---- */

/* Units of the line's stock row that expired with it; 0 when a line before it has the same row. */
static int64_t wanted_of_row(const struct fulfillment *fulfillment, size_t place) {
        const struct fulfillment_line *lines = fulfillment->lines;
        int64_t units = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                if (lines[i].stock != lines[place].stock)
                        continue;
                if (i < place)
                        return 0;
                units += lines[i].expired;
        }
        return units;
}

static enum problem check_expired_stock(const struct fulfillment *fulfillment, const struct command *command) {
        bool covered = true;

        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                const struct stock_row *row = fulfillment->lines[i].stock;
                const int64_t wanted = wanted_of_row(fulfillment, i), available = row ? stock_available(row) : 0;

                if (wanted <= available)
                        continue;
                covered = false;
                stock_shortage_violate(command->refusal, command->arena, "#/lines", i,
                        &(struct stock_shortage){
                                fulfillment->lines[i].order_line->sku, fulfillment->location, available, wanted });
        }
        if (covered)
                return PROBLEM_NONE;
        return refuse(command->refusal, command->arena, PROBLEM_INSUFFICIENT_STOCK,
                "Location %s does not have all units of the fulfillment any more.", fulfillment->location);
}

/* ---- coming back ---- */

static bool has_expired_units(const struct fulfillment *fulfillment) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (fulfillment->lines[i].expired)
                        return true;
        return false;
}

static enum problem check_reinstating(
        const struct fulfillment *fulfillment, timestamp hold_until, const struct command *command) {
        enum problem p = fulfillment_allows(fulfillment, FULFILLMENT_REINSTATE, command);

        if (!p && !has_expired_units(fulfillment))
                return fulfillment_refuse_state(
                        fulfillment, command, "reinstated: none of its units is known to have expired");
        if (!p && hold_until != TIMESTAMP_NONE)
                p = fulfillment_check_hold(fulfillment, hold_until, "#/hold_until", command);
        return p ? p : check_expired_stock(fulfillment, command);
}

static void tell_reinstated(const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines,
        const struct command *command) {
        struct event *event = fulfillment_tell(fulfillment, EVENT_FULFILLMENT_REINSTATED, command);
        char hold_until[TIMESTAMP_TEXT_SIZE];

        timestamp_format(fulfillment->hold_until, hold_until);
        event_text(event, "hold_until", hold_until);
        event_lines(event, lines, n_lines);
}

enum problem fulfillment_reinstate(
        struct fulfillment *fulfillment, timestamp hold_until, duration hold_for, const struct command *command) {
        struct line_units lines[ORDER_LINES_MAX];
        size_t n_lines = 0;
        enum problem p;

        if (fulfillment->method != BY_SHIPPING && fulfillment->status == FULFILLMENT_READY)
                return fulfillment_repeat(
                        fulfillment, hold_until == TIMESTAMP_NONE || hold_until == fulfillment->hold_until, command);
        p = check_reinstating(fulfillment, hold_until, command);
        if (!p)
                p = fulfillment_advance(fulfillment, FULFILLMENT_REINSTATE, command->arena, command->refusal);
        if (p)
                return p;
        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                struct fulfillment_line *line = &fulfillment->lines[i];

                if (!line->expired)
                        continue;
                lines[n_lines++] = (struct line_units){ line->order_line->id, line->expired };
                fulfillment_line_reinstate(line);
        }
        if (hold_until == TIMESTAMP_NONE)
                hold_until = fulfillment_hold_end(fulfillment, hold_for, command->now);
        fulfillment_hold(fulfillment, hold_until, command->now);
        fulfillment->reason = NULL;
        fulfillment_end_visit(fulfillment, command);
        tell_reinstated(fulfillment, lines, n_lines, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}
