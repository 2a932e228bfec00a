#include "notifications/mail.h"

#include "base/qr.h"
#include "base/text.h"
#include "catalog/messages.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOW         (INT64_C(1795256130) * SECOND) /* 2026-11-21T10:15:30Z */
#define COMMAND_MAX 600

static struct arena arena;

static void begin(void) {
        arena_init(&arena, 16 * 1024 * 1024);
}

static void end(void) {
        arena_clear(&arena);
}

TestSuite(mail, .init = begin, .fini = end);

static struct mail ready_mail(void) {
        return (struct mail){ .from = "shop@example.org",
                .from_name = "Web shop",
                .to = "ada@example.com",
                .to_name = "Ada Lovelace",
                .message_id = "0123456789abcdef@example.org",
                .subject = "Your order is ready",
                .text = "Hello Ada,\n\nyour code: ABCD2345\n",
                .date = NOW };
}

static const char *written(const struct mail *mail) {
        struct buffer buffer;

        buffer_init(&buffer, &arena, MAIL_SIZE_MAX);
        cr_assert(mail_write(mail, &buffer));
        return buffer_text(&buffer);
}

/* The mail as Python's parser reads it, from memory: a test that fails leaves no file. */
static json_t *parsed(const struct mail *mail) {
        const char *text = written(mail);
        const int fd = memfd_create("mail", MFD_CLOEXEC);
        char command[COMMAND_MAX];
        json_t *read;
        FILE *out;

        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        (void) snprintf(command, sizeof(command), "/usr/bin/python3 -B %s/unit/mail/read.py < /proc/%d/fd/%d",
                TESTS_DIRECTORY, (int) getpid(), fd);
        out = popen(command, "re");
        cr_assert_not_null(out);
        read = json_loadf(out, 0, NULL);
        cr_assert_eq(pclose(out), 0, "%s", text);
        (void) close(fd);
        cr_assert_not_null(read);
        cr_expect_eq(json_array_size(json_object_get(read, "defects")), 0, "%s", text);
        cr_expect_leq(json_integer_value(json_object_get(read, "longest")), 78, "%s", text);
        cr_expect_eq(json_integer_value(json_object_get(read, "bare")), 0, "%s", text);
        cr_expect(json_is_true(json_object_get(read, "ascii")), "%s", text);
        return read;
}

static const char *text_in(const json_t *read, const char *name) {
        return json_string_value(json_object_get(read, name));
}

static const char *dumped(const json_t *read, const char *name) {
        char *text = json_dumps(json_object_get(read, name), JSON_ENCODE_ANY | JSON_COMPACT);
        const char *kept = arena_text(&arena, text);

        free(text);
        return kept;
}

/* The value of the only field of that name. */
static const char *field(const json_t *read, const char *name) {
        const char *value = NULL;
        json_t *pair;
        size_t i;

        json_array_foreach(json_object_get(read, "fields"), i,
                pair) if (text_equal(json_string_value(json_array_get(pair, 0)), name)) {
                cr_expect_null(value, "%s stands twice", name);
                value = json_string_value(json_array_get(pair, 1));
        }
        return value;
}

Test(mail, a_parser_reads_its_fields_and_its_text) {
        struct mail mail = ready_mail();
        json_t *read;

        mail.reply_to = "help@example.org";
        read = parsed(&mail);
        cr_expect_str_eq(dumped(read, "from"), "[[\"Web shop\",\"shop@example.org\"]]");
        cr_expect_str_eq(dumped(read, "to"), "[[\"Ada Lovelace\",\"ada@example.com\"]]");
        cr_expect_str_eq(field(read, "Subject"), "Your order is ready");
        cr_expect_str_eq(field(read, "Message-ID"), "<0123456789abcdef@example.org>");
        cr_expect_str_eq(field(read, "Reply-To"), "help@example.org");
        cr_expect_str_eq(field(read, "Auto-Submitted"), "auto-generated");
        cr_expect_str_eq(field(read, "Date"), "Sat, 21 Nov 2026 10:15:30 +0000");
        cr_expect_str_eq(text_in(read, "date"), "2026-11-21T10:15:30+00:00");
        cr_expect_str_eq(dumped(read, "tree"), "\"text/plain\"");
        cr_expect_str_eq(text_in(read, "plain"), mail.text);
        json_decref(read);
}

