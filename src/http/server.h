/*
 * http/server: the loop: one thread that owns libmicrohttpd and all client connections.
 *
 * It runs an external epoll: libmicrohttpd's own epoll descriptor, an eventfd for answered calls, a timerfd for
 * deadlines and a signalfd. It never blocks: no query, no file, no name look-up. Answered calls come back from the
 * lanes through `server_answered`; only the loop resumes connections, so no resume can race.
 */
#pragma once

#include "engine/downloads.h"
#include "engine/lanes.h"
#include "http/intake.h"

#define CONNECTIONS_MAX 16384 /* both listeners together are bounded by the descriptor limit, too */
#define LISTEN_BACKLOG  4096
/* For the head of a request, 64 bytes more for each field, and the head of its reply. libmicrohttpd clears all of it
 * after each request, so every connection with at least one request keeps it: ten thousand idle connections must not
 * fill a machine. docs/http.md has the limits. */
#define CONNECTION_MEMORY ((size_t) 18 * 1024)
#define BODIES_SIZE_MAX   ((size_t) 64 * 1024 * 1024) /* of all requests that are not answered yet, together */
#define IDLE_TIME_MAX     (60 * SECOND)               /* between two requests of a connection */
#define DRAIN_FIRST_WORDS                                                                                              \
        (1 * SECOND)                 /* once no connection is accepted: for a new connection to send its request line */
#define DRAIN_TIME_MAX (25 * SECOND) /* after SIGTERM, in total */

struct server_listener {
        const char *address; /* "127.0.0.1:8080", "[::1]:8080"; NULL or "": none */
        struct intake intake;
};

struct server_settings {
        struct server_listener api, admin;
        const char *cors_origins; /* comma separated, or NULL */
        duration call_timeout;    /* from the last byte of a request to its reply */
        duration request_timeout; /* for the first request line; for head and body; for the reply */
        duration drain_grace;     /* after SIGTERM: still accepting, so that busy clients can leave */
        void (*on_hangup)(void);  /* SIGHUP; may be NULL, as those below */
        void (*on_drain)(void);   /* SIGTERM */
        void (*on_tick)(void);    /* ten times a second while the loop turns */
};

struct server;

/* Bind and start listening; nothing is served before server_run. False, with the reason logged, when an address cannot
 * be bound. */
must_check bool server_new(const struct server_settings *settings, struct server **ret_server);

/* The lanes of all calls; must be set before server_run and live until it returns. */
void server_set_lanes(struct server *server, struct lanes *lanes);

/* The threads of long replies; NULL once they have stopped. */
void server_set_downloads(struct server *server, struct downloads *downloads);

/* Serve until SIGTERM or SIGINT, then drain: calls in flight finish, idle connections are closed. These signals must be
 * blocked in every thread before any is started. */
void server_run(struct server *server);

/* Take back calls answered by a lane, linked by `next`. Any thread. `context` is the server. */
void server_answered(void *context, struct call *answered);

/* The topic (engine/notices.h) has changed: its waiting calls ask again. Any thread. `context` is the
 * server.
 */
void server_wake(void *context, const char *topic);

/* Connections and calls at this moment. Loop thread. */
size_t server_connections(const struct server *server);
size_t server_streams(const struct server *server);
size_t server_downloads(const struct server *server);
size_t server_waiting(const struct server *server); /* calls that wait for a topic, streams among them */

/* Whether SIGTERM has arrived: readiness ends then. Any thread. */
bool server_is_draining(const struct server *server);

/* The port the API listens on, which the system chose when the address named port 0. */
unsigned server_port(const struct server *server);

struct server *server_free(struct server *server);
