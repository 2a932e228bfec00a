/*
 * base/log: one JSON object per line on standard output.
 *
 * A line has `time`, `level`, `message` and the members the caller adds; it is written with one write(2), so lines of
 * several threads do not mix. Never log tokens, codes, personal data or a body. Any thread.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_set_level(enum log_level level); /* the lowest that is written; info at first */

/* "debug", "info", "warning" or "error"; false for anything else, also for NULL. */
must_check bool log_level_named(const char *name, enum log_level *ret_level);

/* Members are triples until LOG_END: LOG_TEXT name value | LOG_INTEGER name (int64_t) value | LOG_MILLISECONDS name
 * (duration) value, shown with its fraction. A NULL text is left out.
 *     log_event(LOG_LEVEL_INFO, "serving", LOG_TEXT, "address", address, LOG_INTEGER, "lanes", (int64_t) n, LOG_END);
 */
enum log_kind { LOG_END, LOG_TEXT, LOG_INTEGER, LOG_MILLISECONDS };

void log_event(enum log_level level, const char *message, ...);

/* While this is on, the lines of this thread are written together: by log_flush, when they fill a write, and at once
 * when one of them is a warning or worse. For a thread that logs much and knows when it is idle. */
void log_gather(bool on);
void log_flush(void);
