#include "reservations/jobs.h"

#include "base/snapshot.h"

struct work {
        struct stock stock;
        struct reservation_set set;
        struct reservation **closed;
        size_t n_closed;
};

static enum problem expire_load(struct batch *batch) {
        struct work *work = arena_new(batch->arena, struct work);
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        stock_init(&work->stock, batch->arena);
        reservations_init(&work->set, batch->arena, &work->stock);
        batch->work = work;
        p = reservations_lock_lapsed(batch->database, &work->set, RESERVATIONS_EXPIRED_AT_ONCE);
        if (!p)
                p = batch_trip(batch);
        if (p || !work->set.n_rows)
                return p;
        p = reservations_lock_stock(batch->database, &work->set);
        return p ? p : reservations_read_lines(batch->database, &work->set);
}

static void expire_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct work *work = batch->work;

        (void) call;
        snapshot_one(snapshot, work);
        stock_snapshot(snapshot, &work->stock);
        for (size_t i = 0; i < work->set.n_rows; i++)
                reservation_snapshot(snapshot, &work->set.rows[i]);
}

static void reservation_expire_one(struct batch *batch, struct call *call, struct reservation *reservation) {
        struct work *work = batch->work;
        struct refusal ignored = { 0 };

        if (!reservation_has_lapsed(reservation, batch->now) ||
                reservation_advance(reservation, RESERVATION_EXPIRE, batch->now, &call->arena, &ignored))
                return;
        reservation_tell(batch->events, reservation, EVENT_RESERVATION_EXPIRED, call->claims->subject);
        work->closed[work->n_closed++] = reservation;
}

static enum problem expire_all(struct batch *batch, struct call *call) {
        struct work *work = batch->work;

        work->closed = arena_new_array(batch->arena, struct reservation *, work->set.n_rows);
        if (!work->closed)
                return FAULT_BUSY;
        for (size_t i = 0; i < work->set.n_rows; i++)
                reservation_expire_one(batch, call, &work->set.rows[i]);
        return job_answer(call, work->n_closed, NULL) ? PROBLEM_NONE : FAULT_BUSY;
}

static enum problem expire_save(struct batch *batch) {
        struct work *work = batch->work;
        enum problem p = stock_save(batch->database, &work->stock, batch->events, batch->now);

        return p ? p : reservations_save(batch->database, batch->arena, work->closed, work->n_closed);
}

static const struct operation expire = {
        .load = expire_load, .documents = expire_documents, .change = expire_all, .save = expire_save
};

static const struct route expire_route = { .path = "(reservations expired)", .batch = 1, .operation = &expire };

const struct job reservation_jobs[] = {
        { "expire_reservations", JOBS_TIDYING, .batch = RESERVATIONS_EXPIRED_AT_ONCE, .route = &expire_route,
                .has_counter = true, .counter = COUNTER_RESERVATIONS_EXPIRED },
};
const size_t reservation_job_count = array_size(reservation_jobs);
