/*
 * notifications: messages to customers about their orders.
 *
 * A message has a kind (the order is ready), a medium (e-mail) and a locale. Its text comes from a template: the
 * retailer's, or the one that comes with the program. A template is rendered with one JSON document, whose members
 * `data_members` lists. Headers of this room are pure but for store.h.
 */
#pragma once

#include "base/mustache.h"
#include "catalog/catalog.h"

#define TEMPLATE_SUBJECT_MAX  200   /* code points */
#define TEMPLATE_TEXT_MAX     20000 /* the same, here and below */
#define TEMPLATE_HTML_MAX     60000

#define RENDERED_SUBJECT_MAX  ((size_t) 800) /* bytes, here and below */
#define RENDERED_TEXT_MAX     ((size_t) 64 * 1024)
#define RENDERED_HTML_MAX     ((size_t) 256 * 1024)
#define NOTIFICATION_DATA_MAX ((size_t) 512 * 1024) /* the largest order fits */

enum notification_medium { BY_EMAIL, BY_SMS, MEDIUM_COUNT };

/* As on the wire and in SQL; NULL-terminated, sorted. */
extern const char *const notification_medium_texts[];

/* Texts of a template, or of a rendered message. A medium without subject and HTML has NULL there. */
struct message_text {
        const char *subject, *text, *html;
};

struct notification_template {
        struct record record;
        const char *kind, *medium, *locale; /* its key */
        struct message_text text;
        bool stored; /* the database has a row of it */
};

/* ---- templates that come with the program ---- */

/* The template of that kind and language: "de-AT" has that of "de". False: there is none. */
must_check bool template_default(
        const char *kind, const char *medium, const char *locale, struct message_text *ret_text);

/* ---- rules ---- */

/* Refuse each part that does not parse, and parts that the medium lacks or must have. False after a refusal. */
must_check bool template_check(
        const struct message_text *text, const char *medium, struct arena *arena, struct refusal *refusal);

/* Render all parts with the document. VALIDATION_FAILED: a part does not parse, or is too long when rendered. Line
 * breaks in a subject become blanks. */
must_check enum problem template_render(const struct message_text *text, const json_t *data, struct arena *arena,
        struct refusal *refusal, struct message_text *ret_rendered);
