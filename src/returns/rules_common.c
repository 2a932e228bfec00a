/* Lines, stock, events and refusals that the commands of the room share. */
#include "orders/placing.h"
#include "returns/returns.h"

#include "base/text.h"

/* ---- lines ---- */

/* The parts are rounded down for the units that part; the others keep the rest. The deduction for the condition goes
 * with the units as well, so that value is never less than fee and refund. */
static void split_money(struct return_line *rest, struct return_line *part) {
        const int64_t of = rest->quantity + part->quantity;
        const int64_t lost = money_portion(rest->value - rest->fee - rest->refund, part->quantity, of);

        part->fee = money_portion(rest->fee, part->quantity, of);
        part->refund = money_portion(rest->refund, part->quantity, of);
        part->tax = money_portion(rest->tax, part->quantity, of);
        part->value = part->fee + part->refund + lost;
        rest->fee -= part->fee;
        rest->refund -= part->refund;
        rest->tax -= part->tax;
        rest->value -= part->value;
}

bool return_line_is(
        const struct return_line *line, const struct uuid *id, const struct uuid *order_line_id, const char *sku) {
        if (id)
                return uuid_equal(id, &line->id);
        if (order_line_id)
                return uuid_equal(order_line_id, &line->order_line->id);
        return text_equal(sku, line->order_line->sku);
}

static struct return_line *rma_line_add(struct rma *rma, struct arena *arena) {
        struct return_line *line = arena_new(arena, struct return_line);
        struct return_line **lines = arena_grow(arena, rma->lines, rma->n_lines, &rma->lines_capacity, sizeof(*lines));

        if (!line || !lines)
                return NULL;
        rma->lines = lines;
        line->number = (int64_t) rma->n_lines;
        lines[rma->n_lines++] = line;
        return line;
}

struct return_line *return_line_split(struct return_line *line, int64_t quantity, struct arena *arena) {
        struct return_line *part = rma_line_add(line->rma, arena);
        int64_t number;

        if (!part)
                return NULL;
        number = part->number;
        *part = *line;
        part->id = uuid_new_at(line->rma->location);
        part->number = number;
        part->quantity = quantity;
        part->is_new = true;
        line->quantity -= quantity;
        line->changed = true;
        split_money(line, part);
        return part;
}

struct return_line *return_line_new(struct rma *rma, struct order_line *order_line, int64_t quantity,
        const char *reason, const struct return_terms *terms, struct arena *arena) {
        struct return_line *line = rma_line_add(rma, arena);
        int64_t number;

        if (!line)
                return NULL;
        number = line->number;
        *line = (struct return_line){
                .id = uuid_new_at(rma->location),
                .number = number,
                .rma = rma,
                .order_line = order_line,
                .quantity = quantity,
                .reason = reason,
                .announced = true,
                .condition = -1,
                .disposition = -1,
                .terms = *terms,
                .received_at = TIMESTAMP_NONE,
                .is_new = true,
        };
        return line;
}

/* ---- stock ---- */

static enum bucket_event bucket_event_of(enum disposition disposition) {
        if (disposition == DISPOSE_RESTOCK)
                return BUCKET_RESTOCK;
        return disposition == DISPOSE_DESTROY ? BUCKET_TAKE_OUT : BUCKET_SET_ASIDE;
}

struct stock_cause return_cause(const struct rma *rma, const char *reason, const struct command *command) {
        char id[UUID_TEXT_SIZE];

        uuid_format(&rma->id, id);
        return (struct stock_cause){
                .reason = reason,
                .document = arena_format(command->stock->arena, "return/%s", id),
                .reference = rma->number,
                .actor = command->actor,
        };
}

/* Destroyed units were in the location all the same: one ledger entry receives them, another takes them out. */
static void shelve(const struct return_line *line, const struct command *command) {
        struct stock_row *row = stock_find(command->stock, line->location, line->order_line->sku);
        const struct stock_cause cause = return_cause(line->rma, "return", command);
        const struct stock_cause end = return_cause(line->rma, disposition_texts[DISPOSE_DESTROY], command);

        stock_move(command->stock, row, line->quantity, line->bucket == BUCKET_UNSELLABLE ? line->quantity : 0, &cause);
        if (line->bucket == BUCKET_GONE)
                stock_move(command->stock, row, -line->quantity, 0, &end);
}

bool return_can_shelve(const struct command *command, const char *location, const char *sku) {
        const struct stock_row *row = stock_find(command->stock, location, sku);

        return row && (row->exists || (row->location_known && row->sku_known));
}

void return_line_accept(struct return_line *line, const struct command *command) {
        struct order_line *order_line = line->order_line;
        const struct taxed share =
                order_line_share(order_line, order_line->cancelled + order_line->returned, line->quantity);
        const struct worth worth = return_worth(&line->terms, (enum goods_condition) line->condition, share);
        const struct taxed credited = order_credit_return(order_line, line->quantity, worth.refund);

        (void) acceptance_advance(line, ACCEPTANCE_ACCEPT, command->arena, command->refusal);
        (void) bucket_advance(
                line, bucket_event_of((enum disposition) line->disposition), command->arena, command->refusal);
        line->value = worth.value;
        line->fee = worth.fee;
        line->refund = credited.amount;
        line->tax = credited.tax;
        order_line->returned += line->quantity;
        order_line->changed = true;
        shelve(line, command);
}

