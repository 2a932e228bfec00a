/*
 * auth/issue: make HS256 tokens for development.
 *
 * For the `token` subcommand and for tests; the service itself never issues a token. The only file that knows libjwt,
 * which is good enough to sign and not to verify.
 */
#pragma once

#include "base/clock.h"
#include "base/problem.h"

#define TOKEN_TTL_S_MAX ((int64_t) 366 * 24 * 3600)

struct token_request {
        const char *secret; /* TOKEN_SECRET_SIZE_MIN bytes or more */
        const char *subject;
        const char *scope;    /* space separated; NULL or "": none */
        const char *channel;  /* NULL: any */
        const char *issuer;   /* NULL: no such claim */
        const char *audience; /* NULL: no such claim */
        bool has_locations;   /* false: no claim, so all locations */
        const char *const *locations;
        size_t n_locations;
        int64_t ttl_s;       /* seconds, 1 to TOKEN_TTL_S_MAX */
        timestamp issued_at; /* wall clock */
};

/* A signed token; the caller frees it. VALIDATION_FAILED when the secret is short, the subject empty or too long, the
 * time to live out of range or the token larger than TOKEN_SIZE_MAX; INTERNAL without memory. */
must_check enum problem token_issue(const struct token_request *request, char **ret_token);
