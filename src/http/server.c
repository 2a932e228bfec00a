#include "http/server.h"

#include "base/log.h"
#include "base/text.h"
#include "http/server_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK       (100 * MILLISECOND)
#define EVENTS_MAX 8

struct answered {
        pthread_mutex_t mutex;
        struct call *first, **last;
};

/* ---- listening ---- */

/* -1 with a reason when the address cannot be bound. */
static int socket_listen(const char *address, const char **ret_reason) {
        const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
        struct addrinfo *found = NULL;
        char host[HOST_SIZE_MAX], port[PORT_SIZE_MAX];
        const int yes = 1;
        int fd = -1, code;

        *ret_reason = "not address:port";
        if (!text_split_address(address, host, port))
                return -1;
        code = getaddrinfo(*host ? host : NULL, port, &hints, &found);
        *ret_reason = code ? gai_strerror(code) : NULL;
        if (code)
                return -1;
        fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
                               bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, LISTEN_BACKLOG) < 0)) {
                *ret_reason = strerrordesc_np(errno);
                (void) close(fd);
                fd = -1;
        } else if (fd < 0) {
                *ret_reason = strerrordesc_np(errno);
        }
        freeaddrinfo(found);
        return fd;
}

static unsigned socket_port(int fd) {
        struct sockaddr_storage address = { 0 };
        socklen_t size = sizeof(address);

        if (getsockname(fd, (struct sockaddr *) &address, &size) < 0)
                return 0;
        if (address.ss_family == AF_INET6)
                return ntohs(((struct sockaddr_in6 *) &address)->sin6_port);
        return ntohs(((struct sockaddr_in *) &address)->sin_port);
}

/* Never an internal thread: up to 1.0.1 its epoll loop stalls when a wait returns exactly 128 events. */
static bool daemon_start(struct listener *listener, int fd) {
        const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
        const union MHD_DaemonInfo *info;

        listener->daemon = MHD_start_daemon(flags, 0, NULL, NULL, exchange_step, listener, MHD_OPTION_LISTEN_SOCKET, fd,
                MHD_OPTION_CONNECTION_LIMIT, (unsigned) CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, listener,
                MHD_OPTION_NOTIFY_CONNECTION, peer_notify, listener, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin,
                listener, MHD_OPTION_END);
        if (!listener->daemon) {
                (void) close(fd);
                return false;
        }
        info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        listener->epoll = info ? info->epoll_fd : -1;
        return listener->epoll >= 0;
}

static bool epoll_watch(int epoll, int fd) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

        return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool listener_add(struct server *server, struct server_listener *settings) {
        struct listener *listener = &server->listeners[server->n_listeners];
        const char *reason = NULL;
        int fd;

        if (!settings->address || !*settings->address)
                return true;
        fd = socket_listen(settings->address, &reason);
        if (fd < 0) {
                log_event(LOG_LEVEL_ERROR, "listening failed", LOG_TEXT, "address", settings->address, LOG_TEXT,
                        "reason", reason, LOG_END);
                return false;
        }
        if (!server->port)
                server->port = socket_port(fd);
        *listener = (struct listener){ .server = server, .intake = &settings->intake, .socket = -1 };
        server->n_listeners++;
        return daemon_start(listener, fd) && epoll_watch(server->epoll, listener->epoll);
}

/* ---- setting up ---- */

static int timer_new(void) {
        const struct itimerspec every_tick = { .it_interval.tv_nsec = TICK * 1000, .it_value.tv_nsec = TICK * 1000 };
        const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

        if (fd >= 0)
                (void) timerfd_settime(fd, 0, &every_tick, NULL);
        return fd;
}

static int signals_new(void) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGHUP);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGTERM);
        return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Raise the descriptor limit to the hard limit: a burst of connections must not end in EMFILE. */
