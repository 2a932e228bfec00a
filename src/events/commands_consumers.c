/* Consumers: GET /v1/consumers; GET, PUT and DELETE /v1/consumers/{name}; and the commit of a cursor. */
#include "events/commands.h"
#include "events/consumers.h"

#include "base/snapshot.h"
#include "base/text.h"
#include "engine/reply.h"

#include <string.h>

struct consumer_body {
        const char *after;
        const char **types;
        size_t n_types;
};

static const struct shape_member consumer_members[] = {
        OPTIONAL(TEXT, struct consumer_body, after, BETWEEN(1, CURSOR_SIZE_MAX)),
        COUNTED(TEXT_LIST, false, struct consumer_body, types, BETWEEN(1, CONSUMER_TYPES_MAX)),
};
const struct shape consumer_shape = SHAPE(struct consumer_body, consumer_members);

struct commit_body {
        const char *cursor;
        const char *expected; /* may be NULL */
};

static const struct shape_member commit_members[] = {
        REQUIRED(TEXT, struct commit_body, cursor, BETWEEN(1, CURSOR_SIZE_MAX)),
        OPTIONAL(TEXT, struct commit_body, expected, BETWEEN(1, CURSOR_SIZE_MAX)),
};
const struct shape consumer_commit_shape = SHAPE(struct commit_body, commit_members);

void consumer_body_check(struct call *call) {
        const struct consumer_body *body = call->body;

        event_patterns_check(call, body->types, body->n_types);
}

/* ---- the work of a batch ---- */

struct consumer_work {
        struct cursor_key key;
        struct log_bounds bounds;
        struct consumer_set set;
        struct consumer **list; /* those of the set, and new ones */
        size_t n;
};

/* A removed consumer is found too, for a later call of the batch that makes it again. */
static struct consumer *consumer_find_any(const struct consumer_work *work, const char *name) {
        for (size_t i = 0; i < work->n; i++)
                if (text_equal(work->list[i]->name, name))
                        return work->list[i];
        return NULL;
}

static struct consumer *consumer_find(const struct consumer_work *work, const char *name) {
        struct consumer *consumer = consumer_find_any(work, name);

        return consumer && !consumer->removed ? consumer : NULL;
}

typedef void (*consumers_query)(
        struct database *database, struct consumer_set *set, const char *const *names, size_t n);

/* Makes a trip. */
static enum problem consumers_load(struct batch *batch, consumers_query ask) {
        struct consumer_work *work = arena_new(batch->arena, struct consumer_work);
        const char **names = arena_new_array(batch->arena, const char *, batch->n_calls);
        enum problem p;

        if (!work || !names)
                return FAULT_BUSY;
        work->set.arena = batch->arena;
        work->list = arena_new_array(batch->arena, struct consumer *, 2 * batch->n_calls);
        if (!work->list)
                return FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++)
                names[i] = call_code(batch->calls[i], 0);
        batch->work = work;
        ask(batch->database, &work->set, names, batch->n_calls);
        cursor_key_ask(batch, &work->key);
        event_log_bounds_ask(batch->database, &work->bounds);
        p = batch_trip(batch);
        for (size_t i = 0; i < work->set.n && !p; i++)
                work->list[work->n++] = &work->set.rows[i];
        return p;
}

static enum problem consumers_load_locked(struct batch *batch) {
        return consumers_load(batch, consumers_lock);
}

static enum problem consumers_load_shown(struct batch *batch) {
        return consumers_load(batch, consumers_read);
}

static void consumers_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct consumer_work *work = batch->work;
        struct consumer *consumer = consumer_find_any(work, call_code(call, 0));

        snapshot_one(snapshot, work);
        if (consumer)
                snapshot_one(snapshot, consumer);
}

static enum problem consumers_write(struct batch *batch) {
        const struct consumer_work *work = batch->work;

        consumers_save(batch->database, batch->arena, work->list, work->n);
        return PROBLEM_NONE;
}

/* ---- replies ---- */

