/*
 * commands/supervisor: tell the service manager how the service is, as sd_notify(3) does: one datagram to
 * $NOTIFY_SOCKET.
 *
 * Told by the loop thread only. It is the watchdog's witness: as long as it turns, requests are taken and answered.
 * Nothing here waits, and without a manager nothing happens. A word the manager has no room for is told with the next
 * tick.
 */
#pragma once

#include "base/clock.h"

#include <stdbool.h>

/* Read the environment and open the socket. */
void supervisor_open(void);

/* On each tick: whether the service may be given traffic; whether a reading of keys that was asked for is over. */
void supervisor_tick(bool ready, bool reloaded, timestamp now);

/* SIGHUP and SIGTERM have come. */
void supervisor_reloading(timestamp now);
void supervisor_stopping(void);

void supervisor_close(void);
