#include "orders/number.h"
#include "returns/import.h"

#include "base/digest.h"
#include "base/text.h"

const char *import_return_number(const struct import_return *body, struct arena *arena) {
        const struct digest_part parts[] = { digest_text(body->channel), digest_text(body->order),
                digest_text(body->external_ref) };
        uint8_t digest[DIGEST_SIZE];
        const char *number;

        digest_parts(parts, array_size(parts), digest);
        number = order_number_of(digest, arena);
        return number ? arena_format(arena, "R-%s", number) : NULL;
}

struct rma *import_return_find(const struct return_set *set, const struct order *order, const char *number) {
        for (size_t i = 0; i < set->n_rows; i++)
                if (set->rows[i]->order == order && text_equal(set->rows[i]->number, number))
                        return set->rows[i];
        return NULL;
}

static bool is_line(const struct order_line *line, const struct import_return_line *wanted) {
        return text_equal(line->sku, wanted->sku) && line->unit_price == wanted->unit_price.amount &&
               line->quantity == wanted->bought;
}

bool import_return_has(const struct rma *rma, const struct import_return_line *line, bool *answered) {
        for (size_t i = 0; i < rma->n_lines; i++) {
                if (answered[i] || rma->lines[i]->quantity != line->quantity ||
                        !is_line(rma->lines[i]->order_line, line))
                        continue;
                answered[i] = true;
                return true;
        }
        return false;
}

/* ---- which lines come back ---- */

static int64_t most_of(const struct return_set *set, const struct order *order, const struct import_return_line *wanted,
        const int64_t *planned) {
        int64_t most = 0;

        for (size_t i = 0; i < order->n_lines; i++) {
                const int64_t left = order_line_returnable(set, &order->lines[i]) - planned[i];

                if (is_line(&order->lines[i], wanted) && left > most)
                        most = left;
        }
        return most;
}

/* A line of the order of which so much is left; `planned` of each line goes back with lines before this one. Lines that
 * say the same are alike. */
static struct order_line *imported_order_line(const struct return_set *set, const struct order *order,
        const struct import_return_line *wanted, const int64_t *planned, bool *ret_exists) {
        for (size_t i = 0; i < order->n_lines; i++) {
                if (!is_line(&order->lines[i], wanted))
                        continue;
                *ret_exists = true;
                if (order_line_returnable(set, &order->lines[i]) - planned[i] >= wanted->quantity)
                        return &order->lines[i];
        }
        return NULL;
}

static enum problem choose_lines(const struct return_set *set, const struct order *order,
        const struct import_return *body, const struct command *command, struct order_line **chosen) {
        int64_t *planned = arena_new_array(command->arena, int64_t, order->n_lines);
        bool unknown = false;

        if (!planned)
                return FAULT_BUSY;
        for (size_t i = 0; i < body->n_lines; i++) {
                bool exists = false;

                chosen[i] = imported_order_line(set, order, &body->lines[i], planned, &exists);
                if (chosen[i])
                        planned[chosen[i]->number] += body->lines[i].quantity;
                else if (exists)
                        return_name_over(command, i, most_of(set, order, &body->lines[i], planned));
                else
                        violation_at(command->refusal, command->arena, "#/lines", i, "quantity", "unknown-line",
                                "The order has no such line.");
                unknown = unknown || (!chosen[i] && !exists);
        }
        if (unknown)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The order does not have all of the lines; see `errors`.");
        return command->refusal->n_violations ? return_refuse_over(command) : PROBLEM_NONE;
}

/* ---- taking over ---- */

static struct rma *rma_add(struct return_set *set, struct order *order, const struct import_return *body,
        timestamp received_at, const struct command *command) {
        struct rma *rma = arena_new(set->arena, struct rma);
        struct rma **rows = arena_grow(set->arena, set->rows, set->n_rows, &set->capacity, sizeof(struct rma *));

        if (!rma || !rows)
                return NULL;
        *rma = (struct rma){
                .id = uuid_new_at(body->location),
                .number = import_return_number(body, set->arena),
                .order = order,
                .location = body->location,
                .refund_to = refund_to_texts[REFUND_TO_ORIGINAL],
                .unexpected = "[]",
                .actor = command->actor,
                .version = 0, /* until it settles */
                .created_at = received_at,
                .is_new = true,
        };
        set->rows = rows;
        rows[set->n_rows++] = rma;
        return rma->number ? rma : NULL;
}

