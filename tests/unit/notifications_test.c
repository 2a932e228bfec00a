#include "fulfillment_scene.h"

#include "base/text.h"
#include "notifications/data.h"
#include "notifications/defaults.h"
#include "notifications/format.h"
#include "notifications/notifications.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX       64
#define MEMBER_NAME_MAX 64

TestSuite(notifications, .init = given_pickup, .fini = scene_clear);

static struct channel channel = { .code = "web", .name = "Web shop" };
static struct location location = {
        .code = "store", .name = "Berlin <Mitte>", .address = "Alexanderplatz 1\n10178 Berlin"
};
static struct refund refund = { .amount = 1290 };
static const struct zone_span berlin_spans[] = { { TIMESTAMP_NONE, 2 * HOUR }, { NOW - DAY, HOUR } };
static const struct zone berlin = { .name = "Europe/Berlin", .spans = berlin_spans, .n_spans = 2 };

/* A scene with a value for each member. */
static json_t *whole_document(const char *locale) {
        const struct notification_facts facts = { .order = &scene.order,
                .fulfillment = it,
                .location = &location,
                .channel = &channel,
                .zone = &berlin,
                .refund = &refund,
                .pickup_code = "ABCD2345",
                .locale = locale };
        json_t *data;

        scene.order.number = "W-7K3M-9QXA";
        scene.order.customer = "{\"name\": \"Ada \\u003clovelace\\u003e\"}";
        scene.order.placed_at = NOW;
        scene.order.discount = 500;
        scene.order.shipping = 490;
        scene.order.tax = 412;
        it->hold_until = NOW + 7 * DAY;
        it->status = FULFILLMENT_READY;
        it->promised_at = NOW + 2 * HOUR;
        it->packages = "[{\"carrier\": \"DHL\", \"tracking_number\": \"0034\"}]";
        data = notification_data(&facts, &scene.arena);
        cr_assert_not_null(data);
        return data;
}

/* ---- the document ---- */

struct names {
        char at[NAMES_MAX][MEMBER_NAME_MAX];
        size_t n;
};

static void name_add(struct names *names, const char *name) {
        for (size_t i = 0; i < names->n; i++)
                if (text_equal(names->at[i], name))
                        return;
        cr_assert_lt(names->n, NAMES_MAX);
        (void) snprintf(names->at[names->n++], MEMBER_NAME_MAX, "%s", name);
}

static void names_collect(const json_t *value, const char *path, struct names *names) {
        char inner[MEMBER_NAME_MAX];
        const char *name;
        json_t *member;
        size_t i;

        if (json_is_object(value)) {
                json_object_foreach((json_t *) (uintptr_t) value, name, member) {
                        (void) snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", name);
                        names_collect(member, inner, names);
                }
        } else if (json_is_array(value)) {
                json_array_foreach(value, i, member) {
                        (void) snprintf(inner, sizeof(inner), "%s[]", path);
                        names_collect(member, inner, names);
                }
        } else {
                name_add(names, path);
        }
}

static bool is_listed(const char *name) {
        for (size_t i = 0; i < data_member_count; i++)
                if (text_equal(data_members[i].name, name))
                        return true;
        return false;
}

Test(notifications, the_document_has_the_listed_members_and_no_others) {
        static const enum fulfillment_method methods[] = { BY_PICKUP, BY_CURBSIDE, BY_SHIPPING };
        struct names names = { .n = 0 };

        for (size_t i = 0; i < array_size(methods); i++) {
                json_t *data;

                given(methods[i]);
                data = whole_document("en");
                names_collect(data, "", &names);
                json_decref(data);
        }
        for (size_t i = 0; i < names.n; i++)
                cr_expect(is_listed(names.at[i]), "data_members lacks %s", names.at[i]);
        cr_expect_eq(names.n, data_member_count, "a listed member is in no document");
        for (size_t i = 1; i < data_member_count; i++)
                cr_expect_lt(strcmp(data_members[i - 1].name, data_members[i].name), 0, "%s is not sorted",
                        data_members[i].name);
}

