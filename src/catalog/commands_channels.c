#include "catalog/commands.h"

#include "base/snapshot.h"

void write_channel(struct writer *json, const struct channel *channel) {
        write_text_member(json, "code", channel->code);
        write_text_member(json, "name", channel->name);
        write_text_member(json, "kind", channel_kinds[channel->kind]);
        write_name(json, "return_policy");
        policy_write(json, channel->return_policy);
        write_record(json, &channel->record);
}

static void channel_reply(struct call *call, const struct channel *channel, unsigned status) {
        struct reply_writer w;

        reply_begin(&w, call, status);
        write_channel(&w.json, channel);
        reply_end(&w);
        reply_etag(call, channel->record.version);
}

void channel_put_check(struct call *call) {
        (void) call_may_act_for(call, call_code(call, 0));
}

static enum problem channels_want(struct batch *batch, struct catalog_work **ret_work) {
        const enum problem p = catalog_work_begin(batch, ret_work);

        for (size_t i = 0; !p && i < batch->n_calls; i++)
                catalog_want_channel(&(*ret_work)->set, call_code(batch->calls[i], 0));
        return p;
}

static enum problem channel_put_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        const enum problem p = channels_want(batch, &work);

        return p ? p : catalog_lock(batch->database, &work->set);
}

static struct channel *channel_of(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return catalog_channel(&work->set, call_code(call, 0));
}

static void channel_put_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        snapshot_one(snapshot, channel_of(batch, call));
}

static enum problem channel_put_one(struct batch *batch, struct call *call) {
        struct channel *channel = channel_of(batch, call);
        struct channel next = *channel;
        const bool created = !channel->record.exists;

        if (!catalog_may_put(call, &channel->record))
                return PROBLEM_NONE;
        channel_from(call->body, &next);
        record_put(&next.record, channel_equal(&next, channel), batch->now);
        *channel = next;
        channel_reply(call, channel, created ? 201 : 200);
        return PROBLEM_NONE;
}

const struct operation channel_put = { .load = channel_put_load,
        .documents = channel_put_documents,
        .change = channel_put_one,
        .save = catalog_work_save };

static enum problem channel_show_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        const enum problem p = channels_want(batch, &work);

        return p ? p : catalog_read(batch->database, &work->set);
}

static enum problem channel_show_decide(struct batch *batch) {
        const struct catalog_work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct channel *channel = catalog_find_channel(&work->set, call_code(call, 0));

                if (channel && channel_is_visible(call, channel->code))
                        channel_reply(call, channel, 200);
                else
                        call_refuse_unknown(call, "channel", call_code(call, 0));
        }
        return PROBLEM_NONE;
}

const struct operation channel_show = { .load = channel_show_load, .decide = channel_show_decide };
