#include "engine/smtp.h"

#include "base/text.h"
#include "engine/transfers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_SIZE ((size_t) 264) /* MAIL_ADDRESS_MAX (catalog/messages.h) and its brackets */
#define SMTP_URL_MAX 2048

DEFINE_CLEANUP(CURLU, smtp_url_cleanup, curl_url_cleanup)

static void smtp_text_cleanup(char **text) {
        curl_free(*text);
}

/* ---- the server ---- */

bool smtp_tls_named(const char *text, enum smtp_tls *ret_tls) {
        static const char *const names[] = {
                [SMTP_TLS_AUTO] = "auto", [SMTP_TLS_OFF] = "off", [SMTP_TLS_REQUIRED] = "required"
        };

        for (size_t i = 0; i < array_size(names); i++)
                if (text_equal(text, names[i])) {
                        *ret_tls = (enum smtp_tls) i;
                        return true;
                }
        return false;
}

static bool url_has_user(CURLU *parsed) {
        _cleanup_(smtp_text_cleanup) char *user = NULL;

        return curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_OK;
}

const char *smtp_server_fault(const struct smtp_server *server) {
        _cleanup_(smtp_url_cleanup) CURLU *parsed = curl_url();
        _cleanup_(smtp_text_cleanup) char *query = NULL;
        const bool is_plain = text_starts_with(server->url, "smtp://");

        if (!is_plain && !text_starts_with(server->url, "smtps://"))
                return "must begin with smtp:// or smtps://";
        if (!parsed || strlen(server->url) > SMTP_URL_MAX || strchr(server->url, '#') ||
                curl_url_set(parsed, CURLUPART_URL, server->url, 0) != CURLUE_OK ||
                curl_url_get(parsed, CURLUPART_QUERY, &query, 0) == CURLUE_OK)
                return "must be smtp://host:port or smtps://user:password@host:port, with special characters of the"
                       " password as %XX";
        if (is_plain && server->tls == SMTP_TLS_OFF && url_has_user(parsed))
                return "has a password, which is not sent without TLS: use smtps://, or HOLDFAST_SMTP_TLS=auto";
        return NULL;
}

static bool server_has_user(const char *url) {
        _cleanup_(smtp_url_cleanup) CURLU *parsed = curl_url();

        return parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK && url_has_user(parsed);
}

/* ---- one mail ---- */

struct posting {
        struct transfer transfer;      /* the first member; its list: the recipient */
        char answer[SMTP_ANSWER_SIZE]; /* the last line that the server has sent */
        bool begun;                    /* the server has asked for the content */
        size_t size, read;
        char mail[];
};

struct smtp_sender {
        struct transfers transfers;
        struct smtp_server server;
        bool needs_tls;
};

/* Called by libcurl for each line of the server; it has no NUL behind it. After a refusal libcurl says QUIT, and the
 * answer to that tells nothing. */
static size_t smtp_line_take(char *bytes, size_t size, size_t n, void *context) {
        char *answer = context;
        const size_t total = size * n;
        size_t kept = 0;

        if (*answer >= '4')
                return total;
        for (size_t i = 0; i < total && kept < SMTP_ANSWER_SIZE - 1; i++)
                if (bytes[i] >= ' ' && bytes[i] <= '~')
                        answer[kept++] = bytes[i];
        answer[kept] = '\0';
        return total;
}

/* Called by libcurl for the next part of the mail; it escapes dots at the beginning of lines. */
static size_t mail_read(char *into, size_t size, size_t n, void *context) {
        struct posting *posting = context;
        const size_t left = posting->size - posting->read, most = size * n;
        const size_t taken = left < most ? left : most;

        posting->begun = true;
        memcpy(into, posting->mail + posting->read, taken);
        posting->read += taken;
        return taken;
}

static bool smtp_option_failed(CURLcode code) {
        return code != CURLE_OK;
}

static bool connection_set(CURL *curl, const struct smtp_server *server, bool needs_tls, char *answer) {
        const long tls = needs_tls || server->tls == SMTP_TLS_REQUIRED ? CURLUSESSL_ALL
                         : server->tls == SMTP_TLS_OFF                 ? CURLUSESSL_NONE
                                                                       : CURLUSESSL_TRY;

        return !(
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps")) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_URL, server->url)) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_USE_SSL, tls)) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_PROXY, "")) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L)) ||
                (server->ca_file && smtp_option_failed(curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca_file))) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, smtp_line_take)) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer)) ||
                smtp_option_failed(curl_easy_setopt(
                        curl, CURLOPT_CONNECTTIMEOUT_MS, (long) (SMTP_CONNECT_TIME_MAX / MILLISECOND))) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) (server->timeout / MILLISECOND))));
}

static bool content_set(struct posting *posting, const char *from, const char *to) {
        CURL *curl = posting->transfer.curl;
        char sender[ADDRESS_SIZE], recipient[ADDRESS_SIZE];

        (void) snprintf(sender, sizeof(sender), "<%s>", from);
        (void) snprintf(recipient, sizeof(recipient), "<%s>", to);
        posting->transfer.list = curl_slist_append(NULL, recipient);
        return posting->transfer.list &&
               !(smtp_option_failed(curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender)) ||
                       smtp_option_failed(curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, posting->transfer.list)) ||
                       smtp_option_failed(curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L)) ||
                       smtp_option_failed(curl_easy_setopt(curl, CURLOPT_READFUNCTION, mail_read)) ||
                       smtp_option_failed(curl_easy_setopt(curl, CURLOPT_READDATA, posting)));
}

