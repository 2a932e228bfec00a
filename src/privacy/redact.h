/*
 * privacy/redact: personal data is removed from a JSON document.
 *
 * Documents are JSON of Holdfast: replies, hand-overs, packages, the data of events. The name of a member says whether
 * it is personal, at any depth. A personal value is replaced by one of the same form, so that the document stays valid.
 * Free words may hold anything and are replaced; fixed words of the trade stay. Pure; idempotent.
 */
#pragma once

#include "base/arena.h"

#define ERASED "erased" /* replaces a name and free words */

/* The document without the person, in the arena; NULL when it is no JSON, or without memory. */
must_check const char *redact_document(const char *json, struct arena *arena);

/* A reason: NULL and fixed words as they are, ERASED for all else. */
const char *redact_reason(const char *reason);
