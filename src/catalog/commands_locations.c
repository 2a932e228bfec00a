#include "catalog/commands.h"

#include "base/snapshot.h"

#include "base/text.h"

static void write_bits(struct writer *json, const char *name, unsigned bits, const char *const *known) {
        write_name(json, name);
        write_list_begin(json);
        for (unsigned bit = 0; known[bit]; bit++)
                if (bits & 1u << bit)
                        write_text(json, known[bit]);
        write_list_end(json);
}

static void write_duration_member(struct writer *json, const char *name, duration span) {
        char text[DURATION_TEXT_SIZE];

        duration_format(span, text);
        write_text_member(json, name, text);
}

static void write_position(struct writer *json, const struct location *location) {
        if (location->has_position) {
                write_number_member(json, "latitude", location->latitude);
                write_number_member(json, "longitude", location->longitude);
                return;
        }
        write_text_member(json, "latitude", NULL);
        write_text_member(json, "longitude", NULL);
}

void write_location(struct writer *json, const struct location *location) {
        write_text_member(json, "code", location->code);
        write_text_member(json, "name", location->name);
        write_text_member(json, "kind", location_kinds[location->kind]);
        write_position(json, location);
        write_text_member(json, "time_zone", location->time_zone);
        write_text_member(json, "country", location->country);
        write_bits(json, "capabilities", location->capabilities, capability_names);
        write_name(json, "opening_hours");
        write_openings(json, location->opening_hours, location->n_opening_hours);
        write_name(json, "closures");
        write_closures(json, location->closures, location->n_closures);
        write_name(json, "pickup");
        write_object_begin(json);
        write_duration_member(json, "lead_time", location->lead_time);
        write_duration_member(json, "hold_for", location->hold_for);
        if (location->has_cut_off)
                write_minutes_member(json, "cut_off", location->cut_off);
        if (location->cut_off_days) {
                write_name(json, "cut_offs");
                write_cut_offs(json, location);
        }
        write_bits(json, "handover_methods", location->handover_methods, handover_method_names);
        if (location->n_slots) {
                write_name(json, "slots");
                write_slots(json, location->slots, location->n_slots);
        }
        write_object_end(json);
        write_record(json, &location->record);
}

static void location_reply(struct call *call, const struct location *location, unsigned status) {
        struct reply_writer w;

        reply_begin(&w, call, status);
        write_location(&w.json, location);
        reply_end(&w);
        reply_etag(call, location->record.version);
}

void location_put_check(struct call *call) {
        struct location scratch = { 0 };

        if (call_may_act_at(call, call_code(call, 0)))
                (void) location_from(call->body, &call->arena, &call->refusal, &scratch);
}

void location_show_check(struct call *call) {
        (void) call_may_act_at(call, call_code(call, 0));
}

static enum problem locations_want(struct batch *batch, struct catalog_work **ret_work) {
        const enum problem p = catalog_work_begin(batch, ret_work);

        for (size_t i = 0; !p && i < batch->n_calls; i++)
                catalog_want_location(&(*ret_work)->set, call_code(batch->calls[i], 0));
        return p;
}

/* The zone that a location already has was checked when it was put (call->work has it); only others are looked up. */
static enum problem zones_load(struct batch *batch, struct catalog_work *work) {
        const char **names = arena_new_array(batch->arena, const char *, batch->n_calls);
        size_t n = 0;

        if (!names)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct location_body *body = batch->calls[i]->body;
                struct location *location = catalog_location(&work->set, call_code(batch->calls[i], 0));

                if (text_equal(location->time_zone, body->time_zone))
                        batch->calls[i]->work = location;
                else
                        names[n++] = body->time_zone;
        }
        if (n)
                zones_ask(batch->database, names, n, batch->arena, &work->zones);
        return PROBLEM_NONE;
}

static enum problem location_put_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        enum problem p = locations_want(batch, &work);

        if (!p)
                p = catalog_lock(batch->database, &work->set);
        if (!p)
                p = batch_trip(batch);
        if (!p)
                p = zones_load(batch, work);
        return p;
}

static struct location *location_of_call(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return catalog_location(&work->set, call_code(call, 0));
}

static void location_put_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        snapshot_one(snapshot, location_of_call(batch, call));
}

static enum problem location_put_one(struct batch *batch, struct call *call) {
        const struct catalog_work *work = batch->work;
        struct location *location = location_of_call(batch, call);
        struct location next = *location;
        const bool created = !location->record.exists;

        if (!catalog_may_put(call, &location->record) ||
                !location_from(call->body, &call->arena, &call->refusal, &next))
                return PROBLEM_NONE;
        if (!call->work && !location_zone_known(&next, work->zones.names, work->zones.n, &call->arena, &call->refusal))
                return PROBLEM_NONE;
        record_put(&next.record, location_equal(&next, location), batch->now);
        *location = next;
        location_reply(call, location, created ? 201 : 200);
        return PROBLEM_NONE;
}

const struct operation location_put = { .load = location_put_load,
        .documents = location_put_documents,
        .change = location_put_one,
        .save = catalog_work_save };

static enum problem location_show_load(struct batch *batch) {
        struct catalog_work *work = NULL;
        const enum problem p = locations_want(batch, &work);

        return p ? p : catalog_read(batch->database, &work->set);
}

static enum problem location_show_decide(struct batch *batch) {
        const struct catalog_work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct location *location = catalog_find_location(&work->set, call_code(call, 0));

                if (location)
                        location_reply(call, location, 200);
                else
                        call_refuse_unknown(call, "location", call_code(call, 0));
        }
        return PROBLEM_NONE;
}

const struct operation location_show = { .load = location_show_load, .decide = location_show_decide };
