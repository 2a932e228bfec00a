/*
 * base/problem: every way a request can be refused, listed once.
 *
 * The list gives the enum, the HTTP status, the slug that clients switch on (the `code` of an RFC 9457 problem) and
 * its title. 0 is success everywhere. Faults are failures between the program and the database. They never reach a
 * client by that name: the lanes retry them or publish them as one of the problems (`problem_published`).
 */
#pragma once

#include "base/arena.h"

#include <stdint.h>

/* Sorted by status, then slug. */
#define PROBLEMS(X)                                                                                                    \
        X(IDEMPOTENCY_KEY_INVALID, 400, "idempotency-key-invalid", "The Idempotency-Key is not valid")                 \
        X(IDEMPOTENCY_KEY_MISSING, 400, "idempotency-key-missing", "This request needs an Idempotency-Key")            \
        X(INVALID_CURSOR, 400, "invalid-cursor", "The cursor does not belong to this list")                            \
        X(INVALID_PARAMETER, 400, "invalid-parameter", "A path or query parameter is not valid")                       \
        X(MALFORMED_JSON, 400, "malformed-json", "The body is not valid JSON")                                         \
        X(MALFORMED_REQUEST, 400, "malformed-request", "The request is not valid HTTP")                                \
        X(UNKNOWN_PARAMETER, 400, "unknown-parameter", "Unknown query parameter")                                      \
        X(UNAUTHENTICATED, 401, "unauthenticated", "A valid bearer token is required")                                 \
        X(CHANNEL_NOT_ALLOWED, 403, "channel-not-allowed", "The token is bound to another channel")                    \
        X(INSUFFICIENT_SCOPE, 403, "insufficient-scope", "The token lacks the scope for this route")                   \
        X(STORE_NOT_ALLOWED, 403, "store-not-allowed", "The token does not cover this location")                       \
        X(NOT_FOUND, 404, "not-found", "Resource unknown or not accessible")                                           \
        X(METHOD_NOT_ALLOWED, 405, "method-not-allowed", "This resource does not support the method")                  \
        X(REQUEST_TIMEOUT, 408, "request-timeout", "The request did not arrive in time")                               \
        X(DUPLICATE_EXTERNAL_REF, 409, "duplicate-external-ref", "This external_ref is already used")                  \
        X(IDEMPOTENCY_IN_PROGRESS, 409, "idempotency-in-progress", "A request with this Idempotency-Key is running")   \
        X(INSUFFICIENT_STOCK, 409, "insufficient-stock", "Not enough stock")                                           \
        X(INVALID_TRANSITION, 409, "invalid-transition", "The current state does not allow this action")               \
        X(OVER_CAPTURE, 409, "over-capture", "The capture exceeds the authorized amount")                              \
        X(OVER_PAYMENT, 409, "over-payment", "The payment exceeds the amount due")                                     \
        X(OVER_PICK, 409, "over-pick", "More units than remain to be picked")                                          \
        X(OVER_REFUND, 409, "over-refund", "The refund exceeds the refundable amount")                                 \
        X(OVER_RETURN, 409, "over-return", "The return exceeds the returnable units")                                  \
        X(RESERVATION_EXPIRED, 409, "reservation-expired", "The reservation has expired or was released")              \
        X(SLOT_FULL, 409, "slot-full", "The pickup slot is full")                                                      \
        X(STALE_CURSOR, 409, "stale-cursor", "Another process has moved the cursor")                                   \
        X(CURSOR_EXPIRED, 410, "cursor-expired", "Events after the cursor are no longer kept")                         \
        X(PRECONDITION_FAILED, 412, "precondition-failed", "The resource has changed since this version")              \
        X(CONTENT_TOO_LARGE, 413, "content-too-large", "The request body is too large")                                \
        X(URI_TOO_LONG, 414, "uri-too-long", "The request target is longer than 8 KiB")                                \
        X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported-media-type", "The body must be application/json")                  \
        X(EVENT_ID_REUSED, 422, "event-id-reused", "This event_id belongs to a different event")                       \
        X(HANDOVER_PROOF_INVALID, 422, "handover-proof-invalid", "The proof of identity does not match")               \
        X(IDEMPOTENCY_KEY_REUSED, 422, "idempotency-key-reused",                                                       \
                "This Idempotency-Key belongs to a different request")                                                 \
        X(RETURN_REFUSED, 422, "return-refused", "The return policy does not allow this return")                       \
        X(TOO_MANY, 422, "too-many", "The document has reached its limit")                                             \
        X(URL_NOT_ALLOWED, 422, "url-not-allowed", "The URL is not allowed")                                           \
        X(VALIDATION_FAILED, 422, "validation-failed", "The request contains invalid values")                          \
        X(HANDOVER_LOCKED, 429, "handover-locked", "Code entry is locked after wrong codes")                           \
        X(QUOTA_EXCEEDED, 429, "quota-exceeded", "Too many requests")                                                  \
        X(HEADERS_TOO_LARGE, 431, "headers-too-large", "The request headers are larger than 16 KiB")                   \
        X(INTERNAL, 500, "internal", "The service failed")                                                             \
        X(DATABASE_UNAVAILABLE, 503, "database-unavailable", "The database cannot be reached")                         \
        X(OVERLOADED, 503, "overloaded", "The service is busy or shutting down")                                       \
        X(TIMEOUT, 504, "timeout", "The request did not finish in time")

