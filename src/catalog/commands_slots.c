/* GET /v1/locations/{code}/slots: the pickup slots of an order placed now, with their free places. */
#include "catalog/commands.h"
#include "catalog/promise.h"
#include "catalog/slots.h"

#define SPAN_DEFAULT (7 * DAY)
#define SPAN_MAX     (31 * DAY)
#define LISTED_MAX   ((size_t) (SPAN_MAX / (7 * DAY) + 2) * SLOTS_MAX)

struct slots_query {
        timestamp from, to;
};

static const struct shape_member query_members[] = {
        OPTIONAL(TIME, struct slots_query, from),
        OPTIONAL(TIME, struct slots_query, to),
};
const struct shape slots_query_shape = SHAPE(struct slots_query, query_members);

void slots_list_check(struct call *call) {
        const struct slots_query *query = call->query;

        if (!call_may_act_at(call, call_code(call, 0)) || query->to == TIMESTAMP_NONE)
                return;
        if (query->from == TIMESTAMP_NONE || query->to <= query->from || query->to - query->from > SPAN_MAX)
                call_refuse(call, PROBLEM_INVALID_PARAMETER, "to= needs from=, must be later, and by 31 days at most.");
}

struct slots_work {
        struct catalog_set catalog;
        struct slot_set booked;
};

/* One call a batch. */
static enum problem slots_list_load(struct batch *batch) {
        struct slots_work *work = arena_new(batch->arena, struct slots_work);
        struct call *call = batch->calls[0];
        const struct slots_query *query = call->query;
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        batch->work = work;
        catalog_init(&work->catalog, batch->arena);
        slots_init(&work->booked, batch->arena);
        catalog_want_location(&work->catalog, call_code(call, 0));
        p = catalog_load(batch->database, &work->catalog);
        if (!p)
                p = catalog_load_zones(batch->database, &work->catalog);
        if (!p)
                slots_booked(batch->database, &work->booked, call_code(call, 0), query->from, query->to, SPAN_DEFAULT);
        return p;
}

static int64_t places_left(const struct slots_work *work, const struct slot_time *slot) {
        int64_t left = slot->capacity;

        for (size_t i = 0; i < work->booked.n_rows; i++)
                if (work->booked.rows[i].begins == slot->begins)
                        left -= work->booked.rows[i].booked;
        return left > 0 ? left : 0;
}

static void slots_reply(struct call *call, const struct slots_work *work, const struct slot_time *slots, size_t n) {
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_name(&w.json, "data");
        write_list_begin(&w.json);
        for (size_t i = 0; i < n; i++) {
                write_object_begin(&w.json);
                write_time_member(&w.json, "slot", slots[i].begins);
                write_time_member(&w.json, "ends_at", slots[i].ends);
                write_integer_member(&w.json, "capacity", slots[i].capacity);
                write_integer_member(&w.json, "left", places_left(work, &slots[i]));
                write_object_end(&w.json);
        }
        write_list_end(&w.json);
        reply_end(&w);
}

static enum problem slots_list_decide(struct batch *batch) {
        const struct slots_work *work = batch->work;
        struct call *call = batch->calls[0];
        const struct slots_query *query = call->query;
        const struct location *location = catalog_find_location(&work->catalog, call_code(call, 0));
        const timestamp from = query->from == TIMESTAMP_NONE ? batch->now : query->from;
        const timestamp to = query->to == TIMESTAMP_NONE ? from + SPAN_DEFAULT : query->to;
        struct slot_time *slots = arena_new_array(&call->arena, struct slot_time, LISTED_MAX);
        const struct zone *zone;
        timestamp ready, before = batch->now + SLOT_HORIZON + 1;
        size_t n = 0;

        if (!slots)
                return FAULT_BUSY;
        if (!location) {
                call_refuse_unknown(call, "location", call_code(call, 0));
                return PROBLEM_NONE;
        }
        if (!catalog_zones_fit(&work->catalog))
                return FAULT_STALE;
        zone = catalog_find_zone(&work->catalog, location->time_zone);
        if (promise_time(location, zone, batch->now, &ready))
                n = slots_between(
                        location, zone, ready > from ? ready : from, to < before ? to : before, slots, LISTED_MAX);
        slots_reply(call, work, slots, n);
        return PROBLEM_NONE;
}

const struct operation slots_list = { .load = slots_list_load, .decide = slots_list_decide };
