#include "engine/reply.h"
#include "http/request_times.h"
#include "http/server_internal.h"

#include "base/log.h"
#include "base/text.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define PARENT_ID_AT       strlen("00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-")
#define BODY_DISCARDED_MAX (4 * BODY_SIZE_MAX) /* of a refused request, so that its client can read the answer */

void *exchange_begin(void *context, const char *target, struct MHD_Connection *connection) {
        struct listener *listener = context;
        struct peer *peer = peer_of(connection);
        struct exchange *exchange = calloc(1, sizeof(*exchange));

        if (!exchange || !peer) {
                free(exchange);
                return NULL;
        }
        peer_enter(listener->server, peer, PHASE_RECEIVE);
        exchange->listener = listener;
        exchange->connection = connection;
        exchange->target = strdup(target);
        exchange->target_is_cut = strncmp(target + strlen(target) + 1, "HTTP/", strlen("HTTP/")) != 0;
        return exchange;
}

/* The place of each header of interest; headers marked `once` may not be repeated. */
static const struct header_slot {
        const char *name;
        size_t offset;
        bool once;
} header_slots[] = {
        { "Authorization", offsetof(struct request_head, authorization), true },
        { "Content-Length", offsetof(struct request_head, content_length), true },
        { "Content-Type", offsetof(struct request_head, content_type), true },
        { "Expect", offsetof(struct request_head, expect), false },
        { "Idempotency-Key", offsetof(struct request_head, idempotency_key), true },
        { "If-Match", offsetof(struct request_head, if_match), true },
        { "If-None-Match", offsetof(struct request_head, if_none_match), true },
        { "Last-Event-ID", offsetof(struct request_head, last_event_id), true },
        { "Origin", offsetof(struct request_head, origin), true },
        { "Prefer", offsetof(struct request_head, prefer), false },
        { "Transfer-Encoding", offsetof(struct request_head, transfer_encoding), true },
        { "traceparent", offsetof(struct request_head, traceparent), false },
};

struct head_reading {
        struct request_head *head;
        unsigned hosts;
        const char *end; /* of the previous value, in libmicrohttpd's buffer; NULL before the first */
};

/* A field name is a token (RFC 9110, section 5.6.2); "Content-Length :" is none, and a proxy in front may read it
 * differently. */
static bool is_token(const char *name) {
        static const char others[] = "!#$%&'*+-.^_`|~";

        for (const char *c = name; *c; c++)
                if (!isalnum((unsigned char) *c) && !strchr(others, *c))
                        return false;
        return *name != '\0';
}

/* In a sound header line nothing but the colon, which libmicrohttpd has made a NUL, and blanks stand between name and
 * value. A line folded over several (RFC 9112, section 5.2) is glued to the wrong end by libmicrohttpd 0.9.75: the
 * continuation becomes part of the name, so it could forge any header. */
static bool is_folded(const char *key, size_t key_size, const char *value) {
        const uintptr_t begin = (uintptr_t) key + key_size + 1, end = (uintptr_t) value;

        if (end < begin || end - begin > CONNECTION_MEMORY)
                return true;
        for (const char *c = key + key_size + 1; c < value; c++)
                if (*c != ' ' && *c != '\t')
                        return true;
        return false;
}

/* libmicrohttpd ends a value at its first NUL. Behind a whole value stand its line end, one or two bytes that have been
 * made NUL, and then the next header, or the empty line and the end of the head. */
static bool is_cut_off(const char *value_end, const char *next, size_t line_ends) {
        const uintptr_t end = (uintptr_t) value_end, begin = (uintptr_t) next;

        return begin < end + line_ends || begin > end + 2 * line_ends;
}

static struct forwarded_lines *forwarded_slot(struct request_head *head, const char *name) {
        if (strcasecmp(name, "Forwarded") == 0)
                return &head->forwarded;
        return strcasecmp(name, "X-Forwarded-For") == 0 ? &head->x_forwarded_for : NULL;
}

