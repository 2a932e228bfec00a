/*
 * base/config: every setting, listed once.
 *
 * Settings come from the environment (HOLDFAST_...); a secret may come from a file instead (HOLDFAST_X_FILE). The table
 * gives name, default and help; docs/configuration.md and `holdfast config` are printed from it. Read once at start,
 * immutable after that, so any thread may look.
 */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_kind {
        SETTING_TEXT,
        SETTING_ADDRESS, /* text_split_address takes it */
        SETTING_SECRET,  /* never shown; _FILE is allowed */
        SETTING_INTEGER,
        SETTING_BOOLEAN,  /* 1 or 0 */
        SETTING_DURATION, /* ISO 8601; value and range are in microseconds */
        SETTING_SWITCH,   /* on or off; the value is 1 or 0 */
        SETTING_NETWORKS, /* text that networks_parse takes */
        SETTING_CURRENCY, /* an active ISO 4217 currency */
        SETTING_DOMAIN,   /* labels of a reverse domain name, such as com.example; a dot at the end is allowed */
};

/* Name, environment variable, kind, default ("" for none), smallest and largest number, help. Sorted by variable. */
#define SETTINGS(X)                                                                                                    \
        X(ADMIN_LISTEN, "HOLDFAST_ADMIN_LISTEN", ADDRESS, "127.0.0.1:8081", 0, 0,                                      \
                "address:port of /livez, /readyz and /metrics; empty: on the API port")                                \
        X(CALL_TIMEOUT, "HOLDFAST_CALL_TIMEOUT", DURATION, "PT10S", SECOND, 10 * MINUTE,                               \
                "time limit from the last byte of a request to its reply; then 504")                                   \
        X(CORS_ORIGINS, "HOLDFAST_CORS_ORIGINS", TEXT, "", 0, 0, "allowed origins of browsers, comma separated")       \
        X(CURRENCY, "HOLDFAST_CURRENCY", CURRENCY, "", 0, 0,                                                           \
                "ISO 4217 currency of this market, for imported prices that name none; none is assumed")               \
        X(DATABASE_READ_URL, "HOLDFAST_DATABASE_READ_URL", SECRET, "", 0, 0,                                           \
                "connection string for reads that may lag; empty: the primary")                                        \
        X(DATABASE_URL, "HOLDFAST_DATABASE_URL", SECRET, "", 0, 0,                                                     \
                "libpq connection string of the primary; several hosts are allowed")                                   \
        X(DOCS, "HOLDFAST_DOCS", SWITCH, "on", 0, 0, "on or off: serve a page to read and try the API at /docs")       \
        X(DRAIN_GRACE, "HOLDFAST_DRAIN_GRACE", DURATION, "PT2S", 0, 20 * SECOND,                                       \
                "time after SIGTERM in which the service accepts connections while /readyz answers 503")               \
        X(EVENT_TYPE_PREFIX, "HOLDFAST_EVENT_TYPE_PREFIX", DOMAIN, "", 0, 0,                                           \
                "reverse domain name before the types of events, as in com.example.order.created")                     \
        X(JWT_AUDIENCE, "HOLDFAST_JWT_AUDIENCE", TEXT, "", 0, 0, "audience that a token must name")                    \
        X(JWT_DEV_ALLOW_REMOTE, "HOLDFAST_JWT_DEV_ALLOW_REMOTE", BOOLEAN, "0", 0, 1,                                   \
                "1: development tokens (HS256) are accepted on an address that is not loopback")                       \
        X(JWT_ISSUER, "HOLDFAST_JWT_ISSUER", TEXT, "", 0, 0, "issuer that a token must name")                          \
        X(JWT_JWKS_FILE, "HOLDFAST_JWT_JWKS_FILE", TEXT, "", 0, 0,                                                     \
                "public keys of the identity provider, from a file")                                                   \
        X(JWT_JWKS_URL, "HOLDFAST_JWT_JWKS_URL", TEXT, "", 0, 0, "public keys of the identity provider, from a URL")   \
        X(JWT_SECRET, "HOLDFAST_JWT_SECRET", SECRET, "", 0, 0, "HS256 secret for development mode, 32 bytes or more")  \
        X(LANE_QUEUE, "HOLDFAST_LANE_QUEUE", INTEGER, "8192", 16, 65536,                                               \
                "requests that may wait in a lane, divided among its workers; further ones get 503")                   \
        X(LISTEN, "HOLDFAST_LISTEN", ADDRESS, "127.0.0.1:8080", 0, 0, "address:port of the API")                       \
        X(LOG_LEVEL, "HOLDFAST_LOG_LEVEL", TEXT, "info", 0, 0, "debug, info, warning or error")                        \
        X(PICKUP_SECRET, "HOLDFAST_PICKUP_SECRET", SECRET, "", 0, 0, "derives pickup codes, 32 bytes or more")         \
        X(PICKUP_SECRET_PREVIOUS, "HOLDFAST_PICKUP_SECRET_PREVIOUS", SECRET, "", 0, 0,                                 \
                "the secret before: its pickup codes stay valid")                                                      \
        X(RATE_LIMIT, "HOLDFAST_RATE_LIMIT", INTEGER, "0", 0, 1000000,                                                 \
                "requests a minute and instance for each subject, or address without a valid token; 0: no limit")      \
        X(READ_WORKERS, "HOLDFAST_READ_WORKERS", INTEGER, "1", 1, 16, "connections that serve short reads")            \
        X(RELAY_AUTHORIZATION, "HOLDFAST_RELAY_AUTHORIZATION", SECRET, "", 0, 0,                                       \
                "Authorization header of the requests of holdfast relay")                                              \
        X(REQUEST_TIMEOUT, "HOLDFAST_REQUEST_TIMEOUT", DURATION, "PT10S", SECOND, HOUR,                                \
                "time limit to receive a request, and to send its reply; a slower peer is cut off")                    \
        X(RESOURCING, "HOLDFAST_RESOURCING", SWITCH, "on", 0, 0,                                                       \
                "on or off: another location takes over missing units, else they are cancelled; a channel may say "    \
                "otherwise")                                                                                           \
        X(RESOURCING_RADIUS_KM, "HOLDFAST_RESOURCING_RADIUS_KM", INTEGER, "50", 0, 20000,                              \
                "largest distance of a location that takes over pickup or curbside; 0: no limit. "                     \
                "A location without a position is too far away, unless both have none. A channel may say otherwise")   \
        X(RETENTION_EVENTS, "HOLDFAST_RETENTION_EVENTS", DURATION, "", 7 * DAY, 36500 * DAY,                           \
                "holdfast prune removes older events, except those of open orders; empty: kept")                       \
        X(RETENTION_EVENT_LOG, "HOLDFAST_RETENTION_EVENT_LOG", DURATION, "P30D", 4 * DAY, 3650 * DAY,                  \
                "time for which a reader may follow the log of events; a job drops older partitions")                  \
        X(RETENTION_IDEMPOTENCY, "HOLDFAST_RETENTION_IDEMPOTENCY", DURATION, "P1D", DAY, 30 * DAY,                     \
                "time for which a repeated Idempotency-Key gets the stored reply")                                     \
        X(RETENTION_NOTIFICATIONS, "HOLDFAST_RETENTION_NOTIFICATIONS", DURATION, "P90D", 4 * DAY, 3650 * DAY,          \
                "time for which the history of messages to customers is kept; a job removes older ones")               \
        X(RETENTION_PERSONAL_DATA, "HOLDFAST_RETENTION_PERSONAL_DATA", DURATION, "", 7 * DAY, 36500 * DAY,             \
                "holdfast prune erases the customer from closed orders unchanged for longer; empty: kept")             \
        X(RETENTION_RESERVATIONS, "HOLDFAST_RETENTION_RESERVATIONS", DURATION, "", DAY, 36500 * DAY,                   \
                "holdfast prune removes reservations that ended longer ago; empty: kept")                              \
        X(SCHEMA, "HOLDFAST_SCHEMA", TEXT, "holdfast", 0, 0, "PostgreSQL schema of this market")                       \
        X(SMTP_CA, "HOLDFAST_SMTP_CA", TEXT, "", 0, 0,                                                                 \
                "file of certificates, as PEM, that the mail server's is checked with; empty: those of the system")    \
        X(SMTP_TIMEOUT, "HOLDFAST_SMTP_TIMEOUT", DURATION, "PT30S", SECOND, 90 * SECOND,                               \
                "time limit to send one e-mail; then it is tried again")                                               \
        X(SMTP_TLS, "HOLDFAST_SMTP_TLS", TEXT, "auto", 0, 0,                                                           \
                "STARTTLS with an smtp:// server: auto (if offered, always with a password), required, or off")        \
        X(SMTP_URL, "HOLDFAST_SMTP_URL", SECRET, "", 0, 0,                                                             \
                "mail server for messages to customers: smtp://host:port or smtps://user:password@host; "              \
                "empty: no e-mails")                                                                                   \
        X(SWEEPER, "HOLDFAST_SWEEPER", BOOLEAN, "1", 0, 1,                                                             \
                "0: this instance runs no scheduled jobs, such as expiry; another one must")                           \
        X(TRUSTED_PROXIES, "HOLDFAST_TRUSTED_PROXIES", NETWORKS, "", 0, 0,                                             \
                "addresses and networks of proxies whose Forwarded headers the service believes, "                     \
                "comma separated")                                                                                     \
        X(UNPAID_TTL, "HOLDFAST_UNPAID_TTL", DURATION, "", SECOND, 366 * DAY,                                          \
                "an order with a pending payment is cancelled after this time; empty: never. A channel may say "       \
                "otherwise")                                                                                           \
        X(WEBHOOK_ALLOW_CIDRS, "HOLDFAST_WEBHOOK_ALLOW_CIDRS", NETWORKS, "", 0, 0,                                     \
                "private networks that webhooks may be sent to, with any port and by http too, comma separated")       \
        X(WEBHOOK_SEALING_KEY, "HOLDFAST_WEBHOOK_SEALING_KEY", SECRET, "", 0, 0,                                       \
                "seals the secrets of webhooks in the database, 32 bytes or more; empty: they are kept plain")         \
        X(WEBHOOK_SEALING_KEY_PREVIOUS, "HOLDFAST_WEBHOOK_SEALING_KEY_PREVIOUS", SECRET, "", 0, 0,                     \
                "the sealing key before: its secrets are sealed anew")                                                 \
        X(WRITE_WORKERS, "HOLDFAST_WRITE_WORKERS", INTEGER, "4", 1, 16,                                                \
                "connections that change stock; the others help if the first falls behind or meets a stuck row")

enum setting {
#define X(name, variable, kind, initial, minimum, maximum, help) CONFIG_##name,
        SETTINGS(X)
#undef X
                SETTING_COUNT,
};

/* Read the environment. False: `ret_reason` names the variable and its fault (static text). Unknown HOLDFAST_
 * variables are reported by config_unknown. */
must_check bool config_read(const char **ret_reason);

/* NULL when not set and without a default. */
const char *config_text(enum setting setting);
int64_t config_integer(enum setting setting); /* also booleans, switches, and durations in microseconds (0: not set) */

/* Unknown HOLDFAST_ variables, one after another; NULL at the end. */
const char *config_unknown(size_t i);

const char *setting_variable(enum setting setting);
const char *setting_help(enum setting setting);
const char *setting_default(enum setting setting);
enum setting_kind setting_kind(enum setting setting);
int64_t setting_minimum(enum setting setting);
int64_t setting_maximum(enum setting setting);
