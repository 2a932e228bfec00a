#include "engine/sessions.h"

#include "db/connection.h"
#include "db/parameters.h"
#include "db/rows.h"
#include "sql/sessions.h"

#define SESSIONS_ENDED_AT_ONCE 1000 /* more than there are: one look a turn is enough */

static enum problem ended_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        ((struct job_outcome *) into)->taken = (size_t) row_integer(&row);
        return PROBLEM_NONE;
}

static enum problem silent_load(struct batch *batch) {
        struct job_outcome *outcome = job_answer(batch->calls[0], 0, NULL);
        struct parameters p;

        if (!outcome)
                return FAULT_BUSY;
        parameters_init(&p, batch->arena);
        parameter_integer(&p, SILENT_MAX / MILLISECOND);
        database_ask(batch->database, &sql_sessions_end_silent, &p, ended_read, outcome);
        return PROBLEM_NONE;
}

/* The load has counted; job_answer has replied. */
static enum problem silent_decide(struct batch *batch) {
        (void) batch;
        return PROBLEM_NONE;
}

static const struct operation end_silent = { .load = silent_load, .decide = silent_decide };
static const struct route silent_route = { .path = "(end silent sessions)", .batch = 1, .operation = &end_silent };

const struct job session_jobs[] = {
        { "end_silent_sessions", JOBS_TIDYING, .batch = SESSIONS_ENDED_AT_ONCE, .route = &silent_route },
};
const size_t session_job_count = array_size(session_jobs);
