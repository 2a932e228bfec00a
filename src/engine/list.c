#include "engine/list.h"

static enum problem list_ask(struct batch *batch, struct call *call, const struct cursor_key *key) {
        const struct list_kind *kind = call->route->kind;
        struct page *page = arena_alloc(batch->arena, kind->size);
        enum problem p;

        if (!page)
                return FAULT_BUSY;
        if (!page_begin(page, call, key, kind->n_parts))
                return PROBLEM_NONE;
        p = kind->ask(batch, call, page);
        if (!call->refusal.problem)
                call->work = page;
        return p;
}

static enum problem list_load(struct batch *batch) {
        const struct list_kind *kind = batch->calls[0]->route->kind;
        const struct cursor_key *key = NULL;
        enum problem p = pages_load(batch, &key);

        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = list_ask(batch, batch->calls[i], key);
        if (p || !kind->read)
                return p;
        p = batch_trip(batch);
        return p ? p : kind->read(batch);
}

void list_write(struct reply_writer *writer, const struct list_kind *kind, const struct page *page) {
        const char *parts[CURSOR_PARTS_MAX] = { NULL };
        const void *row = kind->row(page, 0), *last = NULL;

        write_name(&writer->json, "data");
        write_list_begin(&writer->json);
        for (size_t n = 0; row && n < (size_t) page->limit && writer->buffer.size < PAGE_SIZE_MAX;
                row = kind->row(page, ++n)) {
                kind->write(&writer->json, page, row);
                last = row;
        }
        write_list_end(&writer->json);
        if (row && last)
                kind->key(page, last, &writer->call->arena, parts);
        page_end(writer, page, row ? parts : NULL);
}

static enum problem list_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct list_kind *kind = call->route->kind;
                struct reply_writer w;

                if (!call->work || (kind->check && !kind->check(call, call->work)))
                        continue;
                reply_begin(&w, call, 200);
                list_write(&w, kind, call->work);
                reply_end(&w);
        }
        return PROBLEM_NONE;
}

const struct operation list_operation = { .load = list_load, .decide = list_decide };