/* Its units count nowhere: neither in the shelf nor beside it. */
static bool line_take(struct rma *rma, struct order_line *order_line, const struct import_return_line *body,
        const char *reason, timestamp received_at, struct arena *arena) {
        const struct return_terms terms = return_terms_of(NULL, NULL);
        struct return_line *line = return_line_new(rma, order_line, body->quantity, reason, &terms, arena);
        struct taxed credited;

        if (!line)
                return false;
        line->reception = RECEPTION_RECEIVED;
        line->acceptance = ACCEPTANCE_ACCEPTED;
        line->condition = GOODS_SELLABLE;
        line->disposition = DISPOSE_RESTOCK;
        line->bucket = BUCKET_GONE;
        line->location = rma->location;
        line->received_at = received_at;
        credited = order_credit_units(order_line, body->quantity);
        line->value = line->refund = credited.amount;
        line->tax = credited.tax;
        order_line->returned += body->quantity;
        order_line->changed = true;
        return true;
}

/* The money went back then, too. `quiet` takes the event that would ask a provider for it. */
static enum problem refund_settled(struct rma *rma, const char *reason, timestamp received_at, struct events *quiet,
        const struct command *command) {
        const struct refund_request request = { .amount = rma_refund(rma),
                .to = REFUND_TO_ORIGINAL,
                .reason = reason,
                .return_id = rma->id,
                .due = { rma_refund(rma), rma_tax(rma) },
                .credited = order_credited(rma->order) };
        const struct command then = { .actor = command->actor,
                .now = received_at,
                .events = quiet,
                .arena = quiet->arena,
                .refusal = command->refusal };
        struct order *order = rma->order;
        const size_t before = order->balance.n_refunds;
        enum problem p;

        if (!request.amount)
                return PROBLEM_NONE;
        p = balance_refund(&order->balance, &request, &then);
        for (size_t i = before; i < order->balance.n_refunds && !p; i++) {
                p = refund_advance(order->balance.refunds[i], REFUND_SETTLE, command->arena, command->refusal);
                event_text(refund_tell(order->balance.refunds[i], EVENT_REFUND_SETTLED, command), "source", "import");
        }
        return p;
}

enum problem import_return_take(struct return_set *set, struct order *order, const struct import_return *body,
        timestamp received_at, const struct command *command, struct rma **ret_rma) {
        struct order_line **chosen = arena_new_array(command->arena, struct order_line *, body->n_lines);
        struct event **told = command->events->last;
        struct command unheard = *command;
        struct events quiet;
        struct event *event;
        struct rma *rma;
        enum problem p = chosen ? choose_lines(set, order, body, command, chosen) : FAULT_BUSY;

        if (p)
                return p;
        rma = rma_add(set, order, body, received_at, command);
        if (!rma)
                return FAULT_BUSY;
        for (size_t i = 0; i < body->n_lines; i++)
                if (!line_take(rma, chosen[i], &body->lines[i], body->external_ref, received_at, set->arena))
                        return FAULT_BUSY;
        rma_settle(rma, command);
        event = rma_tell(rma, EVENT_RETURN_RECEIVED, command);
        event_text(event, "source", "import");
        event_text(event, "external_ref", body->external_ref);
        rma_tell_lines(event, rma->lines, rma->n_lines);
        events_init(&quiet, set->arena);
        unheard.events = &quiet;
        p = refund_settled(rma, body->external_ref, received_at, &quiet, command);
        if (p)
                return p;
        order_settle(order, &unheard);
        for (event = *told; event; event = event->next)
                event->occurred_at = received_at;
        *ret_rma = rma;
        return PROBLEM_NONE;
}
