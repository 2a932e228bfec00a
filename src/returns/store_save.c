#include "db/connection.h"
#include "returns/returns.h"
#include "sql/returns.h"

#define TERMS_SIZE_MAX ((size_t) 2048)

/* Whether the statement that inserts (or the one that updates) writes this. */
static bool is_due(bool is_new, bool changed, bool insert) {
        return insert ? is_new : changed && !is_new;
}

static void headers_write(
        struct database *database, const struct return_set *set, bool insert, const struct statement *statement) {
        struct parameters p;
        struct array *ids, *orders, *numbers, *locations, *statuses, *by_posts, *overridden, *shippings, *withheld;
        struct array *refund_tos, *exchanges, *unexpected, *reasons, *actors, *movers, *versions, *created, *updated;

        parameters_init(&p, set->arena);
        ids = parameter_uuids(&p);
        orders = parameter_uuids(&p);
        numbers = parameter_texts(&p);
        locations = parameter_texts(&p);
        statuses = parameter_texts(&p);
        by_posts = parameter_booleans(&p);
        overridden = parameter_booleans(&p);
        shippings = parameter_integers(&p);
        withheld = parameter_integers(&p);
        refund_tos = parameter_texts(&p);
        exchanges = parameter_jsonbs(&p);
        unexpected = parameter_jsonbs(&p);
        reasons = parameter_texts(&p);
        actors = parameter_texts(&p);
        movers = parameter_texts(&p);
        versions = parameter_integers(&p);
        created = parameter_times(&p);
        updated = parameter_times(&p);
        for (size_t i = 0; i < set->n_rows; i++) {
                const struct rma *rma = set->rows[i];

                if (!is_due(rma->is_new, rma->changed, insert))
                        continue;
                array_uuid(ids, &rma->id);
                array_uuid(orders, &rma->order->id);
                array_text(numbers, rma->number);
                array_text(locations, rma->location);
                array_text(statuses, return_status_texts[rma->status]);
                array_boolean(by_posts, rma->by_post);
                array_boolean(overridden, rma->overridden);
                array_integer(shippings, rma->shipping);
                array_integer(withheld, rma->withheld);
                array_text(refund_tos, rma->refund_to);
                array_jsonb(exchanges, rma->exchange);
                array_jsonb(unexpected, rma->unexpected);
                array_text(reasons, rma->cancel_reason);
                array_text(actors, rma->actor);
                array_text(movers, rma->moved_by);
                array_integer(versions, rma->version);
                array_time(created, rma->created_at);
                array_time(updated, rma->updated_at);
        }
        if (ids->n)
                database_ask(database, statement, &p, NULL, NULL);
}

static void write_conditions(struct writer *json, const struct return_terms *terms) {
        write_name(json, "conditions");
        write_object_begin(json);
        for (unsigned i = 0; i < GOODS_CONDITIONS; i++) {
                write_name(json, goods_condition_texts[i]);
                write_object_begin(json);
                write_boolean_member(json, "accepted", terms->accepted[i]);
                write_integer_member(json, "refund_per_mille", terms->refund_per_mille[i]);
                write_object_end(json);
        }
        write_object_end(json);
}

static void terms_add(struct array *column, const struct return_terms *terms, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, TERMS_SIZE_MAX);
        writer_init(&json, &text);
        write_object_begin(&json);
        write_conditions(&json, terms);
        write_text_member(&json, "refund_shipping",
                refund_shipping_texts[terms->refunds_shipping ? REFUND_SHIPPING_FULL_RETURN : REFUND_SHIPPING_NEVER]);
        write_integer_member(&json, "restocking_fee_per_mille", terms->fee_per_mille);
        if (terms->window_days >= 0)
                write_integer_member(&json, "window_days", terms->window_days);
        write_object_end(&json);
        array_jsonb(column, text.failed ? NULL : buffer_text(&text));
}

struct line_columns {
        struct array *returns, *numbers, *ids, *orders, *order_lines, *skus, *quantities, *reasons, *announced;
        struct array *receptions, *acceptances, *conditions, *dispositions, *buckets, *locations, *values, *fees;
        struct array *refunds, *terms, *notes, *received;
};

static struct line_columns line_columns(struct parameters *p) {
        struct line_columns c;

        c.returns = parameter_uuids(p);
        c.numbers = parameter_integers(p);
        c.ids = parameter_uuids(p);
        c.orders = parameter_uuids(p);
        c.order_lines = parameter_integers(p);
        c.skus = parameter_texts(p);
        c.quantities = parameter_integers(p);
        c.reasons = parameter_texts(p);
        c.announced = parameter_booleans(p);
        c.receptions = parameter_texts(p);
        c.acceptances = parameter_texts(p);
        c.conditions = parameter_texts(p);
        c.dispositions = parameter_texts(p);
        c.buckets = parameter_texts(p);
        c.locations = parameter_texts(p);
        c.values = parameter_integers(p);
        c.fees = parameter_integers(p);
        c.refunds = parameter_integers(p);
        c.terms = parameter_jsonbs(p);
        c.notes = parameter_texts(p);
        c.received = parameter_times(p);
        return c;
}

static void line_add(struct line_columns *c, const struct return_line *line, struct arena *arena) {
        array_uuid(c->returns, &line->rma->id);
        array_integer(c->numbers, line->number);
        array_uuid(c->ids, &line->id);
        array_uuid(c->orders, &line->rma->order->id);
        array_integer(c->order_lines, line->order_line->number);
        array_text(c->skus, line->order_line->sku);
        array_integer(c->quantities, line->quantity);
        array_text(c->reasons, line->reason);
        array_boolean(c->announced, line->announced);
        array_text(c->receptions, reception_lifecycle.states[line->reception]);
        array_text(c->acceptances, acceptance_lifecycle.states[line->acceptance]);
        array_text(c->conditions, line->condition < 0 ? NULL : goods_condition_texts[line->condition]);
        array_text(c->dispositions, line->disposition < 0 ? NULL : disposition_texts[line->disposition]);
        array_text(c->buckets, bucket_lifecycle.states[line->bucket]);
        array_text(c->locations, line->location);
        array_integer(c->values, line->value);
        array_integer(c->fees, line->fee);
        array_integer(c->refunds, line->refund);
        terms_add(c->terms, &line->terms, arena);
        array_text(c->notes, line->note);
        array_time(c->received, line->received_at);
}

static void lines_write(
        struct database *database, const struct return_set *set, bool insert, const struct statement *statement) {
        struct line_columns columns;
        struct parameters p;

        parameters_init(&p, set->arena);
        columns = line_columns(&p);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i]->n_lines; j++) {
                        const struct return_line *line = set->rows[i]->lines[j];

                        if (is_due(line->is_new, line->changed, insert))
                                line_add(&columns, line, set->arena);
                }
        if (columns.ids->n)
                database_ask(database, statement, &p, NULL, NULL);
}

enum problem returns_save(struct database *database, const struct return_set *set) {
        if (set->exhausted || set->arena->exhausted)
                return FAULT_BUSY;
        for (size_t i = 0; i < set->n_rows; i++)
                rma_follow(set->rows[i]);
        headers_write(database, set, /* insert= */ true, &sql_returns_insert);
        headers_write(database, set, /* insert= */ false, &sql_returns_update);
        lines_write(database, set, /* insert= */ true, &sql_return_lines_insert);
        lines_write(database, set, /* insert= */ false, &sql_return_lines_update);
        return PROBLEM_NONE;
}
