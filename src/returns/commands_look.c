/* GET /v1/returns and /v1/returns/{id}. */
#include "engine/cursor.h"
#include "engine/reply.h"
#include "returns/commands.h"

#include "base/text.h"

#include <inttypes.h>

#define CURSOR_PARTS 2 /* when it was made, and its id */
#define STATUSES_MAX 5
#define NUMBER_MAX   40

/* ---- one ---- */

static enum problem return_show_load(struct batch *batch) {
        struct return_commands *work = NULL;
        enum problem p = return_work_begin(batch, /* locked= */ false, &work);

        if (!p)
                p = return_work_find(batch, work);
        return p ? p : return_work_load(batch, /* locked= */ false, return_want_nothing);
}

/* Where it was made, where its goods are, and where the order came from. */
static bool rma_touches_bearer(const struct call *call, const struct rma *rma) {
        if (token_allows_location(call->claims, rma->location))
                return true;
        for (size_t i = 0; i < rma->n_lines; i++)
                if (rma->lines[i]->location && token_allows_location(call->claims, rma->lines[i]->location))
                        return true;
        for (size_t i = 0; i < rma->order->n_fulfillments; i++)
                if (token_allows_location(call->claims, rma->order->fulfillments[i]->location))
                        return true;
        return false;
}

static enum problem return_show_decide(struct batch *batch) {
        const struct return_commands *work = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct rma *rma = return_visible(call, work);

                if (!rma)
                        continue;
                if (rma_touches_bearer(call, rma))
                        return_reply(call, rma, 200);
                else
                        call_refuse(
                                call, PROBLEM_STORE_NOT_ALLOWED, "The return does not touch a location of the token.");
        }
        return PROBLEM_NONE;
}

const struct operation return_show = { .load = return_show_load, .decide = return_show_decide };

/* ---- many ---- */

struct list_query {
        struct page_query page;
        struct uuid order_id;
        bool has_order_id;
        const char *order_number, *return_number, *location;
        const char *const *status;
        size_t n_status;
};

static const struct shape_member list_members[] = {
        PAGE_MEMBERS(struct list_query),
        OPTIONAL(CODE, struct list_query, location),
        TOLD(UUID, struct list_query, order_id),
        OPTIONAL(TEXT, struct list_query, order_number, BETWEEN(1, NUMBER_MAX)),
        OPTIONAL(TEXT, struct list_query, return_number, BETWEEN(1, NUMBER_MAX)),
        COUNTED_(TEXTS, false, struct list_query, status, .names = return_status_texts, BETWEEN(1, STATUSES_MAX)),
};
const struct shape return_list_shape = SHAPE(struct list_query, list_members);

/* One call's page. */
struct returns_listed {
        struct page page;
        struct return_page list;
};

struct lists_work {
        struct order_set orders;
        struct return_set returns;
};

static bool return_filter_from(struct call *call, const struct page *page, struct return_filter *filter) {
        const struct list_query *query = call->query;
        const struct token_claims *claims = call->claims;

        *filter = (struct return_filter){
                .order_id = query->has_order_id ? &query->order_id : NULL,
                .order_number = query->order_number,
                .return_number = query->return_number,
                .location = query->location,
                .channel = claims->channel,
                .statuses = query->status,
                .n_statuses = query->n_status,
                /* A client that knows the number sees returns of other locations. */
                .all_locations = claims->all_locations || query->order_number || query->return_number,
                .locations = claims->locations,
                .n_locations = claims->n_locations,
                .after_time = TIMESTAMP_NONE,
                .limit = page->limit + 1,
        };
        if (!page->after[0])
                return true;
        if (text_to_integer(page->after[0], INT64_MIN + 1, INT64_MAX, &filter->after_time) &&
                uuid_parse(page->after[1], &filter->after_id))
                return true;
        call_refuse(call, PROBLEM_INVALID_CURSOR, "The cursor is not one of this list.");
        return false;
}

static enum problem return_list_ask(struct batch *batch, struct call *call, const struct cursor_key *key) {
        struct returns_listed *listing = arena_new(batch->arena, struct returns_listed);
        struct return_filter filter;

        if (!listing)
                return FAULT_BUSY;
        listing->list.arena = batch->arena;
        if (!page_begin(&listing->page, call, key, CURSOR_PARTS) || !return_filter_from(call, &listing->page, &filter))
                return PROBLEM_NONE;
        call->work = listing;
        return_page_load(batch->database, &filter, &listing->list);
        return PROBLEM_NONE;
}

static void want_listed_orders(struct batch *batch, struct order_set *orders) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct returns_listed *listing = batch->calls[i]->work;

                for (size_t j = 0; listing && j < listing->list.n && (int64_t) j < listing->page.limit; j++)
                        orders_want(orders, &listing->list.rows[j].order_id);
        }
}

static enum problem return_list_load(struct batch *batch) {
        struct lists_work *lists = arena_new(batch->arena, struct lists_work);
        const struct cursor_key *key = NULL;
        enum problem p;

        if (!lists)
                return FAULT_BUSY;
        orders_init(&lists->orders, batch->arena, NULL);
        returns_init(&lists->returns, batch->arena);
        batch->work = lists;
        p = pages_load(batch, &key);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = return_list_ask(batch, batch->calls[i], key);
        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        want_listed_orders(batch, &lists->orders);
        p = orders_read(batch->database, &lists->orders);
        return p ? p : returns_read(batch->database, &lists->returns, &lists->orders);
}

/* As many of the first n as go into one page, at least one; how many these are. */
static size_t write_returns(
        struct reply_writer *w, const struct returns_listed *listing, const struct return_set *set, size_t n) {
        size_t i;

        write_name(&w->json, "data");
        write_list_begin(&w->json);
        for (i = 0; i < n && w->buffer.size < PAGE_SIZE_MAX; i++) {
                const struct rma *rma = rma_find(set, &listing->list.rows[i].id);

                if (!rma)
                        continue;
                write_object_begin(&w->json);
                rma_write(&w->json, rma);
                write_object_end(&w->json);
        }
        write_list_end(&w->json);
        return i;
}

static void return_list_reply(struct call *call, const struct return_set *set) {
        const struct returns_listed *listing = call->work;
        const size_t limit = (size_t) listing->page.limit;
        const char *parts[CURSOR_PARTS] = { NULL };
        char id[UUID_TEXT_SIZE];
        struct reply_writer w;
        size_t n;
        bool more;

        reply_begin(&w, call, 200);
        n = write_returns(&w, listing, set, listing->list.n < limit ? listing->list.n : limit);
        more = n < listing->list.n;
        if (more) {
                uuid_format(&listing->list.rows[n - 1].id, id);
                parts[0] = arena_format(&call->arena, "%" PRId64, listing->list.rows[n - 1].created_at);
                parts[1] = id;
        }
        page_end(&w, &listing->page, more && parts[0] ? parts : NULL);
        reply_end(&w);
}

static enum problem return_list_decide(struct batch *batch) {
        const struct lists_work *lists = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++)
                if (batch->calls[i]->work)
                        return_list_reply(batch->calls[i], &lists->returns);
        return PROBLEM_NONE;
}

const struct operation return_list = { .load = return_list_load, .decide = return_list_decide };
