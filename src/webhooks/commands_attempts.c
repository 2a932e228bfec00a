/* The list of single deliveries of an endpoint. */
#include "webhooks/attempts.h"
#include "webhooks/commands.h"
#include "webhooks/commands_work.h"

#include "base/text.h"

static const char *const results[] = { "failed", "ok", NULL };

enum { RESULT_FAILED, RESULT_OK };

struct attempts_query {
        struct page_query page;
        struct uuid event_id;
        bool has_event_id;
        int result; /* -1: both */
};

static const struct shape_member query_members[] = {
        PAGE_MEMBERS(struct attempts_query),
        OPTIONAL_FLAGGED(UUID, struct attempts_query, event_id),
        OPTIONAL(ENUM, struct attempts_query, result, .names = results),
};
const struct shape attempts_query_shape = SHAPE(struct attempts_query, query_members);

struct attempts_page {
        struct page page;
        struct webhook_set set; /* the endpoint */
        struct attempt_page list;
};

static enum problem attempts_ask(struct batch *batch, struct call *call, struct page *page) {
        struct attempts_page *mine = (struct attempts_page *) page;
        const struct attempts_query *query = call->query;
        struct attempt_filter filter = { .webhook_id = *call_id(call, 0),
                .event_id = query->event_id,
                .has_event_id = query->has_event_id,
                .has_result = query->result >= 0,
                .is_ok = query->result == RESULT_OK,
                .limit = page->limit + 1 };

        mine->set.arena = mine->list.arena = batch->arena;
        if (!page_after_time(page, call, &filter.after, &filter.after_id))
                return PROBLEM_NONE;
        webhooks_read(batch->database, &mine->set, &filter.webhook_id, 1, /* locked= */ false);
        attempts_page_ask(batch->database, &filter, &mine->list);
        return PROBLEM_NONE;
}

static bool attempts_check(struct call *call, const struct page *page) {
        const struct attempts_page *mine = (const struct attempts_page *) page;

        if (mine->set.n && webhook_is_visible(call, &mine->set.rows[0]))
                return true;
        call_refuse(call, PROBLEM_NOT_FOUND, "There is no such webhook.");
        return false;
}

static const void *attempt_row(const struct page *page, size_t i) {
        const struct attempt_page *list = &((const struct attempts_page *) page)->list;

        return i < list->n ? &list->rows[i] : NULL;
}

static void attempt_row_write(struct writer *json, const struct page *page, const void *row) {
        const struct webhook_attempt *attempt = row;

        (void) page;
        write_object_begin(json);
        write_uuid_member(json, "event_id", &attempt->event_id);
        write_time_member(json, "at", attempt->at);
        write_integer_member(json, "attempt", attempt->attempt);
        write_text_member(json, "result", results[attempt->is_ok ? RESULT_OK : RESULT_FAILED]);
        write_name(json, "status");
        if (attempt->status)
                write_integer(json, attempt->status);
        else
                write_null(json);
        write_integer_member(json, "ms", attempt->ms);
        write_text_member(json, "answer", attempt->answer);
        write_text_member(json, "error", attempt->error);
        write_time_member(json, "next_at", attempt->next_at);
        write_object_end(json);
}

static void attempt_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        const struct webhook_attempt *attempt = row;

        (void) page;
        time_key_parts(attempt->at, &attempt->event_id, arena, ret_parts);
}

const struct list_kind attempts_list = { .size = sizeof(struct attempts_page),
        .n_parts = TIME_KEY_PARTS,
        .ask = attempts_ask,
        .check = attempts_check,
        .row = attempt_row,
        .write = attempt_row_write,
        .key = attempt_key };
