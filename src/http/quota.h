/*
 * http/quota: the limit of requests a minute for each subject, or address without a valid token, on this instance.
 *
 * Counts in a window of one minute that begins with a subject's first request. The table is bounded: when more
 * subjects are busy than it holds, the one whose window began first is forgotten and starts anew, so a full table
 * allows more requests, never fewer. Owned by the loop thread; time is clock_monotonic, given by the caller.
 */
#pragma once

#include "base/clock.h"

#define QUOTA_WINDOW       MINUTE
#define QUOTA_SUBJECTS_MAX 65536 /* 2 MiB */

struct quota;

struct quota_state {
        int64_t remaining; /* requests left in this window */
        unsigned reset_s;  /* seconds until it is full again, at least 1 */
};

/* `limit` requests a window, above 0. NULL when there is no memory. */
must_check struct quota *quota_new(int64_t limit);

struct quota *quota_free(struct quota *quota); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct quota, quota_cleanup, quota_free)

/* Count a request of the subject. False: it is over the limit, and is not counted. */
must_check bool quota_take(struct quota *quota, const char *subject, timestamp now, struct quota_state *ret_state);

/* Whether the subject's next request would be over the limit; `ret_state` says until when. */
must_check bool quota_is_spent(struct quota *quota, const char *subject, timestamp now, struct quota_state *ret_state);

/* The subject's last request was answered 304: it counts a tenth, so that conditional polling is cheap. */
void quota_give_back(struct quota *quota, const char *subject, timestamp now);

int64_t quota_limit(const struct quota *quota);
