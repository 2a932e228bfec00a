#include "webhooks/attempts.h"

#include "base/buffer.h"
#include "base/text.h"

#include <string.h>

#define TEXTS_MAX   ((size_t) 4 * 1024 * 1024)
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

void attempts_init(struct attempts *attempts) {
        attempts->n = 0;
        arena_init(&attempts->arena, TEXTS_MAX);
}

void attempts_clear(struct attempts *attempts) {
        attempts->n = 0;
        arena_clear(&attempts->arena);
}

void attempts_add(struct attempts *attempts, const struct webhook_attempt *attempt) {
        if (attempts->n == ATTEMPTS_IN_MEMORY)
                return;
        attempts->list[attempts->n] = *attempt;
        attempts->list[attempts->n++].answer = attempt->answer ? arena_text(&attempts->arena, attempt->answer) : NULL;
}

/* A sequence that the limit cuts off counts as bytes that are no UTF-8, but is left out at the end. */
const char *attempt_answer(const char *bytes, size_t size, struct arena *arena) {
        const size_t n = size < ATTEMPT_ANSWER_MAX ? size : ATTEMPT_ANSWER_MAX;
        struct buffer text;
        size_t step;

        buffer_init(&text, arena, 3 * ATTEMPT_ANSWER_MAX + 1);
        for (size_t at = 0; at < n; at += step ? step : 1) {
                const bool is_control = (uint8_t) bytes[at] < 0x20 && bytes[at] != '\n' && bytes[at] != '\t';

                step = is_control ? 0 : text_utf8_size(bytes + at, n - at);
                if (step)
                        buffer_append(&text, bytes + at, step);
                else if (n - at > 3 || is_control)
                        buffer_append_text(&text, REPLACEMENT);
        }
        return text.size && !text.failed ? buffer_text(&text) : NULL;
}
