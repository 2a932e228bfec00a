/* Outcomes in the database: cursors, failed events, attempts. */
#include "base/log.h"
#include "db/connection.h"
#include "webhooks/deliverer_internal.h"

#define SAVE_EVERY (1 * SECOND)
#define SAVE_AFTER 100 /* answers */

struct saving {
        struct webhook_progress *progress;
        struct webhook_failure *rows, *ended;
        struct webhook_replay *replays;
        size_t n, n_rows, n_ended, n_replays;
};

static struct webhook_failure failure_of(
        const struct endpoint *endpoint, const struct outbox_event *event, unsigned attempts) {
        return (struct webhook_failure){ .webhook_id = endpoint->id,
                .event_id = event->id,
                .position = event->position,
                .attempts = (int64_t) attempts,
                .due_at = TIMESTAMP_NONE,
                .died_at = TIMESTAMP_NONE };
}

static void saving_add_rows(struct saving *saving, const struct endpoint *endpoint, timestamp now) {
        const struct outbox *outbox = &endpoint->outbox;

        for (size_t i = 0; i < outbox->n; i++) {
                const struct outbox_item *item = &outbox->items[i];
                struct webhook_failure row = failure_of(endpoint, &item->event, item->attempts);

                row.due_at = item->due_at;
                if (item->row_changed)
                        saving->rows[saving->n_rows++] = row;
        }
        for (size_t i = 0; i < outbox->n_ended; i++) {
                const struct outbox_end *end = &outbox->ended[i];
                struct webhook_failure row = failure_of(endpoint, &end->event, end->attempts);

                row.died_at = now;
                if (end->is_dead)
                        saving->rows[saving->n_rows++] = row;
                else
                        saving->ended[saving->n_ended++] = row;
        }
}

static bool saving_new(struct saving *saving, struct arena *arena, struct endpoint *const *chosen, size_t n) {
        size_t most = 1;

        for (size_t i = 0; i < n; i++)
                most += chosen[i]->outbox.n + chosen[i]->outbox.n_ended;
        *saving = (struct saving){ .progress = arena_new_array(arena, struct webhook_progress, n),
                .rows = arena_new_array(arena, struct webhook_failure, most),
                .ended = arena_new_array(arena, struct webhook_failure, most),
                .replays = arena_new_array(arena, struct webhook_replay, n) };
        return saving->progress && saving->rows && saving->ended && saving->replays;
}

/* List the rows and cursors of the chosen endpoints. */
static void saving_fill(struct saving *saving, struct endpoint *const *chosen, size_t n, timestamp now) {
        for (size_t i = 0; i < n; i++) {
                struct outbox *outbox = &chosen[i]->outbox;

                saving->progress[saving->n++] = (struct webhook_progress){ .webhook_id = chosen[i]->id,
                        .cursor = outbox_save(outbox),
                        .failing_since = outbox->failing_since,
                        .last_success_at = outbox->last_success_at,
                        .gone_version = chosen[i]->is_refused ? chosen[i]->version : 0 };
                saving_add_rows(saving, chosen[i], now);
                if (!uuid_is_nil(&chosen[i]->replay.id))
                        saving->replays[saving->n_replays++] = (struct webhook_replay){ .id = chosen[i]->replay.id,
                                .webhook_id = chosen[i]->id,
                                .position = chosen[i]->replay.after };
        }
}

/* Rows of an endpoint whose lease another instance has now are that one's to write. */
static size_t rows_keep(struct webhook_failure *rows, size_t n, const struct webhook_ids *kept) {
        size_t left = 0;

        for (size_t i = 0; i < n; i++)
                if (webhook_ids_have(kept->ids, kept->n, &rows[i].webhook_id))
                        rows[left++] = rows[i];
        return left;
}

static size_t replays_keep(struct webhook_replay *replays, size_t n, const struct webhook_ids *kept) {
        size_t left = 0;

        for (size_t i = 0; i < n; i++)
                if (webhook_ids_have(kept->ids, kept->n, &replays[i].webhook_id))
                        replays[left++] = replays[i];
        return left;
}

/* One transaction: the progress under its lock, then the rows that the cursors rely on. */
static enum problem saving_run(struct deliverer *deliverer, struct saving *saving, struct webhook_ids *kept) {
        struct database *database = deliverer->database;
        struct arena *arena = &deliverer->arena;
        enum problem p;

        database_begin(database);
        webhook_progress_store(database, arena, &deliverer->instance, saving->progress, saving->n, kept);
        p = deliverer_trip(deliverer);
        if (p)
                return p;
        saving->n_rows = rows_keep(saving->rows, saving->n_rows, kept);
        saving->n_ended = rows_keep(saving->ended, saving->n_ended, kept);
        saving->n_replays = replays_keep(saving->replays, saving->n_replays, kept);
        webhook_failures_store(database, arena, saving->rows, saving->n_rows);
        webhook_failures_drop(database, arena, saving->ended, saving->n_ended);
        webhook_replays_store(database, arena, saving->replays, saving->n_replays);
        attempts_store(database, arena, &deliverer->attempts);
        database_commit(database);
        return deliverer_trip(deliverer);
}

static void endpoints_saved(
        const struct saving *saving, struct endpoint *const *chosen, size_t n, const struct webhook_ids *kept) {
        for (size_t i = 0; i < n; i++) {
                outbox_saved(&chosen[i]->outbox);
                chosen[i]->saved_cursor = saving->progress[i].cursor;
                chosen[i]->saved_at = clock_monotonic();
                if (chosen[i]->replay.after >= chosen[i]->replay.until)
                        chosen[i]->replay = (struct replay){ 0 };
                if (!webhook_ids_have(kept->ids, kept->n, &chosen[i]->id))
                        chosen[i]->is_lost = true;
        }
}

static size_t changed_choose(const struct deliverer *deliverer, struct endpoint **chosen) {
        size_t n = 0;

        for (size_t i = 0; i < deliverer->endpoints.n; i++)
                if (endpoint_has_news(deliverer->endpoints.at[i], clock_monotonic()))
                        chosen[n++] = deliverer->endpoints.at[i];
        return n;
}

enum problem progress_save(struct deliverer *deliverer) {
        struct arena *arena = &deliverer->arena;
        struct endpoint **chosen = arena_new_array(arena, struct endpoint *, deliverer->endpoints.n);
        struct webhook_ids kept = { .arena = arena };
        struct saving saving;
        size_t n;
        enum problem p;

        deliverer->save_at = clock_monotonic() + SAVE_EVERY;
        deliverer->answers = 0;
        if (!chosen)
                return FAULT_BUSY;
        n = changed_choose(deliverer, chosen);
        if (!n && !deliverer->attempts.n)
                return PROBLEM_NONE;
        if (!saving_new(&saving, arena, chosen, n))
                return FAULT_BUSY;
        saving_fill(&saving, chosen, n, deliverer_time(deliverer));
        p = saving_run(deliverer, &saving, &kept);
        if (p)
                return p;
        attempts_clear(&deliverer->attempts);
        endpoints_saved(&saving, chosen, n, &kept);
        p = leases_leave(deliverer);
        endpoints_remove_ended(&deliverer->endpoints);
        return p;
}

bool progress_is_due(const struct deliverer *deliverer) {
        return deliverer->answers >= SAVE_AFTER || clock_monotonic() >= deliverer->save_at;
}
