/*
 * engine/call: one request on its way through the service, and the functions by which a room serves it.
 *
 * A call is plain data: no socket, no library. The loop fills it, a lane's worker runs it, the loop sends its reply;
 * at every moment exactly one of them owns it. Jobs and the importer make calls too, so that each change has
 * one code path. Everything a call points to lives in its arena.
 *
 * A room serves a route by an `operation` on a batch of calls of that route.
 *
 * A read:
 *   look (of some) answers or parks the calls that a single statement can settle, before there is a transaction
 *   load     queues statements; may trip in between
 *   decide   answers or refuses each call in arrival order
 *
 * A write:
 *   load       queues statements that lock documents, then stock, and read their parts; may trip in between
 *   prepare    (of some) puts the loaded rows in order, once for the batch
 *   documents  keeps the memory that the call may change, in case it is refused
 *   change     is pure: it grants one call and writes its reply, or refuses it
 *   refused    (of hand-overs) makes the change that a refusal has to write, on documents that are as before the call
 *   save       queues the statements that write the documents
 *
 * The engine runs documents and change for each call in arrival order, so that each sees the changes of those before.
 * A call that is refused has no effect: the engine puts its documents back. Transaction, idempotency, clock, events,
 * retries and splitting are the batch's (engine/batch.h).
 */
#pragma once

#include "auth/claims.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/problem.h"
#include "base/shape.h"
#include "base/uuid.h"
#include "base/writer.h"

#define CALL_MEMORY_MAX     ((size_t) 16 * 1024 * 1024) /* of one call: body, parsed body, reply */
#define CALL_TIME_MAX       (10 * SECOND)               /* of calls that no client sent: a job's */
#define REPLY_SIZE_MAX      ((size_t) 8 * 1024 * 1024)
#define KEY_SIZE            16
#define TRACE_ID_SIZE       33
#define PATH_PARAMETERS_MAX 3  /* of one path; a unit test compares all routes */
#define PAGE_LIMIT          50 /* rows of a list, unless the client says otherwise */
#define PAGE_LIMIT_MAX      200
#define WAIT_MAX_S          30 /* of Prefer: wait= */

#define IF_MATCH_ABSENT     INT64_C(0)
#define IF_MATCH_ANY        INT64_C(-1) /* "*": any version */
#define IF_MATCH_NEVER      INT64_C(-2) /* no tag is one of this service */
#define IF_MATCH_TAGS       INT64_C(1)  /* one of those in if_match_tags */

#define IF_MATCH_TAGS_MAX   8 /* further ones are not looked at */

#define READ_NOT_BEGUN      INT64_C(-1)

enum method { METHOD_DELETE, METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_OTHER };

enum lane_name {
        LANE_WRITE,   /* stock holders: reservations, orders, fulfillments */
        LANE_READ,    /* short look-ups by key */
        LANE_CATALOG, /* catalogue and stock figures: may be large, must not delay a sale */
        LANE_LIST,    /* lists and searches: the planner decides, may be slow */
        LANE_COUNT,
};

struct batch;
struct call;
struct database; /* db/connection.h */
struct download; /* engine/downloads.h */
struct events;
struct snapshot;

struct operation {
        enum problem (*look)(
                struct batch *batch); /* of a read, may be NULL: settle calls by one statement, outside a transaction */
        enum problem (*load)(struct batch *batch);
        enum problem (*decide)(struct batch *batch);
        enum problem (*prepare)(struct batch *batch); /* of a write, may be NULL; a fault ends the batch */

        /* Of a write: keep every struct and list that `change` may write to. */
        void (*documents)(const struct batch *batch, const struct call *call, struct snapshot *snapshot);

        /* Of a write: a fault ends the batch; any other problem is in the call's refusal, too. */
        enum problem (*change)(struct batch *batch, struct call *call);
        void (*refused)(struct batch *batch, struct call *call); /* of a write, may be NULL */
        enum problem (*save)(struct batch *batch); /* NULL: a read, which runs in a read-only transaction */
};

enum key_rule {
        KEY_UNUSED,   /* reads, questions that change nothing */
        KEY_OPTIONAL, /* a random one is used when the client names none */
        KEY_REQUIRED,
};

