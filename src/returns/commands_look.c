/* GET /v1/returns and /v1/returns/{id}. */
#include "engine/reply.h"
#include "orders/number.h"
#include "returns/commands.h"

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
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct rma *rma = return_visible(batch, call);

                if (!rma)
                        continue;
                if (rma_touches_bearer(call, rma))
                        return_reply(batch, call, rma, 200);
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
        OPTIONAL_FLAGGED(UUID, struct list_query, order_id),
        OPTIONAL(TEXT, struct list_query, order_number, BETWEEN(1, NUMBER_MAX)),
        OPTIONAL(TEXT, struct list_query, return_number, BETWEEN(1, NUMBER_MAX)),
        COUNTED(TEXTS, false, struct list_query, status, .names = return_status_texts, BETWEEN(1, STATUSES_MAX)),
};
const struct shape return_list_shape = SHAPE(struct list_query, list_members);

/* The page of one call. */
struct returns_listed {
        struct page page;
        struct return_page list;
        const struct return_set *returns; /* of all calls */
};

static bool return_filter_from(struct call *call, const struct page *page, struct return_filter *filter) {
        const struct list_query *query = call->query;
        const struct token_claims *claims = call->claims;

        *filter = (struct return_filter){
                .order_id = query->has_order_id ? &query->order_id : NULL,
                .order_number = order_number_named(query->order_number, &call->arena),
                .return_number = query->return_number,
                .location = query->location,
                .channel = claims->channel,
                .statuses = query->status,
                .n_statuses = query->n_status,
                /* A client that knows the number sees returns of other locations. */
                .all_locations = claims->all_locations || query->order_number || query->return_number,
                .locations = claims->locations,
                .n_locations = claims->n_locations,
                .limit = page->limit + 1,
        };
        return page_after_time(page, call, &filter->after_time, &filter->after_id);
}

static enum problem return_page_ask(struct batch *batch, struct call *call, struct page *page) {
        struct returns_listed *mine = (struct returns_listed *) page;
        struct return_filter filter;

        mine->list.arena = batch->arena;
        if (return_filter_from(call, page, &filter))
                return_page_load(batch->database, &filter, &mine->list);
        return PROBLEM_NONE;
}

static enum problem listed_returns_read(struct batch *batch) {
        struct order_set *orders = arena_new(batch->arena, struct order_set);
        struct return_set *returns = arena_new(batch->arena, struct return_set);
        enum problem p;

        if (!orders || !returns)
                return FAULT_BUSY;
        orders_init(orders, batch->arena, NULL);
        returns_init(returns, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct returns_listed *mine = batch->calls[i]->work;

                for (size_t j = 0; mine && j < mine->list.n && (int64_t) j < mine->page.limit; j++)
                        orders_want(orders, &mine->list.rows[j].order_id);
                if (mine)
                        mine->returns = returns;
        }
        p = orders_read(batch->database, orders);
        return p ? p : returns_read(batch->database, returns, orders);
}

static const void *listed_return_at(const struct page *page, size_t i) {
        const struct return_page *list = &((const struct returns_listed *) page)->list;

        return i < list->n ? &list->rows[i] : NULL;
}

static void listed_return_write(struct writer *json, const struct page *page, const void *row) {
        const struct listed_return *listed = row;
        const struct rma *rma = rma_find(((const struct returns_listed *) page)->returns, &listed->id);

        if (!rma)
                return;
        write_object_begin(json);
        rma_write(json, rma);
        write_object_end(json);
}

static void returns_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        const struct listed_return *listed = row;

        (void) page;
        time_key_parts(listed->created_at, &listed->id, arena, ret_parts);
}

const struct list_kind returns_list = { .size = sizeof(struct returns_listed),
        .n_parts = TIME_KEY_PARTS,
        .ask = return_page_ask,
        .read = listed_returns_read,
        .row = listed_return_at,
        .write = listed_return_write,
        .key = returns_key };
