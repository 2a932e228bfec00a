/*
 * fulfillment/commands_bodies: the bodies of the commands on fulfillments, and the checks that need nothing but a body.
 */
#pragma once

#include "base/shape.h"
#include "engine/call.h"
#include "fulfillment/fulfillment.h"

struct assign_body {
        const char *assignee;
        bool force;
};

struct pick_body {
        bool undo;
        const struct pick_item *lines;
        size_t n_lines;
        const struct pick_item *scans;
        size_t n_scans;
};

struct short_body {
        const struct line_units *lines;
        size_t n_lines;
        int reason;
};

struct ready_body {
        const char *staging_location;
};

struct proof_body {
        int method;
        const char *value;
};

struct recipient_body {
        const char *name;
        int relation;
};

struct handover_body {
        const struct proof_body *proof;
        const struct recipient_body *recipient;
        const struct line_units *lines;
        size_t n_lines;
};

struct ship_body {
        const struct package *packages;
        size_t n_packages;
};

struct extend_hold_body {
        timestamp until;
};

struct reinstate_body {
        timestamp hold_until; /* TIMESTAMP_NONE: for the hold_for of the location */
};

struct reject_body {
        int reason;
};

struct cancel_body {
        const char *reason;
};

enum said_state { SAID_ON_THE_WAY, SAID_ARRIVED };

struct check_in_body {
        int state; /* enum said_state */
        int64_t eta_minutes;
        bool has_eta_minutes;
        const char *bay;
        const struct vehicle *vehicle;
};

extern const struct shape fulfillment_assign_shape;
extern const struct shape fulfillment_cancel_shape;
extern const struct shape fulfillment_check_in_shape;
extern const struct shape fulfillment_collector_shape; /* of recipient_body, with its name */
extern const struct shape fulfillment_extend_hold_shape;
extern const struct shape fulfillment_handover_shape;
extern const struct shape fulfillment_nothing_shape; /* an object without members */
extern const struct shape fulfillment_pick_shape;
extern const struct shape fulfillment_ready_shape;
extern const struct shape fulfillment_reinstate_shape;
extern const struct shape fulfillment_reject_shape;
extern const struct shape fulfillment_ship_shape;
extern const struct shape fulfillment_short_shape;

/* A pick names lines or scans; a proof by code has its code, and only a supervisor may claim the proof `none`. */
void fulfillment_pick_check(struct call *call);
void fulfillment_handover_check(struct call *call);
