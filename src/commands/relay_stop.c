#include "commands/relay.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>

static int stop_fd = -1; /* readable once a signal has arrived, for the rest of the run */

void relay_say(const char *format, ...) {
        va_list arguments;

        (void) fputs("holdfast: relay: ", stderr);
        va_start(arguments, format);
        (void) vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void) fputc('\n', stderr);
}

bool relay_stop_listen(void) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGHUP);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return false;
        stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return stop_fd >= 0;
}

static int milliseconds(duration time) {
        return time <= 0 ? 0 : (int) ((time + MILLISECOND - 1) / MILLISECOND);
}

bool relay_stop_asked(void) {
        struct pollfd waiting = { .fd = stop_fd, .events = POLLIN };

        return poll(&waiting, 1, 0) > 0;
}

bool relay_wait(int fd, short events, duration time) {
        struct pollfd waiting[] = { { .fd = fd, .events = events }, { .fd = stop_fd, .events = POLLIN } };

        return poll(waiting, array_size(waiting), milliseconds(time)) > 0 && waiting[0].revents;
}