/* The codes in `errors[]`, each with its fault. Sorted. The OpenAPI document lists the same codes. */
#define VIOLATIONS(X)                                                                                                  \
        X("address-missing", "The order has no address to ship to")                                                    \
        X("already-packed", "A parcel of the order is packed")                                                         \
        X("already-picked", "The units are picked")                                                                    \
        X("check-digit", "The check digit of the GTIN does not fit")                                                   \
        X("closed", "The location is not open for long enough in a year")                                              \
        X("condition-not-accepted", "The return policy does not accept this condition")                                \
        X("conflict", "Another member of the request excludes this one")                                               \
        X("currency-mismatch", "The amount is not in the currency of the order")                                       \
        X("either-or", "Exactly one of two members is needed")                                                         \
        X("foreign-item", "The fulfillment has no such item")                                                          \
        X("insufficient-stock", "Fewer units are available than requested")                                            \
        X("malformed", "The value does not have the form of its kind")                                                 \
        X("mismatch", "The amount differs from the recorded one")                                                      \
        X("not-allowed", "The value is none of the allowed ones")                                                      \
        X("not-cancellable", "Fewer units can still be cancelled")                                                     \
        X("not-capable", "The location does not offer this method")                                                    \
        X("not-changeable", "It is too late for this change")                                                          \
        X("not-picked", "Fewer units are picked and still in the location")                                            \
        X("not-published", "The channel does not sell the product")                                                    \
        X("not-returnable", "The product cannot be returned")                                                          \
        X("not-set-aside", "The units are not set aside in the return")                                                \
        X("nothing-to-collect", "No part of the order is to be collected")                                             \
        X("nul-not-allowed", "The text contains U+0000")                                                               \
        X("one-of", "Exactly one of several members is needed")                                                        \
        X("out-of-range", "The value is outside its limits")                                                           \
        X("outside-return-window", "The time for returning the product is over")                                       \
        X("over-capture", "The provider tells of more than the payment can have")                                      \
        X("over-payment", "More than the order owes")                                                                  \
        X("over-pick", "Fewer units remain to be picked")                                                              \
        X("over-refund", "Less can be refunded")                                                                       \
        X("over-return", "Fewer units can be returned")                                                                \
        X("overlap", "Opening hours or closures overlap with earlier ones")                                            \
        X("price-missing", "Neither the request nor the catalogue has a price")                                        \
        X("repeated", "The list has the value before")                                                                 \
        X("required", "The member is missing")                                                                         \
        X("slot-full", "The pickup slot has no place left")                                                            \
        X("store-not-allowed", "The token does not cover this location")                                               \
        X("too-few", "The list has too few elements")                                                                  \
        X("too-large", "The object is larger than allowed")                                                            \
        X("too-long", "The text has too many characters")                                                              \
        X("too-many", "The list has too many elements, or the document no room for more")                              \
        X("too-short", "The text has too few characters")                                                              \
        X("too-soon", "The time is before the earliest possible one")                                                  \
        X("unknown-channel", "There is no such channel")                                                               \
        X("unknown-event", "The endpoint has had no attempt of the event")                                             \
        X("unknown-line", "The order has no such line")                                                                \
        X("unknown-location", "There is no such location")                                                             \
        X("unknown-member", "The object has no member of this name")                                                   \
        X("unknown-product", "There is no such product")                                                               \
        X("unknown-refund", "The order has no such refund")                                                            \
        X("unknown-reservation", "There is no such reservation")                                                       \
        X("unknown-return", "The order has no such return")                                                            \
        X("unknown-sku", "There is no such product")                                                                   \
        X("unknown-slot", "The location has no such pickup slot")                                                      \
        X("unknown-time-zone", "The IANA database has no such time zone")                                              \
        X("wrong-type", "The value has another JSON type")

