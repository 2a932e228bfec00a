#include "webhooks/webhooks.h"

#include "base/lifecycle.h"
#include "base/text.h"

#include <string.h>

static const char *const states[] = { "active", "paused", "disabled" };
static const char *const events[] = { "pause", "resume", "disable" };
const char *const webhook_modes[] = { "ordered", "parallel", NULL };

static const struct transition transitions[] = {
        { WEBHOOK_ACTIVE, WEBHOOK_PAUSE, WEBHOOK_PAUSED, "a client pauses it" },
        { WEBHOOK_ACTIVE, WEBHOOK_DISABLE, WEBHOOK_DISABLED, "it answered 410, or nothing but failures for five days" },
        { WEBHOOK_PAUSED, WEBHOOK_PAUSE, WEBHOOK_PAUSED, "it is paused already" },
        { WEBHOOK_PAUSED, WEBHOOK_RESUME, WEBHOOK_ACTIVE, "a client resumes it" },
        { WEBHOOK_DISABLED, WEBHOOK_RESUME, WEBHOOK_ACTIVE, "a client resumes it" },
        { WEBHOOK_ACTIVE, WEBHOOK_RESUME, WEBHOOK_ACTIVE, "it is active already" },
};

const struct lifecycle webhook_lifecycle = {
        .name = "webhook",
        .states = states,
        .n_states = array_size(states),
        .events = events,
        .n_events = array_size(events),
        .transitions = transitions,
        .n_transitions = array_size(transitions),
};

enum problem webhook_advance(struct webhook *webhook, enum webhook_event event, timestamp now, struct arena *arena,
        struct refusal *refusal) {
        int next;

        if (!lifecycle_next(&webhook_lifecycle, (int) webhook->state, (int) event, &next)) {
                refusal->current_status = states[webhook->state];
                return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION, "The webhook is %s.", states[webhook->state]);
        }
        if ((enum webhook_state) next == webhook->state)
                return PROBLEM_NONE;
        webhook->state = (enum webhook_state) next;
        webhook->resumed = event == WEBHOOK_RESUME;
        webhook->version++;
        webhook->updated_at = now;
        webhook->changed = true;
        return PROBLEM_NONE;
}

const char *webhook_disabling_reason(const struct webhook *webhook, timestamp now) {
        if (webhook->state != WEBHOOK_ACTIVE)
                return NULL;
        if (webhook->gone_version == webhook->version)
                return "gone";
        return webhook->failing_since != TIMESTAMP_NONE && now - webhook->failing_since >= WEBHOOK_DISABLED_AFTER
                       ? "failing"
                       : NULL;
}

bool webhook_list_has(const char *list, const char *word) {
        const char *part;
        size_t size;

        while (text_next_part(&list, ' ', &part, &size))
                if (size == strlen(word) && !strncmp(part, word, size))
                        return true;
        return false;
}

/* "order.created", "order.*" or "*". */
static bool pattern_names(const char *pattern, size_t size, const char *type) {
        if (size && pattern[size - 1] == '*')
                return !strncmp(pattern, type, size - 1);
        return strlen(type) == size && !strncmp(pattern, type, size);
}

bool webhook_takes(const char *types, const char *locations, const char *channels, const char *type,
        const char *location, const char *channel) {
        const char *pattern;
        size_t size;
        bool named = false;

        while (!named && text_next_part(&types, ' ', &pattern, &size))
                named = pattern_names(pattern, size, type);
        return named && (!locations || (location && webhook_list_has(locations, location))) &&
               (!channels || (channel && webhook_list_has(channels, channel)));
}
