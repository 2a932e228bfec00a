#include "http/intake.h"

#include "auth/link.h"
#include "base/text.h"
#include "engine/idempotency.h"
#include "engine/reply.h"
#include "http/query.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BEARER         "Bearer "
#define SCHEME         "http://"

#define LINK_NAME_SIZE 17 /* of 8 bytes of its digest in hexadecimal */

static bool refusal_answer(struct call *call) {
        if (!call->refusal.problem)
                return true;
        reply_problem(call);
        return false;
}

int64_t intake_announced(const struct request_head *head) {
        int64_t size = 0;

        if (head->transfer_encoding)
                return -1;
        if (head->content_length && !text_to_integer(head->content_length, 0, INT64_MAX, &size))
                return INT64_MAX;
        return size;
}

#define TRACEPARENT_SIZE ((size_t) 55) /* of version 00 */

static bool is_hex(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (!text[i] || !strchr("0123456789abcdef", text[i]))
                        return false;
        return true;
}

/* W3C Trace Context, section 3.2: version "-" trace id "-" parent id "-" flags. Version ff is none; later versions may
 * have more behind the flags. */
static bool is_traceparent(const char *text) {
        const size_t size = strlen(text);

        if (size < TRACEPARENT_SIZE || (text_starts_with(text, "00") && size > TRACEPARENT_SIZE))
                return false;
        if (size > TRACEPARENT_SIZE && text[TRACEPARENT_SIZE] != '-')
                return false;
        return is_hex(text, 2) && !text_starts_with(text, "ff") && text[2] == '-' && is_hex(text + 3, 32) &&
               strspn(text + 3, "0") < 32 && text[35] == '-' && is_hex(text + 36, 16) && strspn(text + 36, "0") < 16 &&
               text[52] == '-' && is_hex(text + 53, 2);
}

/* An invalid traceparent starts a new trace; it is no error. */
static void trace_take(struct call *call, const char *traceparent) {
        const struct uuid fresh = call->request_id;
        char text[UUID_TEXT_SIZE];
        size_t n = 0;

        if (traceparent && is_traceparent(traceparent)) {
                memcpy(call->trace_id, traceparent + 3, TRACE_ID_SIZE - 1);
                call->is_sampled = strchr("13579bdf", traceparent[TRACEPARENT_SIZE - 1]);
                return;
        }
        uuid_format(&fresh, text);
        for (size_t i = 0; text[i]; i++)
                if (text[i] != '-')
                        call->trace_id[n++] = text[i];
}

static void check_framing(struct call *call, const struct request_head *head) {
        if (head->malformed)
                call_refuse(call, PROBLEM_MALFORMED_REQUEST,
                        "A header that may occur once is repeated, a header name is not a token, or there is a NUL.");
        else if (head->lacks_host)
                call_refuse(call, PROBLEM_MALFORMED_REQUEST, "The Host header is missing.");
        else if (head->transfer_encoding && head->content_length)
                call_refuse(
                        call, PROBLEM_MALFORMED_REQUEST, "Send either Content-Length or Transfer-Encoding, not both.");
        else if (head->transfer_encoding && strcasecmp(head->transfer_encoding, "chunked") != 0)
                call_refuse(call, PROBLEM_MALFORMED_REQUEST, "The only Transfer-Encoding accepted is chunked.");
        else if (intake_announced(head) > (int64_t) BODY_SIZE_MAX)
                call_refuse(call, PROBLEM_CONTENT_TOO_LARGE, "A body may have 1 MiB at most.");
        else if (strlen(head->target) > TARGET_SIZE_MAX)
                call_refuse(call, PROBLEM_URI_TOO_LONG, "A request target may have 8 KiB at most.");
        else if (head->size > HEADERS_SIZE_MAX)
                call_refuse(call, PROBLEM_HEADERS_TOO_LARGE, "The headers of a request may have 16 KiB at most.");
}

/* Unknown methods are routed as a method that no path has, so that the answer is 405 with Allow, or 404. */
static enum method method_named(const char *name) {
        if (text_equal(name, "HEAD"))
                return METHOD_GET;
        for (enum method method = 0; method < METHOD_OTHER; method++)
                if (text_equal(name, method_text(method)))
                        return method;
        return METHOD_OTHER;
}

/* The path and query of an absolute-form target, which every server must accept (RFC 9112, section 3.2.2). */
static const char *origin_form(const char *target) {
        const char *path;

        if (strncasecmp(target, SCHEME, strlen(SCHEME)) != 0)
                return target;
        path = strchr(target + strlen(SCHEME), '/');
        return path ? path : "/";
}

