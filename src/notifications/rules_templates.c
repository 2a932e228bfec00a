#include "notifications/defaults.h"
#include "notifications/notifications.h"

#include "base/text.h"

#include <string.h>

const char *const notification_medium_texts[] = { "email", "sms", NULL };

static bool medium_is_email(const char *medium) {
        return text_equal(medium, notification_medium_texts[BY_EMAIL]);
}

/* ---- templates that come with the program ---- */

static bool has_language(const char *locale, const char *language) {
        const size_t size = strlen(language);

        return strncmp(locale, language, size) == 0 && (!locale[size] || locale[size] == '-');
}

bool template_default(const char *kind, const char *medium, const char *locale, struct message_text *ret_text) {
        for (size_t i = 0; i < default_template_count; i++) {
                const struct default_template *found = &default_templates[i];

                if (!text_equal(found->kind, kind) || !has_language(locale, found->locale))
                        continue;
                *ret_text = medium_is_email(medium) ? (struct message_text){ found->subject, found->text, found->html }
                                                    : (struct message_text){ .text = found->sms };
                return true;
        }
        return false;
}

/* ---- checking ---- */

static void part_check(const char *text, const char *pointer, struct arena *arena, struct refusal *refusal) {
        struct mustache mustache;
        struct mustache_fault fault = { 0 };
        const enum problem problem = text ? mustache_parse(text, strlen(text), arena, &mustache, &fault) : PROBLEM_NONE;

        if (problem == PROBLEM_VALIDATION_FAILED)
                (void) refuse_because(refusal, arena, pointer, "malformed", "Line %zu, column %zu: %s.", fault.line,
                        fault.column, fault.reason);
        else if (problem)
                (void) refuse(refusal, arena, problem, "There is no memory left.");
}

bool template_check(const struct message_text *text, const char *medium, struct arena *arena, struct refusal *refusal) {
        if (medium_is_email(medium) && !text->subject)
                (void) refuse_because(refusal, arena, "#/subject", "required", "An e-mail has a subject.");
        if (!medium_is_email(medium) && text->subject)
                (void) refuse_because(refusal, arena, "#/subject", "not-allowed", "A text message has no subject.");
        if (!medium_is_email(medium) && text->html)
                (void) refuse_because(refusal, arena, "#/html", "not-allowed", "A text message has no HTML.");
        part_check(text->subject, "#/subject", arena, refusal);
        part_check(text->text, "#/text", arena, refusal);
        part_check(text->html, "#/html", arena, refusal);
        if (refusal->n_violations)
                (void) refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The template is not valid.");
        return !refusal->problem;
}

/* ---- rendering ---- */

struct rendering_part {
        const char *name;
        const char *template;
        enum mustache_escaping escaping;
        size_t maximum;
        const char **ret_text;
};

static enum problem part_render(
        const struct rendering_part *part, const json_t *data, struct arena *arena, struct refusal *refusal) {
        struct mustache mustache;
        struct mustache_fault fault = { 0 };
        struct buffer buffer;
        enum problem problem;

        *part->ret_text = NULL;
        if (!part->template)
                return PROBLEM_NONE;
        problem = mustache_parse(part->template, strlen(part->template), arena, &mustache, &fault);
        if (problem == PROBLEM_VALIDATION_FAILED)
                return refuse(refusal, arena, problem,
                        "The template of the %s does not parse: line %zu, column %zu: %s.", part->name, fault.line,
                        fault.column, fault.reason);
        if (problem)
                return refuse(refusal, arena, problem, "There is no memory left.");
        buffer_init(&buffer, arena, part->maximum);
        if (!mustache_render(&mustache, data, part->escaping, &buffer))
                return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED,
                        "The rendered %s is longer than %zu bytes, or its sections repeat too often.", part->name,
                        part->maximum);
        *part->ret_text = buffer_text(&buffer);
        return PROBLEM_NONE;
}

/* A subject is one line: control characters of names and templates become blanks. */
static const char *one_line(const char *text, struct arena *arena) {
        char *line = text ? arena_text(arena, text) : NULL;

        for (char *at = line; at && *at; at++)
                if ((unsigned char) *at < ' ' || *at == '\177')
                        *at = ' ';
        return line;
}

enum problem template_render(const struct message_text *text, const json_t *data, struct arena *arena,
        struct refusal *refusal, struct message_text *ret_rendered) {
        struct message_text rendered = { 0 };
        const struct rendering_part parts[] = {
                { "subject", text->subject, MUSTACHE_PLAIN, RENDERED_SUBJECT_MAX, &rendered.subject },
                { "text", text->text, MUSTACHE_PLAIN, RENDERED_TEXT_MAX, &rendered.text },
                { "html", text->html, MUSTACHE_HTML, RENDERED_HTML_MAX, &rendered.html },
        };
        enum problem problem = PROBLEM_NONE;

        for (size_t i = 0; i < array_size(parts) && !problem; i++)
                problem = part_render(&parts[i], data, arena, refusal);
        if (problem)
                return problem;
        rendered.subject = one_line(rendered.subject, arena);
        if (text->subject && !rendered.subject)
                return refuse(refusal, arena, PROBLEM_OVERLOADED, "There is no memory left.");
        *ret_rendered = rendered;
        return PROBLEM_NONE;
}
