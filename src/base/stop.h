/*
 * base/stop: a signal that asks a tool to stop.
 *
 * SIGINT, SIGTERM and SIGHUP set a flag, which an import or export looks at between rows, so that it can report its
 * rows before it stops. The second signal ends the process at once. One thread.
 */
#pragma once

#include <stdbool.h>

/* Listen for the signals, from here to the end of the process. */
void stop_listen(void);

bool stop_asked(void);

/* 128 and the signal's number, as shells say it; EXIT_OK when none came. */
int stop_code(void);