static void find_route(
        struct intake *intake, struct call *call, const struct request_head *head, struct routing *routing) {
        const char *target = origin_form(head->target);
        const char *allow = NULL;

        call->target = arena_text(&call->arena, target);
        if (router_find(&intake->router, method_named(head->method), target, &call->arena, &call->refusal, routing,
                    &allow)) {
                call->reply.allow = allow;
                return;
        }
        call->route = routing->route;
        call->path = routing->path;
}

/* Only the database knows whether the link is valid. Its subject serves counting and idempotency keys, and does not
 * reveal the token. */
static bool take_link(struct call *call, const char *token, struct token_claims *claims) {
        char name[LINK_NAME_SIZE];

        if (!call->route->link || !link_token_read(token, call->link))
                return false;
        for (size_t i = 0; i < (sizeof(name) - 1) / 2; i++)
                (void) snprintf(name + 2 * i, 3, "%02x", call->link[i]);
        *claims = (struct token_claims){ .subject = arena_format(&call->arena, "link %s", name),
                .expires_at = INT64_MAX };
        call->by_link = claims->subject != NULL;
        return call->by_link;
}

static void take_token(struct intake *intake, struct call *call, const char *token, struct token_claims *claims) {
        const enum token_verdict verdict =
                claims ? token_gate_check(intake->gate, token, clock_wall(), &call->arena, claims)
                       : TOKEN_OUT_OF_MEMORY;

        if (verdict) {
                call_refuse(call, token_verdict_problem(verdict), "%c%s.",
                        toupper((unsigned char) *token_verdict_text(verdict)), token_verdict_text(verdict) + 1);
                return;
        }
        call->claims = claims;
        if (!scope_granted(claims->scopes, call->route->scope) &&
                (call->route->also == SCOPE_NONE || !call_has_scope(call, call->route->also))) {
                call->refusal.scope = scope_text(call->route->scope);
                call_refuse(call, PROBLEM_INSUFFICIENT_SCOPE, "This route needs the scope %s.",
                        scope_text(call->route->scope));
        }
}

static void bearer_check(struct intake *intake, struct call *call, const struct request_head *head) {
        const char *token = head->authorization;
        struct token_claims *claims = arena_new(&call->arena, struct token_claims);

        if (!token || strncasecmp(token, BEARER, strlen(BEARER)) != 0) {
                call->refusal.scope = ""; /* no token at all is not an invalid token (RFC 6750, section 3.1) */
                call_refuse(call, PROBLEM_UNAUTHENTICATED, "The Authorization header must carry a bearer token.");
                return;
        }
        token += strlen(BEARER);
        token += strspn(token, " ");
        if (claims && take_link(call, token, claims))
                call->claims = claims;
        else
                take_token(intake, call, token, claims);
}

/* RateLimit header fields (draft-ietf-httpapi-ratelimit-headers): one policy for each bearer, and its remaining
 * requests.
 */
static void tell_quota(struct intake *intake, struct call *call, const struct quota_state *state) {
        call->rate_limit_policy = arena_format(&call->arena, "\"client\";q=%" PRId64 ";w=%d",
                quota_limit(intake->quota), (int) (QUOTA_WINDOW / SECOND));
        call->rate_limit =
                arena_format(&call->arena, "\"client\";r=%" PRId64 ";t=%u", state->remaining, state->reset_s);
}

static void refuse_quota(struct intake *intake, struct call *call, const struct quota_state *state) {
        call->refusal.retry_after_s = state->reset_s;
        call_refuse(
                call, PROBLEM_QUOTA_EXCEEDED, "%" PRId64 " requests a minute are allowed.", quota_limit(intake->quota));
}

static void take_quota(struct intake *intake, struct call *call, const char *subject) {
        struct quota_state state;
        const bool allowed = quota_take(intake->quota, subject, clock_monotonic(), &state);

        tell_quota(intake, call, &state);
        if (!allowed && !call->refusal.problem)
                refuse_quota(intake, call, &state);
}

/* The version in an entity tag of this service; false for any other tag. A part behind a hyphen covers members that
 * change without a command; a PUT does not replace them. */
static bool tag_version(const char *tag, size_t size, int64_t *ret_version) {
        const char *hyphen = memchr(tag, '-', size);
        const size_t n = hyphen ? (size_t) (hyphen - tag) : size;
        char digits[24] = "";

        if (n >= sizeof(digits))
                return false;
        memcpy(digits, tag, n);
        return text_to_integer(digits, 1, INT64_MAX, ret_version);
}

