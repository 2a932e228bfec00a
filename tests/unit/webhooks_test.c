#include "webhooks/webhooks.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

/* The test vector of Standard Webhooks 1.0.0, which npm standardwebhooks accepts. */
Test(webhooks, a_body_is_signed_as_standard_webhooks_does) {
        static const char secret[] = "0123456789abcdef0123456789abcdef", body[] = "{\"a\":1}";
        char text[WEBHOOK_SIGNATURE_SIZE];

        cr_assert(webhook_sign(
                (const uint8_t *) secret, sizeof(secret) - 1, "evt_1", 1700000000, body, sizeof(body) - 1, text));
        cr_expect_str_eq(text, "v1,E91RjL3XwKNvhbIjLEB4Oo053Uu727CszikrY+6s9HE=");
}

Test(webhooks, a_secret_is_shown_as_standard_webhooks_does) {
        static const char secret[] = "0123456789abcdef0123456789abcdef";
        char text[WEBHOOK_SECRET_TEXT_SIZE];

        webhook_secret_format((const uint8_t *) secret, text);
        cr_expect_str_eq(text, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
}

static bool takes(const char *types, const char *locations, const char *channels) {
        return webhook_takes(types, locations, channels, "order.created", "berlin", "web");
}

Test(webhooks, an_endpoint_gets_the_events_that_pass_all_filters) {
        cr_expect(takes("*", NULL, NULL));
        cr_expect(takes("order.*", NULL, NULL));
        cr_expect(takes("return.received order.created", NULL, NULL));
        cr_expect_not(takes("order.create", NULL, NULL));
        cr_expect_not(takes("order.createdx", NULL, NULL));
        cr_expect_not(takes("return.* pickup.*", NULL, NULL));
        cr_expect(takes("*", "hamburg berlin", "web"));
        cr_expect_not(takes("*", "hamburg berlin-mitte", NULL));
        cr_expect_not(takes("*", NULL, "webshop we"));
}

Test(webhooks, an_event_without_a_place_passes_no_filter_of_places) {
        cr_expect(webhook_takes("*", NULL, NULL, "order.created", NULL, NULL));
        cr_expect_not(webhook_takes("*", "berlin", NULL, "order.created", NULL, NULL));
        cr_expect_not(webhook_takes("*", NULL, "web", "order.created", NULL, NULL));
}
