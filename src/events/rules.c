/* What a reader of the log gets. Pure. */
#include "events/log.h"

#include <string.h>

bool event_log_can_resume(const struct log_bounds *bounds, int64_t last) {
        if (last > bounds->position) /* of another database, or of one restored from a backup */
                return false;
        return last == bounds->position || (bounds->first && last + 1 >= bounds->first);
}

/* Whether an index leads to the events, so that the page has looked up to the end of the log unless it is full. */
static bool is_indexed(const struct log_filter *filter) {
        return filter->subject || (filter->location && !filter->types && !filter->channel);
}

int64_t event_log_next(const struct log_filter *filter, const struct log_page *page, bool *ret_has_more) {
        int64_t next = page->bounds.position;

        if (!is_indexed(filter) && filter->after + LOG_LOOKED < next)
                next = filter->after + LOG_LOOKED;
        if (page->n && (int64_t) page->n == filter->limit)
                next = page->events[page->n - 1].position;
        *ret_has_more = next < page->bounds.position;
        return next;
}

static bool is_named(const char *name, const char *pattern, size_t size) {
        if (size && pattern[size - 1] == '*')
                return (size == 1 || (size > 2 && pattern[size - 2] == '.')) && !strncmp(name, pattern, size - 1);
        return strlen(name) == size && !strncmp(name, pattern, size);
}

static bool types_have(const enum event_type *types, size_t n, enum event_type type) {
        for (size_t i = 0; i < n; i++)
                if (types[i] == type)
                        return true;
        return false;
}

bool event_types_match(const char *pattern, size_t size, enum event_type *types, size_t *n) {
        const char *bare = event_type_bare(pattern);
        bool any = false;

        size = bare > pattern + size ? 0 : size - (size_t) (bare - pattern);
        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++) {
                if (!is_named(event_types[type].name, bare, size))
                        continue;
                any = true;
                if (!types_have(types, *n, type))
                        types[(*n)++] = type;
        }
        return any;
}

bool event_types_parse(const char *patterns, struct arena *arena, struct log_filter *filter) {
        enum event_type *types = arena_new_array(arena, enum event_type, EVENT_TYPE_COUNT);

        filter->types = types;
        for (const char *at = patterns; types; at++) {
                const size_t size = strcspn(at, ",");

                if (!event_types_match(at, size, types, &filter->n_types))
                        return false;
                at += size;
                if (!*at)
                        return true;
        }
        return false;
}
