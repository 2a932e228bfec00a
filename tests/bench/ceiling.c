/*
 * bench/ceiling: libmicrohttpd and nothing else.
 *
 * It answers whatever it is asked with one constant, driven by an external epoll as the service's loop drives it. What
 * it reaches on a machine is the most that anything built on libmicrohttpd can reach there. Usage: ceiling PORT.
 */
#include <microhttpd.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define CONNECTIONS_MAX   4096
#define CONNECTION_MEMORY ((size_t) 18 * 1024) /* as the service's */

static volatile sig_atomic_t stopping;

static void stop(int signal) {
        (void) signal;
        stopping = 1;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **seen) {
        static char constant[] = "{\"status\":\"ok\"}";
        struct MHD_Response *response;
        enum MHD_Result queued;

        (void) context;
        (void) url;
        (void) method;
        (void) version;
        (void) upload;
        if (!*seen || *upload_size) {
                *seen = constant;
                *upload_size = 0;
                return MHD_YES;
        }
        response = MHD_create_response_from_buffer(strlen(constant), constant, MHD_RESPMEM_PERSISTENT);
        (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
        MHD_destroy_response(response);
        return queued;
}

static void serve(struct MHD_Daemon *daemon) {
        const int fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        const int outer = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = { .events = EPOLLIN };

        (void) epoll_ctl(outer, EPOLL_CTL_ADD, fd, &event);
        while (!stopping) {
                MHD_UNSIGNED_LONG_LONG wait = 100;

                (void) MHD_get_timeout(daemon, &wait);
                (void) epoll_wait(outer, &event, 1, (int) wait);
                (void) MHD_run(daemon);
        }
}

int main(int n_arguments, char **arguments) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct MHD_Daemon *daemon;

        if (n_arguments != 2)
                return 2;
        address.sin_port = htons((uint16_t) strtoul(arguments[1], NULL, 10));
        (void) signal(SIGTERM, stop);
        daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &address,
                MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
                MHD_OPTION_END);
        if (!daemon)
                return 1;
        serve(daemon);
        MHD_stop_daemon(daemon);
        return 0;
}
