#include "http/intake.h"

#include "auth/link.h"

#include "token_forge.h"

#include <criterion/criterion.h>
#include <string.h>

#define ID       "01900000-0000-7000-8000-00000000000a"
#define HEADER   "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}"
#define FAR_AWAY "4102444800" /* 2100-01-01: these tests are about the head, not about the clock */

static struct arena arena;
static struct token_gate gate;
static struct call call;
static const char *bearer;

struct line {
        int64_t quantity;
};

static const struct shape_member line_members[] = { REQUIRED(INTEGER, struct line, quantity, BETWEEN(1, 9)) };
static const struct shape line_shape = SHAPE(struct line, line_members);

static void check_line(struct call *checked) {
        const struct line *line = checked->body;

        if (line->quantity == 7)
                call_refuse(checked, PROBLEM_STORE_NOT_ALLOWED, "Not seven.");
}

static const struct route routes[] = {
        { .method = METHOD_GET, .path = "/v1/things/{id}", .scope = SCOPE_ORDERS_READ },
        { .method = METHOD_POST,
                .path = "/v1/things",
                .scope = SCOPE_ORDERS_READ,
                .key = KEY_REQUIRED,
                .body = &line_shape,
                .check = check_line },
        { .method = METHOD_POST, .path = "/v1/things/{id}/poke", .scope = SCOPE_ORDERS_READ, .key = KEY_OPTIONAL },
        { .method = METHOD_POST, .path = "/v1/questions", .scope = SCOPE_ORDERS_READ, .body = &line_shape },
        { .method = METHOD_PUT, .path = "/v1/things", .scope = SCOPE_ADMIN },
        { .method = METHOD_GET, .path = "/livez", .open = true },
        { .method = METHOD_GET,
                .path = "/v1/things/{id}/status",
                .scope = SCOPE_ADMIN,
                .also = SCOPE_ORDERS_READ,
                .link = true },
        { .method = METHOD_GET, .path = "/v1/things/{id}/secrets", .scope = SCOPE_ADMIN, .also = SCOPE_RETURNS_WRITE },
};
static const struct route_list list = { routes, array_size(routes) };
static struct intake intake = { .router = { &list, 1 }, .gate = &gate };

static void set_up(void) {
        const char *reason = NULL;

        arena_init(&arena, (size_t) 1 << 20);
        cr_assert_eq(token_cache_new(8, &gate.cache), PROBLEM_NONE);
        cr_assert_eq(
                token_source_start(&(struct token_source_settings){ .secret = FORGE_SECRET }, &gate.source, &reason),
                PROBLEM_NONE);
        bearer = arena_format(&arena, "Bearer %s",
                forge_token_with_secret(&arena, FORGE_SECRET, HEADER,
                        "{\"sub\":\"anna\",\"scope\":\"orders:read\",\"exp\":" FAR_AWAY "}"));
}

static void tear_down(void) {
        call_clear(&call);
        gate.source = token_source_stop(gate.source);
        gate.cache = token_cache_free(gate.cache);
        arena_clear(&arena);
}

TestSuite(intake, .init = set_up, .fini = tear_down);

static struct request_head get(const char *target) {
        return (struct request_head){ .method = "GET", .target = target, .authorization = bearer };
}

static struct request_head post(const char *target) {
        return (struct request_head){ .method = "POST",
                .target = target,
                .authorization = bearer,
                .content_type = "application/json",
                .content_length = "14",
                .idempotency_key = "k" };
}

static bool take_head(struct request_head head) {
        call_clear(&call);
        return intake_head(&intake, &head, &call);
}

static void assert_taken(struct request_head head) {
        cr_assert(take_head(head), "%s", call.refusal.detail);
        cr_assert_eq(call.reply.status, 0);
}

static void assert_refused(struct request_head head, enum problem problem) {
        cr_assert_not(take_head(head));
        cr_assert_eq(call.refusal.problem, problem, "%s", problem_slug(call.refusal.problem));
        cr_assert_eq(call.reply.status, problem_status(problem));
        cr_assert_gt(call.reply.body_size, 0);
}

/* ---- the head ---- */

Test(intake, a_good_head_becomes_a_call) {
        assert_taken(get("/v1/things/" ID));
        cr_assert_eq(call.route, &routes[0]);
        cr_assert_str_eq(call.claims->subject, "anna");
        cr_assert_str_eq(call.target, "/v1/things/" ID);
        cr_assert_not(uuid_is_nil(&call.request_id));
        cr_assert_not(call.has_key);
}

