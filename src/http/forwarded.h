/*
 * http/forwarded: the client of a request that came through proxies.
 *
 * A proxy appends the address of its client to X-Forwarded-For, or to Forwarded (RFC 7239). Any client can write these
 * headers, so an entry counts only if a trusted proxy appended it: read from the right, the client is the first address
 * that is no trusted proxy. Pure; the texts belong to the caller.
 */
#pragma once

#include "base/network.h"

#define FORWARDED_LINES_MAX 8 /* of one header; the last ones count */

/* The lines of one header in the order in which they came. */
struct forwarded_lines {
        const char *lines[FORWARDED_LINES_MAX];
        size_t n;
};

/* One more line behind the others; the first one is forgotten when there is no room. */
void forwarded_lines_add(struct forwarded_lines *lines, const char *line);

/* If both headers name different clients, the proxy has passed on a forged one: then the proxy counts as the client. */
struct address forwarded_client(const struct networks *trusted, const struct address *peer,
        const struct forwarded_lines *x_forwarded_for, const struct forwarded_lines *forwarded);
