#include "commands/commands.h"
#include "http/router.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEMORY ((size_t) 64 * 1024)
#define ID     "01900000-0000-7000-8000-00000000000a"
#define OTHER  "01900000-0000-7000-8000-00000000000b"

static struct arena arena;
static struct refusal refusal;
static struct routing routing;
static const char *allow;

static const struct route shop_routes[] = {
        { .method = METHOD_GET, .path = "/v1/things" },
        { .method = METHOD_POST, .path = "/v1/things" },
        { .method = METHOD_GET, .path = "/v1/things/{id}" },
        { .method = METHOD_DELETE, .path = "/v1/things/{id}" },
        { .method = METHOD_POST, .path = "/v1/things/{id}/cancel" },
        { .method = METHOD_GET, .path = "/v1/locations/{code}/inventory/{sku}" },
        { .method = METHOD_PUT, .path = "/v1/locations/{code}/inventory/{sku}" },
        { .method = METHOD_GET, .path = "/v1/orders/{id}/fulfillments/{fulfillment_id}" },
        { .method = METHOD_GET, .path = "/v1/channels/{code}/acknowledgements/{id}" },
        { .method = METHOD_GET, .path = "/v1/orders/{id}/lines/{sku}/notes" },
        { .method = METHOD_GET, .path = "/v1/names/{grid}/{paid}" },
};
static const struct route other_routes[] = {
        { .method = METHOD_GET, .path = "/livez" },
        { .method = METHOD_PUT, .path = "/v1/things/{id}" },
};
static const struct route_list lists[] = {
        { shop_routes, array_size(shop_routes) },
        { other_routes, array_size(other_routes) },
};
static const struct router router = { lists, array_size(lists) };

