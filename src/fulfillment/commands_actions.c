/* The commands on a fulfillment: each loads its documents, calls its rule and answers. */
#include "fulfillment/commands.h"

#include "catalog/slots.h"
#include "engine/reply.h"
#include "fulfillment/commands_bodies.h"
#include "reservations/reservations.h"

#include "base/config.h"
#include "base/snapshot.h"
#include "base/text.h"

/* ---- loading ---- */

/* Only the locked documents tell which records of the catalogue are needed, hence the trip in between. */
static enum problem command_load_catalog(struct batch *batch,
        void (*want)(struct catalog_set *catalog, const struct call *call, const struct fulfillment *fulfillment)) {
        enum problem p = fulfillment_commands_load(batch);
        struct fulfillment_commands *work = batch->work;

        if (!p)
                p = batch_trip(batch);
        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++) {
                const struct fulfillment *fulfillment = fulfillment_find(&work->set, call_id(batch->calls[i], 0));

                if (fulfillment)
                        want(&work->catalog, batch->calls[i], fulfillment);
        }
        return catalog_load(batch->database, &work->catalog);
}

static void want_products(struct catalog_set *catalog, const struct call *call, const struct fulfillment *fulfillment) {
        const struct pick_body *body = call->body;

        for (size_t i = 0; body->n_scans && i < fulfillment->n_lines; i++)
                catalog_want_product(catalog, fulfillment->lines[i].order_line->sku);
}

static bool has_scans(const struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++)
                if (((const struct pick_body *) batch->calls[i]->body)->n_scans)
                        return true;
        return false;
}

static enum problem pick_load(struct batch *batch) {
        return has_scans(batch) ? command_load_catalog(batch, want_products) : fulfillment_commands_load(batch);
}

static void want_location(struct catalog_set *catalog, const struct call *call, const struct fulfillment *fulfillment) {
        (void) call;
        catalog_want_location(catalog, fulfillment->location);
}

static enum problem located_load(struct batch *batch) {
        return command_load_catalog(batch, want_location);
}

/* A hold outlasts the slot, whose end is in the calendar of its location. */
static enum problem held_load(struct batch *batch) {
        const enum problem p = command_load_catalog(batch, want_location);
        struct fulfillment_commands *work = batch->work;

        return p ? p : catalog_load_zones(batch->database, &work->catalog);
}

/* Units that a lapsed reservation still holds are available to a reinstated fulfillment. */
static enum problem reinstate_load(struct batch *batch) {
        enum problem p = held_load(batch);
        struct fulfillment_commands *work = batch->work;

        for (size_t i = 0; i < batch->n_calls && !p; i++) {
                const struct fulfillment *fulfillment = fulfillment_find(&work->set, call_id(batch->calls[i], 0));

                for (size_t j = 0; fulfillment && j < fulfillment->n_lines; j++)
                        stock_want(&work->stock, fulfillment->location, fulfillment->lines[j].order_line->sku);
        }
        return p ? p : reservations_free_lapsed(batch->database, &work->stock);
}

/* Other locations may have the units that fall short. Only the commands that may source them load those locations,
 * because the look-up costs round trips. */
static enum problem command_load_sources(
        struct batch *batch, void (*want)(struct resourcing *resourcing, const struct call *call)) {
        struct fulfillment_commands *work = NULL;
        enum problem p = fulfillment_work_begin(batch, /* locked= */ true, &work);

        if (p)
                return p;
        for (size_t i = 0; i < batch->n_calls; i++)
                want(&work->resourcing, batch->calls[i]);
        if (!work->resourcing.n_calls && !work->resourcing.exhausted)
                return orders_lock(batch->database, &work->set);
        return resourcing_lock(&work->resourcing, batch->database, &work->set, batch->deadline);
}

static void want_lines(struct resourcing *resourcing, const struct call *call) {
        const struct short_body *body = call->body;

        if (short_reason_resources((enum short_reason) body->reason))
                resourcing_want(resourcing, call, call_id(call, 0), body->lines, body->n_lines);
}

static enum problem short_load(struct batch *batch) {
        return command_load_sources(batch, want_lines);
}

static void want_all(struct resourcing *resourcing, const struct call *call) {
        const struct reject_body *body = call->body;

        if (short_reason_resources((enum short_reason) body->reason))
                resourcing_want(resourcing, call, call_id(call, 0), NULL, 0);
}

static enum problem reject_load(struct batch *batch) {
        return command_load_sources(batch, want_all);
}

/* Units that another location takes over are reserved there. */
static void sourced_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot) {
        struct fulfillment_commands *work = batch->work;

        fulfillment_commands_documents(batch, call, snapshot);
        stock_rows_snapshot(snapshot, &work->stock);
        sourcing_snapshot(snapshot, resourcing_find(&work->resourcing, call));
}

