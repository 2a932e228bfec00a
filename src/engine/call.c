#include "engine/call.h"

#include "base/text.h"
#include "db/connection.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *method_text(enum method method) {
        static const char *const texts[] = { "DELETE", "GET", "POST", "PUT", "" };

        return texts[method];
}

void call_init(struct call *call, const struct route *route) {
        *call = (struct call){ .route = route, .read_up_to = READ_NOT_BEGUN };
        arena_init(&call->arena, CALL_MEMORY_MAX);
}

enum problem batch_trip(struct batch *batch) {
        return database_trip(batch->database, batch->deadline);
}

static const struct path_parameter *path_parameter_at(const struct call *call, size_t place) {
        return place < call->path.n ? &call->path.at[place] : NULL;
}

const struct uuid *call_id(const struct call *call, size_t place) {
        const struct path_parameter *parameter = path_parameter_at(call, place);

        return parameter && !parameter->code ? &parameter->id : NULL;
}

const char *call_code(const struct call *call, size_t place) {
        const struct path_parameter *parameter = path_parameter_at(call, place);

        return parameter ? parameter->code : NULL;
}

void call_set_id(struct call *call, const struct uuid *id) {
        call->path = (struct call_path){ .at[0].id = *id, .n = 1 };
}

unsigned call_shard(const struct call *call) {
        const struct uuid *id = call_id(call, 0);
        const char *code = call->route->location ? call->route->location(call) : call_code(call, 0);

        if (code)
                return uuid_place_of(code);
        return uuid_place(id ? id : &call->request_id);
}

const char *call_location(const struct call *call) {
        static const char of_location[] = "/v1/locations/{code}";

        if (!call->route)
                return NULL;
        if (call->route->location && call->body)
                return call->route->location(call);
        return text_starts_with(call->route->path, of_location) ? call_code(call, 0) : NULL;
}

void call_clear(struct call *call) {
        shared_text_drop(call->reply.shared);
        arena_clear(&call->arena);
}

void call_keep(struct call *call) {
        call->kept = arena_mark(&call->arena);
}

void call_reset(struct call *call) {
        shared_text_drop(call->reply.shared);
        call->refusal = (struct refusal){ 0 };
        call->reply = (struct reply){ 0 };
        call->park = (struct park){ 0 };
        call->work = NULL;
        arena_rewind(&call->arena, call->kept);
}

void call_park(struct call *call, const char *key, duration span) {
        call->park = (struct park){ .key = key, .until = clock_monotonic() + span };
}

struct shared_text *shared_text_new(size_t size) {
        struct shared_text *shared = malloc(sizeof(*shared) + size);

        if (shared)
                *shared = (struct shared_text){ .references = 1, .size = size };
        return shared;
}

struct shared_text *shared_text_take(struct shared_text *shared) {
        shared->references++;
        return shared;
}

void shared_text_drop(struct shared_text *shared) {
        if (shared && !--shared->references)
                free(shared);
}

bool call_may_act_at(struct call *call, const char *location) {
        if (token_allows_location(call->claims, location))
                return true;
        call_refuse(call, PROBLEM_STORE_NOT_ALLOWED, "The token does not cover location %s.", location);
        return false;
}

bool call_may_act_for(struct call *call, const char *channel) {
        if (!call->claims->channel || text_equal(call->claims->channel, channel))
                return true;
        call_refuse(call, PROBLEM_CHANNEL_NOT_ALLOWED, "The token is bound to channel %s.", call->claims->channel);
        return false;
}

void call_check_location(struct call *call) {
        (void) call_may_act_at(call, call_code(call, 0));
}

void call_check_channel(struct call *call) {
        (void) call_may_act_for(call, call_code(call, 0));
}

bool call_has_scope(const struct call *call, enum scope scope) {
        return scope_granted(call->claims->scopes, scope);
}

void call_refuse_unknown(struct call *call, const char *what, const char *code) {
        call_refuse(call, PROBLEM_NOT_FOUND, "There is no %s %s.", what, code);
}

bool call_names_version(const struct call *call, int64_t version) {
        char tag[24];

        if (!call->if_none_match)
                return false;
        (void) snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", version);
        return call->if_none_match_any || strstr(call->if_none_match, tag);
}

static bool names_for_change(const struct call *call, int64_t version) {
        for (size_t i = 0; i < IF_MATCH_TAGS_MAX; i++)
                if (call->if_match_tags[i] == version)
                        return true;
        return false;
}

bool call_version_matches(struct call *call, int64_t version) {
        if (call->if_match == IF_MATCH_ABSENT || call->if_match == IF_MATCH_ANY || names_for_change(call, version))
                return true;
        call_refuse(call, PROBLEM_PRECONDITION_FAILED,
                "If-Match does not name the current version, which is %" PRId64 ".", version);
        call->refusal.version = version;
        return false;
}

bool call_may_put(struct call *call, int64_t version) {
        if (version && call_names_version(call, version)) {
                call_refuse(call, PROBLEM_PRECONDITION_FAILED, "If-None-Match is \"*\", but the resource exists.");
                call->refusal.version = version;
                return false;
        }
        if (version || call->if_match == IF_MATCH_ABSENT)
                return call_version_matches(call, version);
        call_refuse(call, PROBLEM_PRECONDITION_FAILED, "If-Match names a version, but there is no such resource yet.");
        return false;
}

static bool body_share(struct call *call) {
        struct reply *reply = &call->reply;

        if (reply->shared || !reply->body)
                return true;
        reply->shared = shared_text_new(reply->body_size);
        if (!reply->shared)
                return false;
        memcpy(reply->shared->bytes, reply->body, reply->body_size);
        reply->body = reply->shared->bytes;
        return true;
}

bool call_share_reply(struct call *from, struct call *call) {
        if (!body_share(from))
                return false;
        call->reply = from->reply;
        if (from->reply.etag)
                call->reply.etag = arena_text(&call->arena, from->reply.etag);
        if (from->reply.link)
                call->reply.link = arena_text(&call->arena, from->reply.link);
        if (from->reply.shared)
                call->reply.shared = shared_text_take(from->reply.shared);
        return true;
}
