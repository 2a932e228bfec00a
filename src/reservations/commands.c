#include "reservations/commands.h"

#include "catalog/catalog.h"
#include "engine/call.h"
#include "engine/counters.h"
#include "engine/reply.h"
#include "reservations/reservations.h"

#include "base/snapshot.h"
#include "base/text.h"

/* ---- bodies ---- */

struct line_body {
        const char *sku;
        int64_t quantity;
};

struct create_body {
        const char *location;
        const char *channel;
        const char *reference;
        struct line_body *lines;
        size_t n_lines;
        duration ttl;
        bool has_ttl;
};

struct extend_body {
        duration ttl;
};

static const struct shape_member line_members[] = {
        REQUIRED(INTEGER, struct line_body, quantity, BETWEEN(1, QUANTITY_MAX)),
        REQUIRED(CODE, struct line_body, sku),
};
static const struct shape line_shape = SHAPE(struct line_body, line_members);

static const struct shape_member create_members[] = {
        OPTIONAL(CODE, struct create_body, channel),
        LIST(struct create_body, lines, &line_shape, 1, RESERVATION_LINES_MAX),
        REQUIRED(CODE, struct create_body, location),
        OPTIONAL(TEXT, struct create_body, reference, BETWEEN(1, 200)),
        OPTIONAL_FLAGGED(DURATION, struct create_body, ttl, BETWEEN(RESERVATION_TTL_MIN, RESERVATION_TTL_MAX)),
};
const struct shape reservation_create_shape = SHAPE(struct create_body, create_members);

static const struct shape_member extend_members[] = {
        REQUIRED(DURATION, struct extend_body, ttl, BETWEEN(RESERVATION_TTL_MIN, RESERVATION_TTL_MAX)),
};
const struct shape reservation_extend_shape = SHAPE(struct extend_body, extend_members);

/* ---- replies ---- */

static void reservation_reply(
        struct call *call, const struct reservation *reservation, unsigned status, timestamp now) {
        struct reply_writer w;

        reply_begin(&w, call, status);
        write_uuid_member(&w.json, "id", &reservation->id);
        write_text_member(&w.json, "status", reservation_lifecycle.states[reservation_status_at(reservation, now)]);
        write_text_member(&w.json, "location", reservation->location);
        write_text_member(&w.json, "channel", reservation->channel);
        write_text_member(&w.json, "reference", reservation->reference);
        write_text_member(&w.json, "reason", reservation->reason);
        write_name(&w.json, "lines");
        write_list_begin(&w.json);
        for (size_t i = 0; i < reservation->n_lines; i++) {
                write_object_begin(&w.json);
                write_text_member(&w.json, "sku", reservation->lines[i].sku);
                write_integer_member(&w.json, "quantity", reservation->lines[i].quantity);
                write_object_end(&w.json);
        }
        write_list_end(&w.json);
        write_time_member(&w.json, "expires_at", reservation->expires_at);
        write_time_member(&w.json, "created_at", reservation->created_at);
        write_integer_member(&w.json, "version", reservation_version_at(reservation, now));
        reply_end(&w);
        reply_etag(call, reservation_version_at(reservation, now));
}

/* ---- making one ---- */

/* The work of one batch: stock, and the reservations it changes. */
struct work {
        struct stock stock;
        struct reservation_set set;
        struct catalog_set catalog; /* the channels that requests name */
        struct reservation **touched;
        size_t n_touched;
};

static enum problem reservation_work_begin(struct batch *batch, struct work **ret_work) {
        struct work *work = arena_new(batch->arena, struct work);

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->stock, batch->arena);
        reservations_init(&work->set, batch->arena, &work->stock);
        catalog_init(&work->catalog, batch->arena);
        work->touched = arena_new_array(batch->arena, struct reservation *, batch->n_calls);
        if (!work->touched)
                return FAULT_BUSY;
        batch->work = work;
        *ret_work = work;
        return PROBLEM_NONE;
}

static enum problem work_save(struct batch *batch) {
        struct work *work = batch->work;
        enum problem p = stock_save(batch->database, &work->stock, batch->events, batch->now);

        return p ? p : reservations_save(batch->database, batch->arena, work->touched, work->n_touched);
}

/* Every command of the room may change the ledger and the number of reservations to be saved. */
static void work_snapshot(struct snapshot *snapshot, struct work *work) {
        snapshot_one(snapshot, work);
        stock_snapshot(snapshot, &work->stock);
}

