/*
 * returns/import: returns that are older than this service.
 *
 * The orders are history, too (orders/import.h). Such a return is received, taken back and refunded to the original
 * payment from the first moment, at the time when it was made. It changes neither stock nor ledger, because today's
 * figures contain its units already. No provider is asked to pay.
 *
 * It is known by the number that the channel gave it, and its order: a second one of both is the first one.
 */
#pragma once

#include "returns/returns.h"

struct import_return_line {
        const char *sku;
        struct money unit_price; /* of the order's line */
        int64_t bought;          /* units of the order's line */
        int64_t quantity;        /* of them: that came back */
};

struct import_return {
        const char *channel, *external_ref, *location;
        const char *order;       /* the external_ref of its order */
        const char *received_at; /* "2010-12-01 08:26": local time at the location; or as orders/import.h has it */
        const struct import_return_line *lines;
        size_t n_lines;
};

/* Its number, which follows from channel, external_ref and order. NULL without memory. */
const char *import_return_number(const struct import_return *body, struct arena *arena);

/* The return of that number of the order, or NULL. */
struct rma *import_return_find(const struct return_set *set, const struct order *order, const char *number);

/* Whether the return has a line that says the same as the body's; each of its lines answers for one. `answered` has
 * room for its lines, false at first. */
bool import_return_has(const struct rma *rma, const struct import_return_line *line, bool *answered);

/* Take one return over, received at an instant: VALIDATION_FAILED (no such line), OVER_RETURN. Changes nothing when it
 * refuses. FAULT_BUSY without memory. `stock` of the command is not touched. */
enum problem import_return_take(struct return_set *set, struct order *order, const struct import_return *body,
        timestamp received_at, const struct command *command, struct rma **ret_rma);
