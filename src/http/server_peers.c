#include "http/server_internal.h"

#include "engine/reply.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static timestamp phase_end(const struct server *server, enum phase phase) {
        return clock_monotonic() + (phase == PHASE_IDLE ? IDLE_TIME_MAX : server->settings.request_timeout);
}

static void list_remove(struct peer_list *list, struct peer *peer) {
        if (peer->before)
                peer->before->after = peer->after;
        else
                list->first = peer->after;
        if (peer->after)
                peer->after->before = peer->before;
        else
                list->last = peer->before;
        peer->before = peer->after = NULL;
}

/* Each phase has one length, so the newest of a list is the last to run out. */
static void list_append(struct peer_list *list, struct peer *peer) {
        peer->before = list->last;
        if (list->last)
                list->last->after = peer;
        else
                list->first = peer;
        list->last = peer;
}

void peer_enter(struct server *server, struct peer *peer, enum phase phase) {
        list_remove(&server->peers[peer->phase], peer);
        peer->phase = phase;
        peer->until = phase_end(server, phase);
        list_append(&server->peers[phase], peer);
}

struct peer *peer_of(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void peer_add(struct server *server, struct MHD_Connection *connection, void **socket_context) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct peer *peer = calloc(1, sizeof(*peer));

        *socket_context = peer;
        if (!peer)
                return;
        peer->socket = info ? info->connect_fd : -1;
        peer->phase = PHASE_NEW;
        peer->until = phase_end(server, PHASE_NEW);
        list_append(&server->peers[PHASE_NEW], peer);
        server->n_peers++;
        server->n_accepted++;
}

void peer_notify(void *context, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode what) {
        const struct listener *listener = context;
        struct peer *peer = *socket_context;

        if (what == MHD_CONNECTION_NOTIFY_STARTED) {
                peer_add(listener->server, connection, socket_context);
                return;
        }
        if (!peer)
                return;
        list_remove(&listener->server->peers[peer->phase], peer);
        listener->server->n_peers--;
        free(peer);
        *socket_context = NULL;
}

/* The reply to a request that did not arrive in time. libmicrohttpd cannot answer half a request, so the bytes bypass
 * it; the connection ends with them. */
static void say_too_late(const struct peer *peer) {
        const struct uuid id = uuid_new();
        char instance[UUID_TEXT_SIZE], body[300], reply[600];
        int size;

        uuid_format(&id, instance);
        (void) snprintf(body, sizeof(body),
                "{\"type\":\"" PROBLEM_TYPE_BASE "%s\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\","
                "\"instance\":\"urn:uuid:%s\"}",
                problem_slug(PROBLEM_REQUEST_TIMEOUT), problem_title(PROBLEM_REQUEST_TIMEOUT),
                problem_status(PROBLEM_REQUEST_TIMEOUT), problem_slug(PROBLEM_REQUEST_TIMEOUT), instance);
        size = snprintf(reply, sizeof(reply),
                "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n"
                "Connection: close\r\nX-Request-Id: %s\r\nContent-Length: %zu\r\n\r\n%s",
                instance, strlen(body), body);
        (void) send(peer->socket, reply, (size_t) size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* libmicrohttpd notices the closed socket by itself and ends the connection; its own timeout would tolerate a client
 * that sends byte by byte. */
static void list_expire(struct peer_list *list, timestamp now) {
        for (struct peer *peer = list->first; peer && peer->until <= now; peer = peer->after) {
                if (peer->phase == PHASE_RECEIVE && !peer->told)
                        say_too_late(peer);
                peer->told = true;
                (void) shutdown(peer->socket, SHUT_RDWR);
        }
}

static bool has_something_to_say(const struct peer *peer) {
        char byte;

        return recv(peer->socket, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* While no new connection is accepted: a request that has arrived is still served. */
static void drain(struct server *server, timestamp now) {
        for (struct peer *peer = server->peers[PHASE_NEW].first; peer; peer = peer->after)
                if (now >= server->quiesced_at + DRAIN_FIRST_WORDS && !has_something_to_say(peer))
                        (void) shutdown(peer->socket, SHUT_RDWR);
        for (struct peer *peer = server->peers[PHASE_IDLE].first; peer; peer = peer->after)
                if (!has_something_to_say(peer))
                        (void) shutdown(peer->socket, SHUT_RDWR);
}

void peers_expire(struct server *server, timestamp now) {
        for (int phase = 0; phase < PHASE_COUNT; phase++)
                if (phase != PHASE_RUN)
                        list_expire(&server->peers[phase], now);
        if (server->quiesced)
                drain(server, now);
}
