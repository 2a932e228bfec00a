#include "webhooks/commands.h"
#include "webhooks/commands_work.h"

struct webhooks_page {
        struct page page;
        struct webhook_set set;
};

static enum problem webhooks_ask(struct batch *batch, struct call *call, struct page *page) {
        struct webhooks_page *mine = (struct webhooks_page *) page;
        struct uuid after;

        mine->set.arena = batch->arena;
        if (page->after[0] && !uuid_parse(page->after[0], &after)) {
                call_refuse(call, PROBLEM_INVALID_CURSOR, "Take next_cursor of the page before.");
                return PROBLEM_NONE;
        }
        webhooks_page_ask(batch->database, &mine->set, page->after[0] ? &after : NULL, page->limit + 1);
        return PROBLEM_NONE;
}

static const void *webhook_row(const struct page *page, size_t i) {
        const struct webhook_set *set = &((const struct webhooks_page *) page)->set;

        return i < set->n ? &set->rows[i] : NULL;
}

/* An endpoint that the bearer may not see is left out. */
static void webhook_row_write(struct writer *json, const struct page *page, const void *row) {
        const struct webhook *webhook = row;

        if (!webhook_is_visible(page->call, webhook))
                return;
        write_object_begin(json);
        webhook_write(json, webhook, page->key);
        write_object_end(json);
}

static void webhook_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        char *id = arena_alloc(arena, UUID_TEXT_SIZE);

        (void) page;
        if (id)
                uuid_format(&((const struct webhook *) row)->id, id);
        ret_parts[0] = id;
}

const struct list_kind webhooks_list = { .size = sizeof(struct webhooks_page),
        .n_parts = 1,
        .ask = webhooks_ask,
        .row = webhook_row,
        .write = webhook_row_write,
        .key = webhook_key };
