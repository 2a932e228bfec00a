/* The target `stdout` of holdfast relay: a pipe, a file or a terminal. */
#include "commands/relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PIECE_MAX     ((size_t) 4096) /* PIPE_BUF of Linux: a pipe takes so much whole or not at all (pipe(7)) */
#define LOOK_EVERY    MINUTE          /* at a reader that takes nothing */
#define LINE_END_WAIT (5 * SECOND)    /* after a signal, for the rest of a line that is longer than a piece */

/* As many whole lines as a piece holds; of a longer line, a part. */
static size_t piece_size(const char *lines, size_t size) {
        const size_t most = size < PIECE_MAX ? size : PIECE_MAX;
        const char *end = memrchr(lines, '\n', most);

        return end ? (size_t) (end - lines) + 1 : most;
}

/* Wait for room. Between lines a signal ends the wait; within one, the reader has some time to take the rest. */
static bool pipe_has_room(int fd, bool in_line) {
        struct pollfd waiting = { .fd = fd, .events = POLLOUT };

        while (!relay_wait(fd, POLLOUT, LOOK_EVERY))
                if (relay_stop_asked())
                        return in_line && poll(&waiting, 1, (int) (LINE_END_WAIT / MILLISECOND)) > 0;
        return true;
}

static enum relay_outcome pipe_closed(const char *why) {
        relay_say("standard output is closed: %s; the consumer stays before the events that were not written", why);
        return RELAY_CLOSED;
}

enum relay_outcome relay_pipe_send(int fd, const char *lines, size_t size) {
        const char *at = lines, *end = lines + size;

        while (at < end) {
                const bool in_line = at > lines && at[-1] != '\n';
                ssize_t n;

                if (!pipe_has_room(fd, in_line))
                        return RELAY_STOPPED;
                n = write(fd, at, piece_size(at, (size_t) (end - at)));
                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        return pipe_closed(strerror(errno));
                if (n > 0)
                        at += n;
        }
        if (fdatasync(fd) != 0 && errno != EINVAL && errno != EROFS) /* a pipe has nothing to store */
                return pipe_closed(strerror(errno));
        return RELAY_SENT;
}
