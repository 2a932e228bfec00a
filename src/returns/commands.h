/*
 * returns/commands: declarations that the files of the room's routes share.
 */
#pragma once

#include "engine/call.h"
#include "engine/list.h"
#include "returns/store.h"

#define RETURN_BATCH      32
#define RETURN_READ_BATCH 16

struct local_time;

/* The order and the location of one call, once they are known. */
struct return_aim {
        struct uuid order_id; /* nil: there is none */
        const char *location; /* where it acts */
};

/* The documents that one batch of the room works on. */
struct return_commands {
        struct stock stock;
        struct order_set orders;
        struct return_set returns;
        struct catalog_set catalog;
        struct left_days days;
        struct return_targets targets;
        bool wants_zones;         /* something is promised */
        struct return_aim *aims;  /* one for each call, which points to it */
        struct local_time *times; /* of an import: when each call was; as aims */
};

/* An empty one in batch->work. `locked`: it is to change something. FAULT_BUSY without memory. */
must_check enum problem return_work_begin(struct batch *batch, bool locked, struct return_commands **ret_work);

/* Load the orders of the aims with their returns, lock them if `locked`, then lock the stock rows and read the records
 * of the catalogue that `want` names for each call. Makes round trips itself. */
must_check enum problem return_work_load(struct batch *batch, bool locked,
        void (*want)(struct return_commands *work, const struct call *call, const struct return_aim *aim));

/* A `want` that names no records. */
void return_want_nothing(struct return_commands *work, const struct call *call, const struct return_aim *aim);

/* Find the returns of the calls' paths and make them the aims. */
must_check enum problem return_work_find(struct batch *batch, struct return_commands *work);

/* .documents of every command. */
void return_work_documents(const struct batch *batch, const struct call *call, struct snapshot *snapshot);

/* .save of every command. */
enum problem return_work_save(struct batch *batch);

/* The order of an aim, when there is one and the bearer may see it; refuses otherwise. */
struct order *return_order(struct call *call, const struct return_commands *work, const struct return_aim *aim);

/* The return of the call's path, likewise. */
struct rma *return_visible(const struct batch *batch, struct call *call);

struct command return_command(const struct batch *batch, struct call *call);

/* Asking to pass over the policy is for supervisors; refuses with INSUFFICIENT_SCOPE. */
void return_check_override(struct call *call, bool override);

void return_reply(const struct batch *batch, struct call *call, struct rma *rma, unsigned status);

extern const struct shape return_shape, receive_shape, lost_shape, return_refund_shape, dispose_shape,
        return_cancel_shape, return_list_shape;
extern const struct operation return_create, return_quote, return_show;
extern const struct list_kind returns_list;
extern const struct operation return_refund_operation, return_receive_operation, return_lost, return_dispose_operation,
        return_cancel_operation;

/* On the loop: checks that need no database. */
void return_create_check(struct call *call);
void receive_check(struct call *call);
void lost_check(struct call *call);

const char *return_create_location(const struct call *call);
