/*
 * notifications/defaults: the templates of notifications/templates/, as embed.py puts them into the program. Constant.
 */
#pragma once

#include <stddef.h>

struct default_template {
        const char *kind, *locale;
        const char *subject, *text, *html; /* of e-mail */
        const char *sms;
};

extern const struct default_template default_templates[]; /* sorted by kind, then locale */
extern const size_t default_template_count;
