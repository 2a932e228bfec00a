#include "catalog/commands.h"

#include "base/snapshot.h"

void write_listing(struct writer *json, const struct listing *listing) {
        write_text_member(json, "channel", listing->channel);
        write_text_member(json, "sku", listing->sku);
        write_text_member(json, "title", listing->title);
        write_price(json, &listing->price);
        write_text_member(json, "external_sku", listing->external_sku);
        write_boolean_member(json, "published", listing->published);
        write_record(json, &listing->record);
}

static void listing_reply(struct call *call, const struct listing *listing, unsigned status) {
        struct reply_writer w;

        reply_begin(&w, call, status);
        write_listing(&w.json, listing);
        reply_end(&w);
        reply_etag(call, listing->record.version);
}

void listing_put_check(struct call *call) {
        (void) call_may_act_for(call, call_code(call, 0));
}

static enum problem listings_want(struct batch *batch, struct catalog_work **ret_work) {
        const enum problem p = catalog_work_begin(batch, ret_work);

        for (size_t i = 0; !p && i < batch->n_calls; i++)
                catalog_want_listing(&(*ret_work)->set, call_code(batch->calls[i], 0), call_code(batch->calls[i], 1));
        return p;
}

static enum problem listing_put_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        const enum problem p = listings_want(batch, &work);

        return p ? p : catalog_lock(batch->database, &work->set);
}

static bool has_parents(struct call *call, const struct listing *listing) {
        if (!listing->channel_known)
                call_refuse_unknown(call, "channel", listing->channel);
        else if (!listing->sku_known)
                call_refuse_unknown(call, "product", listing->sku);
        return listing->channel_known && listing->sku_known;
}

static struct listing *listing_of(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return catalog_listing(&work->set, call_code(call, 0), call_code(call, 1));
}

static void listing_put_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        snapshot_one(snapshot, listing_of(batch, call));
}

static enum problem listing_put_one(struct batch *batch, struct call *call) {
        struct listing *listing = listing_of(batch, call);
        struct listing next = *listing;
        const bool created = !listing->record.exists;

        if (!has_parents(call, listing) || !catalog_may_put(call, &listing->record))
                return PROBLEM_NONE;
        listing_from(call->body, &next);
        record_put(&next.record, listing_equal(&next, listing), batch->now);
        *listing = next;
        listing_reply(call, listing, created ? 201 : 200);
        return PROBLEM_NONE;
}

const struct operation listing_put = { .load = listing_put_load,
        .documents = listing_put_documents,
        .change = listing_put_one,
        .save = catalog_work_save };

static enum problem listing_show_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        const enum problem p = listings_want(batch, &work);

        return p ? p : catalog_read(batch->database, &work->set);
}

static enum problem listing_show_decide(struct batch *batch) {
        const struct catalog_work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct listing *listing =
                        catalog_find_listing(&work->set, call_code(call, 0), call_code(call, 1));

                if (listing && channel_is_visible(call, listing->channel))
                        listing_reply(call, listing, 200);
                else
                        call_refuse(call, PROBLEM_NOT_FOUND, "Channel %s does not list %s.", call_code(call, 0),
                                call_code(call, 1));
        }
        return PROBLEM_NONE;
}

const struct operation listing_show = { .load = listing_show_load, .decide = listing_show_decide };
