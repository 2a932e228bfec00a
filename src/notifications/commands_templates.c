/* GET, PUT and DELETE /v1/notification-templates/{kind}/{medium}/{locale}. */
#include "notifications/commands.h"

#include "base/digest.h"
#include "base/snapshot.h"
#include "base/text.h"

#include <string.h>

struct template_body {
        const char *subject; /* may be NULL */
        const char *text;
        const char *html; /* may be NULL */
};

static const struct shape_member template_members[] = {
        OPTIONAL(TEXT, struct template_body, html, BETWEEN(1, TEMPLATE_HTML_MAX)),
        OPTIONAL(TEXT, struct template_body, subject, BETWEEN(1, TEMPLATE_SUBJECT_MAX)),
        REQUIRED(TEXT, struct template_body, text, BETWEEN(1, TEMPLATE_TEXT_MAX)),
};
const struct shape template_shape = SHAPE(struct template_body, template_members);

/* ---- the path ---- */

void template_path_check(struct call *call) {
        if (text_index(notification_kind_texts, call_code(call, 0)) < 0)
                call_refuse(
                        call, PROBLEM_INVALID_PARAMETER, "There is no notification of kind %s.", call_code(call, 0));
        else if (text_index(notification_medium_texts, call_code(call, 1)) < 0)
                call_refuse(
                        call, PROBLEM_INVALID_PARAMETER, "The medium %s is neither email nor sms.", call_code(call, 1));
        else if (!locale_is_valid(call_code(call, 2)))
                call_refuse(
                        call, PROBLEM_INVALID_PARAMETER, "The locale %s is none like de or de-AT.", call_code(call, 2));
}

void template_want_of(struct template_set *set, const struct call *call) {
        templates_want(set, call_code(call, 0), call_code(call, 1), call_code(call, 2));
}

struct notification_template *template_of(const struct template_set *set, const struct call *call) {
        return templates_find(set, call_code(call, 0), call_code(call, 1), call_code(call, 2));
}

/* ---- loading and saving ---- */

static enum problem templates_load(struct batch *batch, bool locked) {
        struct template_set *set = arena_new(batch->arena, struct template_set);

        if (!set)
                return FAULT_BUSY;
        batch->work = set;
        templates_init(set, batch->arena);
        for (size_t i = 0; i < batch->n_calls; i++)
                template_want_of(set, batch->calls[i]);
        return locked ? templates_lock(batch->database, set) : templates_read(batch->database, set);
}

static enum problem templates_store(struct batch *batch) {
        templates_save(batch->database, batch->work);
        return PROBLEM_NONE;
}

/* ---- PUT ---- */

static struct record *template_find(const struct batch *batch, const struct call *call) {
        return &template_of(batch->work, call)->record;
}

static bool text_is_same(const struct message_text *a, const struct message_text *b) {
        return text_equal(a->subject, b->subject) && text_equal(a->text, b->text) && text_equal(a->html, b->html);
}

/* The text must outlive the call: later calls of the batch see the template. */
static bool template_merge(const struct batch *batch, struct call *call, struct record *record, bool *ret_same) {
        struct notification_template *row = (struct notification_template *) record;
        const struct template_body *body = call->body;
        const struct message_text text = { body->subject, body->text, body->html };

        (void) batch;
        if (!template_check(&text, row->medium, &call->arena, &call->refusal))
                return false;
        *ret_same = text_is_same(&text, &row->text);
        row->text = text;
        return true;
}

static void template_write(struct writer *json, const struct record *record) {
        const struct notification_template *row = (const struct notification_template *) record;

        write_text_member(json, "kind", row->kind);
        write_text_member(json, "medium", row->medium);
        write_text_member(json, "locale", row->locale);
        write_text_member(json, "subject", row->text.subject);
        write_text_member(json, "text", row->text.text);
        write_text_member(json, "html", row->text.html);
        write_boolean_member(json, "is_default", !record->exists);
        if (record->exists) {
                write_integer_member(json, "version", record->version);
                write_time_member(json, "created_at", record->created_at);
                write_time_member(json, "updated_at", record->updated_at);
        }
}

const struct record_kind template_record = { .name = "template",
        .size = sizeof(struct notification_template),
        .code = offsetof(struct notification_template, kind),
        .load = templates_load,
        .save = templates_store,
        .find = template_find,
        .merge = template_merge,
        .write = template_write };

/* ---- GET ---- */

static enum problem template_show_load(struct batch *batch) {
        return templates_load(batch, /* locked= */ false);
}

/* A template of the program has no version; another release may change its text. */
static uint64_t text_view(const struct message_text *text) {
        const struct digest_part parts[] = { digest_text(text->subject ? text->subject : ""), digest_text(text->text),
                digest_text(text->html ? text->html : "") };
        uint8_t digest[DIGEST_SIZE];
        uint64_t view;

        digest_parts(parts, array_size(parts), digest);
        memcpy(&view, digest, sizeof(view));
        return view;
}

static void template_reply(struct call *call, const struct notification_template *row) {
        struct reply_writer w;

        reply_begin(&w, call, 200);
        template_write(&w.json, &row->record);
        reply_end(&w);
        if (row->record.exists)
                reply_etag(call, row->record.version);
        else
                reply_etag_of_view(call, 0, text_view(&row->text));
}

static enum problem template_show_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                struct notification_template row = *template_of(batch->work, call);

                if (row.record.exists || template_default(row.kind, row.medium, row.locale, &row.text))
                        template_reply(call, &row);
                else
                        call_refuse(call, PROBLEM_NOT_FOUND, "There is no template for the locale %s.", row.locale);
        }
        return PROBLEM_NONE;
}

const struct operation template_show_operation = { .load = template_show_load, .decide = template_show_decide };

/* ---- DELETE ---- */

static enum problem template_delete_load(struct batch *batch) {
        return templates_load(batch, /* locked= */ true);
}

static void template_delete_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        snapshot_keep(snapshot, template_of(batch->work, call), sizeof(struct notification_template));
}

static enum problem template_delete_one(struct batch *batch, struct call *call) {
        struct notification_template *row = template_of(batch->work, call);

        if (!row->record.exists)
                return call_refuse(call, PROBLEM_NOT_FOUND, "The retailer has not replaced this template.");
        if (!call_version_matches(call, row->record.version))
                return PROBLEM_NONE;
        template_reply(call, row);
        row->record = (struct record){ .exists = false };
        return PROBLEM_NONE;
}

const struct operation template_delete_operation = { .load = template_delete_load,
        .documents = template_delete_documents,
        .change = template_delete_one,
        .save = templates_store };
