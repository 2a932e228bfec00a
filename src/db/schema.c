#include "db/schema.h"

#include "db/sql.h"

#include <stdio.h>

int schema_head(void) {
        return (int) migration_count;
}

bool schema_fits(const struct schema_state *state) {
        return state->version >= schema_head() && state->oldest <= schema_head();
}

void schema_explain(const char *schema, const struct schema_state *state, char *explanation) {
        if (state->version < schema_head())
                (void) snprintf(explanation, SCHEMA_EXPLANATION_SIZE,
                        "schema %s is at version %d, this program needs %d: run holdfast migrate", schema,
                        state->version, schema_head());
        else
                (void) snprintf(explanation, SCHEMA_EXPLANATION_SIZE,
                        "schema %s is at version %d, which needs a program of version %d or newer, and this one is of %d:"
                        " use the program that migrated it, or a newer one",
                        schema, state->version, state->oldest, schema_head());
}

static enum problem boolean_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(bool *) into = row_boolean(&row);
        return PROBLEM_NONE;
}

static enum problem state_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);
        struct schema_state *state = into;

        state->version = (int) row_integer(&row);
        state->oldest = (int) row_integer(&row);
        return PROBLEM_NONE;
}

/* Read as JSON, because a schema of an early program lacks the column; all its steps count as incompatible. */
void schema_ask(struct database *database, struct schema_state *ret_state) {
        database_ask_text(database,
                "select coalesce(max(version), 0)::bigint, coalesce(max(version) filter"
                " (where to_jsonb(step) ->> 'compatible' is distinct from 'true'), 0)::bigint from schema_migration as step",
                state_read, ret_state);
}

enum problem schema_look(
        struct database *database, const char *schema, timestamp deadline, struct schema_state *ret_state) {
        const char *const values[] = { schema };
        bool exists = false;
        enum problem p;

        *ret_state = (struct schema_state){ 0 };
        database_ask_values(database,
                "select exists (select from pg_catalog.pg_tables where schemaname = $1 and tablename = 'schema_migration')",
                1, values, boolean_read, &exists);
        p = database_trip(database, deadline);
        if (p || !exists)
                return p;
        schema_ask(database, ret_state);
        return database_trip(database, deadline);
}

void schema_share(struct database *database, const char *schema, bool *ret_granted) {
        const char *const values[] = { schema };

        database_ask_values(database,
                "select pg_catalog.pg_try_advisory_lock_shared(hashtextextended('holdfast at work ' || $1, 0))", 1,
                values, boolean_read, ret_granted);
}

void schema_seize(struct database *database, const char *schema, bool *ret_granted) {
        const char *const values[] = { schema };

        database_ask_values(database,
                "select pg_catalog.pg_try_advisory_xact_lock(hashtextextended('holdfast at work ' || $1, 0))", 1,
                values, boolean_read, ret_granted);
}