struct route {
        enum method method;
        const char *path; /* "/v1/orders/{id}/cancel": {id} and {..._id} are UUIDs, all other names are codes */
        enum scope scope;
        enum lane_name lane;
        unsigned batch; /* calls of one transaction at most */
        enum key_rule key;
        const struct shape *body;  /* NULL: takes none */
        const struct shape *query; /* NULL: takes no query parameters */
        const struct operation *operation;
        const void *kind; /* of an operation that serves several kinds of documents: the room's description of one */
        void (*check)(struct call *call);                 /* on the loop, may refuse: checks that need no database */
        const char *(*location)(const struct call *call); /* where it takes stock; NULL: the path tells */
        void (*answer)(struct call *call); /* on the loop, instead of an operation: answers without the database */
        size_t (*weigh)(const struct call *call); /* how many lines of work it is; NULL: one */
        enum scope also;                          /* another scope that opens it; SCOPE_NONE: no other */
        const char *(*topic)(struct call *call);  /* on the loop: the topic that its calls may wait for
                                                     (events/topics.h), in their arena; NULL: none */
        /* On a separate thread: writes a reply too long for memory, part by part (engine/downloads.h), and sets
         * reply.status first. A refusal after the first part cuts the reply. */
        void (*download)(struct call *call, struct database *database, struct download *download);
        bool stream;  /* a stream: each time the topic changes, decide writes the next part of the reply */
        bool waits;   /* Prefer: wait= holds without If-None-Match: the query names the client's version */
        bool link;    /* the customer's link opens it as well */
        bool open;    /* needs no token */
        bool may_lag; /* may read from a replica: never a queue, an order or a reservation */
        bool seals;   /* its replies show a secret: their records are sealed (engine/idempotency.h) */
};

/* Bytes that several replies send. The owner of a call owns its reference; one thread at a time. */
struct shared_text {
        size_t references, size;
        char bytes[];
};

struct reply {
        unsigned status;            /* 0: not answered yet */
        struct shared_text *shared; /* the memory of `body`; NULL: the call's arena */
        const char *body;           /* NULL: none; not sent with a 304 */
        size_t body_size;
        const char *content_type; /* NULL: application/json, or application/problem+json from 400 on */
        const char *location;
        const char *etag;
        const char *link;          /* Link header */
        const char *events_cursor; /* Holdfast-Cursor header */
        const char *allow;
        const char *www_authenticate;
        const char *cache_control;    /* NULL: no-store */
        const char *content_encoding; /* of the body as it is; NULL: none */
        const char *content_security_policy;
        const char *vary;
        unsigned retry_after_s;
        bool replayed;
};

/* A parameter of the path: an id or a code. */
struct path_parameter {
        struct uuid id;
        const char *code; /* NULL: it is an id */
};

/* The parameters of the path in their order. The router has parsed each as its kind. */
struct call_path {
        struct path_parameter at[PATH_PARAMETERS_MAX];
        size_t n;
};

/* The wait of a call without news; decide sets it by call_park. */
struct park {
        const char *key; /* calls with equal keys, read up to the same position, get equal replies; NULL: it does not
                            wait */
        timestamp until; /* clock_monotonic: it asks again then in any case */
};

struct call {
        struct arena arena;
        const struct route *route;
        struct call_path path;
        const struct token_claims *claims;
        const void *body;                         /* the struct of route->body */
        const void *query;                        /* the struct of route->query */
        const char *target;                       /* raw, as received, without host: for links and cursors */
        int64_t if_match;                         /* IF_MATCH_... */
        int64_t if_match_tags[IF_MATCH_TAGS_MAX]; /* versions; 0 behind the last */
        bool if_none_match_any;                   /* If-None-Match: * */
        const char *if_none_match;
        const char *last_event_id; /* may be NULL */

        unsigned wait_s; /* Prefer: wait=, WAIT_MAX_S at most; 0: not asked for */
        bool may_wait;   /* answer only after a change */
        struct park park;
        struct {
                struct download *thread;
                bool last, cut; /* no part follows; the reply is not complete */
        } download;             /* of a route with `download` */
        int64_t read_up_to;     /* of a call that reads a log: its last position, over all attempts; READ_NOT_BEGUN */

        bool by_link; /* the token is a customer's link, not verified yet; the claims have no subject */
        uint8_t link[DIGEST_SIZE];
        const char *wrong_link_subject; /* the subject that an invalid link counts for; NULL: it is no link, or none
                                           counts */

