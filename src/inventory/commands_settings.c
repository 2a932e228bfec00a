/* One row: its figures, and the safety stock that a client sets. */
#include "catalog/commands_records.h"
#include "inventory/commands.h"
#include "inventory/settings.h"

#include <inttypes.h>

struct safety_stock_body {
        int64_t safety_stock;
};

static const struct shape_member body_members[] = {
        REQUIRED(INTEGER, struct safety_stock_body, safety_stock, BETWEEN(0, SAFETY_STOCK_MAX)),
};
const struct shape safety_stock_shape = SHAPE(struct safety_stock_body, body_members);

static enum problem settings_load(struct batch *batch, bool locked) {
        struct stock_settings *settings = arena_new(batch->arena, struct stock_settings);

        if (!settings)
                return FAULT_BUSY;
        batch->work = settings;
        stock_settings_init(settings, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++)
                stock_settings_want(settings, call_code(batch->calls[i], 0), call_code(batch->calls[i], 1));
        return locked ? stock_settings_lock(batch->database, settings) : stock_settings_read(batch->database, settings);
}

static enum problem safety_stock_save(struct batch *batch) {
        return stock_settings_save(batch->database, batch->work);
}

static struct record *setting_find(const struct batch *batch, const struct call *call) {
        return &stock_setting_find(batch->work, call_code(call, 0), call_code(call, 1))->record;
}

static bool setting_has_parents(struct call *call, const struct record *record) {
        const struct stock_row *figures = &((const struct stock_setting *) record)->figures;

        if (record->exists || (figures->location_known && figures->sku_known))
                return true;
        if (!figures->location_known)
                call_refuse_unknown(call, "location", call_code(call, 0));
        else
                call_refuse_unknown(call, "product", call_code(call, 1));
        return false;
}

static bool setting_merge(const struct batch *batch, struct call *call, struct record *record, bool *ret_same) {
        const struct safety_stock_body *body = call->body;
        struct stock_row *figures = &((struct stock_setting *) record)->figures;

        (void) batch;
        *ret_same = figures->safety_stock == body->safety_stock;
        figures->safety_stock = body->safety_stock;
        return true;
}

static void setting_refuse_unknown(struct call *call, const struct record *record) {
        if (setting_has_parents(call, record))
                call_refuse(call, PROBLEM_NOT_FOUND, "The product has no stock row at this location.");
}

static void setting_write(struct writer *json, const struct record *record) {
        const struct stock_setting *setting = (const struct stock_setting *) record;

        write_text_member(json, "location", setting->figures.location);
        write_text_member(json, "sku", setting->figures.sku);
        write_figures(json, &setting->figures);
        write_integer_member(json, "version", record->version);
}

/* The version counts what a client sets. Figures change by other commands, so the tag contains them, too; If-Match
 * compares the version alone (http/intake.c). */
static void setting_tag(struct call *call, const struct record *record) {
        const struct stock_row *figures = &((const struct stock_setting *) record)->figures;

        call->reply.etag = arena_format(&call->arena, "\"%" PRId64 "-%" PRId64 "-%" PRId64 "-%" PRId64 "\"",
                record->version, figures->on_hand, figures->unsellable, figures->reserved);
}

const struct record_kind safety_stock_record = { .name = "stock row",
        .has_events = true,
        .created = EVENT_INVENTORY_SETTINGS_CHANGED,
        .changed = EVENT_INVENTORY_SETTINGS_CHANGED,
        .size = sizeof(struct stock_setting),
        .load = settings_load,
        .save = safety_stock_save,
        .find = setting_find,
        .has_parents = setting_has_parents,
        .merge = setting_merge,
        .refuse_unknown = setting_refuse_unknown,
        .write = setting_write,
        .tag = setting_tag };
