/*
 * http/health: liveness and readiness of the process.
 *
 * A separate thread pings the database once a second over a separate connection and checks whether the program may work
 * on the schema. The loop answers from the last ping, so a health check never waits. /livez never looks at the
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
        bool (*keys_ready)(void);  /* NULL: no keys are needed */
        bool (*is_draining)(void); /* NULL: never */
};

must_check struct health *health_start(const struct health_settings *settings);
struct health *health_stop(struct health *health);

/* The answer of /readyz. Loop thread. */
bool health_is_ready(void);

/* GET /livez and GET /readyz, application/health+json. */
void livez_answer(struct call *call);
void readyz_answer(struct call *call);
