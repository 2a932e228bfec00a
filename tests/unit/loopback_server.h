/*
 * loopback_server: answers one connection after the other on 127.0.0.1, each with the next prepared reply.
 *
 * A separate thread reads a request up to the empty line, sends the reply unchanged and closes. After the last
 * reply it stops listening.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define LOOPBACK_REPLIES_MAX 8

struct loopback_server {
        char url[64];
        const char *replies[LOOPBACK_REPLIES_MAX];
        size_t n_replies;
        atomic_size_t n_served;
        int listener;
        pthread_t thread;
        bool running;
};

/* Listen on a free port. The replies must outlive the server. */
bool loopback_server_start(struct loopback_server *server, const char *const *replies, size_t n);
void loopback_server_stop(struct loopback_server *server);

/* Requests answered so far. */
size_t loopback_server_served(struct loopback_server *server);