Test(notifications, members_without_a_value_are_absent) {
        const struct notification_facts facts = { .order = &scene.order, .locale = "en" };
        json_t *data;

        scene.order.customer = "{}";
        scene.order.number = "N-1";
        scene.order.placed_at = NOW;
        data = notification_data(&facts, &scene.arena);
        cr_assert_not_null(data);
        cr_expect_null(json_object_get(data, "fulfillment"));
        cr_expect_null(json_object_get(data, "refund"));
        cr_expect_null(json_object_get(data, "customer"));
        cr_expect_null(json_object_get(json_object_get(data, "order"), "discount"));
        json_decref(data);
}

Test(notifications, units_that_the_location_lacks_are_not_announced) {
        json_t *data, *lines;

        it->lines[FIRST].shorted = 2;
        it->lines[THIRD].cancelled = 1;
        data = whole_document("en");
        lines = json_object_get(json_object_get(data, "fulfillment"), "lines");
        cr_assert_eq(json_array_size(lines), 2);
        cr_expect_str_eq(json_string_value(json_object_get(json_array_get(lines, 0), "sku")), "SKU-B");
        cr_expect_eq(json_integer_value(json_object_get(json_array_get(lines, 1), "quantity")), 2);
        json_decref(data);
}

Test(notifications, each_kind_is_about_the_fulfillment_that_it_fits) {
        struct fulfillment shipped = { .number = 2, .method = BY_SHIPPING }, collected = { .number = 1 };
        struct fulfillment *both[] = { &collected, &shipped };
        struct order order = { .fulfillments = both, .n_fulfillments = 2 };

        cr_expect_eq(notification_fulfillment(&order, "ready"), &collected);
        cr_expect_eq(notification_fulfillment(&order, "reminder"), &collected);
        cr_expect_eq(notification_fulfillment(&order, "collected"), &collected);
        cr_expect_eq(notification_fulfillment(&order, "shipped"), &shipped);
        cr_expect_eq(notification_fulfillment(&order, "delivered"), &shipped);
        cr_expect_eq(notification_fulfillment(&order, "order_placed"), &shipped);
        order.n_fulfillments = 1;
        cr_expect_eq(notification_fulfillment(&order, "shipped"), &collected);
        order.n_fulfillments = 0;
        cr_expect_null(notification_fulfillment(&order, "ready"));
}

/* ---- amounts and times ---- */

Test(notifications, amounts_read_as_in_the_language) {
        static const struct {
                int64_t amount;
                const char *currency, *locale, *expected;
        } cases[] = {
                { 1999, "EUR", "en", "€19.99" },
                { 1999, "EUR", "de", "19,99 €" },
                { 1999, "EUR", "de-AT", "19,99 €" },
                { 123456789, "EUR", "de", "1.234.567,89 €" },
                { 123456789, "USD", "en-US", "$1,234,567.89" },
                { 100000, "CHF", "de-CH", "1.000,00 CHF" },
                { 100000, "CHF", "en", "CHF 1,000.00" },
                { 5, "EUR", "en", "€0.05" },
                { 0, "GBP", "en", "£0.00" },
                { -1290, "EUR", "en", "-€12.90" },
                { 1500, "JPY", "en", "¥1,500" },
                { 1234567, "KWD", "en", "KWD 1,234.567" },
                { 199900, "EUR", "fr", "1999.00 EUR" },
                { 199900, "EUR", "den", "1999.00 EUR" },
                { MONEY_MAXIMUM, "EUR", "de", "90.071.992.547.409,91 €" },
        };

        for (size_t i = 0; i < array_size(cases); i++)
                cr_expect_str_eq(amount_format(cases[i].amount, cases[i].currency, cases[i].locale, &scene.arena),
                        cases[i].expected);
}

/* NOW is 2026-11-21T10:15:30Z. */
Test(notifications, times_read_as_in_the_language_and_zone) {
        cr_expect_str_eq(time_format(NOW, &berlin, "en", &scene.arena), "Saturday, 21 November 2026, 11:15");
        cr_expect_str_eq(time_format(NOW, &berlin, "de-AT", &scene.arena), "Samstag, 21. November 2026, 11:15 Uhr");
        cr_expect_str_eq(time_format(NOW, &berlin, "fr", &scene.arena), "2026-11-21 11:15");
        cr_expect_str_eq(time_format(NOW - 2 * DAY, &berlin, "en", &scene.arena), "Thursday, 19 November 2026, 12:15",
                "the offset of summer");
        cr_expect_str_eq(time_format(NOW + 13 * HOUR, &berlin, "en", &scene.arena), "Sunday, 22 November 2026, 00:15");
        cr_expect_null(time_format(TIMESTAMP_NONE, &berlin, "en", &scene.arena));
}

