#include "engine/idempotency.h"

#include "base/digest.h"
#include "base/seal.h"
#include "base/text.h"
#include "db/connection.h"
#include "engine/reply.h"
#include "sql/idempotency.h"

#include <endian.h>
#include <string.h>

#define KEY_LENGTH_MAX 255
#define BODIES_AT_ONCE ((size_t) 4 * 1024 * 1024) /* bytes after which the next record takes a new statement */
#define KEY_PARTS      4
#define SEAL_NAME      "reply"

enum standing {
        STANDING_FRESH,
        STANDING_RECORDED, /* a record answers it */
        STANDING_TWIN,     /* an earlier call of this batch has the same key */
        STANDING_LOCKED,   /* another session runs it */
};

struct record {
        uint8_t fingerprint[DIGEST_SIZE];
        struct reply reply;
};

struct claim {
        struct call *call;
        enum standing standing;
        struct record *record;
        struct call *first; /* of which this is the twin */
};

struct idempotency {
        struct arena *arena;
        struct claim *claims;
        size_t n;
};

static bool is_visible_ascii(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (text[i] < 0x21 || text[i] > 0x7e)
                        return false;
        return size >= 1 && size <= KEY_LENGTH_MAX;
}

bool idempotency_key_parse(const char *header, struct arena *arena, const char **ret_key) {
        size_t size = strlen(header);
        const char *key;

        if (size >= 2 && header[0] == '"' && header[size - 1] == '"') {
                header++;
                size -= 2;
        }
        if (!is_visible_ascii(header, size))
                return false;
        key = arena_text_sized(arena, header, size);
        if (!key)
                return false;
        *ret_key = key;
        return true;
}

/* Another digest of the same parts. Without memory the text is empty, and the record of the reply is not kept. */
static const char *seal_of(const struct digest_part *parts, size_t n, struct arena *arena) {
        struct digest_part all[KEY_PARTS + 1] = { digest_text(SEAL_NAME) };
        uint8_t digest[DIGEST_SIZE];
        char *text = arena_alloc(arena, 2 * DIGEST_SIZE);

        memcpy(all + 1, parts, n * sizeof(*parts));
        digest_parts(all, n + 1, digest);
        if (!text)
                return "";
        base64url_encode(digest, sizeof(digest), text);
        return text;
}

void idempotency_key_set(struct call *call, const char *path, const char *key) {
        uint8_t digest[DIGEST_SIZE];
        const struct uuid random = key ? (struct uuid){ 0 } : uuid_random();
        const struct digest_part parts[KEY_PARTS] = { digest_text(call->claims->subject),
                digest_text(method_text(call->route->method)), digest_text(path),
                key ? digest_text(key) : (struct digest_part){ random.bytes, sizeof(random.bytes) } };

        digest_parts(parts, array_size(parts), digest);
        memcpy(call->key, digest, KEY_SIZE);
        call->has_key = true;
        call->seal = call->route->seals ? seal_of(parts, array_size(parts), &call->arena) : NULL;
}

void idempotency_fingerprint_set(struct call *call, const char *target, const void *body, size_t body_size) {
        const struct digest_part parts[] = { digest_text(method_text(call->route->method)), digest_text(target),
                { body, body_size } };

        digest_parts(parts, array_size(parts), call->fingerprint);
}

static int64_t lock_number(const struct call *call) {
        uint64_t number;

        memcpy(&number, call->key, sizeof(number));
        return (int64_t) be64toh(number);
}

static enum problem locks_read(struct rows *rows, void *into) {
        struct idempotency *known = into;

        for (size_t i = 0; i < known->n && i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);

                if (!row_boolean(&row))
                        known->claims[i].standing = STANDING_LOCKED;
        }
        return PROBLEM_NONE;
}

static enum problem records_read(struct rows *rows, void *into) {
        struct idempotency *known = into;

        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const struct uuid id = row_uuid(&row);
                size_t size = 0;
                const void *fingerprint = row_bytes(&row, &size);
                struct record *record = arena_new(known->arena, struct record);

