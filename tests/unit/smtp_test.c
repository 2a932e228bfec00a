#include "engine/smtp.h"

#include "base/text.h"

#include <criterion/criterion.h>

TestSuite(smtp);

static const char *fault_of(const char *url, enum smtp_tls tls) {
        const struct smtp_server server = { .url = url, .tls = tls };

        return smtp_server_fault(&server);
}

Test(smtp, a_mail_server_is_named_by_a_url) {
        static const char *const fine[] = { "smtp://localhost", "smtp://127.0.0.1:1025", "smtp://[::1]:25",
                "smtps://mail.example.org", "smtps://user:pass%40word@mail.example.org:465",
                "smtp://user:password@mail.example.org:587/shop.example.org" };

        for (size_t i = 0; i < array_size(fine); i++)
                cr_expect_null(fault_of(fine[i], SMTP_TLS_AUTO), "%s", fine[i]);
}

Test(smtp, other_urls_are_refused) {
        static const char *const faulty[] = { "", "localhost:25", "http://localhost", "smtp://", "smtp://host:port",
                "smtp://host:70000", "smtps://host/#part", "smtp://host?size=1", "smtp://ho st" };

        for (size_t i = 0; i < array_size(faulty); i++)
                cr_expect_not_null(fault_of(faulty[i], SMTP_TLS_AUTO), "%s", faulty[i]);
}

Test(smtp, a_password_is_never_sent_without_tls) {
        cr_assert_not_null(fault_of("smtp://user:password@mail.example.org", SMTP_TLS_OFF));
        cr_assert_null(fault_of("smtps://user:password@mail.example.org", SMTP_TLS_OFF));
        cr_assert_null(fault_of("smtp://mail.example.org", SMTP_TLS_OFF));
}

Test(smtp, the_use_of_tls_is_one_of_three_words) {
        enum smtp_tls tls;

        cr_assert(smtp_tls_named("auto", &tls) && tls == SMTP_TLS_AUTO);
        cr_assert(smtp_tls_named("off", &tls) && tls == SMTP_TLS_OFF);
        cr_assert(smtp_tls_named("required", &tls) && tls == SMTP_TLS_REQUIRED);
        cr_assert_not(smtp_tls_named("on", &tls));
}
