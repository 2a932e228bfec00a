#include "catalog/commands.h"

#include "base/text.h"

enum problem catalog_work_begin(struct batch *batch, struct catalog_work **ret_work) {
        struct catalog_work *work = arena_new(batch->arena, struct catalog_work);

        if (!work)
                return FAULT_BUSY;
        catalog_init(&work->set, batch->arena);
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

enum problem catalog_work_save(struct batch *batch) {
        struct catalog_work *work = batch->work;

        return catalog_save(batch->database, &work->set);
}

bool catalog_may_put(struct call *call, const struct record *record) {
        if (record->exists && call_names_version(call, record->version)) {
                call_refuse(call, PROBLEM_PRECONDITION_FAILED, "If-None-Match is \"*\", but the resource exists.");
                call->refusal.version = record->version;
                return false;
        }
        if (record->exists)
                return call_version_matches(call, record->version);
        if (call->if_match == IF_MATCH_ABSENT)
                return true;
        call_refuse(call, PROBLEM_PRECONDITION_FAILED, "If-Match names a version, but there is no such resource yet.");
        return false;
}

bool channel_is_visible(const struct call *call, const char *channel) {
        return !call->claims->channel || text_equal(call->claims->channel, channel);
}

void write_record(struct writer *json, const struct record *record) {
        write_time_member(json, "created_at", record->created_at);
        write_time_member(json, "updated_at", record->updated_at);
        write_integer_member(json, "version", record->version);
}

void write_price(struct writer *json, const struct money *price) {
        write_name(json, "price");
        if (*price->currency)
                write_money(json, *price);
        else
                write_null(json);
}