/* ---- one command ---- */

typedef enum problem (*command_rule)(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command);

static enum problem change_one(struct batch *batch, struct call *call, command_rule rule) {
        struct fulfillment_commands *work = batch->work;
        struct fulfillment *fulfillment = fulfillment_visible(call, &work->set, batch->now);
        const struct command command = fulfillment_command(batch, call);
        enum problem p;

        call->work = work;
        if (!fulfillment || !call_version_matches(call, fulfillment->version))
                return PROBLEM_NONE;
        p = rule(call, fulfillment, &command);
        if (!p && call->by_link)
                fulfillment_reply_to_customer(call, fulfillment);
        else if (!p)
                fulfillment_reply(call, fulfillment, /* pickup_secret= */ NULL);
        return p;
}

static enum problem fulfillment_assign_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct assign_body *body = call->body;

        return fulfillment_assign(fulfillment, body->assignee, body->force, command);
}

static const char *const *gtins_of(
        const struct fulfillment *fulfillment, const struct catalog_set *catalog, const char **gtins) {
        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                const struct product *product = catalog_find_product(catalog, fulfillment->lines[i].order_line->sku);

                gtins[i] = product ? product->gtin : NULL;
        }
        return gtins;
}

static enum problem fulfillment_pick_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct pick_body *body = call->body;
        const struct fulfillment_commands *work = call->work;
        const char *gtins[ORDER_LINES_MAX] = { 0 };
        enum problem (*rule)(struct fulfillment *, const struct pick_item *, size_t, const char *, const char *const *,
                const struct command *) = body->undo ? fulfillment_undo_pick : fulfillment_pick;

        if (!body->n_scans)
                return rule(fulfillment, body->lines, body->n_lines, "#/lines", NULL, command);
        return rule(fulfillment, body->scans, body->n_scans, "#/scans", gtins_of(fulfillment, &work->catalog, gtins),
                command);
}

static enum problem fulfillment_check_in_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct check_in_body *body = call->body;
        struct check_in_word word = {
                .event = body->state == SAID_ARRIVED ? CHECK_IN_ARRIVE : CHECK_IN_SET_OUT,
                .eta_minutes = body->has_eta_minutes ? body->eta_minutes : -1,
                .bay = body->bay,
        };

        if (body->vehicle)
                word.vehicle = *body->vehicle;
        return fulfillment_check_in(fulfillment, &word, command);
}

static enum problem fulfillment_short_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct fulfillment_commands *work = call->work;
        const struct short_body *body = call->body;

        return fulfillment_short(fulfillment, body->lines, body->n_lines, (enum short_reason) body->reason,
                resourcing_find(&work->resourcing, call), command);
}

static enum problem find_slot_end(
        const struct location *location, const struct catalog_set *catalog, struct fulfillment *fulfillment) {
        struct slot_time slot;

        if (!fulfillment->has_slot || !location)
                return PROBLEM_NONE;
        if (!catalog_zones_fit(catalog))
                return FAULT_STALE;
        if (slot_find(location, catalog_find_zone(catalog, location->time_zone), fulfillment->slot_at, &slot))
                fulfillment->slot_ends_at = slot.ends;
        return PROBLEM_NONE;
}

static enum problem fulfillment_ready_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct ready_body *body = call->body;
        const struct fulfillment_commands *work = call->work;
        const struct location *location = catalog_find_location(&work->catalog, fulfillment->location);
        const enum problem p = find_slot_end(location, &work->catalog, fulfillment);

        return p ? p
                 : fulfillment_make_ready(fulfillment, body->staging_location,
                           location ? location->hold_for : HOLD_FOR_DEFAULT, command);
}

static enum problem fulfillment_extend_hold_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct extend_hold_body *body = call->body;
        const struct fulfillment_commands *work = call->work;
        const struct location *location = catalog_find_location(&work->catalog, fulfillment->location);
        const enum problem p = find_slot_end(location, &work->catalog, fulfillment);

        return p ? p : fulfillment_extend_hold(fulfillment, body->until, command);
}

static enum problem fulfillment_reinstate_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct reinstate_body *body = call->body;
        const struct fulfillment_commands *work = call->work;
        const struct location *location = catalog_find_location(&work->catalog, fulfillment->location);

        return fulfillment_reinstate(
                fulfillment, body->hold_until, location ? location->hold_for : HOLD_FOR_DEFAULT, command);
}

static enum problem fulfillment_recipient_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct recipient_body *body = call->body;

        return fulfillment_name_recipient(fulfillment, body->name, body->relation, command);
}

