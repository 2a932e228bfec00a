/* The lists: stock rows of a location, and ledger entries of one row. */
#include "catalog/catalog.h"
#include "inventory/commands.h"
#include "inventory/lists.h"

#include "base/text.h"

#include <inttypes.h>

/* The page of one call. */
struct inventory_page {
        struct page page;
        struct catalog_set catalog;
        struct stock_page stock;
        struct ledger_page ledger;
};

/* Queue: whether the location and the product in the path exist. */
static enum problem parents_ask(struct batch *batch, const struct call *call, struct inventory_page *mine) {
        catalog_init(&mine->catalog, batch->arena);
        catalog_want_location(&mine->catalog, call_code(call, 0));
        if (call_code(call, 1))
                catalog_want_product(&mine->catalog, call_code(call, 1));
        return catalog_load(batch->database, &mine->catalog);
}

static bool parents_check(struct call *call, const struct page *page) {
        const struct catalog_set *catalog = &((const struct inventory_page *) page)->catalog;

        if (!catalog_find_location(catalog, call_code(call, 0))) {
                call_refuse_unknown(call, "location", call_code(call, 0));
                return false;
        }
        if (call_code(call, 1) && !catalog_find_product(catalog, call_code(call, 1))) {
                call_refuse_unknown(call, "product", call_code(call, 1));
                return false;
        }
        return true;
}

/* ---- stock ---- */

static enum problem stock_ask(struct batch *batch, struct call *call, struct page *page) {
        struct inventory_page *mine = (struct inventory_page *) page;

        mine->stock.arena = batch->arena;
        stock_page_ask(batch->database, &mine->stock, call_code(call, 0), page->after[0], page->limit + 1);
        return parents_ask(batch, call, mine);
}

static const void *stock_page_row(const struct page *page, size_t i) {
        const struct stock_page *stock = &((const struct inventory_page *) page)->stock;

        return i < stock->n_rows ? &stock->rows[i] : NULL;
}

static void stock_write(struct writer *json, const struct page *page, const void *row) {
        const struct stock_row *figures = row;

        (void) page;
        write_object_begin(json);
        write_text_member(json, "sku", figures->sku);
        write_figures(json, figures);
        write_object_end(json);
}

static void stock_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        (void) page, (void) arena;
        ret_parts[0] = ((const struct stock_row *) row)->sku;
}

const struct list_kind stock_list = { .size = sizeof(struct inventory_page),
        .n_parts = 1,
        .ask = stock_ask,
        .check = parents_check,
        .row = stock_page_row,
        .write = stock_write,
        .key = stock_key };

/* ---- movements ---- */

static enum problem ledger_ask(struct batch *batch, struct call *call, struct page *page) {
        struct inventory_page *mine = (struct inventory_page *) page;
        int64_t before = 0;

        if (page->after[0] && !text_to_integer(page->after[0], 1, INT64_MAX, &before))
                return FAULT_BROKEN; /* the cursor is ours: its MAC was checked */
        mine->ledger.arena = batch->arena;
        ledger_page_ask(
                batch->database, &mine->ledger, call_code(call, 0), call_code(call, 1), before, page->limit + 1);
        return parents_ask(batch, call, mine);
}

static const void *ledger_page_row(const struct page *page, size_t i) {
        const struct ledger_page *ledger = &((const struct inventory_page *) page)->ledger;

        return i < ledger->n_rows ? &ledger->rows[i] : NULL;
}

static void movement_write(struct writer *json, const struct page *page, const void *row) {
        const struct ledger_row *movement = row;

        (void) page;
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

static void ledger_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        (void) page;
        ret_parts[0] = arena_format(arena, "%" PRId64, ((const struct ledger_row *) row)->number);
}

const struct list_kind ledger_list = { .size = sizeof(struct inventory_page),
        .n_parts = 1,
        .ask = ledger_ask,
        .check = parents_check,
        .row = ledger_page_row,
        .write = movement_write,
        .key = ledger_key };
