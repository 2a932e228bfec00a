/*
 * notifications/store: the templates that the retailer has replaced.
 *
 * A set names templates by kind, medium and locale, and finds each after the trip, whether it is stored or not. Calls
 * of one batch share it.
 */
#pragma once

#include "notifications/notifications.h"

struct template_set {
        struct arena *arena;
        struct notification_template *wanted, *rows;
        size_t n_wanted, wanted_capacity, n_rows;
        bool exhausted;
};

void templates_init(struct template_set *set, struct arena *arena);

/* Name a template; the texts must outlive the set; naming it twice is fine. */
void templates_want(struct template_set *set, const char *kind, const char *medium, const char *locale);

/* Queue: read the named templates, and the same with locks. FAULT_BUSY without memory. */
must_check enum problem templates_read(struct database *database, struct template_set *set);
must_check enum problem templates_lock(struct database *database, struct template_set *set);

/* The place of a named template. */
struct notification_template *templates_find(
        const struct template_set *set, const char *kind, const char *medium, const char *locale);

/* Queue: delete, insert and update. */
void templates_save(struct database *database, struct template_set *set);
