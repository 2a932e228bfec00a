/*
 * http/server_internal: what the files of the server share. Nobody else includes libmicrohttpd.
 *
 * A `peer` is one connection; it stands on exactly one list, that of its phase, in the order in which the phase's
 * time runs out. An `exchange` is one request on it. Both belong to the loop thread, except that the call inside an
 * exchange belongs to its lane while the peer is suspended.
 */
#pragma once

#include "http/server.h"

#include <microhttpd.h>

enum phase {
        PHASE_NEW,     /* accepted; no request line yet */
        PHASE_RECEIVE, /* head and body come in */
        PHASE_RUN,     /* suspended; the call is in its lane */
        PHASE_SEND,    /* the reply goes out */
        PHASE_IDLE,    /* waits for the next request */
        PHASE_COUNT,
};

struct peer {
        int socket;
        enum phase phase;
        timestamp until; /* clock_monotonic; PHASE_RUN has no limit here: the call's deadline is kept by its lane */
        bool told;       /* that its time is up */
        struct peer *before, *after;
};

struct peer_list {
        struct peer *first, *last;
};

struct listener {
        struct server *server;
        struct MHD_Daemon *daemon;
        struct intake *intake;
        int epoll;
        int socket; /* after quiesce: ours to close */
};

struct server {
        struct server_settings settings;
        struct lanes *lanes;
        struct listener listeners[2];
        size_t n_listeners;
        struct peer_list peers[PHASE_COUNT];
        size_t n_peers;
        uint64_t n_accepted; /* ever */
        struct answered *answered;
        int epoll, wake, timer, signals;
        unsigned port;
        bool draining; /* atomic: SIGTERM has come */
        bool quiesced; /* nobody new is accepted */
        timestamp drain_since, quiesced_at;
};

/* server_peers: phases and their deadlines. */
void peer_notify(void *context, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode what);
struct peer *peer_of(struct MHD_Connection *connection);
void peer_enter(struct server *server, struct peer *peer, enum phase phase);
/* Shut down the sockets whose phase has run out of time; all idle ones while draining. */
void peers_expire(struct server *server, timestamp now);

/* server_exchange: one request from its first byte to its last. */
void *exchange_begin(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **exchange);
void exchange_end(
        void *context, struct MHD_Connection *connection, void **exchange, enum MHD_RequestTerminationCode why);
/* Resume the connection of an answered call. */
void exchange_resume(struct call *call);