bool smtp_send(
        struct smtp_sender *sender, const char *from, const char *to, const char *mail, size_t size, void *context) {
        struct posting *posting = sender->transfers.n < SMTP_MAILS_MAX ? calloc(1, sizeof(*posting) + size) : NULL;

        if (!posting)
                return false;
        posting->size = size;
        memcpy(posting->mail, mail, size);
        if (!transfer_init(&posting->transfer, &sender->transfers, context) ||
                !connection_set(posting->transfer.curl, &sender->server, sender->needs_tls, posting->answer) ||
                !content_set(posting, from, to) || !transfer_start(&posting->transfer)) {
                transfer_free(&posting->transfer);
                return false;
        }
        return true;
}

/* ---- answers ---- */

/* Static text without names, so that it can be logged and shown. */
static const char *smtp_reason(CURLcode code) {
        switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
                return "the name of the mail server has no address";
        case CURLE_COULDNT_CONNECT:
                return "the mail server refused the connection";
        case CURLE_OPERATION_TIMEDOUT:
                return "no answer of the mail server in time";
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
                return "the certificate of the mail server is not valid";
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_USE_SSL_FAILED:
                return "the mail server has no TLS";
        case CURLE_LOGIN_DENIED:
                return "the mail server refused the user name or password";
        default:
                return "the connection to the mail server was lost";
        }
}

static void answer_explain(char *answer, CURLcode code) {
        (void) snprintf(answer, SMTP_ANSWER_SIZE, "%s", smtp_reason(code));
}

/* Refusals that concern the sender's access, not the mail (RFC 4954, section 6; RFC 3207). */
static bool is_about_access(long status) {
        return status == 530 || status == 534 || status == 535 || status == 538;
}

/* The server judges a mail in its answers to MAIL, RCPT and DATA, which libcurl reports as a failed sending, and in the
 * one to the content. An answer before that is about the connection. */
static enum smtp_result result_of(const struct posting *posting, CURLcode code, long status) {
        const bool judged = code != CURLE_OPERATION_TIMEDOUT && (code == CURLE_SEND_ERROR || posting->begun);

        if (code == CURLE_OK)
                return SMTP_TAKEN;
        if (judged && status >= 500 && status <= 599 && !is_about_access(status))
                return SMTP_REFUSED;
        return posting->begun || status >= 400 ? SMTP_LATER : SMTP_UNREACHABLE;
}

static void posting_end(const struct posting *posting, CURLcode code, struct smtp_sent *ret_sent) {
        long status = 0;

        *ret_sent = (struct smtp_sent){ .context = posting->transfer.context };
        (void) curl_easy_getinfo(posting->transfer.curl, CURLINFO_RESPONSE_CODE, &status);
        ret_sent->result = result_of(posting, code, status);
        memcpy(ret_sent->answer, posting->answer, sizeof(ret_sent->answer));
        if (code != CURLE_OK && (status < 400 || code == CURLE_OPERATION_TIMEDOUT))
                answer_explain(ret_sent->answer, code);
}

/* ---- many ---- */

struct smtp_sender *smtp_sender_new(const struct smtp_server *server) {
        struct smtp_sender *sender = calloc(1, sizeof(*sender));

        if (!sender)
                return NULL;
        sender->server = *server;
        sender->needs_tls = server_has_user(server->url);
        return transfers_begin(&sender->transfers, SMTP_MAILS_MAX) ? sender : smtp_sender_free(sender);
}

struct smtp_sender *smtp_sender_free(struct smtp_sender *sender) {
        if (!sender)
                return NULL;
        transfers_end(&sender->transfers);
        free(sender);
        return NULL;
}

size_t smtp_busy(const struct smtp_sender *sender) {
        return sender->transfers.n;
}

struct smtp_listener {
        void (*sent)(const struct smtp_sent *sent);
};

static void posting_ended(struct transfer *transfer, CURLcode code, void *context) {
        const struct smtp_listener *listener = context;
        struct smtp_sent outcome;

        posting_end((const struct posting *) transfer, code, &outcome);
        listener->sent(&outcome);
}

void smtp_turn(struct smtp_sender *sender, duration wait, void (*sent)(const struct smtp_sent *sent)) {
        struct smtp_listener listener = { sent };

        transfers_turn(&sender->transfers, wait, posting_ended, &listener);
}

void smtp_wake(struct smtp_sender *sender) {
        transfers_wake(&sender->transfers);
}

/* ---- a look at the server ---- */

DEFINE_CLEANUP(CURL, curl_easy_free, curl_easy_cleanup)

bool smtp_probe(const struct smtp_server *server, char ret_answer[SMTP_ANSWER_SIZE]) {
        _cleanup_(curl_easy_free) CURL *curl = NULL;
        CURLcode code;

        *ret_answer = '\0';
        if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
                curl = curl_easy_init();
        if (!curl || !connection_set(curl, server, server_has_user(server->url), ret_answer) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_NOBODY, 1L)) ||
                smtp_option_failed(curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "NOOP"))) {
                (void) snprintf(ret_answer, SMTP_ANSWER_SIZE, "libcurl cannot be initialised");
                return false;
        }
        code = curl_easy_perform(curl);
        if (code != CURLE_OK)
                answer_explain(ret_answer, code);
        return code == CURLE_OK;
}
