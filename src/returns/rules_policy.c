#include "returns/returns.h"

#include "base/text.h"

const char *const return_rule_texts[] = {
        [RULE_CONDITION] = "condition-not-accepted",
        [RULE_NOT_RETURNABLE] = "not-returnable",
        [RULE_OVER_RETURN] = "over-return",
        [RULE_WINDOW] = "outside-return-window",
        [RULE_COUNT] = NULL,
};

enum disposition disposition_of(enum goods_condition condition) {
        static const enum disposition dispositions[] = {
                [GOODS_DAMAGED] = DISPOSE_DAMAGED,
                [GOODS_QUARANTINE] = DISPOSE_QUARANTINE,
                [GOODS_SELLABLE] = DISPOSE_RESTOCK,
        };

        return dispositions[condition];
}

/* ---- terms ---- */

/* The members of a policy replace those of the policies before it. */
static void terms_take(struct return_terms *terms, const struct return_policy *policy) {
        if (!policy)
                return;
        if (policy->has_window_days)
                terms->window_days = policy->window_days;
        if (policy->has_restocking_fee_per_mille)
                terms->fee_per_mille = policy->restocking_fee_per_mille;
        if (policy->refund_shipping >= 0)
                terms->refunds_shipping = policy->refund_shipping == REFUND_SHIPPING_FULL_RETURN;
        for (unsigned i = 0; i < GOODS_CONDITIONS; i++) {
                const struct condition_terms *condition = policy_condition(policy, (enum goods_condition) i);

                if (condition && condition->has_refund_per_mille)
                        terms->refund_per_mille[i] = condition->refund_per_mille;
                if (condition && condition->has_accepted)
                        terms->accepted[i] = condition->accepted;
        }
}

struct return_terms return_terms_of(const struct return_policy *channel, const struct return_policy *product) {
        struct return_terms terms = { .window_days = -1 };

        for (unsigned i = 0; i < GOODS_CONDITIONS; i++) {
                terms.refund_per_mille[i] = PER_MILLE_MAX;
                terms.accepted[i] = true;
        }
        terms_take(&terms, channel);
        terms_take(&terms, product);
        return terms;
}

/* The refund is rounded down by its condition, and the fee, which is taken off it, as well: no cent is made. */
struct worth return_worth(const struct return_terms *terms, enum goods_condition condition, struct taxed paid) {
        const int64_t granted = money_portion(paid.amount, terms->refund_per_mille[condition], PER_MILLE_MAX);
        const int64_t fee = money_portion(granted, terms->fee_per_mille, PER_MILLE_MAX), refund = granted - fee;

        return (struct worth){
                .value = paid.amount, .fee = fee, .refund = { refund, money_portion(paid.tax, refund, paid.amount) }
        };
}

/* ---- how many ---- */

int64_t order_line_awaited(const struct return_set *set, const struct order_line *line) {
        int64_t units = 0;

        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i]->n_lines; j++) {
                        const struct return_line *other = set->rows[i]->lines[j];

                        if (other->order_line == line && other->reception == RECEPTION_AWAITING)
                                units += other->quantity;
                }
        return units;
}

int64_t order_line_returnable(const struct return_set *set, const struct order_line *line) {
        return line->fulfilled - line->returned - order_line_awaited(set, line);
}

/* ---- how long ---- */

/* Days since the last of the units was with the customer; -1: nothing is known of it. */
static int64_t days_since(const struct left_days *days, const struct order_line *line, const char *location) {
        int64_t since = -1;

        for (const struct fulfillment_line *at = line->allocations; at; at = at->older) {
                if (!at->fulfilled)
                        continue;
                for (size_t i = 0; i < days->n_rows; i++) {
                        const struct left_day *row = &days->rows[i];
                        const int64_t passed = row->today - row->left;

                        if (uuid_equal(&row->fulfillment_id, &at->fulfillment->id) &&
                                text_equal(row->location, location) && (since < 0 || passed < since))
                                since = passed < 0 ? 0 : passed;
                }
        }
        return since;
}

/* ---- judging ---- */

void return_name_fault(
        const struct command *command, size_t i, const char *member, const char *code, const char *detail) {
        violation_at(command->refusal, command->arena, "#/lines", i, member, code, "%s", detail);
}

/* Whether condition and disposition agree: unsellable goods do not go back on the shelf. */
static bool item_is_consistent(const struct return_item *item) {
        if (item->disposition < 0)
                return true;
        return item->condition >= 0 && (item->disposition != DISPOSE_RESTOCK || item->condition == GOODS_SELLABLE);
}

static void check_location(const struct return_request *request, const struct command *command) {
        const struct location *location = catalog_find_location(request->catalog, request->location);

        if (!location)
                (void) refuse_because(command->refusal, command->arena, "#/location", "unknown-location",
                        "There is no such location.");
        else if (!(location->capabilities & CAN_RETURNS))
                (void) refuse_because(command->refusal, command->arena, "#/location", "not-capable",
                        "The location takes no returns.");
}

