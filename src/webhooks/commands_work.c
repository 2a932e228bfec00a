#include "webhooks/commands_work.h"

#include "base/config.h"
#include "base/seal.h"
#include "base/snapshot.h"
#include "base/text.h"

#include <string.h>
#include <sys/random.h>

enum problem webhook_work_begin(struct batch *batch, struct webhook_work **ret_work) {
        struct webhook_work *work = arena_new(batch->arena, struct webhook_work);

        if (!work)
                return FAULT_BUSY;
        work->set.arena = work->dead.arena = batch->arena;
        work->touched = arena_new_array(batch->arena, struct webhook *, batch->n_calls);
        work->tests = arena_new_array(batch->arena, struct webhook_test, batch->n_calls);
        if (!work->touched || !work->tests)
                return FAULT_BUSY;
        batch->work = work;
        cursor_key_ask(batch, &work->key);
        *ret_work = work;
        return PROBLEM_NONE;
}

static enum problem webhooks_load(struct batch *batch, bool locked) {
        struct uuid *ids = arena_new_array(batch->arena, struct uuid, batch->n_calls);
        struct webhook_work *work = NULL;
        const enum problem p = webhook_work_begin(batch, &work);

        if (p || !ids)
                return p ? p : FAULT_BUSY;
        for (size_t i = 0; i < batch->n_calls; i++)
                ids[i] = *call_id(batch->calls[i], 0);
        webhooks_read(batch->database, &work->set, ids, batch->n_calls, locked);
        return PROBLEM_NONE;
}

enum problem webhook_work_load(struct batch *batch) {
        return webhooks_load(batch, /* locked= */ true);
}

enum problem webhook_work_read(struct batch *batch) {
        return webhooks_load(batch, /* locked= */ false);
}

enum problem webhook_work_save(struct batch *batch) {
        const struct webhook_work *work = batch->work;

        webhooks_save(batch->database, batch->arena, work->touched, work->n_touched);
        webhook_tests_save(batch->database, batch->arena, work->tests, work->n_tests);
        return PROBLEM_NONE;
}

void webhook_work_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct webhook_work *work = batch->work;

        snapshot_one(snapshot, work);
        if (call->path.n)
                snapshot_one(snapshot, webhook_find(&work->set, call_id(call, 0)));
}

void webhook_work_touch(struct webhook_work *work, struct webhook *webhook) {
        for (size_t i = 0; i < work->n_touched; i++)
                if (work->touched[i] == webhook)
                        return;
        work->touched[work->n_touched++] = webhook;
}

bool webhook_is_visible(const struct call *call, const struct webhook *webhook) {
        const struct token_claims *claims = call->claims;
        const char *rest = webhook->locations, *location;
        size_t size;

        if (claims->channel && !(webhook->channels && text_equal(webhook->channels, claims->channel)))
                return false;
        if (claims->all_locations)
                return true;
        while (text_next_part(&rest, ' ', &location, &size)) {
                bool covered = false;

                for (size_t i = 0; i < claims->n_locations && !covered; i++)
                        covered =
                                size == strlen(claims->locations[i]) && !strncmp(location, claims->locations[i], size);
                if (!covered)
                        return false;
        }
        return webhook->locations != NULL;
}

struct webhook *webhook_of(const struct batch *batch, struct call *call) {
        const struct webhook_work *work = batch->work;
        struct webhook *webhook = webhook_find(&work->set, call_id(call, 0));

        if (webhook && !webhook->gone && webhook_is_visible(call, webhook))
                return webhook;
        call_refuse(call, PROBLEM_NOT_FOUND, "There is no such webhook.");
        return NULL;
}

struct sealing_keys webhook_sealing_keys(void) {
        return (struct sealing_keys){ .now = config_text(CONFIG_WEBHOOK_SEALING_KEY),
                .before = config_text(CONFIG_WEBHOOK_SEALING_KEY_PREVIOUS) };
}

bool webhook_secret_make(struct webhook *webhook, struct arena *arena, char text[WEBHOOK_SECRET_TEXT_SIZE]) {
        uint8_t secret[WEBHOOK_SECRET_SIZE];
        char name[UUID_TEXT_SIZE];

        if (getrandom(secret, sizeof(secret), 0) != (ssize_t) sizeof(secret))
                return false;
        webhook_secret_format(secret, text);
        uuid_format(&webhook->id, name);
        webhook->secret = seal_close(config_text(CONFIG_WEBHOOK_SEALING_KEY), name, secret, sizeof(secret), arena);
        webhook->secret_hint = arena_text_sized(arena, text, WEBHOOK_HINT_SIZE);
        return webhook->secret && webhook->secret_hint;
}
