/* One row: its figures, and the safety stock that a client sets. */
#include "catalog/commands.h"
#include "inventory/commands.h"
#include "inventory/settings.h"

#include "base/snapshot.h"

#include <inttypes.h>

struct safety_stock_body {
        int64_t safety_stock;
};

static const struct shape_member body_members[] = {
        REQUIRED(INTEGER, struct safety_stock_body, safety_stock, BETWEEN(0, SAFETY_STOCK_MAX)),
};
const struct shape safety_stock_shape = SHAPE(struct safety_stock_body, body_members);

void stock_location_check(struct call *call) {
        (void) call_may_act_at(call, call_code(call, 0));
}

/* The version counts what a client sets. Figures change by other commands, so the tag contains them, too; If-Match
 * compares the version alone (http/intake.c). */
static void setting_reply(struct call *call, const struct stock_setting *setting, unsigned status) {
        struct reply_writer w;

        reply_begin(&w, call, status);
        write_text_member(&w.json, "location", setting->figures.location);
        write_text_member(&w.json, "sku", setting->figures.sku);
        write_figures(&w.json, &setting->figures);
        write_integer_member(&w.json, "version", setting->record.version);
        reply_end(&w);
        call->reply.etag = arena_format(&call->arena, "\"%" PRId64 "-%" PRId64 "-%" PRId64 "-%" PRId64 "\"",
                setting->record.version, setting->figures.on_hand, setting->figures.unsellable,
                setting->figures.reserved);
}

static enum problem settings_want(struct batch *batch, struct stock_settings **ret_settings) {
        struct stock_settings *settings = arena_new(batch->arena, struct stock_settings);

        if (!settings)
                return FAULT_BUSY;
        stock_settings_init(settings, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++)
                stock_settings_want(settings, call_code(batch->calls[i], 0), call_code(batch->calls[i], 1));
        batch->work = settings;
        *ret_settings = settings;
        return PROBLEM_NONE;
}

/* The row of the call's path; NULL after a refusal when its location or product does not exist. */
static struct stock_setting *setting_of(struct call *call, const struct stock_settings *settings) {
        struct stock_setting *setting = stock_setting_find(settings, call_code(call, 0), call_code(call, 1));

        if (setting->record.exists || (setting->figures.location_known && setting->figures.sku_known))
                return setting;
        if (!setting->figures.location_known)
                call_refuse_unknown(call, "location", call_code(call, 0));
        else
                call_refuse_unknown(call, "product", call_code(call, 1));
        return NULL;
}

static enum problem setting_put_load(struct batch *batch) {
        struct stock_settings *settings = NULL;
        const enum problem p = settings_want(batch, &settings);

        return p ? p : stock_settings_lock(batch->database, settings);
}

static void setting_put_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        snapshot_one(snapshot, stock_setting_find(batch->work, call_code(call, 0), call_code(call, 1)));
}

static enum problem setting_put_one(struct batch *batch, struct call *call) {
        const struct safety_stock_body *body = call->body;
        struct stock_setting *setting = setting_of(call, batch->work);
        const bool created = setting && !setting->record.exists;

        if (!setting || !catalog_may_put(call, &setting->record))
                return PROBLEM_NONE;
        record_put(&setting->record, setting->figures.safety_stock == body->safety_stock, batch->now);
        setting->figures.safety_stock = body->safety_stock;
        setting_reply(call, setting, created ? 201 : 200);
        return PROBLEM_NONE;
}

static enum problem put_save(struct batch *batch) {
        return stock_settings_save(batch->database, batch->work);
}

const struct operation safety_stock_put = {
        .load = setting_put_load, .documents = setting_put_documents, .change = setting_put_one, .save = put_save
};

static enum problem setting_show_load(struct batch *batch) {
        struct stock_settings *settings = NULL;
        const enum problem p = settings_want(batch, &settings);

        return p ? p : stock_settings_read(batch->database, settings);
}

static enum problem setting_show_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct stock_setting *setting = setting_of(batch->calls[i], batch->work);

                if (setting && setting->record.exists)
                        setting_reply(batch->calls[i], setting, 200);
                else if (setting)
                        call_refuse(
                                batch->calls[i], PROBLEM_NOT_FOUND, "The product has no stock row at this location.");
        }
        return PROBLEM_NONE;
}

const struct operation stock_row_show = { .load = setting_show_load, .decide = setting_show_decide };
