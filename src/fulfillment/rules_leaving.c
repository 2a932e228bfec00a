/* Units leave a location: the rules that hand-over and shipping share. */
#include "fulfillment/leaving.h"

#include <inttypes.h>

static int64_t units_at_hand(const struct fulfillment_line *line) {
        return line->picked - line->fulfilled;
}

/* `at` is the pointer of the list in the request. */
void departure_add(struct departure *departure, const struct fulfillment *fulfillment, const struct line_units *units,
        const char *at, size_t place, const struct command *command) {
        const struct fulfillment_line *line = fulfillment_line_find(fulfillment, &units->order_line_id);

        if (!line) {
                departure->foreign = true;
                violation_at(command->refusal, command->arena, at, place, "order_line_id", "foreign-item",
                        "The fulfillment has no such line.");
                return;
        }
        departure->units[line - fulfillment->lines] += units->quantity;
        if (departure->units[line - fulfillment->lines] <= units_at_hand(line))
                return;
        departure->too_many = true;
        violation_beyond(command->refusal, command->arena, at, place, "quantity", "not-picked", units_at_hand(line),
                "%" PRId64 " units of the line are picked and still here.", units_at_hand(line));
}

enum problem departure_check(
        const struct departure *departure, const struct fulfillment *fulfillment, const struct command *command) {
        if (departure->foreign)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "Some lines are not in the fulfillment; see `errors`.");
        if (!departure->too_many)
                return PROBLEM_NONE;
        command->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                "More units are named than are picked and still here; none of them left.");
}

void departure_rest(struct departure *departure, const struct fulfillment *fulfillment) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                departure->units[i] = units_at_hand(&fulfillment->lines[i]);
}

size_t departure_lines(
        const struct departure *departure, const struct fulfillment *fulfillment, struct line_units *lines) {
        size_t n = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (departure->units[i])
                        lines[n++] = (struct line_units){ fulfillment->lines[i].order_line->id, departure->units[i] };
        return n;
}

/* The units are gone from the location; true when they were the last ones. */
static bool take_out(
        struct fulfillment *fulfillment, const struct departure *departure, const struct command *command) {
        const struct stock_cause cause = fulfillment_cause(fulfillment, "sale", command);
        int64_t open = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                if (departure->units[i])
                        fulfillment_line_fulfill(&fulfillment->lines[i], departure->units[i], command->stock, &cause);
                open += fulfillment_line_open(&fulfillment->lines[i]);
        }
        return !open;
}

/* Take the units out, advance when nothing is left, and tell which of the two happened. */
enum problem departure_leave(struct fulfillment *fulfillment, const struct departure *departure,
        enum fulfillment_event event, enum event_type whole, enum event_type part, const struct command *command,
        struct event **ret_told) {
        struct line_units lines[ORDER_LINES_MAX];
        const size_t n_lines = departure_lines(departure, fulfillment, lines);
        const bool last = take_out(fulfillment, departure, command);
        enum problem p = PROBLEM_NONE;
        int64_t waited_s;

        if (last)
                p = fulfillment_advance(fulfillment, event, command->arena, command->refusal);
        if (p)
                return p;
        waited_s = fulfillment_note_wait(fulfillment, last, command);
        *ret_told = fulfillment_tell(fulfillment, last ? whole : part, command);
        if (waited_s >= 0)
                event_integer(*ret_told, "waited_s", waited_s);
        event_lines(*ret_told, lines, n_lines);
        order_request_captures(fulfillment->order, fulfillment, command);
        return PROBLEM_NONE;
}
