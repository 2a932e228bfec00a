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

/* An array parameter by its name in the unnest list: unnest($1::uuid[]) as x (id) is "id" of "uuid". */
struct statement_parameter {
        const char *name, *type;
};

struct statement {
        const char *name;
        const char *record; /* that it reads or writes (db/columns.h); NULL: no table binds its columns */
        bool pinned;        /* its plan must use indexes only; a list or report lets the planner decide */
        unsigned index;     /* its place in `statements`, below STATEMENTS_MAX */
        const char *sql;
        const struct statement_parameter *parameters; /* of an unnest list that names $1 to $n in order */
        size_t n_parameters;
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