        bool has_key;
        uint8_t key[KEY_SIZE];            /* digest of subject, method, path and Idempotency-Key */
        uint8_t fingerprint[DIGEST_SIZE]; /* digest of the request */
        const char *seal;                 /* the key that seals the record of its reply; NULL: it is not sealed */

        struct uuid request_id;
        char trace_id[TRACE_ID_SIZE];
        bool is_sampled;    /* the client says that it records the trace */
        timestamp arrived;  /* clock_monotonic */
        timestamp queued;   /* the same; when it entered its lane */
        timestamp deadline; /* clock_monotonic */

        const char *rate_limit, *rate_limit_policy; /* headers of the answer; NULL: none */

        struct arena_mark kept; /* where the memory of an attempt begins */
        struct refusal refusal;
        struct reply reply;
        void *work;        /* the room's, between load and save; reset by each attempt */
        struct call *next; /* in a queue */
};

struct batch {
        struct database *database;
        struct arena *arena; /* cleared after the batch is answered */
        struct call **calls; /* in arrival order; decide and save see only those not answered by a record */
        size_t n_calls;
        timestamp now;         /* the database's clock, read after the locks */
        timestamp deadline;    /* clock_monotonic; for trips made by load */
        struct events *events; /* of its calls; the engine makes and saves them. NULL: a read */
        void *work;            /* the room's, made by look or load */
};

/* Send the statements that a load has queued and read all answers (db/connection.h). */
must_check enum problem batch_trip(struct batch *batch);

/* "DELETE", "GET", "POST", "PUT"; "" for others. */
const char *method_text(enum method method);

/* The parameter of the path at this place, from 0 on. NULL: the path has none there, or one of the other kind. */
const struct uuid *call_id(const struct call *call, size_t place);
const char *call_code(const struct call *call, size_t place);

/* Put the document of a job's call where a client's call has it: in the path. */
void call_set_id(struct call *call, const struct uuid *id);

/* Equal for calls of one location as far as the call names it: by location, else by the first parameter of its path,
 * else random. Call it after the body is read. */
unsigned call_shard(const struct call *call);

/* The code of its location as far as the call names it, else NULL. */
const char *call_location(const struct call *call);

/* Start a call with an empty arena and no answer. */
void call_init(struct call *call, const struct route *route);
void call_clear(struct call *call);

/* Before the first attempt: the current content of the arena stays for all attempts. */
void call_keep(struct call *call);

/* Forget an attempt that was rolled back: its answer, and all memory allocated since call_keep. */
void call_reset(struct call *call);

/* Whether the bearer may act at the location; refuses with STORE_NOT_ALLOWED when not. */
bool call_may_act_at(struct call *call, const char *location);

/* Whether the bearer may act for the channel; refuses with CHANNEL_NOT_ALLOWED when not. */
bool call_may_act_for(struct call *call, const char *channel);

/* Checks of routes, on the loop: the same for the location or the channel in the path. */
void call_check_location(struct call *call);
void call_check_channel(struct call *call);

bool call_has_scope(const struct call *call, enum scope scope);

/* Leave the call unanswered: it waits for its topic, `span` at most, then it asks again. The key must live as long as
 * the call. */
void call_park(struct call *call, const char *key, duration span);

/* A text with one reference, uninitialised; NULL without memory. */
must_check struct shared_text *shared_text_new(size_t size);
struct shared_text *shared_text_take(struct shared_text *shared); /* one reference more */
void shared_text_drop(struct shared_text *shared);                /* one less; NULL is fine */

/* Copy the reply of a call with the same key; they share its body. False without memory. */
must_check bool call_share_reply(struct call *from, struct call *call);

/* Refuse the call. Shorthand for refuse(&call->refusal, &call->arena, ...). */
#define call_refuse(call, problem, ...) refuse(&(call)->refusal, &(call)->arena, (problem), __VA_ARGS__)

/* Refuse with NOT_FOUND and name the missing resource. */
void call_refuse_unknown(struct call *call, const char *what, const char *code);

/* Whether If-None-Match names this version, or any ("*"). */
bool call_names_version(const struct call *call, int64_t version);

/* Compare If-Match with the current version; refuses with PRECONDITION_FAILED. */
bool call_version_matches(struct call *call, int64_t version);

/* Compare the preconditions of a PUT, If-Match and If-None-Match, with the current version; 0: the resource does not
 * exist. Refuses with PRECONDITION_FAILED. */
bool call_may_put(struct call *call, int64_t version);
