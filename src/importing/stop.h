/*
 * importing/stop: a signal that asks an import to stop.
 *
 * SIGINT, SIGTERM and SIGHUP set a flag, which the import looks at between rows: the rows that were sent are reported
 * before it stops. The second signal ends the process at once. One thread.
 */
#pragma once

#include <stdbool.h>

/* Listen for the signals, from here to the end of the process. */
void import_stop_listen(void);

bool import_stop_asked(void);

/* 128 and the signal's number, as shells say it; EXIT_OK when none came. */
int import_stop_code(void);
