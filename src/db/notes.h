/*
 * db/notes: topics that a transaction changes (events/topics.h).
 *
 * A set of names, sorted and without duplicates, gathered while a transaction saves (database_notes). The batch raises
 * the revisions of the topics just before the commit, and wakes waiting calls after it (engine/notices.h); a
 * transaction that is rolled back wakes none. Belongs to the thread of its connection.
 */
#pragma once

#include "base/cleanup.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define NOTE_SIZE_MAX (CODE_SIZE_MAX + 16) /* a kind and a code */

typedef char note[NOTE_SIZE_MAX + 1];

struct notes {
        note *at;
        size_t n, capacity;
        bool exhausted; /* there was no memory for one of them */
};

void notes_add(struct notes *notes, const char *topic);

/* Forget them all; the memory is kept for the next ones. */
void notes_forget(struct notes *notes);

void notes_free(struct notes *notes);
