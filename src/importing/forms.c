#include "importing/forms.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = { [FORM_FIRST] = "first",
        [FORM_CODE] = "code",
        [FORM_BRACKETED] = "bracketed",
        [FORM_TEXT] = "text",
        [FORM_CLOSURES] = "closures",
        [FORM_HOURS] = "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun" };

bool map_form_named(const char *name, size_t size, enum map_form *ret_form) {
        for (int i = FORM_FIRST; i <= FORM_LAST; i++)
                if (strlen(names[i]) == size && strncasecmp(names[i], name, size) == 0) {
                        *ret_form = (enum map_form) i;
                        return true;
                }
        return false;
}

/* ---- writing ---- */

struct form_out {
        char *at;
        size_t n, size;
};

static void put_bytes(struct form_out *out, const char *bytes, size_t size) {
        if (out->n + size < out->size)
                memcpy(out->at + out->n, bytes, size);
        out->n += size;
}

static void put_text(struct form_out *out, const char *text) {
        put_bytes(out, text, strlen(text));
}

static bool put_end(struct form_out *out) {
        if (out->n >= out->size)
                return false;
        out->at[out->n] = '\0';
        return true;
}

/* ---- codes and texts ---- */

static void put_code(struct form_out *out, const char *text) {
        bool gap = false;

        for (; *text; text++) {
                if (isalnum((unsigned char) *text) || strchr("._~:+@-", *text)) {
                        if (gap && out->n)
                                put_bytes(out, "-", 1);
                        put_bytes(out, text, 1);
                        gap = false;
                } else {
                        gap = true;
                }
        }
}

static void put_bracketed(struct form_out *out, const char *text) {
        const char *end = *text == '[' ? strchr(text, ']') : NULL;

        if (end)
                put_bytes(out, text + 1, (size_t) (end - text - 1));
        else
                put_text(out, text);
}

static const struct {
        const char *name, *text;
} entities[] = { { "&amp;", "&" }, { "&gt;", ">" }, { "&lt;", "<" }, { "&nbsp;", " " }, { "&quot;", "\"" },
        { "&#39;", "'" } };

/* The text of an entity that the HTML begins with, and its end; NULL: it is none of these. */
static const char *entity_at(const char *html, const char **ret_end) {
        for (size_t i = 0; i < array_size(entities); i++)
                if (text_starts_with(html, entities[i].name)) {
                        *ret_end = html + strlen(entities[i].name);
                        return entities[i].text;
                }
        return NULL;
}

/* Tags of blocks part words; those within a line do not: "soft<b>er</b>". */
static bool is_inline_tag(const char *tag) {
        static const char *const inlines[] = { "a", "b", "em", "i", "span", "strong", "sub", "sup", "u" };

        tag += *tag == '/';
        for (size_t i = 0; i < array_size(inlines); i++) {
                const size_t n = strlen(inlines[i]);

                if (strncasecmp(tag, inlines[i], n) == 0 && strchr(" >/", tag[n]))
                        return true;
        }
        return false;
}

static void put_plain(struct form_out *out, const char *html) {
        bool gap = false;

        while (*html) {
                const char *end = *html == '<' ? strchr(html, '>') : NULL, *text = NULL;

                if (end) {
                        gap = gap || !is_inline_tag(html + 1);
                        html = end + 1;
                        continue;
                }
                if (*html == '&')
                        text = entity_at(html, &end);
                if (!text && strchr(" \t\r\n", *html)) {
                        gap = true;
                        html++;
                        continue;
                }
                if (gap && out->n)
                        put_bytes(out, " ", 1);
                gap = false;
                if (text)
                        put_text(out, text);
                else
                        put_bytes(out, html, 1);
                html = text ? end : html + 1;
        }
}

/* ---- hours ---- */

#define PART_SIZE 64

/* One or two digits. */
static bool number_take(const char **at, int *ret_number) {
        int n = 0;

        *ret_number = 0;
        for (; n < 2 && isdigit((unsigned char) **at); n++, ++*at)
                *ret_number = 10 * *ret_number + (**at - '0');
        return n > 0;
}

