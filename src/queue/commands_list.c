/* GET /v1/locations/{code}/queue: the cards of a location, or 304 for a client that has them already. */
#include "catalog/catalog.h"
#include "engine/list.h"
#include "queue/commands.h"

#include "base/text.h"

#include <inttypes.h>

#define CURSOR_PARTS 3 /* rank, key, id */
#define POLL_AFTER_S 5 /* advice to clients that do not wait */

struct list_query {
        struct page_query page;
        const char *const *status, *const *method;
        size_t n_status, n_method;
        const char *assignee, *q;
        timestamp promised_before;
        int sort;
};

static const struct shape_member list_members[] = {
        PAGE_MEMBERS(struct list_query),
        OPTIONAL(TEXT, struct list_query, assignee, BETWEEN(1, 200)),
        COUNTED(TEXTS, false, struct list_query, method, .names = fulfillment_method_texts, BETWEEN(1, 3)),
        OPTIONAL(TIME, struct list_query, promised_before),
        OPTIONAL(TEXT, struct list_query, q, BETWEEN(1, 100)),
        OPTIONAL(ENUM, struct list_query, sort, .names = queue_sort_texts),
        COUNTED(TEXTS, false, struct list_query, status, .names = card_status_texts, BETWEEN(1, CARD_STATUS_COUNT)),
};
const struct shape queue_list_shape = SHAPE(struct list_query, list_members);

/* A view shared by one or several calls. */
struct view {
        struct page page; /* of the first of them */
        const struct queue_head *head;
        const char *digest;
        struct queue_page places;
        struct call *first; /* that has the body; the others take it from there */

        /* While the first is answered: the permissions of its bearer, and the time at which the first of its cards
         * changes without a command. */
        const struct work *work;
        unsigned powers;
        timestamp *changes_at;
};

struct work {
        struct queue_heads heads;
        struct view **views;
        size_t n_views;
        struct order_set set;
        struct catalog_set catalog;
};

/* ---- loading ---- */

static struct view *view_find(const struct work *work, const char *location, const char *digest) {
        for (size_t i = 0; i < work->n_views; i++)
                if (text_equal(work->views[i]->digest, digest) && text_equal(work->views[i]->head->location, location))
                        return work->views[i];
        return NULL;
}

static bool queue_filter_from(struct call *call, const struct page *page, struct queue_filter *filter) {
        const struct list_query *query = call->query;

        *filter = (struct queue_filter){
                .location = call_code(call, 0),
                .statuses = query->status,
                .n_statuses = query->n_status,
                .methods = query->method,
                .n_methods = query->n_method,
                .assignee = query->assignee,
                .words = query->q,
                .promised_before = query->promised_before,
                .sort = query->sort < 0 ? BY_PROMISED : (enum queue_sort) query->sort,
                .has_after = page->after[0] != NULL,
                .limit = page->limit + 1,
        };
        if (!filter->has_after)
                return true;
        if (text_to_integer(page->after[0], 0, 1, &filter->after_rank) &&
                text_to_integer(page->after[1], INT64_MIN + 1, INT64_MAX, &filter->after_key) &&
                uuid_parse(page->after[2], &filter->after_id))
                return true;
        call_refuse(call, PROBLEM_INVALID_CURSOR,
                "The cursor does not belong to this list: take next_cursor of its last page.");
        return false;
}

/* A view that no earlier call of the batch has asked for. */
static enum problem view_load(struct batch *batch, struct work *work, struct call *call, const struct queue_head *head,
        const char *digest, const struct cursor_key *key) {
        struct view *view = arena_new(batch->arena, struct view);
        struct queue_filter filter;

        if (!view)
                return FAULT_BUSY;
        *view = (struct view){ .head = head, .digest = digest, .places = { .arena = batch->arena } };
        if (!page_begin(&view->page, call, key, CURSOR_PARTS) || !queue_filter_from(call, &view->page, &filter))
                return PROBLEM_NONE;
        work->views[work->n_views++] = view;
        call->work = view;
        return queue_page_ask(batch->database, &filter, &view->places);
}

static enum problem call_load(struct batch *batch, struct work *work, struct call *call, const struct cursor_key *key) {
        const struct queue_head *head = queue_head_find(&work->heads, call_code(call, 0));
        const char *digest = queue_view(call);

