#include "notifications/mail.h"

#include "base/digest.h"
#include "base/qr.h"
#include "base/text.h"
#include "catalog/messages.h"
#include "catalog/promise.h"

#include <string.h>

#define LINE_MAX_BYTES    ((size_t) 76) /* of an encoded body, without its CRLF */
#define PLAIN_VALUE_MAX   ((size_t) 60) /* a longer header value is folded as encoded words */
#define WORD_BYTES_MAX    ((size_t) 42) /* that one encoded word holds: 12 + 56 of its 75 bytes */
#define MESSAGE_ID_BYTES  16
#define BASE64_LINE_BYTES ((size_t) 57)

/* "=" in a body is always followed by digits or a line break, so these begin no line of a body. */
#define BOUNDARY_OF_TEXTS  "=_holdfast_alternative"
#define BOUNDARY_OF_IMAGES "=_holdfast_related"

const char *mail_message_id(
        const struct uuid *event_id, const char *kind, const char *to, const char *from, struct arena *arena) {
        const struct digest_part parts[] = { digest_text(kind), digest_text(to),
                { event_id->bytes, sizeof(event_id->bytes) } };
        const char *domain = strchr(from, '@');
        uint8_t digest[DIGEST_SIZE];
        struct buffer id;

        digest_parts(parts, array_size(parts), digest);
        buffer_init(&id, arena, MAIL_ADDRESS_MAX + 2 * MESSAGE_ID_BYTES);
        for (size_t i = 0; i < MESSAGE_ID_BYTES; i++)
                buffer_append_format(&id, "%02x", digest[i]);
        buffer_append_text(&id, domain ? domain : "@localhost");
        return id.failed ? NULL : buffer_text(&id);
}

/* ---- base64 (RFC 4648, section 4) ---- */

static void base64_append(struct buffer *into, const uint8_t *bytes, size_t size) {
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t i = 0; i < size; i += 3) {
                const size_t n = size - i < 3 ? size - i : 3;
                const uint32_t group = (uint32_t) bytes[i] << 16 | (uint32_t) (n > 1 ? bytes[i + 1] : 0) << 8 |
                                       (uint32_t) (n > 2 ? bytes[i + 2] : 0);
                const char four[] = { digits[group >> 18], digits[group >> 12 & 63],
                        n > 1 ? digits[group >> 6 & 63] : '=', n > 2 ? digits[group & 63] : '=' };

                buffer_append(into, four, sizeof(four));
        }
}

static void base64_body(struct buffer *into, const uint8_t *bytes, size_t size) {
        for (size_t i = 0; i < size; i += BASE64_LINE_BYTES) {
                base64_append(into, bytes + i, size - i < BASE64_LINE_BYTES ? size - i : BASE64_LINE_BYTES);
                buffer_append_text(into, "\r\n");
        }
}

/* ---- header values ---- */

static bool is_control(char byte) {
        return (unsigned char) byte < ' ' || byte == '\177';
}

/* Printable ASCII that no reader takes for an encoded word. */
static bool is_plain_value(const char *text) {
        for (const char *at = text; *at; at++)
                if (is_control(*at) || (unsigned char) *at > '~')
                        return false;
        return strlen(text) <= PLAIN_VALUE_MAX && !strstr(text, "=?");
}

/* Bytes of whole characters, at most WORD_BYTES_MAX. */
static size_t word_size(const char *text, size_t size) {
        size_t taken = 0;

        while (taken < size) {
                const size_t next = text_utf8_size(text + taken, size - taken);
                const size_t step = next ? next : 1;

                if (taken + step > WORD_BYTES_MAX)
                        break;
                taken += step;
        }
        return taken;
}

/* Encoded words of RFC 2047 in UTF-8, one a line; control characters become blanks. */
static void encoded_append(struct buffer *into, const char *text) {
        const size_t size = strlen(text);

        for (size_t begin = 0; begin < size;) {
                const size_t taken = word_size(text + begin, size - begin);
                uint8_t word[WORD_BYTES_MAX];

                for (size_t i = 0; i < taken; i++)
                        word[i] = is_control(text[begin + i]) ? ' ' : (uint8_t) text[begin + i];
                buffer_append_text(into, begin ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
                base64_append(into, word, taken);
                buffer_append_text(into, "?=");
                begin += taken;
        }
}

static void quoted_append(struct buffer *into, const char *text) {
        buffer_append_text(into, "\"");
        for (const char *at = text; *at; at++) {
                if (*at == '"' || *at == '\\')
                        buffer_append_text(into, "\\");
                buffer_append(into, at, 1);
        }
        buffer_append_text(into, "\"");
}

/* The address is on a separate line, so that no line is too long. */
static void mailbox_append(struct buffer *into, const char *field, const char *name, const char *address) {
        buffer_append_format(into, "%s: ", field);
        if (name && *name) {
                if (is_plain_value(name))
                        quoted_append(into, name);
                else
                        encoded_append(into, name);
                buffer_append_text(into, "\r\n ");
        }
        buffer_append_format(into, "<%s>\r\n", address);
}

static void subject_append(struct buffer *into, const char *subject) {
        buffer_append_text(into, "Subject: ");
        if (is_plain_value(subject))
                buffer_append_text(into, subject);
        else
                encoded_append(into, subject);
        buffer_append_text(into, "\r\n");
}

/* "Sat, 21 Nov 2026 10:15:30 +0000" */
static void date_append(struct buffer *into, timestamp date) {
        static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
                "Nov", "Dec" };
        const int64_t number = date / DAY;
        const int second = (int) (date % DAY / SECOND);
        const struct day day = day_of_number(number);

        buffer_append_format(into, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[weekday_of(number)], day.day,
                months[day.month - 1], day.year, second / 3600, second / 60 % 60, second % 60);
}

