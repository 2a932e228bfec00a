#include "reservations/reservations.h"

#include "base/snapshot.h"

#include <inttypes.h>

static const char *const states[] = { "active", "claimed", "released", "expired" };
static const char *const events[] = { "claim", "release", "expire" };

static const struct transition transitions[] = {
        { RESERVATION_ACTIVE, RESERVATION_CLAIM, RESERVATION_CLAIMED, "an order takes the units over" },
        { RESERVATION_ACTIVE, RESERVATION_RELEASE, RESERVATION_RELEASED,
                "the shopper releases it, or the stock was lost" },
        { RESERVATION_ACTIVE, RESERVATION_EXPIRE, RESERVATION_EXPIRED, "its time is up" },
};

const struct lifecycle reservation_lifecycle = {
        .name = "reservation",
        .states = states,
        .n_states = array_size(states),
        .events = events,
        .n_events = array_size(events),
        .transitions = transitions,
        .n_transitions = array_size(transitions),
};

static void line_refuse_shortage(const struct reservation_line *line, struct arena *arena, struct refusal *refusal) {
        const int64_t available = stock_available(line->stock);

        violation_beyond(refusal, arena, "#/lines", line->place, "quantity", "insufficient-stock", available,
                "%s: %" PRId64 " available, %" PRId64 " requested.", line->sku, available, line->quantity);
}

/* An unknown code is an error of the client, unlike a product without stock. */
static bool products_are_known(const struct reservation *reservation, struct arena *arena, struct refusal *refusal) {
        size_t unknown = 0;

        for (size_t i = 0; i < reservation->n_lines; i++) {
                const struct reservation_line *line = &reservation->lines[i];

                if (line->stock->exists || line->stock->sku_known)
                        continue;
                unknown++;
                violation_at(refusal, arena, "#/lines", line->place, "sku", "unknown-sku", "There is no product %s.",
                        line->sku);
        }
        if (!reservation->lines[0].stock->exists && !reservation->lines[0].stock->location_known) {
                unknown++;
                (void) refuse_because(refusal, arena, "#/location", "unknown-location", "There is no location %s.",
                        reservation->location);
        }
        return !unknown;
}

static bool lines_are_covered(const struct reservation *reservation, struct arena *arena, struct refusal *refusal) {
        size_t short_lines = 0;

        for (size_t i = 0; i < reservation->n_lines; i++) {
                const struct reservation_line *line = &reservation->lines[i];

                if (line->quantity <= stock_available(line->stock))
                        continue;
                short_lines++;
                line_refuse_shortage(line, arena, refusal);
        }
        return !short_lines;
}

enum problem reservation_grant(
        struct reservation *reservation, duration ttl, timestamp now, struct arena *arena, struct refusal *refusal) {
        if (!products_are_known(reservation, arena, refusal))
                return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED,
                        "The location or some products are unknown; see errors.");
        if (!lines_are_covered(reservation, arena, refusal))
                return refuse(refusal, arena, PROBLEM_INSUFFICIENT_STOCK,
                        "Location %s does not have all requested units; see errors.", reservation->location);
        for (size_t i = 0; i < reservation->n_lines; i++) {
                stock_reserve(reservation->lines[i].stock, reservation->lines[i].quantity);
                reservation->lines[i].held = true;
        }
        reservation->status = RESERVATION_ACTIVE;
        reservation->expires_at = now + ttl;
        reservation->created_at = reservation->updated_at = now;
        reservation->version = 1;
        reservation->is_new = true;
        return PROBLEM_NONE;
}

void reservation_free_lines(struct reservation *reservation) {
        for (size_t i = 0; i < reservation->n_lines; i++) {
                struct reservation_line *line = &reservation->lines[i];

                if (!line->held)
                        continue;
                stock_release(line->stock, line->quantity);
                line->held = false;
        }
}

bool reservation_has_lapsed(const struct reservation *reservation, timestamp now) {
        if (reservation->status != RESERVATION_ACTIVE)
                return false;
        for (size_t i = 0; i < reservation->n_lines; i++)
                if (!reservation->lines[i].held)
                        return true;
        return reservation->expires_at <= now;
}

enum reservation_status reservation_status_at(const struct reservation *reservation, timestamp now) {
        return reservation_has_lapsed(reservation, now) ? RESERVATION_EXPIRED : reservation->status;
}

int64_t reservation_version_at(const struct reservation *reservation, timestamp now) {
        return reservation->version + (reservation_has_lapsed(reservation, now) ? 1 : 0);
}

static enum problem refuse_transition(
        const struct reservation *reservation, timestamp now, struct arena *arena, struct refusal *refusal) {
        const char *status = states[reservation_status_at(reservation, now)];

        refusal->current_status = status;
        return refuse(refusal, arena, PROBLEM_INVALID_TRANSITION, "The reservation is %s.", status);
}

static void touch(struct reservation *reservation, int64_t version, timestamp now) {
        reservation->version = version;
        reservation->updated_at = now;
        reservation->changed = true;
}

enum problem reservation_advance(struct reservation *reservation, enum reservation_event event, timestamp now,
        struct arena *arena, struct refusal *refusal) {
        const int64_t shown = reservation_version_at(reservation, now);
        const bool was_shown = event == RESERVATION_EXPIRE && shown != reservation->version;
        int next;

        if (!lifecycle_next(&reservation_lifecycle, (int) reservation->status, (int) event, &next))
                return refuse_transition(reservation, now, arena, refusal);
        reservation->status = (enum reservation_status) next;
        reservation_free_lines(reservation);
        touch(reservation, was_shown ? shown : shown + 1, now);
        return PROBLEM_NONE;
}

enum problem reservation_extend(
        struct reservation *reservation, duration ttl, timestamp now, struct arena *arena, struct refusal *refusal) {
        if (reservation->status == RESERVATION_CLAIMED)
                return refuse_transition(reservation, now, arena, refusal);
        if (reservation_status_at(reservation, now) != RESERVATION_ACTIVE) {
                refusal->current_status = states[reservation_status_at(reservation, now)];
                return refuse(refusal, arena, PROBLEM_RESERVATION_EXPIRED, "The reservation is %s; make a new one.",
                        refusal->current_status);
        }
        reservation->expires_at = now + ttl;
        touch(reservation, reservation->version + 1, now);
        return PROBLEM_NONE;
}

void reservation_snapshot(struct snapshot *snapshot, struct reservation *reservation) {
        if (!reservation)
                return;
        snapshot_one(snapshot, reservation);
        snapshot_list(snapshot, reservation->lines, reservation->n_lines);
        for (size_t i = 0; i < reservation->n_lines; i++)
                stock_row_snapshot(snapshot, reservation->lines[i].stock);
}
