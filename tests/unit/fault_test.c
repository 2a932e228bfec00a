#include "db/fault.h"

#include <criterion/criterion.h>

struct meaning {
        const char *sqlstate;
        enum problem fault;
};

static void assert_means(const struct meaning *meanings, size_t n) {
        for (size_t i = 0; i < n; i++)
                cr_assert_eq(fault_of_sqlstate(meanings[i].sqlstate), meanings[i].fault, "%s means %d",
                        meanings[i].sqlstate, fault_of_sqlstate(meanings[i].sqlstate));
}

Test(fault, a_fault_without_an_answer_is_a_lost_connection) {
        cr_assert_eq(fault_of_sqlstate(NULL), FAULT_LOST);
        cr_assert_eq(fault_of_sqlstate(""), FAULT_LOST);
}

Test(fault, an_unusable_connection_is_lost) {
        const struct meaning meanings[] = {
                { "08000", FAULT_LOST }, /* connection_exception */
                { "08006", FAULT_LOST }, /* connection_failure */
                { "0A000", FAULT_LOST }, /* feature_not_supported: a cached plan must not change its result */
                { "25006", FAULT_LOST }, /* read_only_sql_transaction */
                { "25P03", FAULT_LOST }, /* idle_in_transaction_session_timeout */
                { "26000", FAULT_LOST }, /* invalid_sql_statement_name */
                { "42P05", FAULT_LOST }, /* duplicate_prepared_statement */
                { "57P01", FAULT_LOST }, /* admin_shutdown */
                { "57P02", FAULT_LOST }, /* crash_shutdown */
                { "57P03", FAULT_LOST }, /* cannot_connect_now */
                { "57P04", FAULT_LOST }, /* database_dropped */
                { "57P05", FAULT_LOST }, /* idle_session_timeout */
        };

        assert_means(meanings, array_size(meanings));
}

Test(fault, a_value_is_refused_because_of_one_call) {
        const struct meaning meanings[] = {
                { "22000", FAULT_POISON }, /* data_exception */
                { "22003", FAULT_POISON }, /* numeric_value_out_of_range */
                { "22021", FAULT_POISON }, /* character_not_in_repertoire */
                { "22P02", FAULT_POISON }, /* invalid_text_representation */
                { "23502", FAULT_POISON }, /* not_null_violation */
                { "23514", FAULT_POISON }, /* check_violation */
                { "23P01", FAULT_POISON }, /* exclusion_violation */
        };

        assert_means(meanings, array_size(meanings));
}

Test(fault, other_faults_are_known_by_their_sqlstate) {
        const struct meaning meanings[] = {
                { "23503", FAULT_RIVAL },    /* foreign_key_violation */
                { "23505", FAULT_RIVAL },    /* unique_violation */
                { "40001", FAULT_CONFLICT }, /* serialization_failure */
                { "40P01", FAULT_CONFLICT }, /* deadlock_detected */
                { "53000", FAULT_BUSY },     /* insufficient_resources */
                { "53100", FAULT_BUSY },     /* disk_full */
                { "53300", FAULT_BUSY },     /* too_many_connections */
                { "55P03", FAULT_STUCK },    /* lock_not_available */
                { "57014", FAULT_BUSY },     /* query_canceled */
        };

        assert_means(meanings, array_size(meanings));
}

Test(fault, an_unforeseen_sqlstate_is_a_fault_of_the_program) {
        const struct meaning meanings[] = {
                { "0A001", FAULT_BROKEN }, { "25P02", FAULT_BROKEN }, /* in_failed_sql_transaction */
                { "40002", FAULT_BROKEN },                            /* transaction_integrity_constraint_violation */
                { "42P01", FAULT_BROKEN },                            /* undefined_table */
                { "42601", FAULT_BROKEN },                            /* syntax_error */
                { "55000", FAULT_BROKEN },                            /* object_not_in_prerequisite_state */
                { "57000", FAULT_BROKEN },                            /* operator_intervention */
                { "XX000", FAULT_BROKEN },                            /* internal_error */
        };

        assert_means(meanings, array_size(meanings));
}
