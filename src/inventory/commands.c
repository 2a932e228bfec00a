#include "inventory/commands.h"
#include "inventory/lookup.h"

void write_figures(struct writer *json, const struct stock_row *row) {
        write_integer_member(json, "on_hand", row->on_hand);
        write_integer_member(json, "unsellable", row->unsellable);
        write_integer_member(json, "reserved", row->reserved);
        write_integer_member(json, "safety_stock", row->safety_stock);
        write_integer_member(json, "available", stock_available(row));
}

/* ---- one product everywhere ---- */

static enum problem stock_show_load(struct batch *batch) {
        struct lookup *lookup = arena_new(batch->arena, struct lookup);

        if (!lookup)
                return FAULT_BUSY;
        lookup_init(lookup, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++)
                lookup_want_everywhere(lookup, call_code(batch->calls[i], 0));
        batch->work = lookup;
        return lookup_read(batch->database, lookup);
}

static void stock_show_one(struct call *call, const struct lookup *lookup) {
        struct reply_writer w;
        size_t n;
        const struct shelf *shelves = lookup_everywhere(lookup, call_code(call, 0), &n);

        reply_begin(&w, call, 200);
        write_text_member(&w.json, "sku", call_code(call, 0));
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

static enum problem stock_show_decide(struct batch *batch) {
        const struct lookup *lookup = batch->work;

        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];

                if (lookup_knows(lookup, call_code(call, 0)))
                        stock_show_one(call, lookup);
                else
                        call_refuse_unknown(call, "product", call_code(call, 0));
        }
        return PROBLEM_NONE;
}

const struct operation product_stock_show = { .load = stock_show_load, .decide = stock_show_decide };
