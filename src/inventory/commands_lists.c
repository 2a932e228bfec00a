/* The lists: stock rows of a location, and ledger entries of one row. */
#include "catalog/catalog.h"
#include "engine/cursor.h"
#include "inventory/commands.h"
#include "inventory/lists.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

#define NUMBER_SIZE 24

struct list_query {
        struct page_query page;
};

static const struct shape_member query_members[] = {
        PAGE_MEMBERS(struct list_query),
};
const struct shape stock_query_shape = SHAPE(struct list_query, query_members);
const struct shape ledger_query_shape = SHAPE(struct list_query, query_members);

/* The work of one call. */
struct list {
        struct page page;
        struct catalog_set catalog;
        struct stock_page stock;
        struct ledger_page ledger;
};

static enum problem stock_list_begin(
        struct batch *batch, struct call *call, const struct cursor_key *key, struct list **ret_list) {
        struct list *list = arena_new(batch->arena, struct list);

        if (!list)
                return FAULT_BUSY;
        call->work = list;
        list->stock.arena = list->ledger.arena = batch->arena;
        catalog_init(&list->catalog, batch->arena);
        catalog_want_location(&list->catalog, call_code(call, 0));
        if (call_code(call, 1))
                catalog_want_product(&list->catalog, call_code(call, 1));
        *ret_list = page_begin(&list->page, call, key, /* n_parts= */ 1) ? list : NULL;
        return PROBLEM_NONE;
}

/* Whether the location and product in the path exist; refuses when not. */
static bool list_location_check(struct call *call, const struct list *list) {
        if (!catalog_find_location(&list->catalog, call_code(call, 0))) {
                call_refuse_unknown(call, "location", call_code(call, 0));
                return false;
        }
        if (call_code(call, 1) && !catalog_find_product(&list->catalog, call_code(call, 1))) {
                call_refuse_unknown(call, "product", call_code(call, 1));
                return false;
        }
        return true;
}

/* ---- stock ---- */

static enum problem stock_list_load(struct batch *batch) {
        const struct cursor_key *key = NULL;
        enum problem p = pages_load(batch, &key);

        for (size_t i = 0; !p && i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct list *list = NULL;

                p = stock_list_begin(batch, call, key, &list);
                if (p || !list)
                        continue;
                stock_page_ask(
                        batch->database, &list->stock, call_code(call, 0), list->page.after[0], list->page.limit + 1);
                p = catalog_load(batch->database, &list->catalog);
        }
        return p;
}

static void stock_list_one(struct call *call, const struct list *list) {
        const size_t n = list->stock.n_rows;
        const char *last = NULL;
        struct reply_writer w;
        size_t i;

        reply_begin(&w, call, 200);
        write_name(&w.json, "data");
        write_list_begin(&w.json);
        for (i = 0; i < n && i < (size_t) list->page.limit; i++) {
                last = list->stock.rows[i].sku;
                write_object_begin(&w.json);
                write_text_member(&w.json, "sku", last);
                write_figures(&w.json, &list->stock.rows[i]);
                write_object_end(&w.json);
        }
        write_list_end(&w.json);
        page_end(&w, &list->page, i < n ? &last : NULL);
        reply_end(&w);
}

static enum problem stock_list_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];

                if (!call->refusal.problem && list_location_check(call, call->work))
                        stock_list_one(call, call->work);
        }
        return PROBLEM_NONE;
}

const struct operation stock_list = { .load = stock_list_load, .decide = stock_list_decide };

/* ---- movements ---- */

static enum problem ledger_list_load(struct batch *batch) {
        const struct cursor_key *key = NULL;
        enum problem p = pages_load(batch, &key);

        for (size_t i = 0; !p && i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct list *list = NULL;
                int64_t before = 0;

                p = stock_list_begin(batch, call, key, &list);
                if (p || !list)
                        continue;
                if (list->page.after[0] && !text_to_integer(list->page.after[0], 1, INT64_MAX, &before))
                        return FAULT_BROKEN; /* the cursor is ours: its MAC was checked */
                ledger_page_ask(batch->database, &list->ledger, call_code(call, 0), call_code(call, 1), before,
                        list->page.limit + 1);
                p = catalog_load(batch->database, &list->catalog);
        }
        return p;
}

static void write_movement(struct writer *json, const struct ledger_row *movement) {
        write_object_begin(json);
        write_integer_member(json, "number", movement->number);
        write_text_member(json, "reason", movement->reason);
        write_integer_member(json, "on_hand_change", movement->on_hand_change);
        write_integer_member(json, "unsellable_change", movement->unsellable_change);
        write_integer_member(json, "on_hand_after", movement->on_hand_after);
        write_integer_member(json, "unsellable_after", movement->unsellable_after);
        write_text_member(json, "document", movement->document);
        write_text_member(json, "reference", movement->reference);
        write_text_member(json, "actor", movement->actor);
        write_time_member(json, "recorded_at", movement->recorded_at);
        write_object_end(json);
}

static void ledger_list_one(struct call *call, const struct list *list) {
        const size_t n = list->ledger.n_rows;
        char number[NUMBER_SIZE] = "";
        const char *last = number;
        struct reply_writer w;
        size_t i;

        reply_begin(&w, call, 200);
        write_name(&w.json, "data");
        write_list_begin(&w.json);
        for (i = 0; i < n && i < (size_t) list->page.limit; i++) {
                (void) snprintf(number, sizeof(number), "%" PRId64, list->ledger.rows[i].number);
                write_movement(&w.json, &list->ledger.rows[i]);
        }
        write_list_end(&w.json);
        page_end(&w, &list->page, i < n ? &last : NULL);
        reply_end(&w);
}

static enum problem ledger_list_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];

                if (!call->refusal.problem && list_location_check(call, call->work))
                        ledger_list_one(call, call->work);
        }
        return PROBLEM_NONE;
}

const struct operation ledger_list = { .load = ledger_list_load, .decide = ledger_list_decide };
