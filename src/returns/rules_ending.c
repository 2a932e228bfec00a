/* A return ends without goods: cancelled, or lost. */
#include "orders/placing.h"
#include "returns/returns.h"

#include "base/text.h"

static enum problem refuse_nothing_awaited(struct rma *rma, bool reached, const struct command *command) {
        if (reached && text_equal(rma->moved_by, command->actor))
                return PROBLEM_NONE;
        command->refusal->current_status = return_status_texts[rma->status];
        return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                "Nothing of the return is awaited any more.");
}

static void end_all(struct rma *rma, enum reception_event event, const struct command *command) {
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->reception == RECEPTION_AWAITING)
                        (void) reception_advance(rma->lines[i], event, command->arena, command->refusal);
}

enum problem return_cancel(struct rma *rma, const char *reason, const struct command *command) {
        struct event *event;

        if (!return_is_awaited(rma->status))
                return refuse_nothing_awaited(
                        rma, rma->status == RETURN_CANCELLED && text_equal(rma->cancel_reason, reason), command);
        end_all(rma, RECEPTION_CALL_OFF, command);
        rma->cancel_reason = reason;
        rma_settle(rma, command);
        event = rma_tell(rma, EVENT_RETURN_CANCELLED, command);
        event_text(event, "reason", reason);
        order_settle(rma->order, command);
        return PROBLEM_NONE;
}

static bool lost_units_match(const struct awaited_units *units, const struct return_line *line) {
        return return_line_is(line, units->has_id ? &units->id : NULL,
                units->has_order_line_id ? &units->order_line_id : NULL, units->sku);
}

static int64_t awaited_of(const struct rma *rma, const struct awaited_units *units) {
        int64_t sum = 0;

        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->reception == RECEPTION_AWAITING && lost_units_match(units, rma->lines[i]))
                        sum += rma->lines[i]->quantity;
        return sum;
}

/* Each entry is checked alone. The units of several entries together are compared with the lines when they are taken.
 */
static enum problem lose_units(struct rma *rma, const struct awaited_units *units, const struct command *command) {
        int64_t left = units->quantity;

        for (size_t i = 0; left && i < rma->n_lines; i++) {
                struct return_line *line = rma->lines[i];
                struct return_line *part = line;

                if (line->reception != RECEPTION_AWAITING || !lost_units_match(units, line))
                        continue;
                if (left < line->quantity)
                        part = return_line_split(line, left, command->stock->arena);
                if (!part)
                        return FAULT_BUSY;
                left -= part->quantity;
                (void) reception_advance(part, RECEPTION_LOSE, command->arena, command->refusal);
        }
        return PROBLEM_NONE;
}

static bool names_twice(const struct awaited_units *units, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (units[i].has_id == units[j].has_id && uuid_equal(&units[i].id, &units[j].id) &&
                        uuid_equal(&units[i].order_line_id, &units[j].order_line_id) &&
                        text_equal(units[i].sku, units[j].sku))
                        return true;
        return false;
}

static enum problem check_lost(
        const struct rma *rma, const struct awaited_units *units, size_t n_units, const struct command *command) {
        for (size_t i = 0; i < n_units; i++) {
                const int64_t awaited = names_twice(units, i) ? 0 : awaited_of(rma, &units[i]);

                if (units[i].quantity > awaited)
                        return_name_over(command, i, awaited);
        }
        if (!command->refusal->n_violations)
                return PROBLEM_NONE;
        command->refusal->current_status = return_status_texts[rma->status];
        return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                "More units are named than are awaited; see `errors`.");
}

enum problem return_lose(
        struct rma *rma, const struct awaited_units *units, size_t n_units, const struct command *command) {
        enum problem p = PROBLEM_NONE;

        if (!return_is_awaited(rma->status))
                return refuse_nothing_awaited(rma, rma->status == RETURN_LOST, command);
        p = check_lost(rma, units, n_units, command);
        if (p)
                return p;
        if (!units)
                end_all(rma, RECEPTION_LOSE, command);
        for (size_t i = 0; units && i < n_units && !p; i++)
                p = lose_units(rma, &units[i], command);
        if (p)
                return p;
        rma_settle(rma, command);
        (void) rma_tell(rma, EVENT_RETURN_LOST, command);
        order_settle(rma->order, command);
        return PROBLEM_NONE;
}
