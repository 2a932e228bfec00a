/*
 * db/sql: the SQL of sql/, built into the program by sql/embed.py.
 *
 * Each file sql/queries/<room>.sql has a generated header "sql/<room>.h" that declares its statements by name with the
 * prefix sql_. Everything here is constant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define STATEMENTS_MAX 1024

struct statement {
        const char *name;
        bool pinned;    /* its plan must use indexes only; a list or report lets the planner decide */
        unsigned index; /* its place in `statements`, below STATEMENTS_MAX */
        const char *sql;
};

struct migration {
        int version;
        const char *name;
        bool compatible; /* programs that may work on the schema before it may go on beside it */
        const char *sql;
};

extern const struct statement *const statements[]; /* all of them, by index */
extern const size_t statement_count;
extern const struct migration migrations[]; /* in order, versions 1 to migration_count */
extern const size_t migration_count;
