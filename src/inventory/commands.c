#include "inventory/commands.h"
#include "inventory/lookup.h"

#define LIST_BATCH 4
#define PUT_BATCH  32
#define READ_BATCH 16

void write_figures(struct writer *json, const struct stock_row *row) {
        write_integer_member(json, "on_hand", row->on_hand);
        write_integer_member(json, "unsellable", row->unsellable);
        write_integer_member(json, "reserved", row->reserved);
        write_integer_member(json, "safety_stock", row->safety_stock);
        write_integer_member(json, "available", stock_available(row));
}

/* ---- one product everywhere ---- */

static enum problem show_load(struct batch *batch) {
        struct lookup *lookup = arena_new(batch->arena, struct lookup);

        if (!lookup)
                return FAULT_BUSY;
        lookup_init(lookup, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++)
                lookup_want_everywhere(lookup, batch->calls[i]->path.sku);
        batch->work = lookup;
        return lookup_read(batch->database, lookup);
}

static void show_one(struct call *call, const struct lookup *lookup) {
        struct reply_writer w;
        size_t n;
        const struct shelf *shelves = lookup_everywhere(lookup, call->path.sku, &n);

        reply_begin(&w, call, 200);
        write_text_member(&w.json, "sku", call->path.sku);
        write_name(&w.json, "locations");
        write_list_begin(&w.json);
        for (size_t i = 0; i < n; i++) {
                if (!token_allows_location(call->claims, shelves[i].row.location))
                        continue;
                write_object_begin(&w.json);
                write_text_member(&w.json, "location", shelves[i].row.location);
                write_figures(&w.json, &shelves[i].row);
                write_object_end(&w.json);
        }
        write_list_end(&w.json);
        reply_end(&w);
}

static enum problem show_decide(struct batch *batch) {
        const struct lookup *lookup = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];

                if (lookup_knows(lookup, call->path.sku))
                        show_one(call, lookup);
                else
                        call_refuse_unknown(call, "product", call->path.sku);
        }
        return PROBLEM_NONE;
}

static const struct operation show = { .load = show_load, .decide = show_decide };

const struct route inventory_routes[] = {
        { METHOD_POST, "/v1/availability/query", SCOPE_INVENTORY_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .body = &availability_shape, .check = availability_check, .operation = &availability_query,
                .may_lag = true },
        { METHOD_GET, "/v1/inventory/{sku}", SCOPE_INVENTORY_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .operation = &show },
        { METHOD_GET, "/v1/locations/{code}/inventory", SCOPE_INVENTORY_READ, LANE_LIST, LIST_BATCH, KEY_UNUSED,
                .query = &stock_query_shape, .check = stock_location_check, .operation = &stock_list },
        { METHOD_GET, "/v1/locations/{code}/inventory/{sku}", SCOPE_INVENTORY_READ, LANE_READ, READ_BATCH, KEY_UNUSED,
                .check = stock_location_check, .operation = &stock_row_show },
        { METHOD_PUT, "/v1/locations/{code}/inventory/{sku}", SCOPE_INVENTORY_WRITE, LANE_CATALOG, PUT_BATCH,
                KEY_UNUSED, .body = &safety_stock_shape, .check = stock_location_check,
                .operation = &safety_stock_put },
        { METHOD_GET, "/v1/locations/{code}/inventory/{sku}/ledger", SCOPE_INVENTORY_READ, LANE_LIST, LIST_BATCH,
                KEY_UNUSED, .query = &ledger_query_shape, .check = stock_location_check, .operation = &ledger_list },
};
const size_t inventory_route_count = array_size(inventory_routes);
