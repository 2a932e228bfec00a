/*
 * http/router: from method and raw target to a row of the route table.
 *
 * The target is split and decoded here, not by the HTTP library, so that an escaped slash or NUL never changes the
 * route. Rooms list their routes; the program hands all lists to the router.
 */
#pragma once

#include "engine/call.h"

#define TARGET_SIZE_MAX   ((size_t) 8 * 1024)
#define PATH_SEGMENTS_MAX 8
#define ROUTE_LISTS_MAX   64 /* of one router; twice as many as there will be rooms */
#define ROUTE_LISTS_OTHER 3  /* beside those of the rooms: two of the service, three of the importer */

struct route_list {
        const struct route *routes;
        size_t n;
};

struct router {
        const struct route_list *lists;
        size_t n_lists;
};

/* A parameter of a route's path, as its row names it. */
struct route_parameter {
        const char *name; /* without braces, not terminated */
        size_t size;
        size_t segment; /* of the path, from 0 on */
        bool is_id;     /* a UUID; otherwise a code */
};

/* The parameters of a route's path in order, at most PATH_PARAMETERS_MAX of them; returns how many the path has. */
size_t route_parameters(const struct route *route, struct route_parameter *ret_parameters);

struct routing {
        const struct route *route;
        struct call_path path;
        const char *path_text; /* without the query */
        char *query;           /* after the "?", or NULL */
};

/* Find the route. NOT_FOUND: no such path; METHOD_NOT_ALLOWED: `ret_allow` names the methods the path has;
 * INVALID_PARAMETER: an id that is no UUID or an invalid code; MALFORMED_REQUEST: a target that is no path or
 * is badly escaped. */
enum problem router_find(const struct router *router, enum method method, const char *target, struct arena *arena,
        struct refusal *refusal, struct routing *ret_routing, const char **ret_allow);