static void types_write(struct writer *json, const char *types, struct arena *arena) {
        const char *rest = types ? types : "*", *type;
        size_t size;

        write_name(json, "types");
        write_list_begin(json);
        while (text_next_part(&rest, ',', &type, &size))
                write_text(json, arena_text_sized(arena, type, size));
        write_list_end(json);
}

/* Write the members of a consumer; `lag_s` when it was read with it. Returns the lag in events and milliseconds, mixed.
 */
static uint64_t consumer_write(struct writer *json, const struct consumer *consumer, const struct cursor_key *key,
        int64_t head, bool has_lag, struct arena *arena) {
        const int64_t lag_events = head > consumer->position ? head - consumer->position : 0;
        const int64_t lag_ms = has_lag && consumer->lag_s > 0 ? (int64_t) (consumer->lag_s * 1000) : 0;

        write_text_member(json, "name", consumer->name);
        types_write(json, consumer->types, arena);
        write_text_member(json, "cursor", position_cursor_seal(key, consumer->position, arena));
        write_integer_member(json, "lag_events", lag_events);
        if (has_lag)
                write_number_member(json, "lag_s", (double) lag_ms / 1000);
        write_time_member(json, "updated_at", consumer->updated_at);
        write_integer_member(json, "version", consumer->version);
        return (uint64_t) lag_events << 32 ^ (uint64_t) lag_ms;
}

static void consumer_reply(
        const struct batch *batch, struct call *call, const struct consumer *consumer, unsigned status) {
        const struct consumer_work *work = batch->work;
        struct reply_writer w;
        uint64_t lag;

        reply_begin(&w, call, status);
        lag = consumer_write(
                &w.json, consumer, &work->key, work->bounds.position, /* has_lag= */ !batch->events, &call->arena);
        reply_end(&w);
        reply_etag_of_view(call, consumer->version, lag);
}

/* ---- making one ---- */

static const char *types_join(const struct consumer_body *body, struct arena *arena) {
        const char *joined = NULL;

        for (size_t i = 0; i < body->n_types; i++)
                joined = joined ? arena_format(arena, "%s,%s", joined, body->types[i]) : body->types[i];
        return joined;
}

/* A position behind the end of the log is of another log. */
static bool position_is_in_log(struct call *call, const struct consumer_work *work, int64_t position) {
        if (position <= work->bounds.position)
                return true;
        call_refuse(call, PROBLEM_INVALID_CURSOR, "The cursor names a position that the log does not have yet.");
        return false;
}

static bool cursor_read(
        struct call *call, const struct consumer_work *work, const char *cursor, int64_t *ret_position) {
        if (position_cursor_open(&work->key, cursor, &call->arena, ret_position))
                return position_is_in_log(call, work, *ret_position);
        call_refuse(call, PROBLEM_INVALID_CURSOR, "Take next_cursor of a page of events.");
        return false;
}

/* One that an earlier call of the batch has removed becomes a consumer again, as new as any. */
static struct consumer *consumer_make(const struct batch *batch, const char *name) {
        struct consumer_work *work = batch->work;
        struct consumer *consumer = consumer_find_any(work, name);

        if (consumer) {
                *consumer = (struct consumer){
                        .name = name, .is_new = consumer->is_new, .position = work->bounds.position
                };
                return consumer;
        }
        consumer = arena_new(batch->arena, struct consumer);

        if (!consumer)
                return NULL;
        *consumer = (struct consumer){ .name = name, .is_new = true, .position = work->bounds.position };
        work->list[work->n++] = consumer;
        return consumer;
}

static enum problem consumer_put_one(struct batch *batch, struct call *call) {
        const struct consumer_work *work = batch->work;
        const struct consumer_body *body = call->body;
        struct consumer *consumer = consumer_find(work, call_code(call, 0));
        const bool is_new = !consumer;
        int64_t position;

        if (is_new)
                consumer = consumer_make(batch, call_code(call, 0));
        if (!consumer)
                return FAULT_BUSY;
        if (!call_may_put(call, consumer->version))
                return PROBLEM_NONE;
        position = consumer->position;
        if (body->after && (!position_named(call, &work->key, &work->bounds, body->after, &position) ||
                                   !position_is_in_log(call, work, position)))
                return PROBLEM_NONE;
        consumer->types = types_join(body, batch->arena);
        consumer->position = position;
        consumer->version++;
        consumer->updated_at = batch->now;
        consumer->changed = true;
        consumer_reply(batch, call, consumer, is_new ? 201 : 200);
        return PROBLEM_NONE;
}

