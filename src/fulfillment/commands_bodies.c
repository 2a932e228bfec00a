#include "fulfillment/commands_bodies.h"
#include "reservations/reservations.h"

#define ASSIGNEE_MAX     200
#define CODE_TEXT_MAX    512 /* code points of a scanned code */
#define PROOF_MAX        64
#define REASON_MAX       200
#define TEXT_MAX         100 /* staging locations, carriers, tracking numbers */
#define BAY_MAX          50
#define PLATE_MAX        20
#define VEHICLE_TEXT_MAX 50
#define ETA_MINUTES_MAX  (24 * 60)

static const struct shape_member assign_members[] = {
        REQUIRED(TEXT, struct assign_body, assignee, BETWEEN(1, ASSIGNEE_MAX)),
        OPTIONAL(BOOLEAN, struct assign_body, force),
};
const struct shape fulfillment_assign_shape = SHAPE(struct assign_body, assign_members);

static const struct shape_member pick_line_members[] = {
        OPTIONAL_FLAGGED(UUID, struct pick_item, order_line_id),
        REQUIRED(INTEGER, struct pick_item, quantity, BETWEEN(1, QUANTITY_MAX)),
        OPTIONAL(CODE, struct pick_item, sku),
};
static const struct shape pick_line_shape = SHAPE(struct pick_item, pick_line_members);

static const struct shape_member scan_members[] = {
        REQUIRED(TEXT, struct pick_item, code, BETWEEN(1, CODE_TEXT_MAX)),
        REQUIRED(INTEGER, struct pick_item, quantity, BETWEEN(1, QUANTITY_MAX)),
};
static const struct shape scan_shape = SHAPE(struct pick_item, scan_members);

static const struct shape_member pick_members[] = {
        OPTIONAL_LIST(struct pick_body, lines, &pick_line_shape, 1, PICK_ITEMS_MAX),
        OPTIONAL_LIST(struct pick_body, scans, &scan_shape, 1, PICK_ITEMS_MAX),
        OPTIONAL(BOOLEAN, struct pick_body, undo),
};
const struct shape fulfillment_pick_shape = SHAPE(struct pick_body, pick_members);

static const struct shape_member line_members[] = {
        REQUIRED(UUID, struct line_units, order_line_id),
        REQUIRED(INTEGER, struct line_units, quantity, BETWEEN(1, QUANTITY_MAX)),
};
static const struct shape line_shape = SHAPE(struct line_units, line_members);

static const struct shape_member short_members[] = {
        LIST(struct short_body, lines, &line_shape, 1, ORDER_LINES_MAX),
        REQUIRED(ENUM, struct short_body, reason, .names = short_reason_texts),
};
const struct shape fulfillment_short_shape = SHAPE(struct short_body, short_members);

static const struct shape_member ready_members[] = {
        OPTIONAL(TEXT, struct ready_body, staging_location, BETWEEN(1, TEXT_MAX)),
};
const struct shape fulfillment_ready_shape = SHAPE(struct ready_body, ready_members);

static const struct shape_member proof_members[] = {
        REQUIRED(ENUM, struct proof_body, method, .names = proof_method_texts),
        OPTIONAL(TEXT, struct proof_body, value, BETWEEN(1, PROOF_MAX)),
};
static const struct shape proof_shape = SHAPE(struct proof_body, proof_members);

static const struct shape_member recipient_members[] = {
        OPTIONAL(TEXT, struct recipient_body, name, BETWEEN(1, 200)),
        OPTIONAL(ENUM, struct recipient_body, relation, .names = relation_texts),
};
static const struct shape recipient_shape = SHAPE(struct recipient_body, recipient_members);

static const struct shape_member handover_members[] = {
        OPTIONAL_LIST(struct handover_body, lines, &line_shape, 1, ORDER_LINES_MAX),
        REQUIRED(OBJECT, struct handover_body, proof, .shape = &proof_shape),
        OPTIONAL(OBJECT, struct handover_body, recipient, .shape = &recipient_shape),
};
const struct shape fulfillment_handover_shape = SHAPE(struct handover_body, handover_members);

static const struct shape_member package_members[] = {
        REQUIRED(TEXT, struct package, carrier, BETWEEN(1, TEXT_MAX)),
        OPTIONAL_LIST(struct package, lines, &line_shape, 1, ORDER_LINES_MAX),
        REQUIRED(TEXT, struct package, tracking_number, BETWEEN(1, TEXT_MAX)),
};
static const struct shape package_shape = SHAPE(struct package, package_members);

