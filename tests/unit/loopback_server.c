#include "loopback_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 4096

static void request_read(int connection) {
        char request[REQUEST_MAX + 1] = "";
        size_t size = 0;

        while (size < REQUEST_MAX && !strstr(request, "\r\n\r\n")) {
                const ssize_t n = recv(connection, request + size, REQUEST_MAX - size, 0);

                if (n <= 0)
                        return;
                size += (size_t) n;
                request[size] = '\0';
        }
}

static void reply_send(int connection, const char *reply) {
        size_t left = strlen(reply);

        while (left > 0) {
                const ssize_t n = send(connection, reply, left, MSG_NOSIGNAL);

                if (n <= 0)
                        return;
                reply += n;
                left -= (size_t) n;
        }
}

static void *server_run(void *context) {
        struct loopback_server *server = context;

        for (size_t i = 0; i < server->n_replies; i++) {
                const int connection = accept(server->listener, NULL, NULL);

                if (connection < 0)
                        break;
                request_read(connection);
                atomic_fetch_add(&server->n_served, 1);
                reply_send(connection, server->replies[i]);
                (void) close(connection);
        }
        return NULL;
}

static bool listen_on_free_port(struct loopback_server *server) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);

        server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (server->listener < 0 || bind(server->listener, (struct sockaddr *) &address, sizeof(address)) < 0)
                return false;
        if (listen(server->listener, LOOPBACK_REPLIES_MAX) < 0)
                return false;
        if (getsockname(server->listener, (struct sockaddr *) &address, &size) < 0)
                return false;
        (void) snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u/jwks.json", ntohs(address.sin_port));
        return true;
}

bool loopback_server_start(struct loopback_server *server, const char *const *replies, size_t n) {
        if (n > LOOPBACK_REPLIES_MAX)
                return false;
        for (size_t i = 0; i < n; i++)
                server->replies[i] = replies[i];
        server->n_replies = n;
        if (!listen_on_free_port(server))
                return false;
        server->running = pthread_create(&server->thread, NULL, server_run, server) == 0;
        return server->running;
}

void loopback_server_stop(struct loopback_server *server) {
        if (!server->running)
                return;
        (void) shutdown(server->listener, SHUT_RDWR);
        (void) pthread_join(server->thread, NULL);
        (void) close(server->listener);
        server->running = false;
}

size_t loopback_server_served(struct loopback_server *server) {
        return atomic_load(&server->n_served);
}