                if (!record || size != DIGEST_SIZE)
                        return FAULT_BROKEN;
                memcpy(record->fingerprint, fingerprint, DIGEST_SIZE);
                record->reply.status = (unsigned) row_integer(&row);
                record->reply.location = row_text(&row);
                record->reply.etag = row_text(&row);
                record->reply.body = row_text(&row);
                record->reply.replayed = true;
                for (size_t j = 0; j < known->n; j++)
                        if (memcmp(known->claims[j].call->key, id.bytes, KEY_SIZE) == 0)
                                known->claims[j].record = record;
        }
        return PROBLEM_NONE;
}

enum problem idempotency_load(struct batch *batch, struct idempotency **ret_known) {
        struct idempotency *known = arena_new(batch->arena, struct idempotency);
        struct parameters locks, finds;
        struct array *numbers, *ids;

        if (!known)
                return FAULT_BUSY;
        known->arena = batch->arena;
        known->n = batch->n_calls;
        known->claims = arena_new_array(batch->arena, struct claim, known->n);
        if (!known->claims)
                return FAULT_BUSY;
        parameters_init(&locks, batch->arena);
        parameters_init(&finds, batch->arena);
        numbers = parameter_integers(&locks);
        ids = parameter_uuids(&finds);
        for (size_t i = 0; i < known->n; i++) {
                known->claims[i].call = batch->calls[i];
                array_integer(numbers, lock_number(batch->calls[i]));
                array_bytes(ids, batch->calls[i]->key, KEY_SIZE);
        }
        database_ask(batch->database, &sql_idempotency_lock, &locks, locks_read, known);
        database_ask(batch->database, &sql_idempotency_find, &finds, records_read, known);
        *ret_known = known;
        return PROBLEM_NONE;
}

static void twins_find(struct idempotency *known) {
        for (size_t i = 0; i < known->n; i++)
                for (size_t j = 0; j < i && known->claims[i].standing == STANDING_FRESH; j++)
                        if (memcmp(known->claims[i].call->key, known->claims[j].call->key, KEY_SIZE) == 0) {
                                known->claims[i].standing = STANDING_TWIN;
                                known->claims[i].first = known->claims[j].call;
                        }
}

/* The body of the record in plain. False: the record is damaged, or there is no memory. */
static bool record_open(struct record *record, const struct call *call, struct arena *arena) {
        const uint8_t *body = NULL;
        size_t size = 0;

        if (!call->seal)
                return true;
        if (!seal_open(call->seal, SEAL_NAME, record->reply.body, arena, &body, &size))
                return false;
        record->reply.body = arena_text_sized(arena, (const char *) body, size);
        return record->reply.body != NULL;
}

/* A recorded reply is copied: its text belongs to the batch, the reply to the call. */
static void replay(struct call *call, const uint8_t *fingerprint, const struct reply *reply) {
        if (memcmp(call->fingerprint, fingerprint, DIGEST_SIZE) != 0) {
                call_refuse(call, PROBLEM_IDEMPOTENCY_KEY_REUSED,
                        "The key was first used with another body or query; a new request needs a new key.");
                reply_problem(call);
                return;
        }
        call->reply = *reply;
        call->reply.body = arena_text(&call->arena, reply->body ? reply->body : "");
        call->reply.body_size = call->reply.body ? strlen(call->reply.body) : 0;
        call->reply.location = reply->location ? arena_text(&call->arena, reply->location) : NULL;
        call->reply.etag = reply->etag ? arena_text(&call->arena, reply->etag) : NULL;
}

static void refuse_rival(struct call *call) {
        call_refuse(call, PROBLEM_IDEMPOTENCY_IN_PROGRESS, "The first request with this key has not finished yet.");
        reply_problem(call);
}

enum problem idempotency_settle(struct idempotency *known, struct batch *batch, bool retrying) {
        size_t n_fresh = 0;

