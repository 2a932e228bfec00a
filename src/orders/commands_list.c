#include "engine/call.h"
#include "engine/cursor.h"
#include "engine/reply.h"
#include "orders/commands.h"
#include "orders/lists.h"

#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>

#define CURSOR_PARTS 2 /* the time the list is sorted by, and the id */
#define WORDS_MIN    3 /* letters and digits: fewer make no trigram, and the search would read all orders */

struct list_query {
        struct page_query page;
        const char *channel, *external_ref, *order_number, *q, *email, *phone;
        const char *const *status;
        size_t n_status;
        timestamp updated_since;
};

static const struct shape_member list_members[] = {
        PAGE_MEMBERS(struct list_query),
        OPTIONAL(CODE, struct list_query, channel),
        OPTIONAL(TEXT, struct list_query, email, BETWEEN(1, 254)),
        OPTIONAL(TEXT, struct list_query, external_ref, BETWEEN(1, 100)),
        OPTIONAL(TEXT, struct list_query, order_number, BETWEEN(1, 40)),
        OPTIONAL(TEXT, struct list_query, phone, BETWEEN(1, 40)),
        OPTIONAL(TEXT, struct list_query, q, BETWEEN(WORDS_MIN, 100)),
        COUNTED_(TEXTS, false, struct list_query, status, .names = order_status_texts, BETWEEN(1, 4)),
        OPTIONAL(TIME, struct list_query, updated_since),
};
const struct shape order_list_shape = SHAPE(struct list_query, list_members);

/* One call's page. */
struct listing_work {
        struct page page;
        struct order_list list;
};

struct lists_work {
        struct order_set set;
};

/* Customers return goods at any location. So a client that takes returns finds any order by its exact number; at a
 * location, also by the customer's e-mail address or phone. */
static bool finds_anywhere(const struct call *call) {
        const struct list_query *query = call->query;
        const struct token_claims *claims = call->claims;
        const bool works_somewhere = claims->all_locations || claims->n_locations;

        return call_has_scope(call, SCOPE_RETURNS_WRITE) &&
               (query->order_number || (works_somewhere && (query->email || query->phone)));
}

/* Every character that is not ASCII counts as a letter. */
static bool makes_trigrams(const char *words) {
        size_t n = 0;

        for (const char *c = words; *c; c++) {
                const bool is_ascii = !(*c & 0x80), begins_character = (*c & 0xC0) != 0x80;

                n += is_ascii ? isalnum(*c) != 0 : begins_character;
        }
        return n >= WORDS_MIN;
}

static bool order_filter_from(struct call *call, const struct page *page, struct order_filter *filter) {
        const struct list_query *query = call->query;
        const struct token_claims *claims = call->claims;

        *filter = (struct order_filter){
                .channel = claims->channel ? claims->channel : query->channel,
                .external_ref = query->external_ref,
                .order_number = query->order_number,
                .words = query->q,
                .email = query->email,
                .phone = query->phone,
                .statuses = query->status,
                .n_statuses = query->n_status,
                .all_locations = claims->all_locations,
                .locations = claims->locations,
                .n_locations = claims->n_locations,
                .updated_since = query->updated_since,
                .after_time = TIMESTAMP_NONE,
                .limit = page->limit + 1,
        };
        if (finds_anywhere(call))
                filter->all_locations = true;
        if (query->q && !makes_trigrams(query->q)) {
                call_refuse(call, PROBLEM_INVALID_PARAMETER, "The parameter q needs at least 3 letters or digits.");
                return false;
        }
        if (query->channel && !call_may_act_for(call, query->channel))
                return false;
        if (!page->after[0])
                return true;
        if (text_to_integer(page->after[0], INT64_MIN + 1, INT64_MAX, &filter->after_time) &&
                uuid_parse(page->after[1], &filter->after_id))
                return true;
        call_refuse(call, PROBLEM_INVALID_CURSOR, "The cursor does not belong to this list.");
        return false;
}

static enum problem order_page_load(struct batch *batch, struct call *call, const struct cursor_key *key) {
        struct listing_work *work = arena_new(batch->arena, struct listing_work);
        struct order_filter filter;

        if (!work)
                return FAULT_BUSY;
        work->list.arena = batch->arena;
        if (!page_begin(&work->page, call, key, CURSOR_PARTS) || !order_filter_from(call, &work->page, &filter))
                return PROBLEM_NONE;
        call->work = work;
        return order_list_load(batch->database, &filter, &work->list);
}

static void listed_orders_want(struct batch *batch, struct order_set *set) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct listing_work *work = batch->calls[i]->work;

                for (size_t j = 0; work && j < work->list.n && (int64_t) j < work->page.limit; j++)
                        orders_want(set, &work->list.rows[j].id);
        }
}

static enum problem orders_list_load(struct batch *batch) {
        struct lists_work *lists = arena_new(batch->arena, struct lists_work);
        const struct cursor_key *key = NULL;
        enum problem p;

        if (!lists)
                return FAULT_BUSY;
        orders_init(&lists->set, batch->arena, NULL);
        batch->work = lists;
        p = pages_load(batch, &key);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = order_page_load(batch, batch->calls[i], key);
        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        listed_orders_want(batch, &lists->set);
        return orders_read(batch->database, &lists->set);
}

/* The number of the first n orders that fit into one page; at least 1. */
static size_t write_orders(
        struct reply_writer *w, const struct listing_work *work, const struct order_set *set, size_t n) {
        size_t i;

        write_name(&w->json, "data");
        write_list_begin(&w->json);
        for (i = 0; i < n && w->buffer.size < PAGE_SIZE_MAX; i++) {
                const struct order *order = order_find(set, &work->list.rows[i].id);

                if (!order)
                        continue;
                write_object_begin(&w->json);
                order_write(&w->json, order, /* viewer= */ NULL);
                write_object_end(&w->json);
        }
        write_list_end(&w->json);
        return i;
}

static void orders_list_one(struct call *call, const struct order_set *set) {
        const struct listing_work *work = call->work;
        const size_t limit = (size_t) work->page.limit;
        const char *parts[CURSOR_PARTS] = { NULL };
        char id[UUID_TEXT_SIZE];
        struct reply_writer w;
        size_t n;
        bool more;

        reply_begin(&w, call, 200);
        n = write_orders(&w, work, set, work->list.n < limit ? work->list.n : limit);
        more = n < work->list.n;
        if (more) {
                uuid_format(&work->list.rows[n - 1].id, id);
                parts[0] = arena_format(&call->arena, "%" PRId64, work->list.rows[n - 1].sorted_by);
                parts[1] = id;
        }
        page_end(&w, &work->page, more && parts[0] ? parts : NULL);
        reply_end(&w);
}

static enum problem orders_list_decide(struct batch *batch) {
        const struct lists_work *lists = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++)
                if (batch->calls[i]->work)
                        orders_list_one(batch->calls[i], &lists->set);
        return PROBLEM_NONE;
}

const struct operation order_list_operation = { .load = orders_list_load, .decide = orders_list_decide };