static enum problem check_items(const struct return_request *request, const struct command *command) {
        check_location(request, command);
        for (size_t i = 0; i < request->n_items; i++) {
                const struct return_item *item = &request->items[i];

                if (!order_line_find(request->order, &item->order_line_id))
                        return_name_fault(command, i, "order_line_id", "unknown-line", "The order has no such line.");
                if (item->condition >= 0 && request->by_post)
                        return_name_fault(
                                command, i, "condition", "not-allowed", "Goods that come by post are not here yet.");
                if (!item_is_consistent(item))
                        return_name_fault(command, i, "disposition", "not-allowed",
                                item->condition < 0 ? "A disposition needs a condition."
                                                    : "Goods that cannot be sold do not go back into the shelf.");
        }
        if (command->refusal->n_violations)
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The location or some lines cannot be accepted; see `errors`.");
        return PROBLEM_NONE;
}

unsigned return_rules_broken(const struct order_line *line, enum goods_condition condition, const char *location,
        const struct catalog_set *catalog, const struct left_days *days, struct return_terms *ret_terms) {
        const struct product *product = catalog_find_product(catalog, line->sku);
        const struct channel *channel = catalog_find_channel(catalog, line->order->channel);
        const int64_t since = days_since(days, line, location);
        unsigned broken = 0;

        *ret_terms = return_terms_of(channel ? channel->return_policy : NULL, product ? product->return_policy : NULL);
        if (product && !product->returnable)
                broken |= 1u << RULE_NOT_RETURNABLE;
        if (ret_terms->window_days >= 0 && since > ret_terms->window_days)
                broken |= 1u << RULE_WINDOW;
        if (!ret_terms->accepted[condition])
                broken |= 1u << RULE_CONDITION;
        return broken;
}

/* Units of the same order line that items before this one want. */
static int64_t wanted_before(const struct return_request *request, size_t i) {
        int64_t units = 0;

        for (size_t j = 0; j < i; j++)
                if (uuid_equal(&request->items[j].order_line_id, &request->items[i].order_line_id))
                        units += request->items[j].quantity;
        return units;
}

static void judge_worth(struct verdict *verdict, enum goods_condition condition, int64_t before, int64_t units) {
        const struct taxed paid = order_line_share(verdict->line, before, units);

        verdict->paid_tax = paid.tax;
        verdict->worth = return_worth(&verdict->terms, condition, paid);
}

static void judge_item(const struct return_request *request, size_t i, struct verdict *verdict) {
        const struct return_item *item = &request->items[i];
        struct order_line *line = order_line_find(request->order, &item->order_line_id);
        const enum goods_condition condition =
                item->condition < 0 ? GOODS_SELLABLE : (enum goods_condition) item->condition;
        const int64_t before = wanted_before(request, i);

        *verdict = (struct verdict){ .line = line };
        verdict->returnable = order_line_returnable(request->set, line) - before;
        verdict->refused = return_rules_broken(
                line, condition, request->location, request->catalog, request->days, &verdict->terms);
        if (item->quantity > verdict->returnable)
                verdict->refused |= 1u << RULE_OVER_RETURN;
        else
                judge_worth(verdict, condition, line->cancelled + line->returned + before, item->quantity);
}

enum problem return_judge(
        const struct return_request *request, struct verdict *verdicts, const struct command *command) {
        const enum problem p = check_items(request, command);

        for (size_t i = 0; !p && i < request->n_items; i++)
                judge_item(request, i, &verdicts[i]);
        return p;
}

/* Whether nothing of the order stays with the customer once the items have come back. */
static bool request_brings_all_back(const struct return_request *request) {
        for (size_t i = 0; i < request->order->n_lines; i++) {
                const struct order_line *line = &request->order->lines[i];
                int64_t left = line->quantity - line->cancelled - line->returned;

                for (size_t j = 0; j < request->n_items; j++)
                        if (uuid_equal(&request->items[j].order_line_id, &line->id))
                                left -= request->items[j].quantity;
                if (left > 0)
                        return false;
        }
        return true;
}

/* ---- quoting ---- */

static bool is_shipping_refunded(const struct return_request *request, const struct verdict *verdicts) {
        if (request->n_additions)
                return false;
        for (size_t i = 0; i < request->n_items; i++)
                if (!verdicts[i].terms.refunds_shipping || verdicts[i].refused)
                        return false;
        for (size_t i = 0; i < request->set->n_rows; i++)
                if (request->set->rows[i]->order == request->order && request->set->rows[i]->shipping)
                        return false;
        return request_brings_all_back(request);
}

/* An exchange raises the total before anything is credited. */
static struct credit_trial credit_trial_with_exchange(const struct return_request *request) {
        struct credit_trial trial = credit_trial_of(request->order);

        if (request->n_additions)
                trial.credits = order_credited(request->order);
        for (size_t i = 0; i < request->n_additions; i++) {
                trial.total += addition_value(request->order, &request->additions[i]);
                trial.tax += request->additions[i].tax;
        }
        return trial;
}

struct taxed return_quote_credits(const struct return_request *request, struct verdict *verdicts) {
        const struct order *order = request->order;
        struct credit_trial trial = credit_trial_with_exchange(request);
        const struct taxed none = { 0 };

        for (size_t i = 0; i < request->n_items; i++)
                if (!verdicts[i].refused)
                        verdicts[i].worth.refund = credit_try(&trial, verdicts[i].worth.refund);
        if (!is_shipping_refunded(request, verdicts) || !order->shipping)
                return none;
        return credit_try(&trial, (struct taxed){ order->shipping, order_shipping_tax(order) });
}
