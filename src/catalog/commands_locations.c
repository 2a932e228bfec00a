#include "catalog/commands.h"

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

static void location_write(struct writer *json, const struct record *record) {
        const struct location *location = (const struct location *) record;

        write_text_member(json, "code", location->code);
        write_text_member(json, "name", location->name);
        write_text_member(json, "kind", location_kinds[location->kind]);
        write_position(json, location);
        write_text_member(json, "address", location->address);
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
        write_record(json, record);
}

void location_put_check(struct call *call) {
        struct location scratch = { 0 };

        if (call_may_act_at(call, call_code(call, 0)))
                (void) location_from(call->body, &call->arena, &call->refusal, &scratch);
}

static void location_want(struct catalog_set *set, const struct call *call) {
        catalog_want_location(set, call_code(call, 0));
}

/* The zone that a location already has was checked when it was put (call->work has it); only others are looked up. */
static enum problem zones_load(struct batch *batch) {
        struct catalog_work *work = batch->work;
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

static enum problem location_load(struct batch *batch, bool locked) {
        enum problem p = catalog_work_load(batch, locked, location_want);

        if (!p && locked)
                p = batch_trip(batch);
        return p || !locked ? p : zones_load(batch);
}

static struct record *location_find(const struct batch *batch, const struct call *call) {
        const struct catalog_work *work = batch->work;

        return &catalog_location(&work->set, call_code(call, 0))->record;
}

static bool location_merge(const struct batch *batch, struct call *call, struct record *record, bool *ret_same) {
        const struct catalog_work *work = batch->work;
        struct location *location = (struct location *) record, next = *location;

        if (!location_from(call->body, &call->arena, &call->refusal, &next))
                return false;
        if (!call->work && !location_zone_known(&next, work->zones.names, work->zones.n, &call->arena, &call->refusal))
                return false;
        *ret_same = location_equal(&next, location);
        *location = next;
        return true;
}

const struct record_kind location_record = { .name = "location",
        .has_events = true,
        .created = EVENT_LOCATION_CREATED,
        .changed = EVENT_LOCATION_CHANGED,
        .size = sizeof(struct location),
        .code = offsetof(struct location, code),
        .load = location_load,
        .save = catalog_work_save,
        .find = location_find,
        .merge = location_merge,
        .write = location_write };