static void descriptors_raise(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

static bool descriptors_new(struct server *server) {
        server->epoll = epoll_create1(EPOLL_CLOEXEC);
        server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        server->timer = timer_new();
        server->signals = signals_new();
        server->hangups = epoll_create1(EPOLL_CLOEXEC);
        return server->epoll >= 0 && epoll_watch(server->epoll, server->wake) &&
               epoll_watch(server->epoll, server->hangups) && epoll_watch(server->epoll, server->timer) &&
               epoll_watch(server->epoll, server->signals);
}

bool server_new(const struct server_settings *settings, struct server **ret_server) {
        struct server *server = calloc(1, sizeof(*server));
        struct answered *answered = calloc(1, sizeof(*answered));

        if (!server || !answered) {
                free(server);
                free(answered);
                return false;
        }
        (void) pthread_mutex_init(&answered->mutex, NULL);
        answered->last = &answered->first;
        server->answered = answered;
        server->settings = *settings;
        descriptors_raise();
        if (!descriptors_new(server) || !waiting_start(server) || !listener_add(server, &server->settings.api) ||
                !listener_add(server, &server->settings.admin)) {
                (void) server_free(server);
                return false;
        }
        *ret_server = server;
        return true;
}

/* Calls that came back after the last turn of the loop, of clients that had left. */
static void answered_free(struct server *server) {
        struct call *next;

        for (struct call *call = server->answered->first; call; call = next) {
                next = call->next;
                exchange_free((struct exchange *) (void *) call);
        }
}

struct server *server_free(struct server *server) {
        const int fds[] = { server->epoll, server->wake, server->timer, server->signals, server->hangups };

        for (size_t i = 0; i < server->n_listeners; i++)
                if (server->listeners[i].daemon)
                        MHD_stop_daemon(server->listeners[i].daemon);
        answered_free(server);
        for (size_t i = 0; i < array_size(fds); i++)
                if (fds[i] >= 0)
                        (void) close(fds[i]);
        waiting_stop(server);
        (void) pthread_mutex_destroy(&server->answered->mutex);
        free(server->answered);
        free(server);
        return NULL;
}

void server_set_lanes(struct server *server, struct lanes *lanes) {
        server->lanes = lanes;
}

void server_set_downloads(struct server *server, struct downloads *downloads) {
        server->downloads = downloads;
}

unsigned server_port(const struct server *server) {
        return server->port;
}

size_t server_connections(const struct server *server) {
        return server->n_peers;
}

size_t server_streams(const struct server *server) {
        return server->n_streams;
}

size_t server_downloads(const struct server *server) {
        return server->downloads ? downloads_running(server->downloads) : 0;
}

bool server_is_draining(const struct server *server) {
        return __atomic_load_n(&server->draining, __ATOMIC_RELAXED);
}

/* ---- the loop ---- */

void server_answered(void *context, struct call *first) {
        struct server *server = context;
        const uint64_t one = 1;
        struct call **last = &first;

        while (*last)
                last = &(*last)->next;
        (void) pthread_mutex_lock(&server->answered->mutex);
        *server->answered->last = first;
        server->answered->last = last;
        (void) pthread_mutex_unlock(&server->answered->mutex);
        (void) !write(server->wake, &one, sizeof(one));
}

static void take_answered(struct server *server) {
        struct call *call;

        (void) pthread_mutex_lock(&server->answered->mutex);
        call = server->answered->first;
        server->answered->first = NULL;
        server->answered->last = &server->answered->first;
        (void) pthread_mutex_unlock(&server->answered->mutex);
        while (call) {
                struct call *next = call->next;

                waiting_back(call);
                call = next;
        }
}

static void drain_begin(struct server *server) {
        __atomic_store_n(&server->draining, true, __ATOMIC_RELAXED);
        server->drain_since = clock_monotonic();
        if (server->settings.on_drain)
                server->settings.on_drain();
        log_event(LOG_LEVEL_INFO, "draining", LOG_INTEGER, "connections", (int64_t) server->n_peers, LOG_END);
        waiting_drain(server);
        if (server->downloads)
                downloads_drain(server->downloads);
}

/* Take the connections that the kernel has already accepted: closing the socket would reset them. */
static void backlog_accept(struct listener *listener) {
        uint64_t n;

        do {
                n = listener->server->n_accepted;
                (void) MHD_run(listener->daemon);
        } while (listener->server->n_accepted > n);
}

static void listeners_quiesce(struct server *server) {
        for (size_t i = 0; i < server->n_listeners; i++) {
                int fd;

                backlog_accept(&server->listeners[i]);
                fd = MHD_quiesce_daemon(server->listeners[i].daemon);
                if (fd >= 0)
                        (void) close(fd);
        }
        server->quiesced = true;
        server->quiesced_at = clock_monotonic();
}

/* For a grace period clients still get answers, each with `Connection: close`, and balancers see /readyz fail, even if
 * few are connected. Then no new connection is accepted, and idle connections are closed. */
static void drain_continue(struct server *server, timestamp now) {
        if (server->draining && !server->quiesced && now >= server->drain_since + server->settings.drain_grace)
                listeners_quiesce(server);
}

static void signals_take(struct server *server) {
        struct signalfd_siginfo info;

        while (read(server->signals, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo != SIGHUP && !server->draining)
                        drain_begin(server);
                if (info.ssi_signo == SIGHUP && server->settings.on_hangup)
                        server->settings.on_hangup();
        }
}

static void counter_clear(int fd) {
        uint64_t count;

        (void) !read(fd, &count, sizeof(count));
}

static int wait_ms(const struct server *server) {
        uint64_t wait = (uint64_t) (TICK / MILLISECOND);

        for (size_t i = 0; i < server->n_listeners; i++) {
                MHD_UNSIGNED_LONG_LONG timeout = 0;

                if (MHD_get_timeout(server->listeners[i].daemon, &timeout) == MHD_YES && timeout < wait)
                        wait = timeout;
        }
        return (int) wait;
}

static void server_turn(struct server *server) {
        struct epoll_event events[EVENTS_MAX];
        const int n = epoll_wait(server->epoll, events, EVENTS_MAX, wait_ms(server));

        for (int i = 0; i < n; i++) {
                if (events[i].data.fd == server->wake) {
                        counter_clear(server->wake);
                        waiting_told(server);
                        take_answered(server);
                } else if (events[i].data.fd == server->hangups) {
                        waiting_hangups(server);
                } else if (events[i].data.fd == server->timer) {
                        counter_clear(server->timer);
                        lanes_tick(server->lanes);
                        drain_continue(server, clock_monotonic());
                        peers_expire(server, clock_monotonic());
                        waiting_expire(server);
                        if (server->settings.on_tick)
                                server->settings.on_tick();
                } else if (events[i].data.fd == server->signals)
                        signals_take(server);
        }
        for (size_t i = 0; i < server->n_listeners; i++)
                (void) MHD_run(server->listeners[i].daemon);
        log_flush();
}

/* A suspended connection must be resumed before its daemon stops, or libmicrohttpd aborts the process: so the loop
 * waits for calls in a lane past the drain time, too; their deadlines bound that. */
static bool is_done(const struct server *server) {
        const timestamp limit = server->drain_since + DRAIN_TIME_MAX;

        if (!server->quiesced)
                return false;
        return !server->n_peers || (clock_monotonic() > limit && !server->peers[PHASE_RUN].first);
}

void server_run(struct server *server) {
        (void) signal(SIGPIPE, SIG_IGN);
        log_gather(true);
        while (!is_done(server))
                server_turn(server);
        log_gather(false);
}