/* "9:00", "9 PM", "09:00" as 09:00; false for anything else. */
static bool hour_read(const char **at, int *ret_minutes) {
        int hour, minute = 0;

        *at += strspn(*at, " ");
        if (!number_take(at, &hour))
                return false;
        if (**at == ':') {
                ++*at;
                if (!number_take(at, &minute))
                        return false;
        }
        *at += strspn(*at, " ");
        if (strncasecmp(*at, "am", 2) == 0 || strncasecmp(*at, "pm", 2) == 0) {
                hour = hour % 12 + (**at == 'p' || **at == 'P' ? 12 : 0);
                *at += 2;
                *at += strspn(*at, " ");
        }
        *ret_minutes = 60 * hour + minute;
        return minute < 60 && *ret_minutes <= 24 * 60;
}

/* "9:00 AM - 7:00 PM" as 09:00-19:00. What cannot be read stays, so that the import names it. */
static void put_span(struct form_out *out, const char *span) {
        char text[64];
        const char *at = span;
        int opens, closes;
        bool read = hour_read(&at, &opens) && *at == '-';

        if (read) {
                at++;
                read = hour_read(&at, &closes) && !at[strspn(at, " ")];
        }
        if (!read) {
                put_text(out, span);
                return;
        }
        (void) snprintf(text, sizeof(text), "%02d:%02d-%02d:%02d", opens / 60, opens % 60, closes / 60, closes % 60);
        put_text(out, text);
}

static bool is_closed(const char *part) {
        return !*part || strcasecmp(part, "x") == 0 || strcasecmp(part, "closed") == 0;
}

/* The next part of a list with commas, without blanks around it. False: there is none. */
static bool list_part(const char **list, char part[PART_SIZE]) {
        const char *at;
        size_t size;

        if (!text_next_part(list, ',', &at, &size))
                return false;
        for (; size && *at == ' '; at++)
                size--;
        while (size && at[size - 1] == ' ')
                size--;
        size = size < PART_SIZE ? size : PART_SIZE - 1;
        memcpy(part, at, size);
        part[size] = '\0';
        return true;
}

static void put_hours(struct form_out *out, const char *day, const char *text) {
        char part[PART_SIZE];

        while (list_part(&text, part)) {
                if (is_closed(part))
                        continue;
                put_text(out, out->n ? "; " : "");
                put_text(out, day);
                put_text(out, " ");
                put_span(out, strcasecmp(part, "open 24 hours") == 0 ? "00:00-24:00" : part);
        }
}

#define DATE_SIZE (sizeof("2026-12-24") - 1)

static void put_closures(struct form_out *out, const char *text) {
        char part[PART_SIZE], date[DATE_SIZE + 1] = "";

        while (list_part(&text, part)) {
                const char *hours = part;

                if (strlen(part) > DATE_SIZE && part[4] == '-' && part[DATE_SIZE] == ':') {
                        memcpy(date, part, DATE_SIZE);
                        date[DATE_SIZE] = '\0';
                        hours = part + DATE_SIZE + 1 + strspn(part + DATE_SIZE + 1, " ");
                }
                if (!*part)
                        continue;
                put_text(out, out->n ? "; " : "");
                put_text(out, date);
                if (is_closed(hours))
                        continue;
                put_text(out, " ");
                put_span(out, hours);
        }
}

bool map_form_apply(enum map_form form, const char *text, char *out, size_t size) {
        struct form_out to = { .at = out, .size = size };

        if (form == FORM_FIRST)
                put_bytes(&to, text, strcspn(text, ","));
        else if (form == FORM_CODE)
                put_code(&to, text);
        else if (form == FORM_BRACKETED)
                put_bracketed(&to, text);
        else if (form == FORM_TEXT)
                put_plain(&to, text);
        else if (form == FORM_CLOSURES)
                put_closures(&to, text);
        else if (form >= FORM_HOURS)
                put_hours(&to, names[form], text);
        else
                put_text(&to, text);
        return put_end(&to);
}