Test(mail, text_and_html_are_alternatives) {
        struct mail mail = ready_mail();
        json_t *read;

        mail.html = "<p style=\"color: #222\">Grüße = \xf0\x9f\x9a\x9a</p>\n";
        read = parsed(&mail);
        cr_expect_str_eq(dumped(read, "tree"), "{\"multipart/alternative\":[\"text/plain\",\"text/html\"]}");
        cr_expect_str_eq(text_in(read, "html"), mail.html);
        json_decref(read);
}

Test(mail, the_picture_of_the_code_can_be_scanned) {
        struct mail mail = ready_mail();
        json_t *read;

        mail.html = "<p><img src=\"cid:pickup-code\" alt=\"ABCD2345\"></p>\n";
        mail.pickup_code = "ABCD2345";
        read = parsed(&mail);
        cr_expect_str_eq(dumped(read, "tree"),
                "{\"multipart/alternative\":[\"text/plain\",{\"multipart/related\":[\"text/html\",\"image/png\"]}]}");
        cr_expect_str_eq(dumped(read, "pictures"), "[\"<pickup-code>\"]");
        cr_expect_str_eq(dumped(read, "codes"), "[\"ABCD2345\"]");
        json_decref(read);
}

Test(mail, html_without_the_picture_has_none) {
        struct mail mail = ready_mail();
        json_t *read;

        mail.html = "<p>ABCD2345</p>\n";
        mail.pickup_code = "ABCD2345";
        read = parsed(&mail);
        cr_expect_str_eq(dumped(read, "pictures"), "[]");
        json_decref(read);
}

/* Names, subjects and bodies in all scripts and lengths come back as they were, but for control characters. */
Test(mail, any_text_comes_back_as_it_was) {
        static const char *const texts[] = {
                "Ångström & Söhne",
                "日本橋のとても長い名前の店舗でのご注文の準備ができましたのでお知らせいたします、どうぞお越しください",
                "\"Quoted\" \\ back <angle> (comment), comma; semicolon: colon @ at",
                "=?UTF-8?B?SGVsbG8=?=",
                "a name of plain letters that is much longer than a header line of seventy-eight bytes may be in a mail",
                "\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a"
                "\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a\xf0\x9f\x9a\x9a",
                "x",
        };

        for (size_t i = 0; i < array_size(texts); i++) {
                struct mail mail = ready_mail();
                json_t *read;

                mail.from_name = mail.to_name = mail.subject = texts[i];
                mail.text = arena_format(&arena,
                        "%s\n.\n..leading dots\n--=_holdfast_alternative\ntrailing \t\nlong %s%s%s\n", texts[i],
                        texts[i], texts[i], texts[i]);
                mail.html = mail.text;
                read = parsed(&mail);
                cr_expect_str_eq(field(read, "Subject"), texts[i]);
                cr_expect_str_eq(json_string_value(json_array_get(json_array_get(json_object_get(read, "from"), 0), 0)),
                        texts[i]);
                cr_expect_str_eq(text_in(read, "plain"), mail.text);
                cr_expect_str_eq(text_in(read, "html"), mail.html);
                json_decref(read);
        }
}

