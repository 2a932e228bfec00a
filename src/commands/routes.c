#include "commands/commands.h"

/* The rooms, in the order in which they may know each other. */
#define ROOMS(X) X(catalog) X(inventory) X(reservation) X(order) X(adjustment)

#define X(room)                                                                                                        \
        extern const struct route room##_routes[];                                                                     \
        extern const size_t room##_route_count;
ROOMS(X)
#undef X

size_t room_routes(struct route_list *ret_lists) {
        size_t n = 0;

#define X(room) ret_lists[n++] = (struct route_list){ room##_routes, room##_route_count };
        ROOMS(X)
#undef X
        return n;
}
