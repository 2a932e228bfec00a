/*
 * http/forwarded: who sends a request that has come through proxies.
 *
 * A proxy tells the address of whoever it serves in X-Forwarded-For, or in Forwarded (RFC 7239), behind what was there
 * already. Anybody can write these headers, so a hop is believed only when the one that tells it is a trusted proxy:
 * read from the right, the client is the first address that is none. Pure; the texts belong to the caller.
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

/* Where both headers stand and tell different clients, the proxy has passed on what somebody has made up: then it is
 * the proxy that sends it. */
struct address forwarded_client(const struct networks *trusted, const struct address *peer,
        const struct forwarded_lines *x_forwarded_for, const struct forwarded_lines *forwarded);