static const struct shape_member ship_members[] = {
        LIST(struct ship_body, packages, &package_shape, 1, PACKAGES_PER_CALL_MAX),
};
const struct shape fulfillment_ship_shape = SHAPE(struct ship_body, ship_members);

/* An object without members. */
const struct shape fulfillment_nothing_shape = { .size = 1 };

static const struct shape_member extend_hold_members[] = {
        REQUIRED(TIME, struct extend_hold_body, until),
};
const struct shape fulfillment_extend_hold_shape = SHAPE(struct extend_hold_body, extend_hold_members);

static const struct shape_member reinstate_members[] = {
        OPTIONAL(TIME, struct reinstate_body, hold_until),
};
const struct shape fulfillment_reinstate_shape = SHAPE(struct reinstate_body, reinstate_members);

/* An alternate pickup person needs a name. */
static const struct shape_member collector_members[] = {
        REQUIRED(TEXT, struct recipient_body, name, BETWEEN(1, 200)),
        OPTIONAL(ENUM, struct recipient_body, relation, .names = relation_texts),
};
const struct shape fulfillment_collector_shape = SHAPE(struct recipient_body, collector_members);

static const struct shape_member reject_members[] = {
        REQUIRED(ENUM, struct reject_body, reason, .names = short_reason_texts),
};
const struct shape fulfillment_reject_shape = SHAPE(struct reject_body, reject_members);

static const struct shape_member cancel_members[] = {
        REQUIRED(TEXT, struct cancel_body, reason, BETWEEN(1, REASON_MAX)),
};
const struct shape fulfillment_cancel_shape = SHAPE(struct cancel_body, cancel_members);

static const char *const check_in_texts[] = { [SAID_ON_THE_WAY] = "on_the_way", [SAID_ARRIVED] = "arrived", NULL };

static const struct shape_member vehicle_members[] = {
        REQUIRED(TEXT, struct vehicle, color, BETWEEN(1, VEHICLE_TEXT_MAX)),
        REQUIRED(TEXT, struct vehicle, make, BETWEEN(1, VEHICLE_TEXT_MAX)),
        OPTIONAL(TEXT, struct vehicle, plate, BETWEEN(1, PLATE_MAX)),
};
static const struct shape vehicle_shape = SHAPE(struct vehicle, vehicle_members);

static const struct shape_member check_in_members[] = {
        OPTIONAL(TEXT, struct check_in_body, bay, BETWEEN(1, BAY_MAX)),
        OPTIONAL_FLAGGED(INTEGER, struct check_in_body, eta_minutes, BETWEEN(0, ETA_MINUTES_MAX)),
        REQUIRED(ENUM, struct check_in_body, state, .names = check_in_texts),
        OPTIONAL(OBJECT, struct check_in_body, vehicle, .shape = &vehicle_shape),
};
const struct shape fulfillment_check_in_shape = SHAPE(struct check_in_body, check_in_members);

/* ---- checks of a body alone ---- */

void fulfillment_pick_check(struct call *call) {
        const struct pick_body *body = call->body;

        if (!body->lines == !body->scans) {
                (void) refuse_because(&call->refusal, &call->arena, "#", "one-of", "Either lines or scans.");
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "Name lines or scans, and not both.");
                return;
        }
        for (size_t i = 0; i < body->n_lines; i++)
                if (body->lines[i].has_order_line_id == (body->lines[i].sku != NULL))
                        violation_at(&call->refusal, &call->arena, "#/lines", i, NULL, "one-of",
                                "Either sku or order_line_id.");
        if (call->refusal.n_violations)
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "A line is named by its sku or its id, and not by both.");
}

/* A supervisor answers for a hand-over without a proof. */
void fulfillment_handover_check(struct call *call) {
        const struct handover_body *body = call->body;

        if (body->proof->method == PROOF_CODE && !body->proof->value) {
                (void) refuse_because(
                        &call->refusal, &call->arena, "#/proof/value", "required", "The pickup code is missing.");
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "A proof by code names the code.");
        } else if (body->proof->method == PROOF_NONE && !call_has_scope(call, SCOPE_ADMIN)) {
                call->refusal.scope = scope_text(SCOPE_ADMIN);
                call_refuse(call, PROBLEM_INSUFFICIENT_SCOPE, "Handing over without a proof needs the scope %s.",
                        scope_text(SCOPE_ADMIN));
        }
}
