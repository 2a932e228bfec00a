/*
 * Disposing: units that were set aside get their disposition.
 */
#include "returns/returns.h"

#include "base/text.h"

static enum bucket_event event_of(enum disposition disposition) {
        if (disposition == DISPOSE_RESTOCK)
                return BUCKET_RESTOCK;
        return disposition == DISPOSE_DAMAGED || disposition == DISPOSE_QUARANTINE ? BUCKET_SET_ASIDE : BUCKET_TAKE_OUT;
}

static enum bucket aim_of(enum disposition disposition) {
        int next;

        if (!lifecycle_next(&bucket_lifecycle, BUCKET_UNSELLABLE, (int) event_of(disposition), &next))
                return BUCKET_NONE;
        return (enum bucket) next;
}

static struct return_line *line_find(const struct rma *rma, const struct uuid *id) {
        for (size_t i = 0; i < rma->n_lines; i++)
                if (uuid_equal(&rma->lines[i]->id, id))
                        return rma->lines[i];
        return NULL;
}

/* All units have the disposition already, and the same actor repeats the request. */
static bool is_disposal_repeat(const struct rma *rma, enum disposition disposition, const struct move *moves,
        size_t n_moves, const struct command *command) {
        for (size_t i = 0; i < n_moves; i++) {
                const struct return_line *line = line_find(rma, &moves[i].id);

                if (!line || line->disposition != (int) disposition || line->bucket != aim_of(disposition))
                        return false;
        }
        return text_equal(rma->moved_by, command->actor);
}

static int64_t units_of(const struct move *move, const struct return_line *line) {
        return move->has_quantity ? move->quantity : line->quantity;
}

static enum problem check_names(
        const struct rma *rma, const struct move *moves, size_t n_moves, const struct command *command) {
        for (size_t i = 0; i < n_moves; i++) {
                if (!line_find(rma, &moves[i].id))
                        return_name_fault(command, i, "id", "unknown-line", "The return has no such line.");
                else if (uuid_is_repeated(&moves[0].id, i, sizeof(moves[0])))
                        return_name_fault(command, i, "id", "repeated", "The line is named before.");
        }
        if (command->refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "Some lines are unknown or repeated; see `errors`.");
        return PROBLEM_NONE;
}

static enum problem check_states(const struct rma *rma, enum disposition disposition, const struct move *moves,
        size_t n_moves, const struct command *command) {
        for (size_t i = 0; i < n_moves; i++) {
                const struct return_line *line = line_find(rma, &moves[i].id);
                int next;

                if (lifecycle_next(&bucket_lifecycle, (int) line->bucket, (int) event_of(disposition), &next) &&
                        line->bucket == BUCKET_UNSELLABLE)
                        continue;
                command->refusal->current_status = bucket_lifecycle.states[line->bucket];
                return_name_fault(
                        command, i, "id", "not-set-aside", "Only units that were set aside can be disposed of.");
        }
        if (command->refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                        "Some units are not set aside: they are on the shelf or gone; see `errors`.");
        return PROBLEM_NONE;
}

/* Units of a stock row that moves up to this one take. */
static int64_t taken_there(const struct rma *rma, const struct move *moves, size_t upto) {
        const struct return_line *line = line_find(rma, &moves[upto].id);
        int64_t units = 0;

        for (size_t i = 0; i <= upto; i++) {
                const struct return_line *other = line_find(rma, &moves[i].id);

                if (text_equal(other->location, line->location) &&
                        text_equal(other->order_line->sku, line->order_line->sku))
                        units += units_of(&moves[i], other);
        }
        return units;
}

/* Of the line, and of the stock: a count may have found fewer since. */
static enum problem check_units(
        const struct rma *rma, const struct move *moves, size_t n_moves, const struct command *command) {
        for (size_t i = 0; i < n_moves; i++) {
                const struct return_line *line = line_find(rma, &moves[i].id);
                const struct stock_row *row = stock_find(command->stock, line->location, line->order_line->sku);
                int64_t there = row ? row->unsellable - taken_there(rma, moves, i) + units_of(&moves[i], line) : 0;

                if (there > line->quantity)
                        there = line->quantity;
                if (units_of(&moves[i], line) > there)
                        violation_beyond(command->refusal, command->arena, "#/lines", i, "quantity",
                                "insufficient-stock", there < 0 ? 0 : there,
                                "The location has fewer units of this return set aside.");
        }
        if (command->refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_INSUFFICIENT_STOCK,
                        "More units are named than are set aside from this return.");
        return PROBLEM_NONE;
}

static void move_stock(const struct return_line *line, const struct command *command) {
        struct stock_row *row = stock_find(command->stock, line->location, line->order_line->sku);
        const struct stock_cause cause = return_cause(line->rma, disposition_texts[line->disposition], command);

        if (line->bucket == BUCKET_SELLABLE)
                stock_move(command->stock, row, 0, -line->quantity, &cause);
        else if (line->bucket == BUCKET_GONE)
                stock_move(command->stock, row, -line->quantity, -line->quantity, &cause);
}

static enum problem move_one(struct rma *rma, enum disposition disposition, const struct move *move,
        struct return_line **ret_line, const struct command *command) {
        struct return_line *line = line_find(rma, &move->id);
        enum problem p;

        if (units_of(move, line) < line->quantity)
                line = return_line_split(line, units_of(move, line), command->stock->arena);
        if (!line)
                return FAULT_BUSY;
        p = bucket_advance(line, event_of(disposition), command->arena, command->refusal);
        if (p)
                return p;
        line->disposition = (int) disposition;
        move_stock(line, command);
        *ret_line = line;
        return PROBLEM_NONE;
}

enum problem return_dispose(struct rma *rma, enum disposition disposition, const struct move *moves, size_t n_moves,
        const struct command *command) {
        struct return_line **lines = arena_new_array(command->arena, struct return_line *, n_moves);
        enum problem p = lines ? check_names(rma, moves, n_moves, command) : FAULT_BUSY;

        if (p || is_disposal_repeat(rma, disposition, moves, n_moves, command))
                return p;
        p = check_states(rma, disposition, moves, n_moves, command);
        if (!p)
                p = check_units(rma, moves, n_moves, command);
        if (!p && rma->n_lines + n_moves > RETURN_LINES_MAX)
                p = return_refuse_full(command, "#/lines", RETURN_LINES_MAX, "lines");
        for (size_t i = 0; i < n_moves && !p; i++)
                p = move_one(rma, disposition, &moves[i], &lines[i], command);
        if (p)
                return p;
        rma_settle(rma, command);
        rma_tell_lines(rma_tell(rma, EVENT_RETURN_DISPOSED, command), lines, n_moves);
        order_settle(rma->order, command);
        return PROBLEM_NONE;
}
