#include "adjustments/commands_import.h"
#include "commands/commands.h"
#include "engine/batch.h"
#include "orders/commands_import.h"
#include "returns/commands_import.h"

#include "base/text.h"

#include <criterion/criterion.h>

#define FIRST_TIME 0
#define ALONE      1
#define MANY       128

static enum batch_remedy remedy(enum problem fault, unsigned attempts, size_t n) {
        return batch_remedy_for(fault, attempts, /* rival_seen= */ false, n);
}

Test(batch, a_transient_fault_is_retried_a_few_times) {
        const enum problem passing[] = { FAULT_CONFLICT, FAULT_LOST, FAULT_STALE };

        for (size_t i = 0; i < array_size(passing); i++) {
                cr_assert_eq(remedy(passing[i], FIRST_TIME, MANY), REMEDY_RUN_AGAIN);
                cr_assert_eq(remedy(passing[i], FIRST_TIME, ALONE), REMEDY_RUN_AGAIN);
                cr_assert_eq(remedy(passing[i], BATCH_ATTEMPTS_MAX - 1, MANY), REMEDY_RUN_AGAIN);
                cr_assert_eq(remedy(passing[i], BATCH_ATTEMPTS_MAX, MANY), REMEDY_HALVES);
                cr_assert_eq(remedy(passing[i], BATCH_ATTEMPTS_MAX, ALONE), REMEDY_GIVE_UP);
        }
}

Test(batch, after_a_rival_the_batch_runs_once_more_and_then_in_halves) {
        cr_assert_eq(batch_remedy_for(FAULT_RIVAL, FIRST_TIME, /* rival_seen= */ false, MANY), REMEDY_RUN_AGAIN);
        cr_assert_eq(batch_remedy_for(FAULT_RIVAL, FIRST_TIME, /* rival_seen= */ false, ALONE), REMEDY_RUN_AGAIN);
        cr_assert_eq(batch_remedy_for(FAULT_RIVAL, 1, /* rival_seen= */ true, MANY), REMEDY_HALVES);
        cr_assert_eq(batch_remedy_for(FAULT_RIVAL, 1, /* rival_seen= */ true, ALONE), REMEDY_GIVE_UP);
}

Test(batch, the_faulty_call_is_found_by_halves) {
        const enum problem of_one_call[] = { FAULT_BROKEN, FAULT_POISON, FAULT_STUCK };

        for (size_t i = 0; i < array_size(of_one_call); i++) {
                cr_assert_eq(remedy(of_one_call[i], FIRST_TIME, MANY), REMEDY_HALVES);
                cr_assert_eq(remedy(of_one_call[i], FIRST_TIME, 2), REMEDY_HALVES);
                cr_assert_eq(remedy(of_one_call[i], FIRST_TIME, ALONE), REMEDY_GIVE_UP);
        }
}

Test(batch, a_database_at_its_limits_is_not_asked_again) {
        cr_assert_eq(remedy(FAULT_BUSY, FIRST_TIME, MANY), REMEDY_GIVE_UP);
        cr_assert_eq(remedy(FAULT_BUSY, FIRST_TIME, ALONE), REMEDY_GIVE_UP);
}

Test(batch, attempts_of_a_call_do_not_add_up_their_memory) {
        static const struct route route = { .path = "/" };
        struct call call;
        char *kept;

        call_init(&call, &route);
        kept = arena_text(&call.arena, "from the request");
        call_keep(&call);
        for (size_t attempt = 0; attempt < 2 * BATCH_ATTEMPTS_MAX; attempt++) {
                call_reset(&call);
                cr_assert_not_null(arena_alloc(&call.arena, CALL_MEMORY_MAX / 2), "attempt %zu", attempt);
        }
        cr_assert_str_eq(kept, "from the request");
        call_clear(&call);
}

/* ---- operations ---- */

static void assert_kind(const struct route *route) {
        const struct operation *operation = route->operation;

        if (!operation)
                return;
        cr_assert_not_null(operation->load, "%s", route->path);
        cr_assert_eq(operation->save != NULL, operation->change != NULL, "%s", route->path);
        cr_assert_eq(operation->save != NULL, operation->documents != NULL, "%s", route->path);
        cr_assert_eq(operation->save == NULL, operation->decide != NULL, "%s", route->path);
}

/* A refused call has no effect because the engine knows the documents of every write. */
Test(batch, every_write_names_what_it_may_change) {
        struct route_list lists[ROUTE_LISTS_MAX];
        const size_t n = all_routes(lists);

        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < lists[i].n; j++)
                        assert_kind(&lists[i].routes[j]);
        for (size_t i = 0; i < order_import_route_count; i++)
                assert_kind(&order_import_routes[i]);
        for (size_t i = 0; i < return_import_route_count; i++)
                assert_kind(&return_import_routes[i]);
        for (size_t i = 0; i < stock_import_route_count; i++)
                assert_kind(&stock_import_routes[i]);
}

Test(batch, only_a_hand_over_writes_something_when_it_is_refused) {
        struct route_list lists[ROUTE_LISTS_MAX];
        const size_t n = all_routes(lists);

        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < lists[i].n; j++) {
                        const struct route *route = &lists[i].routes[j];

                        cr_assert_eq(route->operation && route->operation->refused,
                                text_equal(route->path, "/v1/fulfillments/{id}/handover"), "%s", route->path);
                }
}
