#include "returns/returns.h"

const char *const disposition_texts[] = { "damaged", "destroy", "quarantine", "restock", "vendor", NULL };
const char *const return_status_texts[] = { "authorized", "partially_received", "received", "lost", "cancelled", NULL };

/* ---- reception ---- */

static const char *const reception_states[] = {
        [RECEPTION_AWAITING] = "awaiting",
        [RECEPTION_CANCELLED] = "cancelled",
        [RECEPTION_LOST] = "lost",
        [RECEPTION_RECEIVED] = "received",
};

static const char *const reception_events[] = {
        [RECEPTION_CALL_OFF] = "call off",
        [RECEPTION_LOSE] = "lose",
        [RECEPTION_RECEIVE] = "receive",
};

static const struct transition reception_transitions[] = {
        { RECEPTION_AWAITING, RECEPTION_RECEIVE, RECEPTION_RECEIVED, "the goods are here" },
        { RECEPTION_AWAITING, RECEPTION_LOSE, RECEPTION_LOST, "the parcel is lost" },
        { RECEPTION_AWAITING, RECEPTION_CALL_OFF, RECEPTION_CANCELLED, "the customer keeps the goods" },
};

const struct lifecycle reception_lifecycle = {
        .name = "return line, reception",
        .states = reception_states,
        .n_states = array_size(reception_states),
        .events = reception_events,
        .n_events = array_size(reception_events),
        .transitions = reception_transitions,
        .n_transitions = array_size(reception_transitions),
};

/* ---- acceptance ---- */

static const char *const acceptance_states[] = {
        [ACCEPTANCE_ACCEPTED] = "accepted",
        [ACCEPTANCE_PENDING] = "pending",
        [ACCEPTANCE_REJECTED] = "rejected",
};

static const char *const acceptance_events[] = {
        [ACCEPTANCE_ACCEPT] = "accept",
        [ACCEPTANCE_REJECT] = "reject",
};

static const struct transition acceptance_transitions[] = {
        { ACCEPTANCE_PENDING, ACCEPTANCE_ACCEPT, ACCEPTANCE_ACCEPTED, "the goods are taken back" },
        { ACCEPTANCE_PENDING, ACCEPTANCE_REJECT, ACCEPTANCE_REJECTED, "the goods go back to the customer" },
};

const struct lifecycle acceptance_lifecycle = {
        .name = "return line, acceptance",
        .states = acceptance_states,
        .n_states = array_size(acceptance_states),
        .events = acceptance_events,
        .n_events = array_size(acceptance_events),
        .transitions = acceptance_transitions,
        .n_transitions = array_size(acceptance_transitions),
};

/* ---- bucket ---- */

static const char *const bucket_states[] = {
        [BUCKET_GONE] = "gone",
        [BUCKET_NONE] = "none",
        [BUCKET_SELLABLE] = "sellable",
        [BUCKET_UNSELLABLE] = "unsellable",
};

static const char *const bucket_events[] = {
        [BUCKET_RESTOCK] = "restock",
        [BUCKET_SET_ASIDE] = "set aside",
        [BUCKET_TAKE_OUT] = "take out",
};

static const struct transition bucket_transitions[] = {
        { BUCKET_NONE, BUCKET_RESTOCK, BUCKET_SELLABLE, "accepted, and available at the location that has them" },
        { BUCKET_NONE, BUCKET_SET_ASIDE, BUCKET_UNSELLABLE, "accepted, and kept apart: damaged, quarantine, vendor" },
        { BUCKET_NONE, BUCKET_TAKE_OUT, BUCKET_GONE, "accepted, and destroyed at once" },
        { BUCKET_UNSELLABLE, BUCKET_RESTOCK, BUCKET_SELLABLE, "found to be good after all" },
        { BUCKET_UNSELLABLE, BUCKET_SET_ASIDE, BUCKET_UNSELLABLE, "kept apart under another disposition" },
        { BUCKET_UNSELLABLE, BUCKET_TAKE_OUT, BUCKET_GONE, "sent to the vendor, or destroyed" },
};

