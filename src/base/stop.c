#include "base/stop.h"

#include "base/cleanup.h"

#include <signal.h>

#define EXIT_BY_SIGNAL 128

static volatile sig_atomic_t caught;

static void catch_signal(int number) {
        caught = number;
        (void) signal(number, SIG_DFL);
}

void stop_listen(void) {
        static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
        /* Without SA_RESTART, so that a read of a pipe returns. */
        struct sigaction action = { .sa_handler = catch_signal };

        (void) sigemptyset(&action.sa_mask);
        for (size_t i = 0; i < array_size(signals); i++)
                (void) sigaction(signals[i], &action, NULL);
}

bool stop_asked(void) {
        return caught != 0;
}

int stop_code(void) {
        return caught ? EXIT_BY_SIGNAL + caught : 0;
}