void reservation_create_check(struct call *call) {
        const struct create_body *body = call->body;

        if (!call_may_act_at(call, body->location))
                return;
        if (body->channel)
                (void) call_may_act_for(call, body->channel);
}

const char *reservation_create_location(const struct call *call) {
        const struct create_body *body = call->body;

        return body->location;
}

static enum problem reservation_create_load(struct batch *batch) {
        struct work *work = NULL;
        enum problem p = reservation_work_begin(batch, &work);

        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct create_body *body = batch->calls[i]->body;

                if (body->channel)
                        catalog_want_channel(&work->catalog, body->channel);
                for (size_t j = 0; j < body->n_lines; j++)
                        stock_want(&work->stock, body->location, body->lines[j].sku);
        }
        p = stock_lock(batch->database, &work->stock);
        if (!p)
                p = reservations_free_lapsed(batch->database, &work->stock);
        if (!p && work->catalog.wanted_channels.n)
                p = catalog_load(batch->database, &work->catalog);
        return p;
}

/* Lines that name the same SKU are added up first, so that none of them sees the full stock again. */
static void reservation_line_add(
        struct reservation *reservation, const struct line_body *body, size_t place, struct stock *stock) {
        for (size_t i = 0; i < reservation->n_lines; i++)
                if (text_equal(reservation->lines[i].sku, body->sku)) {
                        reservation->lines[i].quantity += body->quantity;
                        return;
                }
        reservation->lines[reservation->n_lines++] = (struct reservation_line){
                .sku = body->sku,
                .quantity = body->quantity,
                .place = place,
                .stock = stock_find(stock, reservation->location, body->sku),
        };
}

static struct reservation *reservation_from(const struct call *call, struct arena *arena, struct stock *stock) {
        const struct create_body *body = call->body;
        struct reservation *reservation = arena_new(arena, struct reservation);

        if (!reservation)
                return NULL;
        *reservation = (struct reservation){
                .id = uuid_new_at(body->location),
                .location = body->location,
                .channel = body->channel ? body->channel : call->claims->channel,
                .reference = body->reference,
                .actor = call->claims->subject,
                .lines = arena_new_array(arena, struct reservation_line, body->n_lines),
        };
        if (!reservation->lines)
                return NULL;
        for (size_t i = 0; i < body->n_lines; i++)
                reservation_line_add(reservation, &body->lines[i], i, stock);
        return reservation;
}

static void create_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        const struct create_body *body = call->body;
        struct work *work = batch->work;

        work_snapshot(snapshot, work);
        for (size_t i = 0; i < body->n_lines; i++)
                stock_row_snapshot(snapshot, stock_find(&work->stock, body->location, body->lines[i].sku));
}

static bool is_channel_known(struct call *call, const struct catalog_set *catalog) {
        const struct create_body *body = call->body;

        if (!body->channel || catalog_find_channel(catalog, body->channel))
                return true;
        (void) refuse_because(
                &call->refusal, &call->arena, "#/channel", "unknown-channel", "There is no channel %s.", body->channel);
        call_refuse(call, PROBLEM_VALIDATION_FAILED, "The channel is unknown; see errors.");
        return false;
}

static enum problem reservation_create_one(struct batch *batch, struct call *call) {
        const struct create_body *body = call->body;
        const duration ttl = body->has_ttl ? body->ttl : RESERVATION_TTL_DEFAULT;
        struct work *work = batch->work;
        struct reservation *reservation = reservation_from(call, batch->arena, &work->stock);
        char id[UUID_TEXT_SIZE];

        if (!reservation)
                return FAULT_BUSY;
        if (!is_channel_known(call, &work->catalog) ||
                reservation_grant(reservation, ttl, batch->now, &call->arena, &call->refusal)) {
                counter_count(COUNTER_RESERVATIONS_REFUSED, 1);
                return PROBLEM_NONE;
        }
        counter_count(COUNTER_RESERVATIONS_GRANTED, 1);
        work->touched[work->n_touched++] = reservation;
        reservation_reply(call, reservation, 201, batch->now);
        uuid_format(&reservation->id, id);
        call->reply.location = arena_format(&call->arena, "/v1/reservations/%s", id);
        return PROBLEM_NONE;
}

const struct operation reservation_create_operation = { .load = reservation_create_load,
        .documents = create_documents,
        .change = reservation_create_one,
        .save = work_save };