static void open_arena(void) {
        arena_init(&arena, MEMORY);
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(router, .init = open_arena, .fini = close_arena);

static enum problem find(enum method method, const char *target) {
        refusal = (struct refusal){ 0 };
        routing = (struct routing){ 0 };
        allow = NULL;
        return router_find(&router, method, target, &arena, &refusal, &routing, &allow);
}

static void assert_refused(enum method method, const char *target, enum problem problem) {
        const enum problem p = find(method, target);

        cr_assert_eq(p, problem, "%s: %s", target, problem_slug(p));
        cr_assert_eq(refusal.problem, problem);
        cr_assert_null(routing.route, "%s", target);
}

Test(router, a_route_is_found_by_method_and_path) {
        cr_assert_eq(find(METHOD_GET, "/v1/things"), PROBLEM_NONE);
        cr_assert_eq(routing.route, &shop_routes[0]);
        cr_assert_eq(find(METHOD_POST, "/v1/things"), PROBLEM_NONE);
        cr_assert_eq(routing.route, &shop_routes[1]);
        cr_assert_eq(find(METHOD_GET, "/livez"), PROBLEM_NONE);
        cr_assert_eq(routing.route, &other_routes[0]);
}

/* A parameter as a handler gets it. */
static const char *code_at(size_t place) {
        const struct call call = { .path = routing.path };

        return call_code(&call, place);
}

static void assert_id_at(size_t place, const char *text) {
        const struct call call = { .path = routing.path };
        char found[UUID_TEXT_SIZE];

        cr_assert_not_null(call_id(&call, place));
        cr_assert_null(call_code(&call, place));
        uuid_format(call_id(&call, place), found);
        cr_assert_str_eq(found, text);
}

static void assert_code_at(size_t place, const char *text) {
        const struct call call = { .path = routing.path };

        cr_assert_str_eq(call_code(&call, place), text);
        cr_assert_null(call_id(&call, place));
}

Test(router, parameters_are_read_in_their_order) {
        cr_assert_eq(find(METHOD_POST, "/v1/things/" ID "/cancel"), PROBLEM_NONE);
        assert_id_at(0, ID);
        cr_assert_eq(find(METHOD_GET, "/v1/locations/berlin-1/inventory/SKU.7"), PROBLEM_NONE);
        assert_code_at(0, "berlin-1");
        assert_code_at(1, "SKU.7");
}

Test(router, two_parameters_may_be_of_any_kind) {
        cr_assert_eq(find(METHOD_GET, "/v1/orders/" ID "/fulfillments/" OTHER), PROBLEM_NONE);
        assert_id_at(0, ID);
        assert_id_at(1, OTHER);
        cr_assert_eq(find(METHOD_GET, "/v1/channels/web/acknowledgements/" OTHER), PROBLEM_NONE);
        assert_code_at(0, "web");
        assert_id_at(1, OTHER);
        cr_assert_eq(find(METHOD_GET, "/v1/orders/" OTHER "/lines/SKU.7/notes"), PROBLEM_NONE);
        assert_id_at(0, OTHER);
        assert_code_at(1, "SKU.7");
}

Test(router, only_a_name_that_is_id_or_ends_in_it_as_a_word_is_an_id) {
        cr_assert_eq(find(METHOD_GET, "/v1/names/a/b"), PROBLEM_NONE);
        assert_code_at(0, "a");
        assert_code_at(1, "b");
}

Test(router, a_place_behind_the_last_parameter_holds_nothing) {
        cr_assert_eq(find(METHOD_GET, "/v1/things"), PROBLEM_NONE);
        for (size_t place = 0; place <= PATH_PARAMETERS_MAX; place++) {
                const struct call call = { .path = routing.path };

                cr_assert_null(code_at(place));
                cr_assert_null(call_id(&call, place));
        }
        cr_assert_eq(find(METHOD_GET, "/v1/orders/" ID "/fulfillments/" OTHER), PROBLEM_NONE);
        cr_assert_null(code_at(PATH_PARAMETERS_MAX));
}

Test(router, the_call_of_a_job_has_its_document_where_a_client_names_it) {
        struct call call = { 0 };
        struct uuid id;

        cr_assert(uuid_parse(ID, &id));
        call_set_id(&call, &id);
        cr_assert(uuid_equal(call_id(&call, 0), &id));
        cr_assert_null(call_id(&call, 1));
}

/* A route beyond these ceilings would never be found, or its handler would miss a parameter. */
Test(router, every_route_of_the_program_fits_the_router) {
        struct route_list all[ROUTE_LISTS_MAX];
        struct route_parameter parameters[PATH_PARAMETERS_MAX];
        const size_t n = all_routes(all);

        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < all[i].n; j++) {
                        const char *path = all[i].routes[j].path;
                        size_t segments = 0;

                        for (const char *at = path; *at; at++)
                                segments += *at == '/';
                        cr_assert_leq(segments, PATH_SEGMENTS_MAX, "%s", path);
                        cr_assert_leq(route_parameters(&all[i].routes[j], parameters), PATH_PARAMETERS_MAX, "%s", path);
                }
}

Test(router, the_number_of_parameters_is_told_even_beyond_the_ceiling) {
        const struct route route = { .path = "/{a}/{b}/{c_id}" };
        struct route_parameter parameters[PATH_PARAMETERS_MAX];

        cr_assert_eq(route_parameters(&route, parameters), 3);
        cr_assert_eq(parameters[1].segment, 1);
}

Test(router, the_query_is_cut_off_and_kept_as_it_came) {
        cr_assert_eq(find(METHOD_GET, "/v1/things?a=%20b&c"), PROBLEM_NONE);
        cr_assert_str_eq(routing.query, "a=%20b&c");
        cr_assert_str_eq(routing.path_text, "/v1/things");
        cr_assert_eq(find(METHOD_GET, "/v1/things?"), PROBLEM_NONE);
        cr_assert_str_eq(routing.query, "");
        cr_assert_eq(find(METHOD_GET, "/v1/things"), PROBLEM_NONE);
        cr_assert_null(routing.query);
        cr_assert_eq(find(METHOD_GET, "/v1/things?/%00"), PROBLEM_NONE);
}

Test(router, escapes_are_read_within_a_segment) {
        cr_assert_eq(find(METHOD_GET, "/v1/th%69ngs"), PROBLEM_NONE);
        cr_assert_eq(find(METHOD_GET, "/v1/locations/a%2Db/inventory/%41"), PROBLEM_NONE);
        assert_code_at(0, "a-b");
        assert_code_at(1, "A");
        cr_assert_str_eq(routing.path_text, "/v1/locations/a%2Db/inventory/%41", "the key's path is the raw one");
}

