#include "catalog/commands.h"

void channel_put_check(struct call *call) {
        struct channel scratch = { 0 };

        if (call_may_act_for(call, call_code(call, 0)))
                (void) channel_from(call->body, &call->arena, &call->refusal, &scratch);
}

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
        if (!channel_from(call->body, &call->arena, &call->refusal, &next))
                return false;
        *ret_same = channel_equal(&next, channel);
        *channel = next;
        return true;
}

static void write_resourcing(struct writer *json, const struct channel_policy *policy) {
        write_name(json, "resourcing");
        if (!policy->has_resourcing && !policy->has_resourcing_radius_km) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        if (policy->has_resourcing)
                write_boolean_member(json, "enabled", policy->resourcing);
        if (policy->has_resourcing_radius_km)
                write_integer_member(json, "radius_km", policy->resourcing_radius_km);
        write_object_end(json);
}

static void write_unpaid_ttl(struct writer *json, const struct channel_policy *policy) {
        char text[DURATION_TEXT_SIZE];

        duration_format(policy->unpaid_ttl_s * SECOND, text);
        if (!policy->has_unpaid_ttl_s)
                write_text_member(json, "unpaid_ttl", NULL);
        else
                write_text_member(json, "unpaid_ttl", policy->unpaid_ttl_s ? text : UNPAID_TTL_NEVER);
}

static void channel_write(struct writer *json, const struct record *record) {
        const struct channel *channel = (const struct channel *) record;

        write_text_member(json, "code", channel->code);
        write_text_member(json, "name", channel->name);
        write_text_member(json, "kind", channel_kinds[channel->kind]);
        write_name(json, "return_policy");
        policy_write(json, channel->return_policy);
        write_name(json, "notifications");
        channel_messages_write(json, channel->messages);
        write_resourcing(json, &channel->policy);
        write_unpaid_ttl(json, &channel->policy);
        write_record(json, record);
}

const struct record_kind channel_record = { .name = "channel",
        .has_events = true,
        .created = EVENT_CHANNEL_CREATED,
        .changed = EVENT_CHANNEL_CHANGED,
        .size = sizeof(struct channel),
        .code = offsetof(struct channel, code),
        .load = channel_load,
        .save = catalog_work_save,
        .find = channel_find,
        .merge = channel_merge,
        .is_visible = channel_is_visible,
        .write = channel_write };
