#include "db/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_FIRST 16

static bool notes_grow(struct notes *notes) {
        const size_t capacity = notes->capacity ? 2 * notes->capacity : NOTES_FIRST;
        note *at;

        if (notes->n < notes->capacity)
                return true;
        at = reallocarray(notes->at, capacity, sizeof(*at));
        if (!at) {
                notes->exhausted = true;
                return false;
        }
        notes->at = at;
        notes->capacity = capacity;
        return true;
}

/* The index of the topic, or its place in the order. */
static size_t topic_place(const struct notes *notes, const char *topic) {
        size_t low = 0, high = notes->n;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;

                if (strcmp(notes->at[middle], topic) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void notes_add(struct notes *notes, const char *topic) {
        const size_t place = topic_place(notes, topic);

        if (place < notes->n && text_equal(notes->at[place], topic))
                return;
        if (!notes_grow(notes))
                return;
        memmove(notes->at + place + 1, notes->at + place, (notes->n - place) * sizeof(*notes->at));
        (void) snprintf(notes->at[place], sizeof(note), "%s", topic);
        notes->n++;
}

void notes_forget(struct notes *notes) {
        notes->n = 0;
        notes->exhausted = false;
}

void notes_free(struct notes *notes) {
        free(notes->at);
        *notes = (struct notes){ 0 };
}
