/*
 * importing/client: the importer's own calls, on the same path as those of HTTP clients.
 *
 * A call is a method, a path and a JSON body; it goes through the router, the shape and the checks of its route, and
 * runs in batches with others of that route on the importer's own connection. The bearer is "import", which has all
 * scopes at all locations.
 */
#pragma once

#include "base/exit_code.h"
#include "engine/batch.h"
#include "http/intake.h"

#include <jansson.h>

struct importer {
        struct runner runner;
        struct intake intake;
        struct route_list lists[ROUTE_LISTS_MAX];
        struct token_claims claims;
        struct database_settings settings;
        bool trial; /* set before opening: nothing is stored */
};

struct import_request {
        const char *method, *path;
        const char *body; /* NULL: none */
        const char *if_match, *if_none_match;
};

/* Connect. `routes` are those of all rooms, ROUTE_LISTS_MAX - ROUTE_LISTS_OTHER lists at most. EXIT_OK, or an exit
 * code after complaining. */
int importer_open(struct importer *importer, const struct route_list *routes, size_t n_routes);
void importer_close(struct importer *importer);

/* Make the call, which the caller clears (call_clear). One that is refused here has its answer and is not run. */
void importer_call(struct importer *importer, struct call *call, const struct import_request *request);

/* Run calls that are all of one route and answer each. EXIT_OK, or an exit code after complaining: then the database
 * did not answer, and the outcome of the calls is unknown until the import runs again. */
int importer_run(struct importer *importer, struct call *calls, size_t n);

/* One call that must be answered with 200. EXIT_OK; else complains with `thing` and the reason. */
int importer_ask(struct importer *importer, const char *path, const char *thing, json_t **ret_reply);

/* The body of the answer as a tree, which the caller owns; an empty object when there is none. */
json_t *importer_reply(const struct call *call);

static inline void import_json_cleanup(json_t **tree) {
        json_decref(*tree);
}
