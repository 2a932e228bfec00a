#include "commands/commands.h"

#include "http/documents.h"
#include "http/health.h"
#include "http/metrics_page.h"

#include <assert.h>

/* The rooms, in the order in which they may know each other. */
#define ROOMS(X)                                                                                                       \
        X(event)                                                                                                       \
        X(catalog)                                                                                                     \
        X(inventory)                                                                                                   \
        X(reservation) X(order) X(adjustment) X(fulfillment) X(queue) X(return ) X(webhook) X(notification) X(export)

#define X(room)                                                                                                        \
        extern const struct route room##_routes[];                                                                     \
        extern const size_t room##_route_count;
ROOMS(X)
#undef X

#define X(room) +1
static_assert(0 ROOMS(X) <= ROOMS_MAX, "a router has a list for every room");
#undef X

size_t room_routes(struct route_list *ret_lists) {
        size_t n = 0;

#define X(room) ret_lists[n++] = (struct route_list){ room##_routes, room##_route_count };
        ROOMS(X)
#undef X
        return n;
}

static const struct route open_routes[] = {
        { METHOD_GET, "/livez", .answer = livez_answer, .open = true },
        { METHOD_GET, "/metrics", .answer = metrics_page_answer, .open = true },
        { METHOD_GET, "/readyz", .answer = readyz_answer, .open = true },
};

struct route_list health_routes(void) {
        return (struct route_list){ open_routes, array_size(open_routes) };
}

size_t all_routes(struct route_list *ret_lists) {
        size_t n = room_routes(ret_lists);

        ret_lists[n++] = document_routes(/* with_docs= */ true);
        ret_lists[n++] = health_routes();
        return n;
}
