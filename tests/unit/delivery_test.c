#include "engine/delivery.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static struct networks allowed_of(const char *list) {
        struct networks networks = { 0 };

        cr_assert(networks_parse(list, &networks));
        return networks;
}

static enum url_fault check(const char *url, const char *allowed) {
        const struct networks networks = allowed_of(allowed);
        const char *reason = NULL;
        const enum url_fault fault = delivery_url_check(url, &networks, &reason);

        cr_expect_eq(!reason, fault == URL_FINE, "%s", url);
        return fault;
}

Test(delivery, a_public_https_url_is_fine) {
        static const char *const urls[] = { "https://shop.example", "https://shop.example/events?a=b",
                "https://shop.example:8443/", "https://8.8.8.8/", "https://[2606:4700::1111]/",
                "https://localhost.example/", "https://notlocalhost/" };

        for (size_t i = 0; i < array_size(urls); i++)
                cr_expect_eq(check(urls[i], NULL), URL_FINE, "%s", urls[i]);
}

Test(delivery, what_is_plainly_not_allowed_is_refused) {
        static const char *const urls[] = { "http://shop.example/", "https://user@shop.example/",
                "https://user:secret@shop.example/", "https://:secret@shop.example/", "https://shop.example:80/",
                "https://shop.example:22/", "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
                "https://0x7f000001/", "https://0177.0.0.1/", "https://0/", "https://10.1.2.3/",
                "https://169.254.169.254/latest/meta-data", "https://192.168.0.1/", "https://[::1]/", "https://[::]/",
                "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::ffff:8.8.8.8]/",
                "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fd00::1]/", "https://[fe80::1]/",
                "https://[fe80::1%25eth0]/", "https://localhost/", "https://LOCALHOST/", "https://localhost./",
                "https://a.localhost/" };

        for (size_t i = 0; i < array_size(urls); i++)
                cr_expect_eq(check(urls[i], NULL), URL_REFUSED, "%s", urls[i]);
}

Test(delivery, what_is_no_url_is_malformed) {
        static const char *const urls[] = { "", "shop.example", "//shop.example/", "ftp://shop.example/", "https://",
                "https:///path", "https://shop.example/#part", "https://shop example/", "https://[::1/",
                "https://shop.example:0x50/", "https://shop.example:99999/", "file:///etc/passwd", "gopher://x/" };

        for (size_t i = 0; i < array_size(urls); i++)
                cr_expect_eq(check(urls[i], NULL), URL_MALFORMED, "%s", urls[i]);
}

Test(delivery, inside_an_allowed_network_any_port_and_http_are_fine) {
        cr_expect_eq(check("http://127.0.0.1:9000/", "127.0.0.0/8"), URL_FINE);
        cr_expect_eq(check("http://localhost:9000/", "127.0.0.0/8"), URL_FINE);
        cr_expect_eq(check("https://[fd00::1]:444/", "fd00::/8"), URL_FINE);
        cr_expect_eq(check("http://receiver:9000/", "10.0.0.0/8"), URL_FINE, "its address shows at connect");
        cr_expect_eq(check("http://127.0.0.1:9000/", "10.0.0.0/8"), URL_REFUSED);
        cr_expect_eq(check("http://localhost:9000/", "10.0.0.0/8"), URL_REFUSED);
        cr_expect_eq(check("http://8.8.8.8/", "10.0.0.0/8"), URL_REFUSED);
}

static bool connects(const char *text, uint16_t port, bool encrypted, const char *allowed) {
        const struct networks networks = allowed_of(allowed);
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

        if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
                return delivery_address_allowed((const struct sockaddr *) &v4, encrypted, &networks);
        cr_assert_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        return delivery_address_allowed((const struct sockaddr *) &v6, encrypted, &networks);
}

Test(delivery, the_address_of_a_connection_decides) {
        cr_expect(connects("8.8.8.8", 443, true, NULL));
        cr_expect(connects("2606:4700::1111", 8443, true, NULL));
        cr_expect_not(connects("8.8.8.8", 443, false, NULL));
        cr_expect_not(connects("8.8.8.8", 80, true, NULL));
        cr_expect_not(connects("127.0.0.1", 443, true, NULL));
        cr_expect_not(connects("::ffff:127.0.0.1", 443, true, NULL));
        cr_expect_not(connects("::ffff:8.8.8.8", 443, true, NULL));
        cr_expect_not(connects("64:ff9b::808:808", 443, true, NULL));
        cr_expect(connects("127.0.0.1", 9000, false, "127.0.0.0/8"));
        cr_expect(connects("::ffff:127.0.0.1", 9000, false, "127.0.0.0/8"));
        cr_expect_not(connects("10.0.0.1", 443, true, "127.0.0.0/8"));
}

Test(delivery, other_kinds_of_sockets_are_refused) {
        const struct sockaddr_un local = { .sun_family = AF_UNIX };
        const struct networks none = { 0 };

        cr_expect_not(delivery_address_allowed((const struct sockaddr *) &local, true, &none));
}
