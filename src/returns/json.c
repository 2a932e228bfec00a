#include "returns/returns.h"

#include "base/writer.h"

#include <string.h>

static struct money money_of(const struct rma *rma, int64_t amount) {
        struct money money = { .amount = amount };

        memcpy(money.currency, rma->order->balance.currency, sizeof(money.currency) - 1);
        return money;
}

/* While the goods are not here: the refund that they would credit now if they are as good as new. */
static struct worth worth_of(const struct return_line *line, struct credit_trial *trial) {
        const struct order_line *order_line = line->order_line;
        const int64_t before = order_line->cancelled + order_line->returned;
        struct worth worth = { .value = line->value, .fee = line->fee, .refund = { line->refund, line->tax } };

        if (line->acceptance == ACCEPTANCE_ACCEPTED)
                return worth;
        if (line->reception != RECEPTION_AWAITING)
                return (struct worth){ 0 };
        worth = return_worth(&line->terms, GOODS_SELLABLE, order_line_share(order_line, before, line->quantity));
        worth.refund = credit_try(trial, worth.refund);
        return worth;
}

static void write_text_or_null(struct writer *json, const char *name, const char *const *texts, int index) {
        write_text_member(json, name, index < 0 ? NULL : texts[index]);
}

static void write_return_line(struct writer *json, const struct return_line *line, const struct worth *worth) {
        write_object_begin(json);
        write_uuid_member(json, "id", &line->id);
        write_uuid_member(json, "order_line_id", &line->order_line->id);
        write_text_member(json, "sku", line->order_line->sku);
        write_text_member(json, "title", line->order_line->title);
        write_integer_member(json, "quantity", line->quantity);
        write_text_member(json, "reason", line->reason);
        write_boolean_member(json, "announced", line->announced);
        write_text_member(json, "reception", reception_lifecycle.states[line->reception]);
        write_text_member(json, "acceptance", acceptance_lifecycle.states[line->acceptance]);
        write_text_or_null(json, "condition", goods_condition_texts, line->condition);
        write_text_or_null(json, "disposition", disposition_texts, line->disposition);
        write_text_member(json, "bucket", bucket_lifecycle.states[line->bucket]);
        write_text_member(json, "location", line->location);
        write_time_member(json, "received_at", line->received_at);
        write_text_member(json, "note", line->note);
        write_money_member(json, "value", money_of(line->rma, worth->value));
        write_money_member(json, "fee", money_of(line->rma, worth->fee));
        write_money_member(json, "refund", money_of(line->rma, worth->refund.amount));
        write_money_member(json, "tax", money_of(line->rma, worth->refund.tax));
        write_object_end(json);
}

static void write_refunds(struct writer *json, const struct rma *rma) {
        const struct order *order = rma->order;

        write_name(json, "refunds");
        write_list_begin(json);
        for (size_t i = 0; i < order->balance.n_refunds; i++) {
                const struct refund *refund = order->balance.refunds[i];

                if (!uuid_equal(&refund->return_id, &rma->id))
                        continue;
                write_object_begin(json);
                write_uuid_member(json, "id", &refund->id);
                write_text_member(json, "to", refund_to_texts[refund->to]);
                write_money_member(json, "amount", money_of(rma, refund->amount));
                write_money_member(json, "tax", money_of(rma, refund->tax));
                write_text_member(json, "status", refund_lifecycle.states[refund->state]);
                write_object_end(json);
        }
        write_list_end(json);
}

void rma_write(struct writer *json, const struct rma *rma) {
        struct credit_trial trial = credit_trial_of(rma->order);
        int64_t refund = rma->shipping, tax = rma->shipping_tax;

        write_uuid_member(json, "id", &rma->id);
        write_text_member(json, "return_number", rma->number);
        write_uuid_member(json, "order_id", &rma->order->id);
        write_text_member(json, "order_number", rma->order->number);
        write_text_member(json, "location", rma->location);
        write_text_member(json, "status", return_status_texts[rma->status]);
        write_boolean_member(json, "by_post", rma->by_post);
        write_boolean_member(json, "overridden", rma->overridden);
        write_text_member(json, "cancel_reason", rma->cancel_reason);
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < rma->n_lines; i++) {
                const struct worth worth = worth_of(rma->lines[i], &trial);

                refund += worth.refund.amount;
                tax += worth.refund.tax;
                write_return_line(json, rma->lines[i], &worth);
        }
        write_list_end(json);
        write_raw_member(json, "unexpected", rma->unexpected);
        write_raw_member(json, "exchange", rma->exchange);
        write_money_member(json, "shipping", money_of(rma, rma->shipping));
        write_money_member(json, "shipping_tax", money_of(rma, rma->shipping_tax));
        write_money_member(json, "refund", money_of(rma, refund));
        write_money_member(json, "tax", money_of(rma, tax));
        write_money_member(json, "refunded", money_of(rma, rma_refunded(rma)));
        write_money_member(json, "withheld", money_of(rma, rma->withheld));
        write_money_member(json, "refundable", money_of(rma, rma_refundable(rma)));
        write_text_member(json, "refund_to", rma->refund_to);
        write_refunds(json, rma);
        write_text_member(json, "created_by", rma->actor);
        write_integer_member(json, "version", rma->version);
        write_time_member(json, "created_at", rma->created_at);
        write_time_member(json, "updated_at", rma->updated_at);
}