/* ---- bodies ---- */

/* Quoted-printable (RFC 2045, section 6.7). */
struct quoted {
        struct buffer *into;
        size_t column;
};

static void quoted_put(struct quoted *quoted, const char *piece, size_t size) {
        if (quoted->column + size > LINE_MAX_BYTES - 1) {
                buffer_append_text(quoted->into, "=\r\n");
                quoted->column = 0;
        }
        buffer_append(quoted->into, piece, size);
        quoted->column += size;
}

static void quoted_byte(struct quoted *quoted, char byte, bool ends_line) {
        static const char digits[] = "0123456789ABCDEF";
        const unsigned char value = (unsigned char) byte;
        const char escaped[] = { '=', digits[value >> 4], digits[value & 15] };
        const bool is_blank = byte == ' ' || byte == '\t';

        if ((byte > ' ' && byte <= '~' && byte != '=') || (is_blank && !ends_line))
                quoted_put(quoted, &byte, 1);
        else
                quoted_put(quoted, escaped, sizeof(escaped));
}

static void quoted_body(struct buffer *into, const char *text) {
        struct quoted quoted = { .into = into };

        for (const char *at = text; *at; at++) {
                const bool line_break = *at == '\n' || (*at == '\r' && at[1] == '\n');

                if (line_break) {
                        buffer_append_text(into, "\r\n");
                        quoted.column = 0;
                        at += *at == '\r';
                } else {
                        quoted_byte(&quoted, *at, !at[1] || at[1] == '\n' || (at[1] == '\r' && at[2] == '\n'));
                }
        }
        if (quoted.column)
                buffer_append_text(into, "\r\n");
}

static void text_part(struct buffer *into, const char *type, const char *text) {
        buffer_append_format(into,
                "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", type);
        quoted_body(into, text);
}

static void picture_part(struct buffer *into, const uint8_t *png, size_t size) {
        buffer_append_text(into, "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
                                 "Content-ID: <" MAIL_PICTURE_ID
                                 ">\r\nContent-Disposition: inline; filename=\"" MAIL_PICTURE_ID ".png\"\r\n\r\n");
        base64_body(into, png, size);
}

/* HTML, together with its picture if it names one. */
static void html_part(struct buffer *into, const struct mail *mail) {
        const bool has_picture = mail->pickup_code && strstr(mail->html, "cid:" MAIL_PICTURE_ID);
        const uint8_t *png = NULL;
        size_t size = 0;

        if (has_picture)
                png = qr_png(mail->pickup_code, into->arena, &size);
        if (!png) {
                into->failed |= has_picture;
                text_part(into, "html", mail->html);
                return;
        }
        buffer_append_text(into,
                "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"" BOUNDARY_OF_IMAGES
                "\"\r\n\r\n--" BOUNDARY_OF_IMAGES "\r\n");
        text_part(into, "html", mail->html);
        buffer_append_text(into, "\r\n--" BOUNDARY_OF_IMAGES "\r\n");
        picture_part(into, png, size);
        buffer_append_text(into, "\r\n--" BOUNDARY_OF_IMAGES "--\r\n");
}

static void body_append(struct buffer *into, const struct mail *mail) {
        if (!mail->html) {
                text_part(into, "plain", mail->text);
                return;
        }
        buffer_append_text(into, "Content-Type: multipart/alternative;\r\n boundary=\"" BOUNDARY_OF_TEXTS
                                 "\"\r\n\r\n--" BOUNDARY_OF_TEXTS "\r\n");
        text_part(into, "plain", mail->text);
        buffer_append_text(into, "\r\n--" BOUNDARY_OF_TEXTS "\r\n");
        html_part(into, mail);
        buffer_append_text(into, "\r\n--" BOUNDARY_OF_TEXTS "--\r\n");
}

/* ---- the mail ---- */

bool mail_write(const struct mail *mail, struct buffer *into) {
        if (!mail_address_is_plain(mail->from) || !mail_address_is_plain(mail->to) ||
                (mail->reply_to && !mail_address_is_plain(mail->reply_to)) || !mail_address_is_plain(mail->message_id))
                return false;
        date_append(into, mail->date);
        mailbox_append(into, "From", mail->from_name, mail->from);
        mailbox_append(into, "To", mail->to_name, mail->to);
        if (mail->reply_to)
                mailbox_append(into, "Reply-To", NULL, mail->reply_to);
        buffer_append_format(into, "Message-ID: <%s>\r\n", mail->message_id);
        subject_append(into, mail->subject);
        /* Programs that answer mail, such as out-of-office replies, stay silent (RFC 3834). */
        buffer_append_text(into, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
        body_append(into, mail);
        return !into->failed;
}
