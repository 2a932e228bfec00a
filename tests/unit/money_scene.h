/*
 * unit/money_scene: a command on money, and a payment provider that reports events, for the tests of two rooms.
 */
#pragma once

#include "payments/provider.h"

#define NOW (INT64_C(1795256130) * SECOND) /* 2026-11-21T10:15:30Z */

extern struct arena arena;
extern struct events events;
extern struct told_events heard; /* events of the provider so far */
extern struct refusal refusal;
extern struct command command; /* of ada, now */

void money_open(void);
void money_close(void);

/* A report of the provider under a new event_id. Amount 0: it has none. */
struct provider_event event_of_type(enum provider_event_type type, int64_t amount);

/* The command of a report that is recorded at that time. */
struct command provider_command(timestamp now);

/* Events of this type so far. */
size_t money_told(const char *type);

void assert_state(const struct payment *payment, enum funds_state state);
