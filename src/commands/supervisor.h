/*
 * commands/supervisor: the state of the service for the service manager, as sd_notify(3) sends it: one datagram to
 * $NOTIFY_SOCKET.
 *
 * For the loop thread only. It feeds the watchdog: as long as the loop turns, requests are accepted and answered.
 * Nothing here waits, and without a manager nothing happens. A message that the manager's socket cannot take is sent
 * with the next tick.
 */
#pragma once

#include "base/clock.h"

#include <stdbool.h>

/* Read the environment and open the socket. */
void supervisor_open(void);

/* On each tick: whether the service is ready for traffic; whether the requested reading of keys is finished. */
void supervisor_tick(bool ready, bool reloaded, timestamp now);

/* SIGHUP and SIGTERM have arrived. */
void supervisor_reloading(timestamp now);
void supervisor_stopping(void);

void supervisor_close(void);
