/*
 * privacy/redact: what is left of a document when the person is taken out of it.
 *
 * Documents are JSON of our own: replies, hand-overs, packages, the data of events. What tells of a person is known by
 * the name of its member, wherever it stands, and is replaced by something of the same form, so that the document
 * stays valid. Free words may hold anything and go, too; the fixed words of the trade stay. Pure; doing it twice is
 * the same as once.
 */
#pragma once

#include "base/arena.h"

#define ERASED "erased" /* what stands for a name or for words */

/* The document without the person, in the arena; NULL when it is no JSON, or without memory. */
must_check const char *redact_document(const char *json, struct arena *arena);

/* A reason: NULL and fixed words as they are, ERASED for all else. */
const char *redact_reason(const char *reason);
