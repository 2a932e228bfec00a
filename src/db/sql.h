/*
 * db/sql: the SQL of sql/, built into the program by sql/embed.py.
 */
#pragma once

#include "statements.h" /* generated: enum statement */

#include <stdbool.h>
#include <stddef.h>

struct statement_text {
        const char *name;
        bool pinned; /* its plan must use indexes only; a list or report lets the planner decide */
        const char *sql;
};

struct migration {
        int version;
        const char *name;
        bool compatible; /* whatever program may work on the schema before it may go on beside it */
        const char *sql;
};

extern const struct statement_text statement_texts[STATEMENT_COUNT];
extern const struct migration migrations[]; /* in order, versions 1 to migration_count */
extern const size_t migration_count;