Test(notifications, a_locale_is_a_language_and_may_have_a_country) {
        static const char *const valid[] = { "en", "de", "de-AT", "gsw", "gsw-CH" };
        static const char *const invalid[] = { "", "e", "engl", "EN", "de-at", "de-AUT", "de_AT", "de-", "de-A", "d1" };

        for (size_t i = 0; i < array_size(valid); i++)
                cr_expect(locale_is_valid(valid[i]), "%s", valid[i]);
        for (size_t i = 0; i < array_size(invalid); i++)
                cr_expect_not(locale_is_valid(invalid[i]), "%s", invalid[i]);
}

/* ---- templates ---- */

static struct message_text rendered(const struct message_text *text, const json_t *data) {
        struct message_text message = { 0 };
        struct refusal refusal = { 0 };
        const enum problem problem = template_render(text, data, &scene.arena, &refusal, &message);

        cr_assert_eq(problem, PROBLEM_NONE, "%s", refusal.detail);
        return message;
}

Test(notifications, each_kind_has_a_template_in_english_and_german) {
        static const char *const locales[] = { "en", "de", "en-US", "de-AT" };
        struct message_text text;

        for (size_t kind = 0; kind < NOTIFY_KIND_COUNT; kind++)
                for (size_t i = 0; i < array_size(locales); i++) {
                        cr_expect(template_default(notification_kind_texts[kind], "email", locales[i], &text));
                        cr_expect(text.subject && text.text && text.html);
                        cr_expect(template_default(notification_kind_texts[kind], "sms", locales[i], &text));
                        cr_expect(!text.subject && text.text && !text.html);
                }
        cr_expect_eq(default_template_count, 2 * NOTIFY_KIND_COUNT);
        cr_expect_not(template_default("ready", "email", "fr", &text));
        cr_expect_not(template_default("ready", "email", "den", &text));
        cr_expect_not(template_default("unknown", "email", "en", &text));
}

static void all_parts_read_well(const char *kind, const char *medium, const char *locale, const json_t *data) {
        struct message_text text, message;
        struct refusal refusal = { 0 };

        cr_assert(template_default(kind, medium, locale, &text));
        cr_assert(template_check(&text, medium, &scene.arena, &refusal), "%s %s %s", kind, medium, locale);
        message = rendered(&text, data);
        cr_expect_null(strstr(message.text, "{{"), "%s", message.text);
        cr_expect_null(strstr(message.text, "  \n"), "a line of blanks in %s %s:\n%s", kind, locale, message.text);
        cr_expect_not_null(strstr(message.text, "W-7K3M-9QXA"), "%s %s", kind, medium);
        if (text.html) {
                cr_expect_not_null(strstr(message.html, "W-7K3M-9QXA"));
                cr_expect_null(strstr(message.html, "<Mitte>"), "%s", message.html);
                cr_expect_null(strstr(message.html, "<lovelace>"), "%s", message.html);
                cr_expect_not_null(strstr(message.html, "Ada &lt;lovelace&gt;"), "%s", message.html);
                cr_expect_not_null(strstr(message.subject, "W-7K3M-9QXA"));
        }
}

Test(notifications, every_template_of_the_program_renders_and_escapes) {
        for (size_t i = 0; i < default_template_count; i++) {
                const struct default_template *found = &default_templates[i];
                json_t *data = whole_document(found->locale);

                all_parts_read_well(found->kind, "email", found->locale, data);
                all_parts_read_well(found->kind, "sms", found->locale, data);
                json_decref(data);
        }
}

/* The names in the tags of a template, with those of open lists before them, are listed members or their beginnings. */
static bool is_known(const char *name, size_t size) {
        for (size_t i = 0; i < data_member_count; i++) {
                const char *member = data_members[i].name, *list = strstr(member, "[].");

                if (strncmp(member, name, size) == 0 && strchr(".[", member[size]))
                        return true;
                if (list && strlen(list + 3) == size && strncmp(list + 3, name, size) == 0)
                        return true;
        }
        return false;
}

static void names_are_known(const char *template) {
        for (const char *at = strstr(template, "{{"); at; at = strstr(at, "{{")) {
                const char *name = at + 2 + strspn(at + 2, "{#^/&"), *end = strstr(name, "}}");

                cr_assert_not_null(end);
                cr_expect(is_known(name, (size_t) (end - name)), "%.*s", (int) (end - name), name);
                at = end;
        }
}