/* Strong comparison (RFC 9110, section 13.1.1): a weak tag, or one of another service, never matches. A malformed tag
 * ends the list. */
static void take_if_match(struct call *call, const char *text) {
        size_t n = 0;

        call->if_match = IF_MATCH_NEVER;
        if (text_equal(text, "*"))
                call->if_match = IF_MATCH_ANY;
        while (call->if_match != IF_MATCH_ANY && n < IF_MATCH_TAGS_MAX) {
                bool weak;
                const char *end;

                text += strspn(text, " \t,");
                weak = text_starts_with(text, "W/");
                text += weak ? 2 : 0;
                end = *text == '"' ? strchr(text + 1, '"') : NULL;
                if (!end || !strchr(" \t,", end[1]))
                        break;
                if (!weak && tag_version(text + 1, (size_t) (end - text - 1), &call->if_match_tags[n]))
                        n++;
                text = end + 1;
        }
        if (n)
                call->if_match = IF_MATCH_TAGS;
}

static void take_preconditions(struct call *call, const struct request_head *head) {
        if (head->if_match)
                take_if_match(call, head->if_match);
        if (!head->if_none_match)
                return;
        call->if_none_match_any = text_equal(head->if_none_match, "*");
        call->if_none_match = arena_text(&call->arena, head->if_none_match);
}

static const char *skip_blanks(const char *text) {
        return text + strspn(text, " \t");
}

/* The value of a preference of that name, after blanks and "=" (RFC 7240, section 2); NULL for another preference. */
static const char *preference_value(const char *item, const char *name) {
        const char *c = skip_blanks(item);

        if (strncasecmp(c, name, strlen(name)) != 0)
                return NULL;
        c = skip_blanks(c + strlen(name));
        return *c == '=' ? skip_blanks(c + 1) : NULL;
}

/* Whole seconds up to the end of a preference or its parameters, WAIT_MAX_S at most; 0 when it reads otherwise. */
static unsigned seconds_of(const char *value) {
        const size_t length = strspn(value, "0123456789");
        unsigned seconds = 0;

        if (!length || !strchr(",;", *skip_blanks(value + length)))
                return 0;
        for (size_t i = 0; i < length && seconds < WAIT_MAX_S; i++)
                seconds = 10 * seconds + (unsigned) (value[i] - '0');
        return seconds < WAIT_MAX_S ? seconds : WAIT_MAX_S;
}

/* Prefer: wait=25 (RFC 7240, section 4.3). An unreadable preference is ignored. */
static unsigned preferred_wait(const char *prefer) {
        for (const char *item = prefer; item; item = strchr(item, ',')) {
                const char *value;

                item += *item == ',';
                value = preference_value(item, "wait");
                if (value)
                        return seconds_of(value);
        }
        return 0;
}

/* Only a client that names its version, in If-None-Match or in the query, can wait for a newer one. */
static void take_patience(struct call *call, const struct request_head *head) {
        if (!call->route->topic)
                return;
        if (head->last_event_id)
                call->last_event_id = arena_text(&call->arena, head->last_event_id);
        if (head->if_none_match || call->route->waits)
                call->wait_s = preferred_wait(head->prefer);
        call->may_wait = call->wait_s || call->route->stream;
}

static void take_key(struct call *call, const char *path, const struct request_head *head) {
        const char *key = NULL;

        if (call->route->key == KEY_UNUSED)
                return;
        if (call->route->method == METHOD_POST && head->idempotency_key &&
                !idempotency_key_parse(head->idempotency_key, &call->arena, &key)) {
                call_refuse(call, PROBLEM_IDEMPOTENCY_KEY_INVALID,
                        "An Idempotency-Key has 1 to 255 visible ASCII characters.");
                return;
        }
        if (!key && call->route->key == KEY_REQUIRED) {
                call_refuse(call, PROBLEM_IDEMPOTENCY_KEY_MISSING, "Send an Idempotency-Key header with this request.");
                return;
        }
        idempotency_key_set(call, path, key);
}

/* JSON is UTF-8 (RFC 8259, section 8.1); another charset is refused. */
static bool is_json(const char *content_type) {
        const size_t size = strcspn(content_type, "; \t");
        const char *charset = strcasestr(content_type + size, "charset=");

        if (size != strlen("application/json") || strncasecmp(content_type, "application/json", size) != 0)
                return false;
        if (!charset)
                return true;
        charset += strlen("charset=");
        charset += *charset == '"';
        return strncasecmp(charset, "utf-8", 5) == 0 && strchr("\"; \t", charset[5]);
}

