#include "events/topics.h"

#include "base/arena.h"
#include "db/connection.h"

#include <stdio.h>

const char *topic_name(struct arena *arena, const char *kind, const char *code) {
        return arena_format(arena, "%s%s", kind, code);
}

void topic_change(struct database *database, const char *kind, const char *code) {
        note topic;

        (void) snprintf(topic, sizeof(topic), "%s%s", kind, code);
        notes_add(database_notes(database), topic);
}
