#include "catalog/commands_records.h"

#include "base/snapshot.h"

static const struct record_kind *kind_of(const struct batch *batch) {
        return batch->calls[0]->route->kind;
}

static void record_reply(struct call *call, const struct record *record, unsigned status) {
        const struct record_kind *kind = call->route->kind;
        struct reply_writer w;

        reply_begin(&w, call, status);
        kind->write(&w.json, record);
        reply_end(&w);
        if (kind->tag)
                kind->tag(call, record);
        else
                reply_etag(call, record->version);
}

/* ---- PUT ---- */

static enum problem record_put_load(struct batch *batch) {
        return kind_of(batch)->load(batch, /* locked= */ true);
}

static void record_put_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        const struct record_kind *kind = kind_of(batch);

        snapshot_keep(snapshot, kind->find(batch, call), kind->size);
}

/* The subject is named by the codes of the path. */
static void record_tell(const struct batch *batch, const struct call *call, const struct record *record, bool created) {
        const struct record_kind *kind = call->route->kind;
        const char *first = call_code(call, 0), *second = call_code(call, 1);
        struct event *event = event_add(batch->events, created ? kind->created : kind->changed, call->claims->subject);

        event_about_code(event, second ? arena_format(batch->arena, "%s/%s", first, second) : first, &record->version);
        if (event->subject_kind == SUBJECT_LOCATION || event->subject_kind == SUBJECT_INVENTORY_SETTINGS)
                event->location = first;
        if (event->subject_kind == SUBJECT_CHANNEL || event->subject_kind == SUBJECT_LISTING)
                event->channel = first;
}

static enum problem record_put_one(struct batch *batch, struct call *call) {
        const struct record_kind *kind = kind_of(batch);
        struct record *record = kind->find(batch, call);
        const bool created = !record->exists;
        bool same = false;

        if ((kind->has_parents && !kind->has_parents(call, record)) ||
                !call_may_put(call, record->exists ? record->version : 0) || !kind->merge(batch, call, record, &same))
                return PROBLEM_NONE;
        record_put(record, same, batch->now);
        if (kind->has_events && (created || !same))
                record_tell(batch, call, record, created);
        record_reply(call, record, created ? 201 : 200);
        return PROBLEM_NONE;
}

static enum problem record_put_save(struct batch *batch) {
        return kind_of(batch)->save(batch);
}

const struct operation record_put_operation = {
        .load = record_put_load, .documents = record_put_documents, .change = record_put_one, .save = record_put_save
};

/* ---- GET ---- */

static enum problem record_show_load(struct batch *batch) {
        return kind_of(batch)->load(batch, /* locked= */ false);
}

static enum problem record_show_decide(struct batch *batch) {
        const struct record_kind *kind = kind_of(batch);

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct record *record = kind->find(batch, call);

                if (record->exists && (!kind->is_visible || kind->is_visible(call)))
                        record_reply(call, record, 200);
                else if (kind->refuse_unknown)
                        kind->refuse_unknown(call, record);
                else
                        call_refuse_unknown(call, kind->name, call_code(call, 0));
        }
        return PROBLEM_NONE;
}

const struct operation record_show_operation = { .load = record_show_load, .decide = record_show_decide };

/* ---- the kinds of the catalogue ---- */

enum problem catalog_work_load(
        struct batch *batch, bool locked, void (*want)(struct catalog_set *set, const struct call *call)) {
        struct catalog_work *work = arena_new(batch->arena, struct catalog_work);

        if (!work)
                return FAULT_BUSY;
        batch->work = work;
        catalog_init(&work->set, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++)
                want(&work->set, batch->calls[i]);
        return locked ? catalog_lock(batch->database, &work->set) : catalog_read(batch->database, &work->set);
}

enum problem catalog_work_save(struct batch *batch) {
        struct catalog_work *work = batch->work;

        return catalog_save(batch->database, &work->set);
}