        twins_find(known);
        for (size_t i = 0; i < known->n; i++) {
                struct claim *claim = &known->claims[i];

                if (claim->record)
                        claim->standing = STANDING_RECORDED;
                if (claim->standing == STANDING_LOCKED && retrying)
                        return FAULT_CONFLICT;
                if (claim->standing == STANDING_RECORDED && !record_open(claim->record, claim->call, known->arena))
                        return FAULT_BROKEN;
                if (claim->standing == STANDING_FRESH)
                        batch->calls[n_fresh++] = claim->call;
                else if (claim->standing == STANDING_RECORDED)
                        replay(claim->call, claim->record->fingerprint, &claim->record->reply);
                else if (claim->standing == STANDING_LOCKED)
                        refuse_rival(claim->call);
        }
        batch->n_calls = n_fresh;
        return PROBLEM_NONE;
}

/* Whether the reply may be repeated: effects and business decisions. Replies about authentication, overload or a
 * failure of the service are not kept. Neither are those about an invalid request or an old version (no part of the
 * fingerprint): the client may correct it and send it again under its key. */
static bool is_replayable(const struct call *call) {
        switch (call->reply.status) {
        case 404:
        case 409:
                return true;
        case 422:
                return call->refusal.problem != PROBLEM_VALIDATION_FAILED;
        default:
                return call->reply.status >= 200 && call->reply.status < 300;
        }
}

/* The body as its record keeps it. False without memory. */
static bool body_keep(const struct call *call, struct arena *arena, const char **ret_body, size_t *ret_size) {
        *ret_body = call->reply.body;
        *ret_size = call->reply.body_size;
        if (!call->seal)
                return true;
        *ret_body = seal_close(call->seal, SEAL_NAME, (const uint8_t *) call->reply.body, call->reply.body_size, arena);
        *ret_size = *ret_body ? strlen(*ret_body) : 0;
        return *ret_body != NULL;
}

/* Queue the records of the calls from `first` on, as many as one statement takes; where the next one begins. */
static size_t save_some(struct batch *batch, size_t first) {
        struct parameters p;
        struct array *ids, *fingerprints, *statuses, *locations, *etags, *bodies;
        size_t i;

        parameters_init(&p, batch->arena);
        ids = parameter_uuids(&p);
        fingerprints = parameter_byteas(&p);
        statuses = parameter_integers(&p);
        locations = parameter_texts(&p);
        etags = parameter_texts(&p);
        bodies = parameter_texts(&p);
        parameter_time(&p, batch->now);
        for (i = first; i < batch->n_calls && bodies->bytes.size < BODIES_AT_ONCE; i++) {
                const struct call *call = batch->calls[i];
                const char *body;
                size_t size;

                if (!is_replayable(call) || !body_keep(call, batch->arena, &body, &size))
                        continue;
                array_bytes(ids, call->key, KEY_SIZE);
                array_bytes(fingerprints, call->fingerprint, DIGEST_SIZE);
                array_integer(statuses, call->reply.status);
                array_text(locations, call->reply.location);
                array_text(etags, call->reply.etag);
                array_bytes(bodies, body, size);
        }
        if (ids->n)
                database_ask(batch->database, &sql_idempotency_save, &p, NULL, NULL);
        return i;
}

void idempotency_save(struct batch *batch) {
        for (size_t next = 0; next < batch->n_calls;)
                next = save_some(batch, next);
}

/* Whether the twin may get another reply: it may name another version. */
static bool decided_nothing(const struct call *first) {
        return first->refusal.problem == PROBLEM_IDEMPOTENCY_IN_PROGRESS ||
               first->refusal.problem == PROBLEM_PRECONDITION_FAILED;
}

void idempotency_finish(struct idempotency *known) {
        for (size_t i = 0; i < known->n; i++) {
                const struct claim *claim = &known->claims[i];

                if (claim->standing != STANDING_TWIN)
                        continue;
                if (decided_nothing(claim->first)) {
                        refuse_rival(claim->call);
                        continue;
                }
                replay(claim->call, claim->first->fingerprint, &claim->first->reply);
                claim->call->reply.replayed = !claim->call->refusal.problem && is_replayable(claim->first);
        }
}