/* ---- committing ---- */

static enum problem commit_one(struct batch *batch, struct call *call) {
        const struct consumer_work *work = batch->work;
        const struct commit_body *body = call->body;
        struct consumer *consumer = consumer_find(work, call_code(call, 0));
        int64_t position, expected;

        if (!consumer)
                call_refuse_unknown(call, "consumer", call_code(call, 0));
        if (!consumer || !cursor_read(call, work, body->cursor, &position) ||
                (body->expected && !cursor_read(call, work, body->expected, &expected)))
                return PROBLEM_NONE;
        if (position != consumer->position) {
                if (body->expected && expected != consumer->position) {
                        call_refuse(call, PROBLEM_STALE_CURSOR,
                                "Another process has moved the consumer; read on from its cursor.");
                        return PROBLEM_NONE;
                }
                consumer->position = position;
                consumer->version++;
                consumer->updated_at = batch->now;
                consumer->changed = true;
        }
        consumer_reply(batch, call, consumer, 200);
        return PROBLEM_NONE;
}

/* ---- deleting ---- */

static enum problem consumer_delete_one(struct batch *batch, struct call *call) {
        struct consumer *consumer = consumer_find(batch->work, call_code(call, 0));

        if (!consumer)
                call_refuse_unknown(call, "consumer", call_code(call, 0));
        if (!consumer || !call_version_matches(call, consumer->version))
                return PROBLEM_NONE;
        consumer_reply(batch, call, consumer, 200);
        consumer->removed = true;
        return PROBLEM_NONE;
}

/* ---- showing ---- */

static enum problem consumer_show_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct consumer *consumer = consumer_find(batch->work, call_code(call, 0));

                if (consumer)
                        consumer_reply(batch, call, consumer, 200);
                else
                        call_refuse_unknown(call, "consumer", call_code(call, 0));
        }
        return PROBLEM_NONE;
}

const struct operation consumer_show = { .load = consumers_load_shown, .decide = consumer_show_decide };
const struct operation consumer_put = { .load = consumers_load_locked,
        .documents = consumers_documents,
        .change = consumer_put_one,
        .save = consumers_write };
const struct operation consumer_commit = {
        .load = consumers_load_locked, .documents = consumers_documents, .change = commit_one, .save = consumers_write
};
const struct operation consumer_delete = { .load = consumers_load_locked,
        .documents = consumers_documents,
        .change = consumer_delete_one,
        .save = consumers_write };

/* ---- the list ---- */

struct consumers_list_page {
        struct page page;
        struct consumer_set set;
};

static enum problem consumers_list_ask(struct batch *batch, struct call *call, struct page *page) {
        struct consumers_list_page *mine = (struct consumers_list_page *) page;

        (void) call;
        mine->set.arena = batch->arena;
        consumers_page(batch->database, &mine->set, page->after[0], page->limit + 1);
        return PROBLEM_NONE;
}

static const void *consumers_list_row(const struct page *page, size_t i) {
        const struct consumer_set *set = &((const struct consumers_list_page *) page)->set;

        return i < set->n ? &set->rows[i] : NULL;
}

static void consumers_list_write(struct writer *json, const struct page *page, const void *row) {
        const struct consumers_list_page *mine = (const struct consumers_list_page *) page;

        write_object_begin(json);
        (void) consumer_write(json, row, page->key, page->key->position, /* has_lag= */ true, mine->set.arena);
        write_object_end(json);
}

static void consumers_list_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        (void) page;
        (void) arena;
        ret_parts[0] = ((const struct consumer *) row)->name;
}

const struct list_kind consumers_list = { .size = sizeof(struct consumers_list_page),
        .n_parts = 1,
        .ask = consumers_list_ask,
        .row = consumers_list_row,
        .write = consumers_list_write,
        .key = consumers_list_key };
