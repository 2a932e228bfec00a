/*
 * preconditions_fuzz: the headers of a request that decide whether and when it runs.
 *
 * Lines: If-Match, If-None-Match, Prefer, Idempotency-Key, Content-Type, Content-Length, traceparent. A version that
 * matches is named by the header. Waiting has its limit. A call is refused or it may run, never both.
 */
#include "fuzz.h"

#include "http/intake.h"

#include <inttypes.h>

struct line {
        int64_t quantity;
};

static const struct shape_member line_members[] = { REQUIRED(INTEGER, struct line, quantity, BETWEEN(1, 9)) };
static const struct shape line_shape = SHAPE(struct line, line_members);

static const char *things_topic(struct call *call) {
        (void) call;
        return "things";
}

static const struct route routes[] = {
        { .method = METHOD_GET, .path = "/things", .open = true, .topic = things_topic },
        { .method = METHOD_POST, .path = "/things", .open = true, .key = KEY_REQUIRED, .body = &line_shape },
        { .method = METHOD_PUT, .path = "/things", .open = true, .body = &line_shape },
};
static const struct route_list list = { routes, array_size(routes) };
static const struct token_claims claims = { .subject = "fuzzer", .all_locations = true };

/* If-Match names every version that it lets pass. */
static void versions_are_named(struct arena *arena, struct call *call, const char *header) {
        if (call->if_match == IF_MATCH_ABSENT)
                require(!header);
        if (call->if_match == IF_MATCH_ANY)
                require(strcmp(header, "*") == 0);
        if (call->if_match != IF_MATCH_TAGS)
                return;
        require(call->if_match_tags[0] > 0);
        for (size_t i = 0; i < IF_MATCH_TAGS_MAX && call->if_match_tags[i]; i++) {
                require(call->if_match_tags[i] > 0);
                require(strstr(header, arena_format(arena, "%" PRId64, call->if_match_tags[i])));
                require(call_version_matches(call, call->if_match_tags[i]));
        }
}

static void waits_within_limits(const struct call *call, const struct request_head *head) {
        require(call->wait_s <= WAIT_MAX_S);
        require(!call->wait_s || (head->prefer && head->if_none_match && call->route->topic));
        require(!call->may_wait || call->wait_s);
}

static void trace_is_one(const struct call *call) {
        require(strlen(call->trace_id) == TRACE_ID_SIZE - 1);
        require(strspn(call->trace_id, "0123456789abcdef") == TRACE_ID_SIZE - 1);
        require(strspn(call->trace_id, "0") < TRACE_ID_SIZE - 1);
}

static void head_try(struct arena *arena, const struct request_head *head) {
        struct intake intake = { .router = { &list, 1 }, .claims = &claims };
        struct call call;
        const bool taken = intake_head(&intake, head, &call);

        trace_is_one(&call);
        if (taken) {
                require(!call.refusal.problem && !call.reply.status);
                waits_within_limits(&call, head);
                require(call.has_key == (call.route->key != KEY_UNUSED));
                versions_are_named(arena, &call, head->if_match);
        } else {
                require(call.refusal.problem && call.reply.status == problem_status(call.refusal.problem));
        }
        call_clear(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        static const char *const methods[] = { "GET", "POST", "PUT" };
        struct arena arena;
        struct fuzz_lines in;
        struct request_head head = { .target = "/things" };

        arena_init(&arena, FUZZ_MEMORY);
        fuzz_lines_split(&arena, bytes, size, &in);
        head.if_match = fuzz_header(in.at[0]);
        head.if_none_match = fuzz_header(in.at[1]);
        head.prefer = fuzz_header(in.at[2]);
        head.idempotency_key = fuzz_header(in.at[3]);
        head.content_type = fuzz_header(in.at[4]);
        head.content_length = fuzz_header(in.at[5]);
        head.traceparent = fuzz_header(in.at[6]);
        for (size_t i = 0; i < array_size(methods); i++) {
                head.method = methods[i];
                head_try(&arena, &head);
        }
        arena_clear(&arena);
        return 0;
}
