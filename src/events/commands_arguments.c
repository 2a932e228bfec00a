#include "events/commands_arguments.h"

struct command call_command(const struct batch *batch, struct call *call) {
        return (struct command){
                .actor = call->by_link ? "customer" : call->claims->subject,
                .now = batch->now,
                .events = batch->events,
                .arena = &call->arena,
                .refusal = &call->refusal,
        };
}
