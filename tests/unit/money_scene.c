#include "money_scene.h"

#include "base/text.h"

#include <criterion/criterion.h>

#define MEMORY ((size_t) 4 * 1024 * 1024)

struct arena arena;
struct events events;
struct told_events heard;
struct refusal refusal;
struct command command;

void money_open(void) {
        arena_init(&arena, MEMORY);
        events_init(&events, &arena);
        heard = (struct told_events){ .arena = &arena };
        refusal = (struct refusal){ 0 };
        command =
                (struct command){ .actor = "ada", .now = NOW, .events = &events, .arena = &arena, .refusal = &refusal };
}

void money_close(void) {
        arena_clear(&arena);
}

struct provider_event event_of_type(enum provider_event_type type, int64_t amount) {
        static int reports;

        return (struct provider_event){ .event_id = arena_format(&arena, "e-%d", reports++),
                .type = (int) type,
                .amount = amount,
                .has_amount = amount > 0,
                .occurred_at = TIMESTAMP_NONE };
}

struct command provider_command(timestamp now) {
        return (struct command){ .actor = "psp", .now = now, .events = &events, .arena = &arena, .refusal = &refusal };
}

size_t money_told(const char *type) {
        size_t n = 0;

        for (const struct event *event = events.first; event; event = event->next)
                n += text_equal(event_types[event->type].name, type);
        return n;
}

void assert_state(const struct payment *payment, enum funds_state state) {
        cr_assert_eq(payment->state, state, "it is %s", payment_lifecycle.states[payment->state]);
}
