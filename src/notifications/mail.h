/*
 * notifications/mail: an e-mail as the bytes that a mail server takes.
 *
 * Header fields by RFC 5322, encoded words by RFC 2047, bodies by RFC 2045: text in quoted-printable, and with HTML a
 * multipart/alternative of both. No line is longer than 78 bytes, and each ends with CRLF. Names and subjects are any
 * UTF-8: control characters become blanks, so that no value can begin another field. Addresses are checked; one that is
 * not plain makes no mail. Pure.
 */
#pragma once

#include "base/buffer.h"
#include "base/clock.h"
#include "base/uuid.h"

#define MAIL_SIZE_MAX   ((size_t) 2 * 1024 * 1024) /* the largest rendered message fits, each byte encoded as three */
#define MAIL_PICTURE_ID "pickup-code"              /* as HTML names it: <img src="cid:pickup-code"> */

struct mail {
        const char *from, *from_name;
        const char *to, *to_name;
        const char *reply_to; /* may be NULL, and so may the names */
        const char *message_id;
        const char *subject, *text;
        const char *html;        /* NULL: plain text alone */
        const char *pickup_code; /* HTML that names MAIL_PICTURE_ID gets its QR code; NULL: no picture */
        timestamp date;
};

/* The id of the message about one event to one recipient, always the same; with the domain of `from`, without brackets.
 * NULL without memory. */
const char *mail_message_id(
        const struct uuid *event_id, const char *kind, const char *to, const char *from, struct arena *arena);

/* Append the mail. False: an address is not plain, or the buffer is full. */
must_check bool mail_write(const struct mail *mail, struct buffer *into);
