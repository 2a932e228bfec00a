/*
 * engine/smtp: send e-mails to one mail server, several at once, by libcurl's multi interface.
 *
 * The server is a URL: smtps://user:password@mail.example.org, or smtp:// with STARTTLS as `tls` says. A user name
 * makes STARTTLS required, so that no password is sent in plain text. Certificates are verified. Every wait has a
 * limit.
 *
 * A sender belongs to one thread, which runs its transfers by `smtp_turn`. Only `smtp_wake` is for any thread.
 */
#pragma once

#include "base/cleanup.h"
#include "base/clock.h"

#define SMTP_CONNECT_TIME_MAX (10 * SECOND)
#define SMTP_MAILS_MAX        16 /* at once */
#define SMTP_ANSWER_SIZE      ((size_t) 200)

/* STARTTLS of smtp:// servers. */
enum smtp_tls {
        SMTP_TLS_AUTO,     /* if the server offers it; required with a user name */
        SMTP_TLS_OFF,      /* never; not allowed with a user name */
        SMTP_TLS_REQUIRED, /* always */
};

struct smtp_server {
        const char *url;
        const char *ca_file; /* NULL: the certificates of the system */
        enum smtp_tls tls;
        duration timeout; /* of one mail, from connecting on */
};

enum smtp_result {
        SMTP_TAKEN,       /* the server has taken the mail */
        SMTP_LATER,       /* not now: no answer, an answer 4xx, or a refusal of all mails, such as a wrong password */
        SMTP_UNREACHABLE, /* the same, and the server did not even take the sender's connection */
        SMTP_REFUSED,     /* the server has refused this mail for good (5xx) */
};

struct smtp_sent {
        void *context;
        enum smtp_result result;
        char answer[SMTP_ANSWER_SIZE]; /* the last line of the server, or why there is none; printable ASCII */
};

/* The word of `smtp_tls`: "auto", "off", "required"; false: none of them. */
must_check bool smtp_tls_named(const char *text, enum smtp_tls *ret_tls);

/* Why the server cannot be used: static text that completes "HOLDFAST_SMTP_URL ..."; NULL: it can. */
const char *smtp_server_fault(const struct smtp_server *server);

struct smtp_sender;

/* `server` is copied, its texts must stay. NULL without memory, or when libcurl cannot be initialised. */
must_check struct smtp_sender *smtp_sender_new(const struct smtp_server *server);

/* Drop the mails under way. NULL is fine. Returns NULL. */
struct smtp_sender *smtp_sender_free(struct smtp_sender *sender);

/* Begin to send; the mail is copied. Addresses are plain (catalog/messages.h). False: SMTP_MAILS_MAX are under way, or
 * there is no memory. */
must_check bool smtp_send(
        struct smtp_sender *sender, const char *from, const char *to, const char *mail, size_t size, void *context);

/* How many are under way. */
size_t smtp_busy(const struct smtp_sender *sender);

/* Wait for answers, `wait` at most, and hand each over. */
void smtp_turn(struct smtp_sender *sender, duration wait, void (*sent)(const struct smtp_sent *sent));

/* End the wait of the present or the next turn. Any thread. */
void smtp_wake(struct smtp_sender *sender);

/* Connect, encrypt and log in as for a mail, and send none: for `holdfast doctor`. False: `ret_answer` says why. */
must_check bool smtp_probe(const struct smtp_server *server, char ret_answer[SMTP_ANSWER_SIZE]);
