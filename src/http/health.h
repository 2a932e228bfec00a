/*
 * http/health: is the process alive, and may it be given traffic?
 *
 * A thread of its own pings the database once a second over its own connection and looks whether the program may work
 * on the schema; the loop answers from what it last saw, so a health check never waits. /livez never looks at the
 * database.
 */
#pragma once

#include "engine/call.h"

#define HEALTH_INTERVAL  (1 * SECOND)
#define HEALTH_FRESH_FOR (3 * SECOND) /* an older answer counts as none */

struct health;

struct health_settings {
        const char *database_url;
        const char *schema;
        bool (*keys_ready)(void);  /* NULL: there is nothing to wait for */
        bool (*is_draining)(void); /* NULL: never */
};

must_check struct health *health_start(const struct health_settings *settings);
struct health *health_stop(struct health *health);

/* Whether /readyz says so. Loop thread. */
bool health_is_ready(void);

/* GET /livez and GET /readyz, application/health+json. */
void livez_answer(struct call *call);
void readyz_answer(struct call *call);
