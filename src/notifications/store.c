#include "notifications/store.h"

#include "base/sorted.h"
#include "notifications/columns.h"
#include "sql/notifications.h"

#include <string.h>

static const struct column template_list[] = {
        { "kind", TEXT_AT(struct notification_template, kind) },
        { "medium", TEXT_AT(struct notification_template, medium) },
        { "locale", TEXT_AT(struct notification_template, locale) },
        { "exists", BOOLEAN_AT(struct notification_template, record.exists) },
        { "subject", TEXT_AT(struct notification_template, text.subject) },
        { "text", TEXT_AT(struct notification_template, text.text) },
        { "html", TEXT_AT(struct notification_template, text.html) },
        { "version", INTEGER_AT(struct notification_template, record.version) },
        { "created_at", TIME_AT(struct notification_template, record.created_at) },
        { "updated_at", TIME_AT(struct notification_template, record.updated_at) },
};
const struct columns notification_template_columns = { "notification_templates",
        COLUMNS(struct notification_template, template_list) };

static int template_compare(const void *a, const void *b) {
        const struct notification_template *one = a, *other = b;
        int order = strcmp(one->kind, other->kind);

        if (!order)
                order = strcmp(one->medium, other->medium);
        return order ? order : strcmp(one->locale, other->locale);
}

void templates_init(struct template_set *set, struct arena *arena) {
        *set = (struct template_set){ .arena = arena };
}

void templates_want(struct template_set *set, const char *kind, const char *medium, const char *locale) {
        struct notification_template *wanted =
                arena_grow(set->arena, set->wanted, set->n_wanted, &set->wanted_capacity, sizeof(*set->wanted));

        if (!wanted) {
                set->exhausted = true;
                return;
        }
        set->wanted = wanted;
        wanted[set->n_wanted++] = (struct notification_template){ .kind = kind, .medium = medium, .locale = locale };
}

/* ---- reading ---- */

static enum problem templates_take(struct rows *rows, void *into) {
        struct template_set *set = into;

        set->rows = rows_fill(rows, &notification_template_columns, set->arena);
        if (!set->rows)
                return FAULT_BUSY;
        set->n_rows = rows_count(rows);
        for (size_t i = 0; i < set->n_rows; i++)
                set->rows[i].stored = set->rows[i].record.exists;
        return PROBLEM_NONE;
}

static enum problem templates_ask(
        struct database *database, struct template_set *set, const struct statement *statement) {
        struct array *kinds, *media, *locales;
        struct parameters p;

        if (set->exhausted)
                return FAULT_BUSY;
        set->n_wanted = sort_unique(set->wanted, set->n_wanted, sizeof(*set->wanted), template_compare);
        parameters_init(&p, set->arena);
        kinds = parameter_texts(&p);
        media = parameter_texts(&p);
        locales = parameter_texts(&p);
        for (size_t i = 0; i < set->n_wanted; i++) {
                array_text(kinds, set->wanted[i].kind);
                array_text(media, set->wanted[i].medium);
                array_text(locales, set->wanted[i].locale);
        }
        database_ask(database, statement, &p, templates_take, set);
        return PROBLEM_NONE;
}

enum problem templates_read(struct database *database, struct template_set *set) {
        return templates_ask(database, set, &sql_notification_templates_read);
}

enum problem templates_lock(struct database *database, struct template_set *set) {
        return templates_ask(database, set, &sql_notification_templates_lock);
}

struct notification_template *templates_find(
        const struct template_set *set, const char *kind, const char *medium, const char *locale) {
        const struct notification_template key = { .kind = kind, .medium = medium, .locale = locale };

        for (size_t i = 0; i < set->n_rows; i++)
                if (template_compare(&key, &set->rows[i]) == 0)
                        return &set->rows[i];
        return NULL;
}

/* ---- saving ---- */

/* A batch may delete a stored template and put it again. */
static bool is_deleted(const struct notification_template *row) {
        return row->stored && (!row->record.exists || row->record.is_new);
}

static bool is_inserted(const struct notification_template *row) {
        return row->record.exists && row->record.is_new;
}

static bool is_updated(const struct notification_template *row) {
        return row->record.exists && row->record.changed && !row->record.is_new;
}

static void templates_write(struct database *database, struct template_set *set, const struct statement *statement,
        bool (*is_due)(const struct notification_template *row)) {
        struct records records;

        records_begin(&records, set->arena, statement, &notification_template_columns);
        for (size_t i = 0; i < set->n_rows; i++)
                if (is_due(&set->rows[i]))
                        records_add(&records, &set->rows[i]);
        records_ask(&records, database);
}

void templates_save(struct database *database, struct template_set *set) {
        templates_write(database, set, &sql_notification_templates_delete, is_deleted);
        templates_write(database, set, &sql_notification_templates_insert, is_inserted);
        templates_write(database, set, &sql_notification_templates_update, is_updated);
}