/* ---- the whole ---- */

int64_t rma_refund(const struct rma *rma) {
        int64_t sum = rma->shipping;

        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->acceptance == ACCEPTANCE_ACCEPTED)
                        sum += rma->lines[i]->refund;
        return sum;
}

int64_t rma_tax(const struct rma *rma) {
        int64_t sum = rma->shipping_tax;

        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->acceptance == ACCEPTANCE_ACCEPTED)
                        sum += rma->lines[i]->tax;
        return sum;
}

static bool order_is_all_back(const struct order *order) {
        for (size_t i = 0; i < order->n_lines; i++)
                if (order->lines[i].quantity - order->lines[i].cancelled > order->lines[i].returned)
                        return false;
        return true;
}

void return_grant_shipping(struct rma *rma, const struct return_set *set) {
        struct taxed shipping;

        for (size_t i = 0; i < set->n_rows; i++)
                if (set->rows[i]->order == rma->order && set->rows[i]->shipping)
                        return;
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->acceptance == ACCEPTANCE_ACCEPTED && !rma->lines[i]->terms.refunds_shipping)
                        return;
        if (!order_is_all_back(rma->order))
                return;
        shipping = order_credit(rma->order,
                (struct taxed){ rma->order->shipping, rma->order->shipping ? order_shipping_tax(rma->order) : 0 });
        rma->shipping = shipping.amount;
        rma->shipping_tax = shipping.tax;
}

struct event *rma_tell(const struct rma *rma, enum event_type type, const struct command *command) {
        struct event *event = order_tell(rma->order, type, command);
        char id[UUID_TEXT_SIZE];

        uuid_format(&rma->id, id);
        event_about(event, SUBJECT_RETURN, &rma->id, &rma->version);
        event->location = rma->location;
        event_text(event, "return_id", id);
        event_text(event, "return_number", rma->number);
        return event;
}

void rma_tell_lines(struct event *event, struct return_line *const *lines, size_t n) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_name(&json, "lines");
        write_list_begin(&json);
        for (size_t i = 0; i < n; i++) {
                const struct return_line *line = lines[i];

                write_object_begin(&json);
                write_uuid_member(&json, "order_line_id", &line->order_line->id);
                write_integer_member(&json, "quantity", line->quantity);
                if (line->condition >= 0)
                        write_text_member(&json, "condition", goods_condition_texts[line->condition]);
                if (line->acceptance == ACCEPTANCE_ACCEPTED) {
                        write_text_member(&json, "disposition", disposition_texts[line->disposition]);
                        write_integer_member(&json, "refund", line->refund);
                        write_integer_member(&json, "tax", line->tax);
                }
                if (line->acceptance == ACCEPTANCE_REJECTED)
                        write_boolean_member(&json, "rejected", true);
                write_object_end(&json);
        }
        write_list_end(&json);
}

/* ---- authorising ---- */

static void name_rule(const struct command *command, size_t i, enum return_rule rule) {
        static const char *const details[] = {
                [RULE_CONDITION] = "Goods in this condition are not taken back.",
                [RULE_NOT_RETURNABLE] = "This product is not returnable.",
                [RULE_OVER_RETURN] = "", /* return_name_over() writes it */
                [RULE_WINDOW] = "The time for returning it is over.",
        };

        violation_at(
                command->refusal, command->arena, "#/lines", i, NULL, return_rule_texts[rule], "%s", details[rule]);
}

void return_name_over(const struct command *command, size_t i, int64_t returnable) {
        const int64_t available = returnable < 0 ? 0 : returnable;

        violation_beyond(command->refusal, command->arena, "#/lines", i, "quantity",
                return_rule_texts[RULE_OVER_RETURN], available, "Of this line %lld can still be returned.",
                (long long) available);
}

enum problem return_refuse_over(const struct command *command) {
        return refuse(
                command->refusal, command->arena, PROBLEM_OVER_RETURN, "More units than are returnable; see `errors`.");
}

enum problem return_refuse_full(const struct command *command, const char *pointer, int64_t most, const char *things) {
        (void) refuse_because(command->refusal, command->arena, pointer, "too-many", "A return has %lld %s at most.",
                (long long) most, things);
        return refuse(
                command->refusal, command->arena, PROBLEM_TOO_MANY, "The return has no room for more %s.", things);
}

void return_name_rules(const struct command *command, size_t i, unsigned rules) {
        for (unsigned rule = 0; rule < RULE_COUNT; rule++)
                if (rule != RULE_OVER_RETURN && rules & 1u << rule)
                        name_rule(command, i, (enum return_rule) rule);
}

enum problem return_refuse_unknown_product(const struct command *command, size_t i) {
        violation_at(command->refusal, command->arena, "#/lines", i, NULL, "unknown-product",
                "The product is not in the catalogue.");
        return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                "The product of some goods is unknown; see `errors`.");
}