static enum problem fulfillment_unlock_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        (void) call;
        return fulfillment_unlock(fulfillment, command);
}

static enum problem fulfillment_reissue_code_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        (void) call;
        return fulfillment_reissue_code(fulfillment, command);
}

/* Proof methods that the location does not accept; bits. */
static unsigned refused_methods(const struct fulfillment_commands *work, const struct fulfillment *fulfillment) {
        const struct location *location = catalog_find_location(&work->catalog, fulfillment->location);

        return location ? ~location->handover_methods & HANDOVER_METHODS_ALL : 0;
}

static struct handover handover_of(const struct call *call, const struct fulfillment *fulfillment) {
        const struct handover_body *body = call->body;

        return (struct handover){
                .method = (enum proof_method) body->proof->method,
                .value = body->proof->value,
                .recipient = body->recipient ? body->recipient->name : NULL,
                .relation = body->recipient ? body->recipient->relation : -1,
                .refused_methods = refused_methods(call->work, fulfillment),
                .lines = body->lines,
                .n_lines = body->n_lines,
                .secret = config_text(CONFIG_PICKUP_SECRET),
                .previous = config_text(CONFIG_PICKUP_SECRET_PREVIOUS),
        };
}

static enum problem fulfillment_handover_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct handover handover = handover_of(call, fulfillment);

        return fulfillment_hand_over(fulfillment, &handover, command);
}

/* The one thing that a refusal writes: a wrong code is counted. */
static void handover_refused(struct batch *batch, struct call *call) {
        struct fulfillment_commands *work = batch->work;
        struct fulfillment *fulfillment = fulfillment_find(&work->set, call_id(call, 0));
        const struct command command = fulfillment_command(batch, call);
        struct handover handover;

        if (!fulfillment)
                return;
        handover = handover_of(call, fulfillment);
        fulfillment_count_wrong_code(fulfillment, &handover, &command);
}

static enum problem fulfillment_ship_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct ship_body *body = call->body;

        return fulfillment_ship(fulfillment, body->packages, body->n_packages, command);
}

static enum problem fulfillment_deliver_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        (void) call;
        return fulfillment_deliver(fulfillment, command);
}

static enum problem fulfillment_reject_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct fulfillment_commands *work = call->work;
        const struct reject_body *body = call->body;

        return fulfillment_reject(
                fulfillment, (enum short_reason) body->reason, resourcing_find(&work->resourcing, call), command);
}

static enum problem fulfillment_cancel_one(
        const struct call *call, struct fulfillment *fulfillment, const struct command *command) {
        const struct cancel_body *body = call->body;

        return fulfillment_cancel(fulfillment, body->reason, command);
}

/* Every command by its name, with its functions to load, to keep its documents, and for a refusal. */
#define COMMANDS(X)                                                                                                    \
        X(assign, fulfillment_commands_load, fulfillment_commands_documents, NULL)                                     \
        X(cancel, fulfillment_commands_load, fulfillment_commands_documents, NULL)                                     \
        X(check_in, fulfillment_commands_load, fulfillment_commands_documents, NULL)                                   \
        X(deliver, fulfillment_commands_load, fulfillment_commands_documents, NULL)                                    \
        X(extend_hold, held_load, fulfillment_commands_documents, NULL)                                                \
        X(handover, located_load, fulfillment_commands_documents, handover_refused)                                    \
        X(pick, pick_load, fulfillment_commands_documents, NULL)                                                       \
        X(ready, held_load, fulfillment_commands_documents, NULL)                                                      \
        X(recipient, fulfillment_commands_load, fulfillment_commands_documents, NULL)                                  \
        X(reinstate, reinstate_load, fulfillment_commands_documents, NULL)                                             \
        X(reissue_code, fulfillment_commands_load, fulfillment_commands_documents, NULL)                               \
        X(reject, reject_load, sourced_documents, NULL)                                                                \
        X(ship, fulfillment_commands_load, fulfillment_commands_documents, NULL)                                       \
        X(short, short_load, sourced_documents, NULL)                                                                  \
        X(unlock, fulfillment_commands_load, fulfillment_commands_documents, NULL)

#define X(name, loads, keeps, refuses)                                                                                 \
        static enum problem name##_change(struct batch *batch, struct call *call) {                                    \
                return change_one(batch, call, fulfillment_##name##_one);                                              \
        }                                                                                                              \
        const struct operation fulfillment_##name##_operation = {                                                      \
                .load = loads,                                                                                         \
                .documents = keeps,                                                                                    \
                .change = name##_change,                                                                               \
                .refused = refuses,                                                                                    \
                .save = fulfillment_commands_save,                                                                     \
        };
COMMANDS(X)
#undef X
