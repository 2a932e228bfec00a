/*
 * auth/key_source: the key set in force, kept up to date.
 *
 * A secret never changes. A JWKS file or URL is read at the start, then by the thread of the source: at the latest
 * TOKEN_SOURCE_INTERVAL after the last reading, sooner after a failure, and on request. A changed file is read at once.
 * After a failure the last good set stays in force; a change between good and bad is logged once. A document equal to
 * the last one keeps its generation.
 *
 * A URL is fetched by http or https only, redirects are not followed, time and size are bounded.
 * All functions but start and stop may be called from any thread and never wait for a file or the network.
 */
#pragma once

#include "auth/keys.h"
#include "base/clock.h"
#include "base/problem.h"

#define TOKEN_SOURCE_INTERVAL         (60 * SECOND)
#define TOKEN_SOURCE_RETRY_INTERVAL   (10 * SECOND) /* after a failure */
#define TOKEN_SOURCE_CHECK_INTERVAL   (1 * SECOND)  /* how often a file is looked at for a change */
#define TOKEN_SOURCE_UNKNOWN_INTERVAL (60 * SECOND) /* unknown keys cause a reading at most this often */

/* Exactly one of secret, jwks_file and jwks_url is set; the text must outlive the source. */
struct token_source_settings {
        const char *secret; /* of HS256: development mode */
        const char *jwks_file;
        const char *jwks_url;
        duration check_interval; /* 0: TOKEN_SOURCE_CHECK_INTERVAL */
};

struct token_source;

/* Read the keys for the first time and start the thread. A short secret, none or two settings, or no thread is an
 * error, for the caller to report: VALIDATION_FAILED or INTERNAL with *ret_reason. An unreadable document is no error:
 * the source starts without keys and tries again (see token_source_ready). May take TOKEN_FETCH_TIMEOUT. */
must_check enum problem token_source_start(
        const struct token_source_settings *settings, struct token_source **ret_source, const char **ret_reason);

/* Stop the thread and free the source; a fetch under way is broken off. Returns NULL. */
struct token_source *token_source_stop(struct token_source *source);
DEFINE_CLEANUP(struct token_source, token_source_cleanup, token_source_stop)

/* The set in force, never NULL; the caller gives the reference back (token_keys_unref). */
struct token_keys *token_source_keys(struct token_source *source);

/* Whether there are any keys: part of readiness. */
bool token_source_ready(struct token_source *source);

/* Request a reading now: for SIGHUP. */
void token_source_refresh(struct token_source *source);

/* A token named a key that is not in the set: request a reading, unless an unknown key caused one within the last
 * TOKEN_SOURCE_UNKNOWN_INTERVAL before `now` (monotonic). True when a reading was requested. */
bool token_source_unknown_key(struct token_source *source, timestamp now);

/* Readings since the start, the first one included. */
struct token_source_counts {
        uint64_t readings; /* finished, good or bad */
        uint64_t failures;
};
struct token_source_counts token_source_counts(struct token_source *source);

/* Wait until so many readings are finished; false when `deadline` (monotonic) comes first. Not for the loop. */
must_check bool token_source_wait(struct token_source *source, uint64_t readings, timestamp deadline);
