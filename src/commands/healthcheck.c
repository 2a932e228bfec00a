/* holdfast healthcheck: the readiness probe of a container. It asks /readyz within the time of a probe. */
#include "commands/commands.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/text.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEALTHCHECK_TIME_MAX (2 * SECOND)
#define STATUS_LINE_MAX      ((size_t) 256)

static bool wait_for(int fd, short events, timestamp deadline) {
        struct pollfd waiting = { .fd = fd, .events = events };
        const duration left = deadline - clock_monotonic();

        return left > 0 && poll(&waiting, 1, (int) (left / MILLISECOND) + 1) == 1;
}

static bool is_connected(int fd) {
        socklen_t size = sizeof(int);
        int error = 0;

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static int connect_one(const struct addrinfo *candidate, timestamp deadline) {
        const int fd = socket(candidate->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -1;
        (void) connect(fd, candidate->ai_addr, candidate->ai_addrlen);
        if (wait_for(fd, POLLOUT, deadline) && is_connected(fd))
                return fd;
        (void) close(fd);
        return -1;
}

/* An address that means "all interfaces" leads to this machine, too. */
static int service_connect(const char *address, timestamp deadline) {
        const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
        struct addrinfo *found = NULL;
        char host[HOST_SIZE_MAX], port[PORT_SIZE_MAX];
        int fd = -1;

        if (!text_split_address(address, host, port) || getaddrinfo(*host ? host : NULL, port, &hints, &found) != 0)
                return -1;
        for (const struct addrinfo *candidate = found; candidate && fd < 0; candidate = candidate->ai_next)
                fd = connect_one(candidate, deadline);
        freeaddrinfo(found);
        return fd;
}

/* The status line, as far as it has come by the deadline. */
static void status_line_read(int fd, timestamp deadline, char *line) {
        size_t size = 0;

        while (size < STATUS_LINE_MAX - 1 && !memchr(line, '\n', size) && wait_for(fd, POLLIN, deadline)) {
                const ssize_t n = read(fd, line + size, STATUS_LINE_MAX - 1 - size);

                if (n <= 0)
                        break;
                size += (size_t) n;
        }
        line[size] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
}

static int health_complain(const char *address, const char *what) {
        (void) fprintf(stderr, "holdfast: the service at %s %s\n", address, what);
        return EXIT_FAILED;
}

int command_healthcheck(int argc, char **argv) {
        static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        const timestamp deadline = clock_monotonic() + HEALTHCHECK_TIME_MAX;
        char line[STATUS_LINE_MAX];
        const char *address;
        int fd;

        (void) argv;
        if (argc != 1)
                return command_misused("healthcheck");
        if (command_config())
                return EXIT_BAD_CONFIG;
        address = config_text(CONFIG_ADMIN_LISTEN) ? config_text(CONFIG_ADMIN_LISTEN) : config_text(CONFIG_LISTEN);
        if (!address)
                return health_complain("HOLDFAST_LISTEN", "has no address");
        fd = service_connect(address, deadline);
        if (fd < 0)
                return health_complain(address, "cannot be reached");
        if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == (ssize_t) sizeof(request) - 1)
                status_line_read(fd, deadline, line);
        else
                *line = '\0';
        (void) close(fd);
        if (text_starts_with(line, "HTTP/1.1 200"))
                return EXIT_OK;
        return health_complain(
                address, text_starts_with(line, "HTTP/1.1 ") ? "is not ready" : "does not answer in time");
}
