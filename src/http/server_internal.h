/*
 * http/server_internal: shared structures of the server's files. No other file includes libmicrohttpd.
 *
 * A `peer` is one connection; it is on exactly one list, that of its phase, ordered by the end of the phase's time. An
 * `exchange` is one request on it. Both belong to the loop thread, except that the call inside an exchange belongs to
 * its lane while the peer is suspended.
 */
#pragma once

#include "engine/parking.h"
#include "http/server.h"

#include <microhttpd.h>

#define STREAM_PARTS_MAX 64   /* unread parts of a slow client; then its stream ends */
#define STREAM_BLOCK     4096 /* bytes handed to the library at a time */

enum phase {
        PHASE_NEW,     /* accepted; no request line yet */
        PHASE_RECEIVE, /* head and body arrive */
        PHASE_RUN,     /* suspended; the call is in its lane */
        PHASE_SEND,    /* the reply goes out */
        PHASE_IDLE,    /* waits for the next request */
        PHASE_COUNT,
};

struct peer {
        int socket;
        enum phase phase;
        timestamp until; /* clock_monotonic; PHASE_RUN has no limit here: the call's deadline is kept by its lane */
        bool told;       /* its time is up, and the library has been asked to close it */
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
        int socket; /* after quiesce: to be closed by the loop */
};

struct server {
        struct server_settings settings;
        struct lanes *lanes;
        struct downloads *downloads; /* NULL: they have stopped */
        struct parking *parking;
        struct listener listeners[2];
        size_t n_listeners;
        struct peer_list peers[PHASE_COUNT];
        size_t n_peers;
        size_t n_streams;
        uint64_t n_accepted; /* ever */
        size_t bodies_size;  /* memory that bodies hold */
        struct answered *answered;
        struct told *told;
        int epoll, wake, timer, signals, hangups;
        unsigned port;
        bool draining; /* atomic: SIGTERM has come */
        bool quiesced; /* no new connection is accepted */
        timestamp drain_since, quiesced_at;
};

/* server_peers: phases and their deadlines. */
void peer_notify(void *context, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode what);
struct peer *peer_of(struct MHD_Connection *connection);
void peer_enter(struct server *server, struct peer *peer, enum phase phase);
/* Shut down the sockets whose phase has run out of time; all idle ones while draining. */
void peers_expire(struct server *server, timestamp now);

enum stage {
        STAGE_HEAD,
        STAGE_BODY,
        STAGE_LANE,     /* asks its lane, or waits for a change */
        STAGE_ANSWERED, /* the reply is ready to be queued */
        STAGE_STREAM,   /* the first part of a stream is ready, or HEAD asks for its head alone */
        STAGE_SENT,
        STAGE_GONE, /* the client has left while its call waited */
};

/* A reply without an end. Parts wait here until the socket takes them. */
struct stream {
        struct shared_text *parts[STREAM_PARTS_MAX];
        size_t n_parts, sent; /* bytes of the first part that are out */
        bool dry;             /* suspended until there is something to send */
        bool ended;           /* no part follows the waiting ones */
        bool cut;             /* of a download that is not complete: the connection ends instead of the reply */
        timestamp heartbeat_at, end_at;
};

struct exchange {
        struct call call; /* first, so that a call leads back to its exchange */
        struct listener *listener;
        struct MHD_Connection *connection; /* NULL: it ended while the call was in its lane */
        enum stage stage;
        char *target;
        const char *method; /* as in the log */
        bool target_is_cut; /* by a NUL: libmicrohttpd ends the target where the version begins, and only there */
        const char *origin;
        char *body;
        size_t body_size, body_capacity, discarded;
        size_t body_held; /* of the server's bodies_size; more than the capacity when the body has grown */
        bool refused;     /* the answer is known; the rest of the body is dropped */

        struct spot spot;       /* where the call waits */
        timestamp wait_until;   /* clock_monotonic: past it, it is answered with the state it finds */
        bool asking;            /* the call is in its lane, or follows one that is */
        bool behind;            /* of a stream: its last question was not answered */
        bool hangup_is_watched; /* while it is parked the loop watches its socket */
        struct stream *stream;  /* NULL: an ordinary reply */
};

/* server_exchange: one request from its first byte to its last. */
void *exchange_begin(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **exchange);
void exchange_end(
        void *context, struct MHD_Connection *connection, void **exchange, enum MHD_RequestTerminationCode why);
void exchange_free(struct exchange *exchange);
/* The headers of its reply; count it, log it. */
void exchange_headers_add(struct MHD_Response *response, const struct exchange *exchange);
void exchange_note_answer(const struct exchange *exchange);
/* Resume the connection, to go on with that stage. */
void exchange_resume(struct exchange *exchange, enum stage stage);

/* server_waiting: calls that ask their lane, once or after each change. */
must_check bool waiting_start(struct server *server);
void waiting_stop(struct server *server);
/* Let a call ask for the first time; its connection is suspended. */
void waiting_begin(struct exchange *exchange);
/* A stream has begun: from now on it may ask for its next part. */
void waiting_go_on(struct exchange *exchange);
/* A call has come back from its lane. */
void waiting_back(struct call *call);
/* Its connection ends. False: the call is still in its lane, and the exchange is freed when it comes back. */
must_check bool waiting_end(struct exchange *exchange);
/* On each wake-up of the loop: changes from other threads, and clients that hung up; on each tick: calls that are due.
 */
void waiting_told(struct server *server);
void waiting_hangups(struct server *server);
void waiting_expire(struct server *server);
void waiting_drain(struct server *server);
void waiting_watch_hangup(struct exchange *exchange, bool watched);

/* server_stream: a reply that continues until its time is over. */
enum MHD_Result stream_queue(struct exchange *exchange);
/* Take the next part from the call's reply; the first one begins the stream. */
void stream_feed(struct exchange *exchange);
/* Make room for the parts; false without memory. */
must_check bool stream_begin(struct exchange *exchange);
void stream_part_add(struct exchange *exchange, struct shared_text *part);
/* Send a comment, so that no proxy takes the connection for dead. False: the stream was due to end instead. */
must_check bool stream_tick(struct exchange *exchange, timestamp now);
void stream_end(struct exchange *exchange);
struct stream *stream_free(struct stream *stream);

/* server_download: a reply too long for memory, whose parts a thread writes on request (engine/downloads.h). */
enum MHD_Result download_enter(struct exchange *exchange);
/* The call has come back from its thread, with a part or refused. */
void download_back(struct exchange *exchange);
/* A part is out, or the first one is on its way: ask for the next one unless enough are waiting. */
void download_go_on(struct exchange *exchange);
/* Its connection ends. False: the thread still has the call, and the exchange is freed when it comes back. */
must_check bool download_leave(struct exchange *exchange);
