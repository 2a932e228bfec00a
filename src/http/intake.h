/*
 * http/intake: from a request's head and body to a call that may run.
 *
 * All refusals that need no database happen here: framing, route, token, scope, headers, body, shape. Knows no socket,
 * so a test drives it without one. Owned by the loop thread.
 */
#pragma once

#include "auth/gate.h"
#include "http/forwarded.h"
#include "http/quota.h"
#include "http/router.h"

#define BODY_SIZE_MAX    ((size_t) 1024 * 1024)
#define HEADERS_SIZE_MAX ((size_t) 16 * 1024)

/* The head of a request as received; NULL for a missing header. */
struct request_head {
        const char *method;
        const char *target;
        const char *authorization;
        const char *content_type;
        const char *idempotency_key;
        const char *if_match;
        const char *if_none_match;
        const char *last_event_id;
        const char *prefer;
        const char *traceparent;
        const char *content_length;
        const char *transfer_encoding;
        const char *origin;
        const char *expect;
        struct address peer; /* the other end of the connection */
        struct forwarded_lines forwarded, x_forwarded_for;
        size_t size;    /* of all header fields as sent */
        bool malformed; /* a header that may occur once is repeated, a name is no token, or there is a NUL */
        bool lacks_host;
};

struct intake {
        struct router router;
        struct token_gate *gate;           /* NULL: all routes are open (the admin listener, the importer) */
        const struct token_claims *claims; /* without a gate: the claims of all calls; NULL: none */
        struct quota *quota;               /* NULL: no limit */
        struct networks trusted;           /* proxies whose headers may name the client's address */
};

/* Take the head into a fresh call. False: the call is answered already, with a problem. */
must_check bool intake_head(struct intake *intake, const struct request_head *head, struct call *call);

/* Call it when an answer is sent: an invalid link counts for the client's address. */
void intake_answered(struct intake *intake, const struct call *call);

/* Take the whole body (size 0: none). False: the call is answered already. True: it can go to its lane, or to
 * route->answer. */
must_check bool intake_body(struct call *call, const char *body, size_t size);

/* Bytes of body the head announces; -1 for a chunked body of unknown size. */
int64_t intake_announced(const struct request_head *head);
