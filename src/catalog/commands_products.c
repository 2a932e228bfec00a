#include "catalog/commands.h"

#include "base/text.h"

void product_put_check(struct call *call) {
        struct product scratch = { 0 };

        (void) product_from(call->body, &call->arena, &call->refusal, &scratch);
}

static void product_want(struct catalog_set *set, const struct call *call) {
        catalog_want_product(set, call_code(call, 0));
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

static enum problem product_load(struct batch *batch, bool locked) {
        const enum problem p = catalog_work_load(batch, locked, product_want);

        return p || !locked ? p : attributes_load(batch);
}

static struct record *product_find(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return &catalog_product(&work->set, call_code(call, 0))->record;
}

static bool product_merge(const struct batch *batch, struct call *call, struct record *record, bool *ret_same) {
        const char *const *canonical = call->work;
        struct product *product = (struct product *) record, next = *product;

        (void) batch;
        if (!product_from(call->body, &call->arena, &call->refusal, &next) ||
                !product_attributes_from(*canonical, &call->arena, &call->refusal, &next))
                return false;
        *ret_same = product_equal(&next, product);
        next.card_changed = product->card_changed || !text_equal(next.gtin, product->gtin) ||
                            !text_equal(next.image_url, product->image_url);
        *product = next;
        return true;
}

static void product_write(struct writer *json, const struct record *record) {
        const struct product *product = (const struct product *) record;

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
        write_record(json, record);
}

const struct record_kind product_record = { .name = "product",
        .has_events = true,
        .created = EVENT_PRODUCT_CREATED,
        .changed = EVENT_PRODUCT_CHANGED,
        .size = sizeof(struct product),
        .code = offsetof(struct product, sku),
        .load = product_load,
        .save = catalog_work_save,
        .find = product_find,
        .merge = product_merge,
        .write = product_write };
