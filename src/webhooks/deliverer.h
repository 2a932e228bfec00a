/*
 * webhooks/deliverer: one thread that sends the events of the log to the endpoints which this instance has leased.
 *
 * It is a thread beside the scheduled jobs (engine/jobs.h), because transfers go on between turns: it waits in
 * libcurl for answers, and for news of the log. It has one connection, and no transaction is open while it waits. Each
 * second one statement takes free leases and renews old ones, however many endpoints there are. All endpoints that are
 * at the same place of the log share one reading of it.
 *
 * An instance that dies hands over when its leases end, after LEASE_TIME at most. An instance that cannot renew them
 * stops to send before that.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

struct deliverer_settings {
        const char *database_url;
        const char *schema;
        const char *allowed_networks;                   /* HOLDFAST_WEBHOOK_ALLOW_CIDRS */
        const char *sealing_key, *sealing_key_previous; /* NULL: none */
};

/* One for the process. False when there is no memory or no thread. */
must_check bool deliverer_start(const struct deliverer_settings *settings);

/* Wait shortly for answers under way, store progress, give the leases back and stop. */
void deliverer_stop(void);

/* A topic has changed (events/topics.h); any thread, and also when none is started. */
void deliverer_wake(const char *topic);
