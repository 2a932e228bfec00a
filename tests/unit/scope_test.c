#include "auth/scope.h"

#include <criterion/criterion.h>
#include <string.h>

Test(scope, every_scope_is_found_by_its_text) {
        for (enum scope scope = SCOPE_NONE + 1; scope < SCOPE_COUNT; scope++)
                cr_expect_eq(scope_named(scope_text(scope), strlen(scope_text(scope))), scope);
}

Test(scope, list_is_sorted_by_text) {
        for (enum scope scope = SCOPE_NONE + 2; scope < SCOPE_COUNT; scope++)
                cr_expect_lt(strcmp(scope_text(scope - 1), scope_text(scope)), 0, "%s", scope_text(scope));
}

Test(scope, only_the_exact_text_counts) {
        static const char *const others[] = { "", "Admin", "admi", "admins", "orders", "orders:", "orders:readx" };

        for (size_t i = 0; i < array_size(others); i++)
                cr_expect_eq(scope_named(others[i], strlen(others[i])), SCOPE_NONE, "%s", others[i]);
}

Test(scope, a_list_grants_exactly_the_named_scopes) {
        const scope_set granted = scopes_parse("orders:read inventory:write");

        for (enum scope scope = SCOPE_NONE; scope < SCOPE_COUNT; scope++)
                cr_expect_eq(scope_granted(granted, scope),
                        scope == SCOPE_ORDERS_READ || scope == SCOPE_INVENTORY_WRITE, "%s", scope_text(scope));
}

Test(scope, scopes_of_other_services_and_extra_spaces_are_passed_over) {
        cr_expect_eq(scopes_parse("  openid  orders:read profile "), scopes_parse("orders:read"));
        cr_expect_eq(scopes_parse("orders:read,admin\tadmin"), 0);
        cr_expect_eq(scopes_parse(""), 0);
}

/* The highest bits are not in use yet; a shift of 32 bits would lose or repeat them. */
Test(scope, a_set_tells_as_many_scopes_apart_as_it_has_bits) {
        for (unsigned granted = SCOPE_NONE + 1; granted < SCOPES_MAX; granted++)
                for (unsigned needed = SCOPE_NONE + 1; needed < SCOPES_MAX; needed++)
                        cr_assert_eq(scope_granted(scope_alone((enum scope) granted), (enum scope) needed),
                                granted == needed || granted == SCOPE_ADMIN, "%u covers %u", granted, needed);
}

Test(scope, admin_is_granted_everything_but_no_scope_at_all) {
        for (enum scope scope = SCOPE_NONE + 1; scope < SCOPE_COUNT; scope++)
                cr_expect(scope_granted(scopes_parse("admin"), scope));
        cr_expect_not(scope_granted(scopes_parse("admin"), SCOPE_NONE));
}