static enum MHD_Result request_header_take(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size,
        const char *value, size_t value_size) {
        struct head_reading *reading = context;
        struct forwarded_lines *forwarded = forwarded_slot(reading->head, key);

        (void) kind;
        reading->head->size += key_size + value_size + strlen(": \r\n");
        if (!is_token(key) || strlen(key) != key_size || !value || strlen(value) != value_size ||
                is_folded(key, key_size, value) || (reading->end && is_cut_off(reading->end, key, 1)))
                reading->head->malformed = true;
        reading->end = value ? value + value_size : NULL;
        if (strcasecmp(key, "Host") == 0)
                reading->hosts++;
        if (forwarded)
                forwarded_lines_add(forwarded, value ? value : "");
        for (size_t i = 0; i < array_size(header_slots); i++) {
                const char **slot = (const char **) (void *) ((char *) reading->head + header_slots[i].offset);

                if (strcasecmp(key, header_slots[i].name) != 0)
                        continue;
                if (*slot && header_slots[i].once)
                        reading->head->malformed = true;
                *slot = value ? value : "";
        }
        return MHD_YES;
}

/* `method` is where the request begins. */
static const char *head_end(struct MHD_Connection *connection, const char *method) {
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

        return method + (info ? info->header_size : 0);
}

static struct address peer_address(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        const struct sockaddr *socket_address = info ? info->client_addr : NULL;

        if (socket_address && socket_address->sa_family == AF_INET6)
                return address_of_ipv6(((const struct sockaddr_in6 *) socket_address)->sin6_addr.s6_addr);
        if (socket_address && socket_address->sa_family == AF_INET)
                return address_of_ipv4((const uint8_t *) &((const struct sockaddr_in *) socket_address)->sin_addr);
        return (struct address){ 0 };
}

static void head_read(struct exchange *exchange, const char *method, const char *version, struct request_head *head) {
        struct head_reading reading = { .head = head };

        *head = (struct request_head){ .method = method, .target = exchange->target ? exchange->target : "" };
        head->peer = peer_address(exchange->connection);
        (void) MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, request_header_take, &reading);
        if (reading.end && is_cut_off(reading.end, head_end(exchange->connection, method), 2))
                head->malformed = true;
        head->malformed = head->malformed || reading.hosts > 1 || exchange->target_is_cut;
        head->lacks_host = !reading.hosts && strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
}

static bool origin_is_allowed(const struct server *server, const char *origin) {
        const size_t size = origin ? strlen(origin) : 0;
        const char *list = server->settings.cors_origins, *item;
        size_t item_size;

        while (size && text_next_part(&list, ',', &item, &item_size)) {
                if (item_size == size && strncmp(item, origin, size) == 0)
                        return true;
                list += strspn(list, " ");
        }
        return false;
}

static void header_add(struct MHD_Response *response, const char *name, const char *value) {
        if (value)
                (void) MHD_add_response_header(response, name, value);
}

static void cors_headers_add(struct MHD_Response *response, const struct exchange *exchange) {
        if (exchange->listener->server->settings.cors_origins)
                header_add(response, "Vary", "Origin, Authorization");
        if (!origin_is_allowed(exchange->listener->server, exchange->origin))
                return;
        header_add(response, "Access-Control-Allow-Origin", exchange->origin);
        header_add(response, "Access-Control-Expose-Headers",
                "ETag, Holdfast-Cursor, Idempotent-Replayed, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, traceparent");
}

/* Continue the trace: its id, and this request (`id`) as the parent of the client's next step. */
static void traceparent_add(struct MHD_Response *response, const struct call *call, const char *id) {
        char text[] = "00-................................-................-00";
        char *to = text + PARENT_ID_AT;

        memcpy(text + strlen("00-"), call->trace_id, TRACE_ID_SIZE - 1);
        for (const char *c = id + strlen("xxxxxxxx-xxxx-7xxx-"); *c; c++)
                if (*c != '-')
                        *to++ = *c;
        text[sizeof(text) - 2] = call->is_sampled ? '1' : '0';
        header_add(response, "traceparent", text);
}

