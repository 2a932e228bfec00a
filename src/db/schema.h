/*
 * db/schema: the version of the schema in the database, and whether this program may work on it.
 *
 * A program works on the schema that it was built for (its head), and on a newer one if each step after its head is
 * declared compatible (a line `-- :compatible` on top of the migration). Every connection of a lane, job or tool takes
 * a shared advisory lock before it looks and holds it until it ends. A step that is not compatible runs under the same
 * lock alone. So in any order of starts, no program writes into a schema that it does not understand.
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

/* The reason that it does not fit, and the remedy: one sentence. */
#define SCHEMA_EXPLANATION_SIZE 256
void schema_explain(const char *schema, const struct schema_state *state, char *explanation);

/* Read the state of the schema, also of a missing one. Gives up at `deadline` (clock_monotonic). */
enum problem schema_look(
        struct database *database, const char *schema, timestamp deadline, struct schema_state *ret_state);

/* Queue the look at a schema that exists; its name must be in the search path. */
void schema_ask(struct database *database, struct schema_state *ret_state);

/* Queue the request for the shared lock of a program, held as long as the connection; or for the exclusive lock that
 * keeps programs out until the transaction ends. False: another session holds it; the request does not wait. */
void schema_share(struct database *database, const char *schema, bool *ret_granted);
void schema_seize(struct database *database, const char *schema, bool *ret_granted);
