#include "catalog/commands.h"

static void listing_want(struct catalog_set *set, const struct call *call) {
        catalog_want_listing(set, call_code(call, 0), call_code(call, 1));
}

static enum problem listing_load(struct batch *batch, bool locked) {
        return catalog_work_load(batch, locked, listing_want);
}

static struct record *listing_find(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return &catalog_listing(&work->set, call_code(call, 0), call_code(call, 1))->record;
}

static bool listing_has_parents(struct call *call, const struct record *record) {
        const struct listing *listing = (const struct listing *) record;

        if (!listing->channel_known)
                call_refuse_unknown(call, "channel", listing->channel);
        else if (!listing->sku_known)
                call_refuse_unknown(call, "product", listing->sku);
        return listing->channel_known && listing->sku_known;
}

static bool listing_merge(const struct batch *batch, struct call *call, struct record *record, bool *ret_same) {
        struct listing *listing = (struct listing *) record, next = *listing;

        (void) batch;
        listing_from(call->body, &next);
        *ret_same = listing_equal(&next, listing);
        *listing = next;
        return true;
}

static void listing_refuse_unknown(struct call *call, const struct record *record) {
        const struct listing *listing = (const struct listing *) record;

        call_refuse(call, PROBLEM_NOT_FOUND, "Channel %s does not list %s.", listing->channel, listing->sku);
}

static void listing_write(struct writer *json, const struct record *record) {
        const struct listing *listing = (const struct listing *) record;

        write_text_member(json, "channel", listing->channel);
        write_text_member(json, "sku", listing->sku);
        write_text_member(json, "title", listing->title);
        write_price(json, &listing->price);
        write_text_member(json, "external_sku", listing->external_sku);
        write_boolean_member(json, "published", listing->published);
        write_record(json, record);
}

const struct record_kind listing_record = { .name = "listing",
        .has_events = true,
        .created = EVENT_LISTING_CREATED,
        .changed = EVENT_LISTING_CHANGED,
        .size = sizeof(struct listing),
        .code = offsetof(struct listing, sku),
        .load = listing_load,
        .save = catalog_work_save,
        .find = listing_find,
        .has_parents = listing_has_parents,
        .merge = listing_merge,
        .is_visible = channel_is_visible,
        .refuse_unknown = listing_refuse_unknown,
        .write = listing_write };