void exchange_headers_add(struct MHD_Response *response, const struct exchange *exchange) {
        const struct reply *reply = &exchange->call.reply;
        const bool is_problem = reply->status >= 400;
        char text[UUID_TEXT_SIZE];

        if (reply->body_size && reply->status != MHD_HTTP_NOT_MODIFIED)
                header_add(response, "Content-Type",
                        reply->content_type ? reply->content_type
                        : is_problem        ? "application/problem+json"
                                            : "application/json");
        header_add(response, "Allow", reply->allow);
        header_add(response, "Cache-Control", reply->cache_control ? reply->cache_control : "no-store");
        if (reply->body_size && reply->status != MHD_HTTP_NOT_MODIFIED)
                header_add(response, "Content-Encoding", reply->content_encoding);
        header_add(response, "Content-Security-Policy", reply->content_security_policy);
        header_add(response, "ETag", reply->etag);
        header_add(response, "Holdfast-Cursor", reply->events_cursor);
        header_add(response, "Link", reply->link);
        header_add(response, "Location", reply->location);
        header_add(response, "RateLimit", exchange->call.rate_limit);
        header_add(response, "RateLimit-Policy", exchange->call.rate_limit_policy);
        header_add(response, "Vary", reply->vary);
        header_add(response, "WWW-Authenticate", reply->www_authenticate);
        if (reply->replayed)
                header_add(response, "Idempotent-Replayed", "true");
        if (exchange->call.wait_s && reply->status < 400) {
                (void) snprintf(text, sizeof(text), "wait=%u", exchange->call.wait_s);
                header_add(response, "Preference-Applied", text);
        }
        uuid_format(&exchange->call.request_id, text);
        header_add(response, "X-Request-Id", text);
        traceparent_add(response, &exchange->call, text);
        if (reply->retry_after_s) {
                (void) snprintf(text, sizeof(text), "%u", reply->retry_after_s);
                header_add(response, "Retry-After", text);
        }
        if (exchange->listener->server->draining)
                header_add(response, "Connection", "close");
        cors_headers_add(response, exchange);
}

void exchange_note_answer(const struct exchange *exchange) {
        const struct call *call = &exchange->call;
        const duration took = clock_monotonic() - call->arrived;
        char request_id[UUID_TEXT_SIZE];

        request_times_observe(call, took);
        uuid_format(&call->request_id, request_id);
        log_event(LOG_LEVEL_INFO, "request", LOG_TEXT, "request_id", request_id, LOG_TEXT, "trace_id", call->trace_id,
                LOG_TEXT, "method", exchange->method, LOG_TEXT, "route", call->route ? call->route->path : NULL,
                LOG_INTEGER, "status", (int64_t) call->reply.status, LOG_MILLISECONDS, "duration_ms", took, LOG_TEXT,
                "sub", call->claims ? call->claims->subject : NULL, LOG_TEXT, "location", call_location(call), LOG_END);
}

/* A reply that the client of a GET already has becomes 304 (RFC 9110, section 13.1.2: weak comparison). */
static void answer_not_modified(struct call *call, struct quota *quota) {
        const char *tag = call->reply.etag;
        const bool applies = call->route && call->route->method == METHOD_GET && call->reply.status == 200 && tag;

        if (applies && call->if_none_match &&
                (call->if_none_match_any || strstr(call->if_none_match, text_starts_with(tag, "W/") ? tag + 2 : tag)))
                call->reply.status = 304;
        if (call->reply.status == 304 && quota && call->claims)
                quota_give_back(quota, call->claims->subject, clock_monotonic());
}

/* Send the status line of a 304, so that the reply has no Content-Length. RFC 9110, section 8.6, allows the length of
 * the 200, but old parsers, wrk's among them, then wait for a body. libmicrohttpd 0.9.75 writes the field into every
 * 304 (MHD_RF_HEAD_ONLY_RESPONSE came later) and into no 204: the status line of its 204 becomes the value of a field
 * here. False: the socket is full, because the client does not read its replies. */
static bool not_modified_begin(const struct peer *peer) {
        static const char begin[] = "HTTP/1.1 304 Not Modified\r\nX-Empty-Reply: ";

        return send(peer->socket, begin, strlen(begin), MSG_DONTWAIT | MSG_MORE | MSG_NOSIGNAL) ==
               (ssize_t) strlen(begin);
}