const struct lifecycle bucket_lifecycle = {
        .name = "return line, bucket",
        .states = bucket_states,
        .n_states = array_size(bucket_states),
        .events = bucket_events,
        .n_events = array_size(bucket_events),
        .transitions = bucket_transitions,
        .n_transitions = array_size(bucket_transitions),
};

/* ---- the only places where a state changes ---- */

static enum problem next_state(const struct lifecycle *lifecycle, int now, int event, int *ret_next,
        struct arena *arena, struct refusal *refusal) {
        if (lifecycle_next(lifecycle, now, event, ret_next))
                return PROBLEM_NONE;
        refusal->current_status = lifecycle->states[now];
        return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION, "The line is %s; that does not allow: %s.",
                lifecycle->states[now], lifecycle->events[event]);
}

enum problem reception_advance(
        struct return_line *line, enum reception_event event, struct arena *arena, struct refusal *refusal) {
        int next;
        const enum problem p =
                next_state(&reception_lifecycle, (int) line->reception, (int) event, &next, arena, refusal);

        if (p)
                return p;
        line->reception = (enum reception) next;
        line->changed = true;
        return PROBLEM_NONE;
}

enum problem acceptance_advance(
        struct return_line *line, enum acceptance_event event, struct arena *arena, struct refusal *refusal) {
        int next;
        const enum problem p =
                next_state(&acceptance_lifecycle, (int) line->acceptance, (int) event, &next, arena, refusal);

        if (p)
                return p;
        line->acceptance = (enum acceptance) next;
        line->changed = true;
        return PROBLEM_NONE;
}

enum problem bucket_advance(
        struct return_line *line, enum bucket_event event, struct arena *arena, struct refusal *refusal) {
        int next;
        const enum problem p = next_state(&bucket_lifecycle, (int) line->bucket, (int) event, &next, arena, refusal);

        if (p)
                return p;
        line->bucket = (enum bucket) next;
        line->changed = true;
        return PROBLEM_NONE;
}

/* A projection of the lines: never set by hand. */
static enum return_status project(const struct rma *rma) {
        bool awaiting = false, received = false, lost = false;

        for (size_t i = 0; i < rma->n_lines; i++) {
                awaiting = awaiting || rma->lines[i]->reception == RECEPTION_AWAITING;
                received = received || rma->lines[i]->reception == RECEPTION_RECEIVED;
                lost = lost || rma->lines[i]->reception == RECEPTION_LOST;
        }
        if (awaiting)
                return received ? RETURN_PARTIALLY_RECEIVED : RETURN_AUTHORIZED;
        if (received)
                return RETURN_RECEIVED;
        return lost ? RETURN_LOST : RETURN_CANCELLED;
}

bool return_is_awaited(enum return_status status) {
        return status == RETURN_AUTHORIZED || status == RETURN_PARTIALLY_RECEIVED;
}

void rma_settle(struct rma *rma, const struct command *command) {
        rma->status = project(rma);
        rma->order->returns_awaited += return_is_awaited(rma->status) - rma->is_awaited;
        rma->is_awaited = return_is_awaited(rma->status);
        rma->version++;
        rma->changed = true;
        rma->moved_by = command->actor;
        rma->updated_at = command->now;
        event_cover(command->events, EVENT_RETURN_UPDATED, &rma->id, rma->version, rma->location, rma->order->channel,
                command->actor);
}

void rma_follow(struct rma *rma, struct events *events) {
        const uint64_t before = rma->is_seen ? rma->mark : rma->order->mark;
        const uint64_t mark = order_worth_mark(rma->order);

        if (mark != before && rma->version == rma->seen_version) {
                rma->version++;
                rma->changed = true;
                rma->updated_at = rma->order->updated_at;
                if (events)
                        event_cover(events, EVENT_RETURN_UPDATED, &rma->id, rma->version, rma->location,
                                rma->order->channel, rma->moved_by);
        }
        rma->is_seen = true;
        rma->mark = mark;
        rma->seen_version = rma->version;
}

const struct enum_column return_status_column = { "returns", "status", .texts = return_status_texts };