Test(router, an_escape_that_hides_something_is_malformed) {
        const char *const targets[] = { "/v1%2Fthings", "/v1/things%2f", "/v1/things/%00", "/v1/things%00", "/v1/%",
                "/v1/%4", "/v1/%zz", "/v1/%ff", "/v1/%c0%af", "*", "v1/things", "" };

        for (size_t i = 0; i < array_size(targets); i++)
                assert_refused(METHOD_GET, targets[i], PROBLEM_MALFORMED_REQUEST);
}

Test(router, an_unknown_path_is_not_found) {
        const char *const targets[] = { "/", "//", "/v1", "/v1/", "/v1/things/", "//v1/things", "/v1//things",
                "/v1/thing", "/v1/thingsandmore", "/V1/things", "/v1/things/" ID "/cancel/now", "/v1/things/" ID "/",
                "/v1/locations//inventory/a", "/1/2/3/4/5/6/7/8/9", "/v1/./things", "/v1/x/../things" };

        for (size_t i = 0; i < array_size(targets); i++)
                assert_refused(METHOD_GET, targets[i], PROBLEM_NOT_FOUND);
}

Test(router, a_wrong_method_is_answered_with_the_allowed_ones_of_all_rooms) {
        assert_refused(METHOD_POST, "/v1/things/" ID, PROBLEM_METHOD_NOT_ALLOWED);
        cr_assert_str_eq(allow, "DELETE, GET, HEAD, PUT");
        assert_refused(METHOD_OTHER, "/v1/things", PROBLEM_METHOD_NOT_ALLOWED);
        cr_assert_str_eq(allow, "GET, HEAD, POST");
        assert_refused(METHOD_DELETE, "/livez", PROBLEM_METHOD_NOT_ALLOWED);
        cr_assert_str_eq(allow, "GET, HEAD");
}

Test(router, the_method_is_judged_before_the_parameters) {
        assert_refused(METHOD_POST, "/v1/things/x", PROBLEM_METHOD_NOT_ALLOWED);
}

Test(router, a_malformed_path_parameter_is_invalid) {
        assert_refused(METHOD_GET, "/v1/things/x", PROBLEM_INVALID_PARAMETER);
        assert_refused(METHOD_GET, "/v1/things/{id}", PROBLEM_INVALID_PARAMETER);
        assert_refused(METHOD_GET, "/v1/things/" ID "0", PROBLEM_INVALID_PARAMETER);
        assert_refused(METHOD_GET, "/v1/locations/a%20b/inventory/c", PROBLEM_INVALID_PARAMETER);
        assert_refused(METHOD_GET, "/v1/locations/a/inventory/%0a", PROBLEM_INVALID_PARAMETER);
        assert_refused(METHOD_GET, "/v1/channels/web/acknowledgements/x", PROBLEM_INVALID_PARAMETER);
}

Test(router, a_refusal_names_the_parameter_and_its_kind) {
        assert_refused(METHOD_GET, "/v1/orders/" ID "/fulfillments/x", PROBLEM_INVALID_PARAMETER);
        cr_assert_str_eq(refusal.detail, "The path parameter fulfillment_id is not a UUID.");
        assert_refused(METHOD_GET, "/v1/orders/x/fulfillments/" ID, PROBLEM_INVALID_PARAMETER);
        cr_assert_str_eq(refusal.detail, "The path parameter id is not a UUID.");
        assert_refused(METHOD_GET, "/v1/locations/a/inventory/%0a", PROBLEM_INVALID_PARAMETER);
        cr_assert_str_eq(refusal.detail, "The path parameter sku is not a valid code.");
}

Test(router, a_path_that_does_not_fit_into_the_call_is_refused) {
        char target[512];

        memset(target, 'a', sizeof(target));
        target[0] = '/';
        target[sizeof(target) - 1] = '\0';
        arena_clear(&arena);
        arena_init(&arena, 256);
        cr_assert_neq(find(METHOD_GET, target), PROBLEM_NONE);
}
