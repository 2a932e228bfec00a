/*
 * catalog/messages: how a channel writes to its customers: sender, language, and the kinds of messages.
 *
 * It is plain data, stored as JSON. The notifications room applies it. Its text lives in the arena of the reader. Pure.
 */
#pragma once

#include "base/arena.h"
#include "base/shape.h"
#include "base/writer.h"

#define MAIL_ADDRESS_MAX       254             /* RFC 5321, section 4.5.3.1, without the brackets */
#define LOCALE_SIZE_MAX        6               /* "de-AT", or "gsw-CH" */
#define CHANNEL_MESSAGES_MAX   ((size_t) 2048) /* bytes of JSON */
#define NOTIFICATION_KINDS_MAX 10

enum notification_kind {
        NOTIFY_CANCELLED,
        NOTIFY_COLLECTED,
        NOTIFY_DELAYED,
        NOTIFY_DELIVERED,
        NOTIFY_ORDER_PLACED,
        NOTIFY_READY,
        NOTIFY_REFUNDED,
        NOTIFY_REMINDER,
        NOTIFY_RETURN_RECEIVED,
        NOTIFY_SHIPPED,
        NOTIFY_KIND_COUNT,
};

/* As on the wire and in SQL; NULL-terminated, sorted. */
extern const char *const notification_kind_texts[];

/* Times of day, "21:00" and "08:00", on the wall clock of the location; equal: there are none. */
struct quiet_hours {
        const char *from, *to;
};

struct channel_messages {
        const char *from, *reply_to; /* addresses; reply_to may be NULL */
        const char *locale;
        const char **kinds; /* of notification_kind_texts */
        size_t n_kinds;
        const struct quiet_hours *quiet_hours; /* NULL: 21:00 to 08:00 */
};

extern const struct shape channel_messages_shape;

/* Whether mail can be sent to or from the address: ASCII, a dot-atom, "@", and a domain name (RFC 5322, section 3.4.1).
 * Quoted local parts, comments and address literals are not taken. NULL is no address. */
bool mail_address_is_plain(const char *text);

/* Whether the text is a language, or a language and a country: "de", "de-AT". */
bool locale_is_valid(const char *text);

/* Add the violations of a body below "#/notifications". NULL has none. */
void channel_messages_check(const struct channel_messages *messages, struct arena *arena, struct refusal *refusal);

/* As a value; NULL writes null. */
void channel_messages_write(struct writer *json, const struct channel_messages *messages);

/* Read the output of channel_messages_write; NULL text is none. False when it cannot be read, or without memory. */
must_check bool channel_messages_read(
        const char *text, struct arena *arena, const struct channel_messages **ret_messages);

bool channel_messages_equal(const struct channel_messages *a, const struct channel_messages *b);