Test(intake, head_takes_the_route_of_get) {
        struct request_head head = get("/v1/things/" ID);

        head.method = "HEAD";
        assert_taken(head);
        cr_assert_eq(call.route, &routes[0]);
}

Test(intake, other_methods_are_answered_with_the_allowed_ones) {
        const char *const methods[] = { "PATCH", "OPTIONS", "get", "BREW" };

        for (size_t i = 0; i < array_size(methods); i++) {
                struct request_head head = get("/v1/things/" ID);

                head.method = methods[i];
                assert_refused(head, PROBLEM_METHOD_NOT_ALLOWED);
                cr_assert_str_eq(call.reply.allow, "GET, HEAD");
        }
}

Test(intake, framing_in_doubt_is_refused_before_anything_else) {
        struct request_head head = { .method = "POST", .target = "/nowhere", .malformed = true };

        assert_refused(head, PROBLEM_MALFORMED_REQUEST);
        head = (struct request_head){ .method = "GET", .target = "/nowhere", .lacks_host = true };
        assert_refused(head, PROBLEM_MALFORMED_REQUEST);
        head = post("/v1/things");
        head.transfer_encoding = "chunked";
        assert_refused(head, PROBLEM_MALFORMED_REQUEST);
        head.content_length = NULL;
        assert_taken(head);
        head.transfer_encoding = "gzip";
        assert_refused(head, PROBLEM_MALFORMED_REQUEST);
}

Test(intake, sizes_have_limits) {
        struct request_head head = post("/v1/things");
        char target[TARGET_SIZE_MAX + 2];

        head.content_length = "1048576";
        assert_taken(head);
        head.content_length = "1048577";
        assert_refused(head, PROBLEM_CONTENT_TOO_LARGE);
        head.content_length = "99999999999999999999";
        assert_refused(head, PROBLEM_CONTENT_TOO_LARGE);
        head = get("/v1/things/" ID);
        head.size = HEADERS_SIZE_MAX;
        assert_taken(head);
        head.size = HEADERS_SIZE_MAX + 1;
        assert_refused(head, PROBLEM_HEADERS_TOO_LARGE);
        memset(target, 'a', sizeof(target) - 1);
        target[0] = '/';
        target[sizeof(target) - 1] = '\0';
        assert_refused(get(target), PROBLEM_URI_TOO_LONG);
        target[sizeof(target) - 2] = '\0';
        assert_refused(get(target), PROBLEM_NOT_FOUND);
}

Test(intake, an_absolute_target_means_its_path) {
        assert_taken(get("http://anywhere:80/v1/things/" ID));
        cr_assert_str_eq(call.target, "/v1/things/" ID);
        assert_refused(get("HTTP://anywhere"), PROBLEM_NOT_FOUND);
        assert_refused(get("https://anywhere/v1/things/" ID), PROBLEM_MALFORMED_REQUEST);
}

Test(intake, without_a_token_the_reply_does_not_reveal_the_route) {
        struct request_head head = get("/v1/things/" ID);

        head.authorization = NULL;
        assert_refused(head, PROBLEM_UNAUTHENTICATED);
        cr_assert_str_eq(call.reply.www_authenticate, "Bearer");
        head.authorization = "Basic YTpi";
        assert_refused(head, PROBLEM_UNAUTHENTICATED);
        head.authorization = "Bearer x.y.z";
        assert_refused(head, PROBLEM_UNAUTHENTICATED);
        cr_assert_str_eq(call.reply.www_authenticate, "Bearer error=\"invalid_token\"");
}

Test(intake, the_scheme_of_a_token_has_no_case_and_may_be_followed_by_spaces) {
        struct request_head head = get("/v1/things/" ID);

        head.authorization = arena_format(&arena, "bEARER   %s", bearer + strlen("Bearer "));
        assert_taken(head);
}

Test(intake, the_scope_of_the_route_is_needed) {
        struct request_head head = get("/v1/things");

        head.method = "PUT";
        assert_refused(head, PROBLEM_INSUFFICIENT_SCOPE);
        cr_assert_str_eq(call.reply.www_authenticate, "Bearer error=\"insufficient_scope\", scope=\"admin\"");
}