static void check_content_type(struct call *call, const struct request_head *head) {
        if (!call->route->body || intake_announced(head) == 0)
                return;
        if (!head->content_type || !is_json(head->content_type))
                call_refuse(call, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json.");
}

/* ---- requests without a valid token ---- */

/* Such requests are counted by address, so that no client can guess tokens without limit. The address is stored
 * nowhere: the quota keeps its digest for a minute. */
static const char *subject_of_address(
        const struct intake *intake, const struct request_head *head, struct arena *arena) {
        const struct address client =
                forwarded_client(&intake->trusted, &head->peer, &head->x_forwarded_for, &head->forwarded);
        const struct address household = address_household(&client);
        char text[ADDRESS_TEXT_SIZE];

        address_format(&household, text);
        return arena_format(arena, "address %s", text);
}

/* The same refusal, unless the address is over its quota. */
static void count_wrong_token(struct intake *intake, struct call *call, const struct request_head *head) {
        const char *subject = subject_of_address(intake, head, &call->arena);
        const struct refusal before = call->refusal;

        call->refusal = (struct refusal){ 0 };
        if (subject)
                take_quota(intake, call, subject);
        if (!call->refusal.problem)
                call->refusal = before;
}

/* Only the answer tells whether the link is valid: intake_answered counts it then. An address over its quota is refused
 * before the database is asked. */
static bool has_tried_too_many_links(struct intake *intake, struct call *call, const struct request_head *head) {
        const char *subject = subject_of_address(intake, head, &call->arena);
        struct quota_state state;

        call->wrong_link_subject = subject;
        if (!subject || call->refusal.problem || !quota_is_spent(intake->quota, subject, clock_monotonic(), &state))
                return false;
        tell_quota(intake, call, &state);
        refuse_quota(intake, call, &state);
        return true;
}

void intake_answered(struct intake *intake, const struct call *call) {
        struct quota_state state;

        if (intake->quota && call->wrong_link_subject && call->reply.status == 401)
                (void) !quota_take(intake->quota, call->wrong_link_subject, clock_monotonic(), &state);
}

static void request_count(struct intake *intake, struct call *call, const struct request_head *head) {
        if (call->by_link && has_tried_too_many_links(intake, call, head))
                return;
        if (call->claims)
                take_quota(intake, call, call->claims->subject);
        else if (call->refusal.problem == PROBLEM_UNAUTHENTICATED)
                count_wrong_token(intake, call, head);
}

bool intake_head(struct intake *intake, const struct request_head *head, struct call *call) {
        struct routing routing = { 0 };

        call_init(call, NULL);
        call->request_id = uuid_new();
        trace_take(call, head->traceparent);
        check_framing(call, head);
        if (!call->refusal.problem)
                find_route(intake, call, head, &routing);
        if (!intake->gate)
                call->claims = intake->claims;
        else if (!call->refusal.problem && !call->route->open)
                bearer_check(intake, call, head);
        if (intake->quota)
                request_count(intake, call, head);
        if (!call->refusal.problem)
                check_content_type(call, head);
        if (!call->refusal.problem)
                take_preconditions(call, head);
        if (!call->refusal.problem)
                take_patience(call, head);
        if (!call->refusal.problem)
                take_key(call, routing.path_text, head);
        if (!call->refusal.problem)
                (void) query_read(call->route->query, routing.query, &call->arena, &call->refusal,
                        (void **) (uintptr_t) &call->query);
        return refusal_answer(call);
}

bool intake_body(struct call *call, const char *body, size_t size) {
        void *filled = NULL;

        if (!call->route->body && size) {
                call_refuse(call, PROBLEM_VALIDATION_FAILED, "This request takes no body.");
                return refusal_answer(call);
        }
        /* On other routes an empty body reads as one without members; a PUT would erase the resource. */
        if (call->route->method == METHOD_PUT && !size) {
                call_refuse(call, PROBLEM_MALFORMED_JSON, "A PUT needs a body: it replaces the whole resource.");
                return refusal_answer(call);
        }
        if (call->has_key)
                idempotency_fingerprint_set(call, call->target, body, size);
        if (call->route->body && !shape_read(call->route->body, body, size, &call->arena, &call->refusal, &filled))
                call->body = filled;
        if (!call->refusal.problem && call->route->check)
                call->route->check(call);
        return refusal_answer(call);
}
