#include "catalog/commands.h"

static void channel_want(struct catalog_set *set, const struct call *call) {
        catalog_want_channel(set, call_code(call, 0));
}

static enum problem channel_load(struct batch *batch, bool locked) {
        return catalog_work_load(batch, locked, channel_want);
}

static struct record *channel_find(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return &catalog_channel(&work->set, call_code(call, 0))->record;
}

static bool channel_merge(const struct batch *batch, struct call *call, struct record *record, bool *ret_same) {
        struct channel *channel = (struct channel *) record, next = *channel;

        (void) batch;
        channel_from(call->body, &next);
        *ret_same = channel_equal(&next, channel);
        *channel = next;
        return true;
}

static void channel_write(struct writer *json, const struct record *record) {
        const struct channel *channel = (const struct channel *) record;

        write_text_member(json, "code", channel->code);
        write_text_member(json, "name", channel->name);
        write_text_member(json, "kind", channel_kinds[channel->kind]);
        write_name(json, "return_policy");
        policy_write(json, channel->return_policy);
        write_record(json, record);
}

const struct record_kind channel_record = { .name = "channel",
        .size = sizeof(struct channel),
        .code = offsetof(struct channel, code),
        .load = channel_load,
        .save = catalog_work_save,
        .find = channel_find,
        .merge = channel_merge,
        .is_visible = channel_is_visible,
        .write = channel_write };
