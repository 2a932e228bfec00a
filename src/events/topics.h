/*
 * events/topics: what calls wait for, by name: "queue/berlin" is the queue of a location.
 *
 * A topic has a revision (sql/queries/topics.sql), which each transaction that changes it raises as its last statement.
 * A call that has seen a revision has seen all changes that were committed before. engine/notices.h wakes waiting
 * calls.
 */
#pragma once

#include "base/problem.h"

struct arena;
struct database;

#define TOPIC_EVENTS    "events"  /* the log of all events; its revision is the last position */
#define TOPIC_EVENTS_AT "events/" /* events of a location; its revision is the position of the last one */
#define TOPIC_QUEUE     "queue/"  /* the queue of a location */

/* The name of a topic: kind and code. NULL without memory. */
const char *topic_name(struct arena *arena, const char *kind, const char *code);

/* The open transaction changes the topic: the engine raises its revision before the commit and wakes its calls after
 * it. */
void topic_change(struct database *database, const char *kind, const char *code);