/* The body lives in the call's arena, which outlives the response: it is cleared when the request has completed. */
static struct MHD_Response *response_for(const struct reply *reply) {
        if (reply->status == MHD_HTTP_NOT_MODIFIED || !reply->body_size)
                return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        return MHD_create_response_from_buffer(
                reply->body_size, (void *) (uintptr_t) reply->body, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer_queue(struct exchange *exchange) {
        struct call *call = &exchange->call;
        struct MHD_Response *response;
        enum MHD_Result queued = MHD_NO;

        intake_answered(exchange->listener->intake, call);
        answer_not_modified(call, exchange->listener->intake->quota);
        response = response_for(&call->reply);
        if (!response)
                return MHD_NO;
        exchange_headers_add(response, exchange);
        if (call->reply.status != MHD_HTTP_NOT_MODIFIED)
                queued = MHD_queue_response(exchange->connection, call->reply.status, response);
        else if (not_modified_begin(peer_of(exchange->connection)))
                queued = MHD_queue_response(exchange->connection, MHD_HTTP_NO_CONTENT, response);
        MHD_destroy_response(response);
        exchange->stage = STAGE_SENT;
        peer_enter(exchange->listener->server, peer_of(exchange->connection), PHASE_SEND);
        exchange_note_answer(exchange);
        return queued;
}

/* A browser sends a preflight request first (WHATWG Fetch, section 3.2). */
static void preflight_answer(struct exchange *exchange, struct MHD_Response *response) {
        cors_headers_add(response, exchange);
        header_add(response, "Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
        header_add(response, "Access-Control-Allow-Headers",
                "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, traceparent");
        header_add(response, "Access-Control-Max-Age", "600");
}

static enum MHD_Result preflight_queue(struct exchange *exchange) {
        struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        enum MHD_Result queued;

        if (!response)
                return MHD_NO;
        preflight_answer(exchange, response);
        queued = MHD_queue_response(exchange->connection, MHD_HTTP_NO_CONTENT, response);
        MHD_destroy_response(response);
        exchange->stage = STAGE_SENT;
        peer_enter(exchange->listener->server, peer_of(exchange->connection), PHASE_SEND);
        return queued;
}

/* Known methods only, so that a client cannot write arbitrary text into the log. */
static const char *method_known(const char *method) {
        static const char *const known[] = { "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT" };

        for (size_t i = 0; i < array_size(known); i++)
                if (text_equal(method, known[i]))
                        return known[i];
        return "other";
}

static enum MHD_Result step_head(struct exchange *exchange, const char *method, const char *version) {
        struct request_head head;
        int64_t announced;

        head_read(exchange, method, version, &head);
        exchange->origin = head.origin;
        exchange->method = method_known(method);
        exchange->stage = STAGE_BODY;
        if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0 && origin_is_allowed(exchange->listener->server, head.origin))
                return preflight_queue(exchange);
        exchange->refused = !intake_head(exchange->listener->intake, &head, &exchange->call);
        exchange->call.arrived = clock_monotonic();
        announced = intake_announced(&head);
        /* Doubtful framing, a body too large even to be dropped, or a body that waits for 100 Continue: answer now;
         * libmicrohttpd then closes the connection. Any other client sends its body first and reads the answer
         * afterwards. */
        if (exchange->refused &&
                (announced > (int64_t) BODY_DISCARDED_MAX || head.malformed || head.transfer_encoding || head.expect))
                return answer_queue(exchange);
        if (announced > 0)
                exchange->body_capacity = (size_t) announced;
        return MHD_YES;
}

static void refuse_body(struct exchange *exchange, enum problem problem, const char *detail) {
        exchange->refused = true;
        call_refuse(&exchange->call, problem, "%s", detail);
        reply_problem(&exchange->call);
}

/* Every client may send a body up to its limit, but not all of them at once. */
static char *body_alloc(struct exchange *exchange, size_t capacity) {
        struct server *server = exchange->listener->server;
        char *body = NULL;

        if (server->bodies_size + capacity <= BODIES_SIZE_MAX)
                body = arena_alloc(&exchange->call.arena, capacity);
        if (!body)
                return NULL;
        server->bodies_size += capacity;
        exchange->body_held += capacity;
        return body;
}

static bool body_room(struct exchange *exchange, size_t size) {
        const size_t needed = exchange->body_size + size;
        size_t capacity = exchange->body ? exchange->body_capacity : 0;
        char *body;

        if (needed <= capacity)
                return true;
        capacity = exchange->body ? 2 * capacity : exchange->body_capacity;
        if (capacity < needed)
                capacity = needed;
        body = body_alloc(exchange, capacity);
        if (!body)
                return false;
        if (exchange->body_size)
                memcpy(body, exchange->body, exchange->body_size);
        exchange->body = body;
        exchange->body_capacity = capacity;
        return true;
}

static enum MHD_Result step_body(struct exchange *exchange, const char *upload, size_t *upload_size) {
        const size_t size = *upload_size;

        *upload_size = 0;
        if (exchange->refused) {
                exchange->discarded += size;
                return exchange->discarded <= BODY_DISCARDED_MAX ? MHD_YES : MHD_NO;
        }
        if (exchange->body_size + size > BODY_SIZE_MAX)
                refuse_body(exchange, PROBLEM_CONTENT_TOO_LARGE, "A body may have 1 MiB at most.");
        else if (!body_room(exchange, size))
                refuse_body(exchange, PROBLEM_OVERLOADED, "Too many request bodies are arriving; send it again later.");
        if (exchange->refused)
                return MHD_YES;
        memcpy(exchange->body + exchange->body_size, upload, size);
        exchange->body_size += size;
        return MHD_YES;
}

static enum MHD_Result lane_enter(struct exchange *exchange) {
        exchange->stage = STAGE_LANE;
        peer_enter(exchange->listener->server, peer_of(exchange->connection), PHASE_RUN);
        /* Suspended first: from now on, call and exchange belong to the worker. */
        MHD_suspend_connection(exchange->connection);
        waiting_begin(exchange);
        return MHD_YES;
}

static enum MHD_Result exchange_step_run(struct exchange *exchange) {
        struct call *call = &exchange->call;

        if (exchange->refused || !intake_body(call, exchange->body ? exchange->body : "", exchange->body_size))
                return answer_queue(exchange);
        if (call->route->download)
                return download_enter(exchange);
        if (!call->route->answer)
                return lane_enter(exchange);
        call->route->answer(call);
        return answer_queue(exchange);
}

void exchange_resume(struct exchange *exchange, enum stage stage) {
        exchange->stage = stage;
        MHD_resume_connection(exchange->connection);
}

enum MHD_Result exchange_step(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **exchange_place) {
        struct exchange *exchange = *exchange_place;

        (void) context;
        (void) connection;
        (void) url;
        if (!exchange)
                return MHD_NO;
        switch (exchange->stage) {
        case STAGE_HEAD:
                return step_head(exchange, method, version);
        case STAGE_BODY:
                return *upload_size ? step_body(exchange, upload, upload_size) : exchange_step_run(exchange);
        case STAGE_ANSWERED:
                return answer_queue(exchange);
        case STAGE_STREAM:
                return stream_queue(exchange);
        case STAGE_GONE:
                return MHD_NO;
        default:
                return MHD_YES;
        }
}

void exchange_free(struct exchange *exchange) {
        exchange->listener->server->bodies_size -= exchange->body_held;
        exchange->listener->server->n_streams -= exchange->stream && !exchange->call.route->download;
        exchange->stream = stream_free(exchange->stream);
        call_clear(&exchange->call);
        free(exchange->target);
        free(exchange);
}

void exchange_end(
        void *context, struct MHD_Connection *connection, void **exchange_place, enum MHD_RequestTerminationCode why) {
        struct listener *listener = context;
        struct exchange *exchange = *exchange_place;
        struct peer *peer = peer_of(connection);

        (void) why;
        if (!exchange)
                return;
        if (peer)
                peer_enter(listener->server, peer, PHASE_IDLE);
        *exchange_place = NULL;
        if (waiting_end(exchange))
                exchange_free(exchange);
}