Test(notifications, the_templates_of_the_program_use_listed_names_alone) {
        for (size_t i = 0; i < default_template_count; i++) {
                names_are_known(default_templates[i].subject);
                names_are_known(default_templates[i].text);
                names_are_known(default_templates[i].html);
                names_are_known(default_templates[i].sms);
        }
}

Test(notifications, a_ready_mail_has_the_code_and_the_end_of_the_hold) {
        json_t *data = whole_document("de");
        struct message_text text, message;

        cr_assert(template_default("ready", "email", "de", &text));
        message = rendered(&text, data);
        cr_expect_str_eq(message.subject, "Ihre Bestellung W-7K3M-9QXA liegt bereit");
        cr_expect_not_null(strstr(message.text, "Ihr Abholcode: ABCD2345\n"), "%s", message.text);
        cr_expect_not_null(
                strstr(message.text, "bis Samstag, 28. November 2026, 11:15 Uhr für Sie auf"), "%s", message.text);
        cr_expect_not_null(strstr(message.html, "cid:pickup-code"));
        cr_expect_not_null(strstr(message.text, "\nAlexanderplatz 1\n10178 Berlin\n"), "%s", message.text);
        json_decref(data);
}

Test(notifications, a_subject_is_one_line_whatever_a_name_has_in_it) {
        json_t *data = json_pack("{s:s}", "name", "Ada\r\nBcc: all@example.org\t\x7f");
        const struct message_text text = { .subject = "For {{name}}\nX-Other: 1", .text = "" };

        cr_expect_str_eq(rendered(&text, data).subject, "For Ada  Bcc: all@example.org   X-Other: 1");
        json_decref(data);
}

static void refuses_template(struct message_text text, const char *medium, const char *pointer, const char *detail) {
        struct refusal refusal = { 0 };

        cr_assert_not(template_check(&text, medium, &scene.arena, &refusal));
        cr_assert_eq(refusal.problem, PROBLEM_VALIDATION_FAILED);
        cr_assert_eq(refusal.n_violations, 1);
        cr_expect_str_eq(refusal.violations->pointer, pointer);
        cr_expect_str_eq(refusal.violations->detail, detail);
}

Test(notifications, a_broken_template_is_refused_with_its_place) {
        refuses_template((struct message_text){ "S", "a\n{{#b}}", NULL }, "email", "#/text",
                "Line 2, column 4: the section has no end tag.");
        refuses_template((struct message_text){ "{{", "a", NULL }, "email", "#/subject",
                "Line 1, column 1: the tag has no end.");
        refuses_template((struct message_text){ "S", "a", "<p>{{/p}}</p>" }, "email", "#/html",
                "Line 1, column 4: the end tag has no section.");
        refuses_template((struct message_text){ NULL, "a", NULL }, "email", "#/subject", "An e-mail has a subject.");
        refuses_template((struct message_text){ "S", "a", NULL }, "sms", "#/subject", "A text message has no subject.");
        refuses_template((struct message_text){ NULL, "a", "<p>" }, "sms", "#/html", "A text message has no HTML.");
}

Test(notifications, a_message_that_grows_without_end_is_refused) {
        json_t *data = whole_document("en");
        struct message_text text = { .text = "{{#order.lines}}{{#order.lines}}{{#order.lines}}{{#order.lines}}"
                                             "{{#order.lines}}{{#order.lines}}{{#order.lines}}{{#order.lines}}"
                                             "{{#order.lines}}{{#order.lines}}{{#order.lines}}{{#order.lines}}"
                                             "{{title}}"
                                             "{{/order.lines}}{{/order.lines}}{{/order.lines}}{{/order.lines}}"
                                             "{{/order.lines}}{{/order.lines}}{{/order.lines}}{{/order.lines}}"
                                             "{{/order.lines}}{{/order.lines}}{{/order.lines}}{{/order.lines}}" },
                            message;
        struct refusal refusal = { 0 };

        cr_expect_eq(template_render(&text, data, &scene.arena, &refusal, &message), PROBLEM_VALIDATION_FAILED);
        cr_expect_not_null(strstr(refusal.detail, "rendered text is longer than 65536 bytes"), "%s", refusal.detail);
        json_decref(data);
}