        if (!digest)
                return FAULT_BUSY;
        if (call->refusal.problem)
                return PROBLEM_NONE;
        call->work = view_find(work, call_code(call, 0), digest);
        return call->work ? PROBLEM_NONE : view_load(batch, work, call, head, digest, key);
}

static enum problem cards_load(struct batch *batch, struct work *work) {
        const enum problem p = batch_trip(batch);

        if (p)
                return p;
        for (size_t i = 0; i < work->n_views; i++)
                for (size_t j = 0; j < work->views[i]->places.n; j++)
                        orders_want(&work->set, &work->views[i]->places.places[j].order_id);
        return cards_read(batch, &work->set, &work->catalog);
}

static enum problem queue_list_load(struct batch *batch) {
        struct work *work = arena_new(batch->arena, struct work);
        const struct cursor_key *key = NULL;
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        work->views = arena_new_array(batch->arena, struct view *, batch->n_calls);
        if (!work->views)
                return FAULT_BUSY;
        orders_init(&work->set, batch->arena, NULL);
        catalog_init(&work->catalog, batch->arena);
        batch->work = work;
        p = pages_load(batch, &key);
        if (!p)
                p = queue_heads_load(batch, &work->heads);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = call_load(batch, work, batch->calls[i], key);
        return p || !work->n_views ? p : cards_load(batch, work);
}

/* ---- answering ---- */

static timestamp earlier(timestamp a, timestamp b) {
        if (a == TIMESTAMP_NONE || b == TIMESTAMP_NONE)
                return a == TIMESTAMP_NONE ? b : a;
        return a < b ? a : b;
}

static const void *card_row(const struct page *page, size_t i) {
        const struct queue_page *places = &((const struct view *) page)->places;

        return i < places->n ? &places->places[i] : NULL;
}

static void card_row_write(struct writer *json, const struct page *page, const void *row) {
        const struct view *view = (const struct view *) page;
        const struct queue_place *place = row;
        const struct fulfillment *fulfillment = fulfillment_find(&view->work->set, &place->id);
        const timestamp now = view->head->now;

        if (!fulfillment)
                return;
        write_object_begin(json);
        card_write(json, fulfillment, place->customer_name, &view->work->catalog, view->powers, now);
        write_object_end(json);
        *view->changes_at =
                earlier(*view->changes_at, queue_sla_changes_at(fulfillment->status, fulfillment->promised_at, now));
}

static void card_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        const struct queue_place *place = row;
        char id[UUID_TEXT_SIZE];

        (void) page;
        uuid_format(&place->id, id);
        ret_parts[0] = arena_format(arena, "%" PRId64, place->rank);
        ret_parts[1] = arena_format(arena, "%" PRId64, place->key);
        ret_parts[2] = arena_text(arena, id);
}

static const struct list_kind cards_list = {
        .n_parts = CURSOR_PARTS, .row = card_row, .write = card_row_write, .key = card_key
};

static void answer_first(struct call *call, const struct work *work, struct view *view) {
        timestamp changes_at = TIMESTAMP_NONE;
        struct reply_writer w;

        view->work = work;
        view->powers = fulfillment_powers(call);
        view->changes_at = &changes_at;
        reply_begin(&w, call, 200);
        list_write(&w, &cards_list, &view->page);
        write_integer_member(&w.json, "poll_after_s", POLL_AFTER_S);
        reply_end(&w);
        queue_tag_reply(call, view->head, view->digest, changes_at);
        view->first = call;
}

/* Answer a further call with the same view: all share one body. */
static void answer_alike(struct call *call, struct call *first) {
        if (first->reply.status != 200 || !call_share_reply(first, call))
                reply_plain_problem(call, PROBLEM_CONTENT_TOO_LARGE);
}

static enum problem queue_list_decide(struct batch *batch) {
        const struct work *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct view *view = call->work;

                if (view && !view->first)
                        answer_first(call, work, view);
                else if (view)
                        answer_alike(call, view->first);
        }
        return PROBLEM_NONE;
}

const struct operation queue_list = { .look = queue_look, .load = queue_list_load, .decide = queue_list_decide };