Test(intake, another_scope_of_the_route_is_as_good) {
        assert_taken(get("/v1/things/" ID "/status"));
        cr_assert_not(call.by_link);
        assert_refused(get("/v1/things/" ID "/secrets"), PROBLEM_INSUFFICIENT_SCOPE);
}

/* ---- links ---- */

static struct request_head by_link(const char *target, const char *token) {
        struct request_head head = get(target);

        head.authorization = arena_format(&arena, "Bearer %s", token);
        return head;
}

Test(intake, a_link_is_accepted_on_routes_for_links) {
        char token[LINK_TOKEN_SIZE], other[LINK_TOKEN_SIZE];
        uint8_t digest[DIGEST_SIZE], ignored[DIGEST_SIZE];
        const char *subject;

        link_token_new(token, digest);
        link_token_new(other, ignored);
        assert_taken(by_link("/v1/things/" ID "/status", token));
        cr_assert(call.by_link);
        cr_assert_arr_eq(call.link, digest, DIGEST_SIZE);
        cr_assert_eq(call.claims->scopes, 0);
        cr_assert_not(token_allows_location(call.claims, "anywhere"));
        cr_assert_null(strstr(call.claims->subject, token));
        subject = arena_text(&arena, call.claims->subject);
        assert_taken(by_link("/v1/things/" ID "/status", other));
        cr_assert_str_neq(call.claims->subject, subject);
}

Test(intake, a_link_is_refused_on_other_routes) {
        char token[LINK_TOKEN_SIZE];
        uint8_t digest[DIGEST_SIZE];

        link_token_new(token, digest);
        assert_refused(by_link("/v1/things/" ID, token), PROBLEM_UNAUTHENTICATED);
        cr_assert_not(call.by_link);
        token[0] = '.';
        assert_refused(by_link("/v1/things/" ID "/status", token), PROBLEM_UNAUTHENTICATED);
}

Test(intake, an_open_route_asks_for_no_token) {
        struct request_head head = get("/livez");

        head.authorization = NULL;
        assert_taken(head);
        cr_assert_null(call.claims);
}

