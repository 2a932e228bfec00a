/*
 * db/schema: which schema stands in the database, and may this program work on it?
 *
 * A program works on the schema of its own head, and on a newer one if each step after its head is declared compatible
 * (a line `-- :compatible` on top of the migration). Every connection of a lane, the sweeper or a tool holds a shared
 * advisory lock from before it looks until it ends, and a step that is not compatible runs under the same lock alone:
 * in whatever order things are started, no program writes into a schema that it does not understand.
 */
#pragma once

#include "db/connection.h"

struct schema_state {
        int version; /* 0: there is none */
        int oldest;  /* the head of the oldest program that may work on it */
};

/* The version this program was made for. */
int schema_head(void);

must_check bool schema_fits(const struct schema_state *state);

/* Why it does not fit, and the remedy: one sentence. */
#define SCHEMA_EXPLANATION_SIZE 256
void schema_explain(const char *schema, const struct schema_state *state, char *explanation);

/* Look, whatever is there. Gives up at `deadline` (clock_monotonic). */
enum problem schema_look(
        struct database *database, const char *schema, timestamp deadline, struct schema_state *ret_state);

/* Queue the look at a schema that exists; its name must be in the search path. */
void schema_ask(struct database *database, struct schema_state *ret_state);

/* Queue the request for the lock of those who work on it, for as long as the connection lasts; or for the lock that
 * keeps them out until the transaction ends. False: it is taken, and not waited for. */
void schema_share(struct database *database, const char *schema, bool *ret_granted);
void schema_seize(struct database *database, const char *schema, bool *ret_granted);
