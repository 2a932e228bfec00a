#include "engine/reply.h"

#include <inttypes.h>

#define IANA_TYPE_BASE     "https://iana.org/assignments/http-problem-types#"
#define RETRY_AFTER_S      1
#define SPACE_FOR_PROBLEMS ((size_t) 1024 * 1024) /* the listed violations, each of the largest size */

void reply_begin(struct reply_writer *writer, struct call *call, unsigned status) {
        writer->call = call;
        call->reply.status = status;
        buffer_init(&writer->buffer, &call->arena, REPLY_SIZE_MAX);
        writer_init(&writer->json, &writer->buffer);
        write_object_begin(&writer->json);
}

void reply_end(struct reply_writer *writer) {
        struct reply *reply = &writer->call->reply;

        write_object_end(&writer->json);
        if (writer->buffer.failed) {
                reply_plain_problem(writer->call, PROBLEM_CONTENT_TOO_LARGE);
                return;
        }
        reply->body = buffer_text(&writer->buffer);
        reply->body_size = writer->buffer.size;
}

void reply_etag(struct call *call, int64_t version) {
        call->reply.etag = arena_format(&call->arena, "\"%" PRId64 "\"", version);
}

void reply_etag_of_view(struct call *call, int64_t version, uint64_t view) {
        if (view)
                call->reply.etag = arena_format(&call->arena, "\"%" PRId64 "-%" PRIx64 "\"", version, view);
        else
                reply_etag(call, version);
}

static void write_violation(struct writer *json, const struct violation *violation) {
        write_object_begin(json);
        write_text_member(json, "pointer", violation->pointer);
        write_text_member(json, "code", violation->code);
        write_text_member(json, "detail", violation->detail);
        if (violation->has_available)
                write_integer_member(json, "available", violation->available);
        write_object_end(json);
}

/* The policy's name in the RateLimit headers (draft-ietf-httpapi-ratelimit-headers). */
static void write_violated_policy(struct writer *json) {
        write_name(json, "violated-policies");
        write_list_begin(json);
        write_text(json, "client");
        write_list_end(json);
}

static void write_what(struct writer *json, const struct refusal *refusal, enum problem problem) {
        write_name(json, "type");
        buffer_append_format(json->buffer, "\"%s%s\"",
                problem == PROBLEM_QUOTA_EXCEEDED ? IANA_TYPE_BASE : PROBLEM_TYPE_BASE, problem_slug(problem));
        json->comma = true;
        write_text_member(json, "title", problem_title(problem));
        write_integer_member(json, "status", problem_status(problem));
        write_text_member(json, "code", problem_slug(problem));
        if (refusal->detail)
                write_text_member(json, "detail", refusal->detail);
        if (refusal->current_status)
                write_text_member(json, "current_status", refusal->current_status);
        if (refusal->link)
                write_text_member(json, "existing", refusal->link);
        if (refusal->oldest_cursor)
                write_text_member(json, "oldest_cursor", refusal->oldest_cursor);
}

static void write_errors(struct writer *json, const struct refusal *refusal) {
        if (!refusal->violations)
                return;
        write_name(json, "errors");
        write_list_begin(json);
        for (const struct violation *v = refusal->violations; v; v = v->next)
                write_violation(json, v);
        write_list_end(json);
}

static void write_problem(struct writer *json, const struct call *call, enum problem problem) {
        write_what(json, &call->refusal, problem);
        if (!uuid_is_nil(&call->request_id)) {
                char id[UUID_TEXT_SIZE];

                uuid_format(&call->request_id, id);
                write_name(json, "instance");
                buffer_append_format(json->buffer, "\"urn:uuid:%s\"", id);
                json->comma = true;
        }
        if (*call->trace_id)
                write_text_member(json, "trace_id", call->trace_id);
        if (problem == PROBLEM_QUOTA_EXCEEDED)
                write_violated_policy(json);
        write_errors(json, &call->refusal);
}

void reply_write_problem(struct writer *json, const struct refusal *refusal) {
        write_object_begin(json);
        write_what(json, refusal, problem_published(refusal->problem));
        write_errors(json, refusal);
        write_object_end(json);
}

static unsigned retry_after_s(enum problem problem, const struct refusal *refusal) {
        if (refusal->retry_after_s)
                return refusal->retry_after_s;
        if (problem_status(problem) == 503 || problem == PROBLEM_IDEMPOTENCY_IN_PROGRESS)
                return RETRY_AFTER_S;
        return 0;
}

static const char *www_authenticate(struct call *call, enum problem problem) {
        if (problem == PROBLEM_UNAUTHENTICATED)
                return call->refusal.scope ? "Bearer" : "Bearer error=\"invalid_token\"";
        if (problem == PROBLEM_INSUFFICIENT_SCOPE)
                return arena_format(&call->arena, "Bearer error=\"insufficient_scope\", scope=\"%s\"",
                        call->refusal.scope ? call->refusal.scope : "");
        return NULL;
}

void reply_problem(struct call *call) {
        const enum problem problem = problem_published(call->refusal.problem);
        const char *allow = call->reply.allow;
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, &call->arena, SPACE_FOR_PROBLEMS);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_problem(&json, call, problem);
        write_object_end(&json);
        call->reply = (struct reply){
                .status = problem_status(problem),
                .body = buffer.failed ? "" : buffer_text(&buffer),
                .body_size = buffer.failed ? 0 : buffer.size,
                .location = NULL,
                .allow = allow,
                .retry_after_s = retry_after_s(problem, &call->refusal),
                .www_authenticate = www_authenticate(call, problem),
        };
        if (call->refusal.link)
                call->reply.link = arena_format(&call->arena, "<%s>; rel=\"related\"", call->refusal.link);
        if (call->refusal.version)
                reply_etag(call, call->refusal.version);
}

void reply_plain_problem(struct call *call, enum problem problem) {
        call->refusal = (struct refusal){ .problem = problem };
        reply_problem(call);
}