/* ---- one that exists ---- */

static void reservations_want_all(struct batch *batch, struct reservation_set *set) {
        for (size_t i = 0; i < batch->n_calls; i++)
                reservations_want(set, call_id(batch->calls[i], 0));
}

static enum problem existing_load(struct batch *batch) {
        struct work *work = NULL;
        enum problem p = reservation_work_begin(batch, &work);

        if (p)
                return p;
        reservations_want_all(batch, &work->set);
        p = reservations_lock(batch->database, &work->set);
        if (!p)
                p = reservations_lock_stock(batch->database, &work->set);
        if (!p)
                p = reservations_read_lines(batch->database, &work->set);
        return p;
}

/* The reservation of the call's path, when there is one and the bearer may see it; refuses otherwise. */
static struct reservation *reservation_of(struct call *call, const struct reservation_set *set) {
        struct reservation *reservation = reservation_find(set, call_id(call, 0));
        const char *channel = call->claims->channel;

        if (!reservation || (channel && reservation->channel && !text_equal(channel, reservation->channel))) {
                call_refuse(call, PROBLEM_NOT_FOUND, "There is no such reservation.");
                return NULL;
        }
        return call_may_act_at(call, reservation->location) ? reservation : NULL;
}

static void existing_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct work *work = batch->work;

        work_snapshot(snapshot, work);
        reservation_snapshot(snapshot, reservation_find(&work->set, call_id(call, 0)));
}

static void touch_once(struct work *work, struct reservation *reservation) {
        for (size_t i = 0; i < work->n_touched; i++)
                if (work->touched[i] == reservation)
                        return;
        work->touched[work->n_touched++] = reservation;
}

/* Releasing an ended reservation succeeds: its units are free. */
static enum problem release_one(struct batch *batch, struct call *call) {
        struct work *work = batch->work;
        struct reservation *reservation = reservation_of(call, &work->set);
        bool lapsed;

        if (!reservation || !call_version_matches(call, reservation_version_at(reservation, batch->now)))
                return PROBLEM_NONE;
        lapsed = reservation_has_lapsed(reservation, batch->now);
        if (reservation->status == RESERVATION_ACTIVE || reservation->status == RESERVATION_CLAIMED) {
                if (reservation_advance(reservation, lapsed ? RESERVATION_EXPIRE : RESERVATION_RELEASE, batch->now,
                            &call->arena, &call->refusal))
                        return PROBLEM_NONE;
                reservation_tell(batch->events, reservation,
                        lapsed ? EVENT_RESERVATION_EXPIRED : EVENT_RESERVATION_RELEASED, call->claims->subject);
                counter_count(lapsed ? COUNTER_RESERVATIONS_EXPIRED : COUNTER_RESERVATIONS_RELEASED, 1);
                touch_once(work, reservation);
        }
        reservation_reply(call, reservation, 200, batch->now);
        return PROBLEM_NONE;
}

const struct operation reservation_release_operation = {
        .load = existing_load, .documents = existing_documents, .change = release_one, .save = work_save
};

static enum problem extend_one(struct batch *batch, struct call *call) {
        const struct extend_body *body = call->body;
        struct work *work = batch->work;
        struct reservation *reservation = reservation_of(call, &work->set);

        if (!reservation || !call_version_matches(call, reservation_version_at(reservation, batch->now)) ||
                reservation_extend(reservation, body->ttl, batch->now, &call->arena, &call->refusal))
                return PROBLEM_NONE;
        touch_once(work, reservation);
        reservation_reply(call, reservation, 200, batch->now);
        return PROBLEM_NONE;
}

const struct operation reservation_extend_operation = {
        .load = existing_load, .documents = existing_documents, .change = extend_one, .save = work_save
};

static enum problem reservation_show_load(struct batch *batch) {
        struct work *work = NULL;
        enum problem p = reservation_work_begin(batch, &work);

        if (p)
                return p;
        work->set.stock = NULL;
        reservations_want_all(batch, &work->set);
        return reservations_read(batch->database, &work->set);
}

static enum problem reservation_show_decide(struct batch *batch) {
        struct work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct reservation *reservation = reservation_of(batch->calls[i], &work->set);

                if (reservation)
                        reservation_reply(batch->calls[i], reservation, 200, batch->now);
        }
        return PROBLEM_NONE;
}

const struct operation reservation_show_operation = { .load = reservation_show_load,
        .decide = reservation_show_decide };