/* A customer who calls herself a header. */
Test(mail, no_name_and_no_subject_adds_a_field) {
        static const char *const attacks[] = {
                "Ada\r\nBcc: all@example.org",
                "Ada\nBcc: all@example.org\n\nbody",
                "Ada\rBcc: all@example.org",
                "Ada\" <all@example.org>, \"Eve",
                "Grüße\r\nBcc: all@example.org",
                "Ada\r\n.\r\nMAIL FROM:<x@example.org>",
        };

        for (size_t i = 0; i < array_size(attacks); i++) {
                struct mail mail = ready_mail();
                json_t *read;

                mail.from_name = mail.to_name = mail.subject = attacks[i];
                read = parsed(&mail);
                cr_expect_eq(json_array_size(json_object_get(read, "fields")), 9, "%s", dumped(read, "fields"));
                cr_expect_null(field(read, "Bcc"));
                cr_expect_str_eq(dumped(read, "recipients"), "[\"ada@example.com\"]");
                cr_expect_null(strpbrk(field(read, "Subject"), "\r\n"), "%s", field(read, "Subject"));
                json_decref(read);
        }
}

Test(mail, only_plain_addresses_are_taken) {
        static const char *const plain[] = { "ada@example.org", "a.b+c_d-e@mail.example.co.uk", "o'hara@x.org",
                "a@localhost" };
        static const char *const others[] = { "", "ada", "@example.org", "ada@", "a@b@c", "a b@example.org",
                "ada@example.org\r\nBcc: x@y", "<ada@example.org>", "\"ada\"@example.org", "ada@[127.0.0.1]",
                ".ada@example.org", "ada.@example.org", "a..b@example.org", "ada@example..org", "ada@-_.org",
                "ada@example.org,eve@example.org", "ädа@example.org", "ada@exämple.org", "ada@example.org.",
                "a1234567890123456789012345678901234567890123456789012345678901234@example.org" };

        for (size_t i = 0; i < array_size(plain); i++)
                cr_expect(mail_address_is_plain(plain[i]), "%s", plain[i]);
        for (size_t i = 0; i < array_size(others); i++) {
                struct mail mails[] = { ready_mail(), ready_mail(), ready_mail() };
                struct buffer buffer;

                cr_expect_not(mail_address_is_plain(others[i]), "%s", others[i]);
                mails[0].from = mails[1].to = mails[2].reply_to = others[i];
                for (size_t j = 0; j < array_size(mails); j++) {
                        buffer_init(&buffer, &arena, MAIL_SIZE_MAX);
                        cr_expect_not(mail_write(&mails[j], &buffer), "%s", others[i]);
                        cr_expect_eq(buffer.size, 0);
                }
        }
        cr_expect_not(mail_address_is_plain(NULL));
}

Test(mail, one_transition_and_recipient_have_one_message_id) {
        const struct uuid event = uuid_new(), other = uuid_new();
        const char *id = mail_message_id(&event, "ready", "ada@example.com", "shop@example.org", &arena);

        cr_expect_str_eq(mail_message_id(&event, "ready", "ada@example.com", "shop@example.org", &arena), id);
        cr_expect_str_neq(mail_message_id(&other, "ready", "ada@example.com", "shop@example.org", &arena), id);
        cr_expect_str_neq(mail_message_id(&event, "delayed", "ada@example.com", "shop@example.org", &arena), id);
        cr_expect_str_neq(mail_message_id(&event, "ready", "eve@example.com", "shop@example.org", &arena), id);
        cr_expect_str_eq(strchr(id, '@'), "@example.org");
        cr_expect_eq(strlen(id), 32 + strlen("@example.org"));
}

Test(mail, a_mail_beyond_its_maximum_is_not_made) {
        struct mail mail = ready_mail();
        struct buffer buffer;

        buffer_init(&buffer, &arena, 300);
        cr_expect_not(mail_write(&mail, &buffer));
        cr_expect_leq(buffer.size, 300);
}

Test(qr, refuses_no_text_and_long_text) {
        char text[QR_TEXT_MAX + 2];
        size_t size;

        arena_init(&arena, 1024 * 1024);
        memset(text, 'x', sizeof(text));
        text[QR_TEXT_MAX + 1] = '\0';
        cr_expect_null(qr_png("", &arena, &size));
        cr_expect_null(qr_png(text, &arena, &size));
        text[QR_TEXT_MAX] = '\0';
        cr_expect_not_null(qr_png(text, &arena, &size));
        arena_clear(&arena);
}
