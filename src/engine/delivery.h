/*
 * engine/delivery: POST requests to servers of others, many at once, by libcurl's multi interface.
 *
 * Addresses are judged at connect: libcurl hands over the very address that it opens a socket to
 * (CURLOPT_OPENSOCKETFUNCTION), so a name that resolves to another address in between gains nothing. Public addresses
 * are open by https on the ports 443 and 8443; further ones only inside `allowed` networks, there with any port and by
 * http as well. No redirect is followed, no proxy is used, and certificates are verified. Every wait and every read has
 * a limit.
 *
 * A sender belongs to one thread, which runs its transfers by `sender_turn`. Only `sender_wake` is for any thread.
 */
#pragma once

#include "base/clock.h"
#include "base/network.h"

#include <stdatomic.h>

#define SEND_TIME_MAX         (15 * SECOND)
#define SEND_CONNECT_TIME_MAX (5 * SECOND)
#define SEND_ANSWER_MAX       ((size_t) 64 * 1024) /* bytes that are read of an answer */
#define SEND_ANSWER_KEPT      ((size_t) 1024)
#define SENDS_MAX             256 /* at once */
#define SEND_HEADERS_MAX      8
#define SEND_RETRY_AFTER_MAX  (1 * HOUR)
#define URL_SIZE_MAX          2048

/* ---- addresses ---- */

/* Judge a URL without resolving it. NULL: it may be used. Else static text that completes "The URL ...". */
enum url_fault {
        URL_FINE,
        URL_MALFORMED,
        URL_REFUSED, /* it plainly names an address, port or scheme that is not allowed */
};
must_check enum url_fault delivery_url_check(const char *url, const struct networks *allowed, const char **ret_reason);

/* Whether a connection to a socket address may be opened, with or without TLS. Pure. */
struct sockaddr;
bool delivery_address_allowed(const struct sockaddr *address, bool encrypted, const struct networks *allowed);

/* ---- sending ---- */

/* The outcome of a request. */
struct sent {
        void *context;
        unsigned status;      /* 0: there was no answer */
        const char *reason;   /* static text: why there was none; NULL: there was one */
        duration took;        /* from sending on */
        duration retry_after; /* that the server asks for, SEND_RETRY_AFTER_MAX at most; 0: none */
        const char *answer;   /* the first bytes of its body; not text, not terminated */
        size_t answer_size;
};

struct sender;

/* `allowed` must stay. NULL without memory, or when libcurl cannot be initialised. */
must_check struct sender *sender_new(const struct networks *allowed);

/* The requests under way are dropped (sender_drop tells of them). NULL is fine. Returns NULL. */
struct sender *sender_free(struct sender *sender);

/* Begin to send; the body and the headers are copied. False: SENDS_MAX are under way, or there is no memory. */
must_check bool sender_send(struct sender *sender, const char *url, const char *const *headers, size_t n_headers,
        const char *body, size_t body_size, void *context);

/* Drop all requests that are under way; `dropped` gets the context of each. */
void sender_drop(struct sender *sender, void (*dropped)(void *context));

/* How many are under way. */
size_t sender_busy(const struct sender *sender);

/* Wait for answers, `wait` at most, and hand each over. */
void sender_turn(
        struct sender *sender, duration wait, void (*answered)(void *context, const struct sent *sent), void *context);

/* End the wait of the present or the next turn. Any thread. */
void sender_wake(struct sender *sender);
