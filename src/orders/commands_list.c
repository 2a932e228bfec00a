#include "orders/commands.h"
#include "orders/lists.h"
#include "orders/number.h"

#include <ctype.h>

#define WORDS_MIN 3 /* letters and digits: fewer make no trigram, and the search would read all orders */

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
        COUNTED(TEXTS, false, struct list_query, status, .names = order_status_texts, BETWEEN(1, 4)),
        OPTIONAL(TIME, struct list_query, updated_since),
};
const struct shape order_list_shape = SHAPE(struct list_query, list_members);

/* The page of one call. */
struct orders_listed {
        struct page page;
        struct order_list list;
        const struct order_set *orders; /* of all calls */
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
                .order_number = order_number_named(query->order_number, &call->arena),
                .words = query->q,
                .email = query->email,
                .phone = query->phone,
                .statuses = query->status,
                .n_statuses = query->n_status,
                .all_locations = claims->all_locations,
                .locations = claims->locations,
                .n_locations = claims->n_locations,
                .updated_since = query->updated_since,
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
        return page_after_time(page, call, &filter->after_time, &filter->after_id);
}

static enum problem order_page_ask(struct batch *batch, struct call *call, struct page *page) {
        struct orders_listed *mine = (struct orders_listed *) page;
        struct order_filter filter;

        mine->list.arena = batch->arena;
        return order_filter_from(call, page, &filter) ? order_list_load(batch->database, &filter, &mine->list)
                                                      : PROBLEM_NONE;
}

static enum problem listed_orders_read(struct batch *batch) {
        struct order_set *orders = arena_new(batch->arena, struct order_set);

        if (!orders)
                return FAULT_BUSY;
        orders_init(orders, batch->arena, NULL);
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct orders_listed *mine = batch->calls[i]->work;

                for (size_t j = 0; mine && j < mine->list.n && (int64_t) j < mine->page.limit; j++)
                        orders_want(orders, &mine->list.rows[j].id);
                if (mine)
                        mine->orders = orders;
        }
        return orders_read(batch->database, orders);
}

static const void *listed_order_at(const struct page *page, size_t i) {
        const struct order_list *list = &((const struct orders_listed *) page)->list;

        return i < list->n ? &list->rows[i] : NULL;
}

static void listed_order_write(struct writer *json, const struct page *page, const void *row) {
        const struct listed_order *listed = row;
        const struct order *order = order_find(((const struct orders_listed *) page)->orders, &listed->id);

        if (!order)
                return;
        write_object_begin(json);
        order_write(json, order, /* viewer= */ NULL);
        write_object_end(json);
}

static void orders_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        const struct listed_order *listed = row;

        (void) page;
        time_key_parts(listed->sorted_by, &listed->id, arena, ret_parts);
}

const struct list_kind orders_list = { .size = sizeof(struct orders_listed),
        .n_parts = TIME_KEY_PARTS,
        .ask = order_page_ask,
        .read = listed_orders_read,
        .row = listed_order_at,
        .write = listed_order_write,
        .key = orders_key };