Test(intake, a_trace_is_continued_or_begun) {
        const char *const broken[] = { "", "00", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e473G-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more" };
        struct request_head head = get("/v1/things/" ID);

        head.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_taken(head);
        cr_assert_str_eq(call.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        head.traceparent = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-is-to-come";
        assert_taken(head);
        cr_assert_str_eq(call.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        for (size_t i = 0; i < array_size(broken); i++) {
                head.traceparent = broken[i];
                assert_taken(head);
                cr_assert_eq(strlen(call.trace_id), TRACE_ID_SIZE - 1);
                cr_assert_eq(strspn(call.trace_id, "0123456789abcdef"), TRACE_ID_SIZE - 1);
                cr_assert_str_neq(call.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        }
}

Test(intake, if_match_names_versions_exactly) {
        const struct {
                const char *text;
                int64_t if_match, first, second;
        } cases[] = {
                { NULL, IF_MATCH_ABSENT, 0, 0 },
                { "*", IF_MATCH_ANY, 0, 0 },
                { "\"17\"", IF_MATCH_TAGS, 17, 0 },
                { "\"9\", \"1\"", IF_MATCH_TAGS, 9, 1 },
                { "\"9\",\t ,\"1\" ,", IF_MATCH_TAGS, 9, 1 },
                { "W/\"9\", \"1\"", IF_MATCH_TAGS, 1, 0 },
                { "\"a,b\", \"1\"", IF_MATCH_TAGS, 1, 0 },
                { "\"17-40-0-5\"", IF_MATCH_TAGS, 17, 0 },
                { "\"1\", 2, \"3\"", IF_MATCH_TAGS, 1, 0 },
                { "\"1\"x, \"3\"", IF_MATCH_NEVER, 0, 0 },
                { "W/\"17\"", IF_MATCH_NEVER, 0, 0 },
                { "17", IF_MATCH_NEVER, 0, 0 },
                { "", IF_MATCH_NEVER, 0, 0 },
                { "\"", IF_MATCH_NEVER, 0, 0 },
                { "\"\"", IF_MATCH_NEVER, 0, 0 },
                { "\"-\"", IF_MATCH_NEVER, 0, 0 },
                { "\"0\"", IF_MATCH_NEVER, 0, 0 },
                { "\"-1\"", IF_MATCH_NEVER, 0, 0 },
                { "\"9223372036854775808\"", IF_MATCH_NEVER, 0, 0 },
                { "\"00000000000000000000000001\"", IF_MATCH_NEVER, 0, 0 },
        };

        for (size_t i = 0; i < array_size(cases); i++) {
                struct request_head head = get("/v1/things/" ID);

                head.if_match = cases[i].text;
                assert_taken(head);
                cr_assert_eq(call.if_match, cases[i].if_match, "%s", cases[i].text);
                cr_assert_eq(call.if_match_tags[0], cases[i].first, "%s", cases[i].text);
                cr_assert_eq(call.if_match_tags[1], cases[i].second, "%s", cases[i].text);
        }
}

Test(intake, as_many_tags_as_there_is_room_for_are_looked_at) {
        struct request_head head = get("/v1/things/" ID);

        head.if_match = "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"";
        assert_taken(head);
        cr_assert_eq(call.if_match_tags[IF_MATCH_TAGS_MAX - 1], 8);
}

Test(intake, a_key_is_required_optional_or_of_no_use) {
        struct request_head head = post("/v1/things");

        head.idempotency_key = NULL;
        assert_refused(head, PROBLEM_IDEMPOTENCY_KEY_MISSING);
        head.idempotency_key = "not a key";
        assert_refused(head, PROBLEM_IDEMPOTENCY_KEY_INVALID);
        head.target = "/v1/things/" ID "/poke";
        assert_refused(head, PROBLEM_IDEMPOTENCY_KEY_INVALID);
        head.idempotency_key = NULL;
        assert_taken(head);
        cr_assert(call.has_key);
        head.target = "/v1/questions";
        head.idempotency_key = "not a key";
        assert_taken(head);
        cr_assert_not(call.has_key);
}

Test(intake, a_body_comes_as_json) {
        const char *const good[] = { "application/json", "Application/JSON; charset=utf-8", "application/json;x" };
        const char *const bad[] = { NULL, "", "text/json", "application/jsonp", "application/", "json" };
        struct request_head head = post("/v1/things");

        for (size_t i = 0; i < array_size(good); i++) {
                head.content_type = good[i];
                assert_taken(head);
        }
        for (size_t i = 0; i < array_size(bad); i++) {
                head.content_type = bad[i];
                assert_refused(head, PROBLEM_UNSUPPORTED_MEDIA_TYPE);
        }
        head.content_length = "0";
        assert_taken(head);
}

Test(intake, query_parameters_that_the_route_lacks_are_refused) {
        assert_refused(get("/v1/things/" ID "?x=1"), PROBLEM_UNKNOWN_PARAMETER);
        assert_taken(get("/v1/things/" ID "?"));
}

/* ---- the body ---- */

static bool take_body(const char *body) {
        assert_taken(post("/v1/things"));
        return intake_body(&call, body, strlen(body));
}

Test(intake, a_good_body_is_filled_in_and_fingerprinted) {
        uint8_t first[DIGEST_SIZE];

        cr_assert(take_body("{\"quantity\":3}"));
        cr_assert_eq(((const struct line *) call.body)->quantity, 3);
        memcpy(first, call.fingerprint, sizeof(first));
        cr_assert(take_body("{\"quantity\":4}"));
        cr_assert_arr_neq(first, call.fingerprint, sizeof(first));
        cr_assert(take_body("{\"quantity\":3}"));
        cr_assert_arr_eq(first, call.fingerprint, sizeof(first));
}

Test(intake, a_bad_body_is_answered) {
        cr_assert_not(take_body("{\"quantity\":0}"));
        cr_assert_eq(call.reply.status, 422);
        cr_assert_not(take_body("{"));
        cr_assert_eq(call.reply.status, 400);
        cr_assert_not(take_body(""));
        cr_assert_eq(call.reply.status, 400);
}

Test(intake, the_route_has_its_own_look_at_the_body) {
        cr_assert_not(take_body("{\"quantity\":7}"));
        cr_assert_eq(call.refusal.problem, PROBLEM_STORE_NOT_ALLOWED);
}

Test(intake, a_route_without_a_body_takes_none) {
        assert_taken(get("/v1/things/" ID));
        cr_assert_not(intake_body(&call, "{}", 2));
        cr_assert_eq(call.refusal.problem, PROBLEM_VALIDATION_FAILED);
        assert_taken(get("/v1/things/" ID));
        cr_assert(intake_body(&call, "", 0));
}
