/*
 * auth/verdict: every result of a token check, listed once.
 *
 * The verdict serves logs, metrics and the sentence of a 401; it never quotes the token.
 */
#pragma once

#include "base/problem.h"

/* Name, the problem for the client, and the reason. Sorted. */
#define TOKEN_VERDICTS(X)                                                                                              \
        X(BAD_SIGNATURE, UNAUTHENTICATED, "the signature of the token does not verify")                                \
        X(CLAIM_INVALID, UNAUTHENTICATED, "a claim of the token has the wrong type or an impossible value")            \
        X(CLAIM_MISSING, UNAUTHENTICATED, "the token lacks a required claim")                                          \
        X(EXPIRED, UNAUTHENTICATED, "the token has expired")                                                           \
        X(KEYS_UNAVAILABLE, OVERLOADED, "the keys of the identity provider have not been read yet")                    \
        X(MALFORMED, UNAUTHENTICATED, "the token is not a signed JSON Web Token as this service reads it")             \
        X(NOT_YET_VALID, UNAUTHENTICATED, "the token is not valid yet")                                                \
        X(OUT_OF_MEMORY, OVERLOADED, "there was no memory to check the token")                                         \
        X(TOO_LONG, UNAUTHENTICATED, "the token is longer than 8 KiB")                                                 \
        X(UNKNOWN_KEY, UNAUTHENTICATED, "the token names a key that is not known")                                     \
        X(WRONG_ALGORITHM, UNAUTHENTICATED, "the token does not use the algorithm of its key")                         \
        X(WRONG_AUDIENCE, UNAUTHENTICATED, "the token names another audience")                                         \
        X(WRONG_ISSUER, UNAUTHENTICATED, "the token comes from another issuer")                                        \
        X(WRONG_TYPE, UNAUTHENTICATED, "the token is not an access token")

enum token_verdict {
        TOKEN_OK = 0,
#define X(name, problem, text) TOKEN_##name,
        TOKEN_VERDICTS(X)
#undef X
                TOKEN_VERDICT_COUNT,
};

/* The problem a client sees, 0 for TOKEN_OK; and one sentence without capital and full stop, "" for TOKEN_OK. */
enum problem token_verdict_problem(enum token_verdict verdict);
const char *token_verdict_text(enum token_verdict verdict);
