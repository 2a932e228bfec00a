#include "catalog/messages.h"

#include "base/text.h"

#include <string.h>

#define LOCAL_PART_MAX   ((size_t) 64)
#define DOMAIN_LABEL_MAX ((size_t) 63)

const char *const notification_kind_texts[] = { "cancelled", "collected", "delayed", "delivered", "order_placed",
        "ready", "refunded", "reminder", "return_received", "shipped", NULL };

static const struct shape_member quiet_hours_members[] = {
        REQUIRED(TEXT, struct quiet_hours, from, BETWEEN(5, 5)),
        REQUIRED(TEXT, struct quiet_hours, to, BETWEEN(5, 5)),
};
static const struct shape quiet_hours_shape = SHAPE(struct quiet_hours, quiet_hours_members);

static const struct shape_member messages_members[] = {
        REQUIRED(TEXT, struct channel_messages, from, BETWEEN(1, MAIL_ADDRESS_MAX)),
        COUNTED(TEXTS, true, struct channel_messages, kinds, .names = notification_kind_texts,
                BETWEEN(0, NOTIFICATION_KINDS_MAX)),
        REQUIRED(TEXT, struct channel_messages, locale, BETWEEN(2, LOCALE_SIZE_MAX)),
        OPTIONAL(OBJECT, struct channel_messages, quiet_hours, .shape = &quiet_hours_shape),
        OPTIONAL(TEXT, struct channel_messages, reply_to, BETWEEN(1, MAIL_ADDRESS_MAX)),
};
const struct shape channel_messages_shape = SHAPE(struct channel_messages, messages_members);

/* ---- addresses and locales ---- */

static bool is_letter_or_digit(char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

/* Pieces between dots, none of them empty, of letters, digits and `others`. */
static bool is_dotted(const char *text, size_t size, const char *others, size_t piece_max) {
        size_t piece = 0;

        for (size_t i = 0; i < size; i++) {
                if (text[i] == '.' && !piece)
                        return false;
                if (text[i] != '.' && !is_letter_or_digit(text[i]) && !(text[i] && strchr(others, text[i])))
                        return false;
                piece = text[i] == '.' ? 0 : piece + 1;
                if (piece > piece_max)
                        return false;
        }
        return piece > 0;
}

bool mail_address_is_plain(const char *text) {
        const char *at = text ? strchr(text, '@') : NULL;

        if (!at || strlen(text) > MAIL_ADDRESS_MAX)
                return false;
        return is_dotted(text, (size_t) (at - text), "!#$%&'*+-/=?^_`{|}~", LOCAL_PART_MAX) &&
               (size_t) (at - text) <= LOCAL_PART_MAX && is_dotted(at + 1, strlen(at + 1), "-", DOMAIN_LABEL_MAX);
}

bool locale_is_valid(const char *text) {
        size_t size = 0;

        while (text[size] >= 'a' && text[size] <= 'z')
                size++;
        if (size != 2 && size != 3)
                return false;
        if (!text[size])
                return true;
        return text[size] == '-' && text[size + 1] >= 'A' && text[size + 1] <= 'Z' && text[size + 2] >= 'A' &&
               text[size + 2] <= 'Z' && !text[size + 3];
}

/* ---- the body ---- */

static void quiet_time_check(const char *text, const char *pointer, struct arena *arena, struct refusal *refusal) {
        int minutes;

        if (!time_of_day_parse(text, &minutes))
                (void) refuse_because(
                        refusal, arena, pointer, "malformed", "This must be a time of day such as 21:00.");
}

void channel_messages_check(const struct channel_messages *messages, struct arena *arena, struct refusal *refusal) {
        if (!messages)
                return;
        if (!mail_address_is_plain(messages->from))
                (void) refuse_because(refusal, arena, "#/notifications/from", "malformed",
                        "This must be a plain e-mail address such as shop@example.org, without a name.");
        if (messages->reply_to && !mail_address_is_plain(messages->reply_to))
                (void) refuse_because(refusal, arena, "#/notifications/reply_to", "malformed",
                        "This must be a plain e-mail address such as help@example.org, without a name.");
        if (!locale_is_valid(messages->locale))
                (void) refuse_because(refusal, arena, "#/notifications/locale", "malformed",
                        "This must be a language, or a language and a country, such as de or de-AT.");
        if (messages->quiet_hours) {
                quiet_time_check(messages->quiet_hours->from, "#/notifications/quiet_hours/from", arena, refusal);
                quiet_time_check(messages->quiet_hours->to, "#/notifications/quiet_hours/to", arena, refusal);
        }
        for (size_t i = 0; i < messages->n_kinds; i++)
                for (size_t j = 0; j < i; j++)
                        if (text_equal(messages->kinds[i], messages->kinds[j]))
                                violation_at(refusal, arena, "#/notifications/kinds", i, NULL, "repeated",
                                        "This is repeated in the list.");
}

void channel_messages_write(struct writer *json, const struct channel_messages *messages) {
        if (!messages) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        write_text_member(json, "from", messages->from);
        if (messages->reply_to)
                write_text_member(json, "reply_to", messages->reply_to);
        write_text_member(json, "locale", messages->locale);
        if (messages->quiet_hours) {
                write_name(json, "quiet_hours");
                write_object_begin(json);
                write_text_member(json, "from", messages->quiet_hours->from);
                write_text_member(json, "to", messages->quiet_hours->to);
                write_object_end(json);
        }
        write_name(json, "kinds");
        write_list_begin(json);
        for (size_t i = 0; i < messages->n_kinds; i++)
                write_text(json, messages->kinds[i]);
        write_list_end(json);
        write_object_end(json);
}

bool channel_messages_read(const char *text, struct arena *arena, const struct channel_messages **ret_messages) {
        struct refusal ignored = { 0 };
        void *messages = NULL;

        if (text && shape_read(&channel_messages_shape, text, strlen(text), arena, &ignored, &messages))
                return false;
        *ret_messages = messages;
        return true;
}

static bool quiet_hours_equal(const struct quiet_hours *a, const struct quiet_hours *b) {
        if (!a || !b)
                return a == b;
        return text_equal(a->from, b->from) && text_equal(a->to, b->to);
}

bool channel_messages_equal(const struct channel_messages *a, const struct channel_messages *b) {
        bool equal;

        if (!a || !b)
                return a == b;
        equal = text_equal(a->from, b->from) && text_equal(a->reply_to, b->reply_to) &&
                text_equal(a->locale, b->locale) && quiet_hours_equal(a->quiet_hours, b->quiet_hours) &&
                a->n_kinds == b->n_kinds;
        for (size_t i = 0; equal && i < a->n_kinds; i++)
                equal = text_equal(a->kinds[i], b->kinds[i]);
        return equal;
}