/* How a trip to the database can fail, by remedy; `db/fault.c` has the SQLSTATEs. */
#define FAULTS(X)                                                                                                      \
        X(BROKEN, "a statement failed for an unexpected reason")                                                       \
        X(BUSY, "the database is out of time, memory, disk or connections")                                            \
        X(CONFLICT, "a serialization failure or a deadlock: run again")                                                \
        X(LOST, "the connection is lost: the outcome of the trip is unknown")                                          \
        X(POISON, "a value or a CHECK was refused: one call of the batch is to blame")                                 \
        X(RIVAL, "a unique or foreign key was violated: a rival committed first")                                      \
        X(STUCK, "a row stayed locked for longer than the lock timeout")

enum problem {
        PROBLEM_NONE = 0,
#define X(name, status, slug, title) PROBLEM_##name,
        PROBLEMS(X)
#undef X
                PROBLEM_COUNT,
#define X(name, meaning) FAULT_##name,
        FAULTS(X)
#undef X
                FAULT_STALE, /* the choice made before the locks is no longer true: start the batch over */
};

/* HTTP status, slug and title of a problem; for a fault, those of the problem it is published as. */
unsigned problem_status(enum problem problem);
const char *problem_slug(enum problem problem);
const char *problem_title(enum problem problem);

/* The problem a client sees: itself, or for a fault DATABASE_UNAVAILABLE, OVERLOADED or INTERNAL. */
enum problem problem_published(enum problem problem);

/* One entry of `errors[]`: its place in the request and the reason. Text lives in the arena of the call. */
struct violation {
        const char *pointer; /* JSON Pointer as a URI fragment, "#/lines/0/quantity" */
        const char *code;    /* "insufficient-stock", "required", "out-of-range", ... */
        const char *detail;
        int64_t available; /* the largest amount or number that would be accepted; only when has_available */
        bool has_available;
        struct violation *next;
};

#define VIOLATIONS_MAX 100 /* more are counted, not listed */

/* The refusal of one request, with all members of its reply. `problem` 0: not refused. */
struct refusal {
        enum problem problem;
        const char *detail;         /* one sentence for a human, no internals; may be NULL */
        const char *current_status; /* the state that forbade a transition; may be NULL */
        const char *link;           /* path of the resource that is in the way; may be NULL */
        const char *scope;          /* the scope that is missing; may be NULL */
        const char *oldest_cursor;  /* from which a reader of events can go on; may be NULL */
        unsigned retry_after_s;     /* 0: no Retry-After */
        int64_t version;            /* current version for a 412; 0: none */
        struct violation *violations;
        struct violation *last_violation;
        size_t n_violations;
};

/* Refuse with a problem and a formatted sentence; an earlier refusal stays. Returns the problem now in force. */
enum problem refuse(struct refusal *refusal, struct arena *arena, enum problem problem, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Append an entry to `errors[]`. `pointer` is copied; `detail` is formatted. Returns it (NULL past the limit). */
struct violation *refuse_because(struct refusal *refusal, struct arena *arena, const char *pointer, const char *code,
        const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same for an amount or a number that is too large: the entry says how much is `available`. */
void refuse_beyond(struct refusal *refusal, struct arena *arena, const char *pointer, const char *code,
        int64_t available, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Both for the element of a list in the request, "#/lines/3", or for a member of it, "#/lines/3/quantity". `list` is
 * the pointer of the list; `member` may be NULL. */
void violation_at(struct refusal *refusal, struct arena *arena, const char *list, size_t index, const char *member,
        const char *code, const char *format, ...) __attribute__((format(printf, 7, 8)));
void violation_beyond(struct refusal *refusal, struct arena *arena, const char *list, size_t index, const char *member,
        const char *code, int64_t available, const char *format, ...) __attribute__((format(printf, 8, 9)));
