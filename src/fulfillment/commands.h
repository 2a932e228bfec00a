/*
 * fulfillment/commands: declarations that the files of the room's routes share.
 */
#pragma once

#include "catalog/catalog.h"
#include "engine/call.h"
#include "fulfillment/resourcing.h"

/* The documents that one batch of commands on fulfillments works on. */
struct fulfillment_commands {
        struct stock stock;
        struct order_set set;
        struct catalog_set catalog;
        struct resourcing resourcing; /* of the units that fall short */
};

/* batch->work, empty. `locked`: its documents will be locked. FAULT_BUSY without memory. */
must_check enum problem fulfillment_work_begin(
        struct batch *batch, bool locked, struct fulfillment_commands **ret_work);

/* load, documents and save of every command on the fulfillments of the calls' paths; batch->work is a struct
 * fulfillment_commands. */
enum problem fulfillment_commands_load(struct batch *batch);
void fulfillment_commands_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot);
enum problem fulfillment_commands_save(struct batch *batch);

/* load of every look at them, without locks. */
enum problem fulfillment_read_load(struct batch *batch);

/* The fulfillment of the call's path, when there is one and the bearer, or the customer's link, may see it; refuses
 * otherwise. */
struct fulfillment *fulfillment_visible(struct call *call, const struct order_set *set, timestamp now);

/* Answer with the fulfillment and its allowed actions. `pickup_secret` NULL: replies of commands are kept in
 * idempotency records, and codes are never stored. */
void fulfillment_reply(struct call *call, const struct fulfillment *fulfillment, const char *pickup_secret);

/* Answer with the members of the fulfillment that a customer may see. */
void fulfillment_reply_to_customer(struct call *call, const struct fulfillment *fulfillment);

/* The operations, for the table of routes. */
extern const struct operation fulfillment_assign_operation;
extern const struct operation fulfillment_cancel_operation;
extern const struct operation fulfillment_check_in_operation;
extern const struct operation fulfillment_deliver_operation;
extern const struct operation fulfillment_extend_hold_operation;
extern const struct operation fulfillment_handover_operation;
extern const struct operation fulfillment_link_operation;
extern const struct operation fulfillment_pick_operation;
extern const struct operation fulfillment_ready_operation;
extern const struct operation fulfillment_recipient_operation;
extern const struct operation fulfillment_reinstate_operation;
extern const struct operation fulfillment_reissue_code_operation;
extern const struct operation fulfillment_reject_operation;
extern const struct operation fulfillment_ship_operation;
extern const struct operation fulfillment_short_operation;
extern const struct operation fulfillment_show_operation;
extern const struct operation fulfillment_status_operation;
extern const struct operation fulfillment_unlock_operation;

/* The arguments of the rules, for one call of the batch. */
struct command fulfillment_command(const struct batch *batch, struct call *call);

/* The bearer's powers over fulfillments, on which allowed_actions depends. */
unsigned fulfillment_powers(const struct call *call);

/* Write "allowed_actions": the commands that a client with these powers may call on the fulfillment now. */
void write_allowed_actions(struct writer *json, const struct fulfillment *fulfillment, unsigned powers);
