#include "catalog/commands.h"

#include "base/snapshot.h"

void write_product(struct writer *json, const struct product *product) {
        write_text_member(json, "sku", product->sku);
        write_text_member(json, "title", product->title);
        write_text_member(json, "gtin", product->gtin);
        write_price(json, &product->price);
        write_text_member(json, "description", product->description);
        write_text_member(json, "image_url", product->image_url);
        write_boolean_member(json, "returnable", product->returnable);
        write_name(json, "return_policy");
        policy_write(json, product->return_policy);
        write_name(json, "attributes");
        write_raw(json, product->attributes);
        write_record(json, &product->record);
}

static void product_reply(struct call *call, const struct product *product, unsigned status) {
        struct reply_writer w;

        reply_begin(&w, call, status);
        write_product(&w.json, product);
        reply_end(&w);
        reply_etag(call, product->record.version);
}

void product_put_check(struct call *call) {
        struct product scratch = { 0 };

        (void) product_from(call->body, &call->arena, &call->refusal, &scratch);
}

static enum problem products_want(struct batch *batch, struct catalog_work **ret_work) {
        const enum problem p = catalog_work_begin(batch, ret_work);

        for (size_t i = 0; !p && i < batch->n_calls; i++)
                catalog_want_product(&(*ret_work)->set, call_code(batch->calls[i], 0));
        return p;
}

/* The stored attributes are compared with the text that PostgreSQL would store, because it rewrites JSON. */
static enum problem attributes_load(struct batch *batch) {
        const char **texts = arena_new_array(batch->arena, const char *, batch->n_calls);

        if (!texts)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct product_body *body = batch->calls[i]->body;

                texts[i] = body->attributes;
                batch->calls[i]->work = &texts[i];
        }
        documents_ask(batch->database, texts, batch->n_calls, batch->arena);
        return PROBLEM_NONE;
}

static enum problem product_put_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        enum problem p = products_want(batch, &work);

        if (!p)
                p = catalog_lock(batch->database, &work->set);
        if (!p)
                p = attributes_load(batch);
        return p;
}

static struct product *product_of(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return catalog_product(&work->set, call_code(call, 0));
}

static void product_put_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        snapshot_one(snapshot, product_of(batch, call));
}

static enum problem product_put_one(struct batch *batch, struct call *call) {
        const char *const *canonical = call->work;
        struct product *product = product_of(batch, call);
        struct product next = *product;
        const bool created = !product->record.exists;

        if (!catalog_may_put(call, &product->record) ||
                !product_from(call->body, &call->arena, &call->refusal, &next) ||
                !product_attributes_from(*canonical, &call->arena, &call->refusal, &next))
                return PROBLEM_NONE;
        record_put(&next.record, product_equal(&next, product), batch->now);
        *product = next;
        product_reply(call, product, created ? 201 : 200);
        return PROBLEM_NONE;
}

const struct operation product_put = { .load = product_put_load,
        .documents = product_put_documents,
        .change = product_put_one,
        .save = catalog_work_save };

static enum problem product_show_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        const enum problem p = products_want(batch, &work);

        return p ? p : catalog_read(batch->database, &work->set);
}

static enum problem product_show_decide(struct batch *batch) {
        const struct catalog_work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct product *product = catalog_find_product(&work->set, call_code(call, 0));

                if (product)
                        product_reply(call, product, 200);
                else
                        call_refuse_unknown(call, "product", call_code(call, 0));
        }
        return PROBLEM_NONE;
}

const struct operation product_show = { .load = product_show_load, .decide = product_show_decide };
