#include "base/network.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct address address(const char *text) {
        struct address address = { 0 };

        cr_assert(address_parse(text, strlen(text), &address), "%s", text);
        return address;
}

static struct networks networks(const char *list) {
        struct networks networks = { .n = 0 };

        cr_assert(networks_parse(list, &networks), "%s", list);
        return networks;
}

static bool contains(const char *list, const char *text) {
        const struct networks of = networks(list);
        const struct address a = address(text);

        return networks_contain(&of, &a);
}

Test(network, addresses_read_as_they_are_written) {
        static const char *const texts[] = { "192.0.2.7", "0.0.0.0", "255.255.255.255", "2001:db8::7", "::1", "::" };

        for (size_t i = 0; i < array_size(texts); i++) {
                const struct address a = address(texts[i]);
                char text[ADDRESS_TEXT_SIZE];

                address_format(&a, text);
                cr_expect_str_eq(text, texts[i]);
        }
}

Test(network, an_ipv4_address_is_the_same_in_ipv6) {
        const struct address a = address("192.0.2.7"), b = address("::ffff:192.0.2.7");

        cr_expect(address_equal(&a, &b));
}

Test(network, a_text_that_is_more_than_an_address_is_refused) {
        static const char *const texts[] = { "", "192.0.2", "192.0.2.256", "192.0.2.07", " 192.0.2.7", "192.0.2.7 ",
                "192.0.2.7:80", "[::1]", "::1%eth0", "localhost", "2001:db8::7::1",
                "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb" };
        struct address a;

        for (size_t i = 0; i < array_size(texts); i++)
                cr_expect_not(address_parse(texts[i], strlen(texts[i]), &a), "%s", texts[i]);
        cr_expect_not(address_parse("192.0.2.7\0", sizeof("192.0.2.7\0") - 1, &a));
}

Test(network, a_network_contains_addresses_with_its_prefix) {
        cr_expect(contains("10.0.0.0/8", "10.255.0.1"));
        cr_expect_not(contains("10.0.0.0/8", "11.0.0.1"));
        cr_expect(contains("192.0.2.128/25", "192.0.2.128"));
        cr_expect_not(contains("192.0.2.128/25", "192.0.2.127"));
        cr_expect(contains("2001:db8::/33", "2001:db8:7fff::1"));
        cr_expect_not(contains("2001:db8::/33", "2001:db8:8000::1"));
        cr_expect(contains("0.0.0.0/0", "203.0.113.1"));
        cr_expect_not(contains("0.0.0.0/0", "2001:db8::1"), "all of IPv4 is not all there is");
        cr_expect(contains("::/0", "203.0.113.1"));
}

Test(network, an_address_alone_is_a_network_of_one) {
        cr_expect(contains("192.0.2.7", "192.0.2.7"));
        cr_expect_not(contains("192.0.2.7", "192.0.2.6"));
        cr_expect(contains("192.0.2.7/32,::1/128", "::1"));
}

Test(network, a_list_may_have_blanks_and_may_be_none) {
        const struct networks none = networks(NULL);
        const struct address a = address("::1");

        cr_expect(contains(" 10.0.0.0/8 ,\t2001:db8::1 ", "2001:db8::1"));
        cr_expect_not(networks_contain(&none, &a));
}

Test(network, an_invalid_list_of_networks_is_refused) {
        static const char *const lists[] = { "", ",", "10.0.0.0/8,", ",::1", "10.0.0.0/33", "::/129", "10.0.0.0/",
                "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/0008", "10.0.0.0 8", "10.0.0.1/8",
                "2001:db8::1/64", "10.0.0.0/8/8", "10.0.0.0/8 ::1", "proxy" };
        struct networks of;

        for (size_t i = 0; i < array_size(lists); i++)
                cr_expect_not(networks_parse(lists[i], &of), "%s", lists[i]);
}

Test(network, a_list_has_its_limit) {
        char list[16 * (NETWORKS_MAX + 1)] = "";
        size_t size = 0;
        struct networks of;

        for (int i = 0; i < NETWORKS_MAX; i++)
                size += (size_t) snprintf(list + size, sizeof(list) - size, "%s10.0.0.%d", i ? "," : "", i);
        cr_expect(networks_parse(list, &of));
        cr_expect_eq(of.n, NETWORKS_MAX);
        (void) snprintf(list + size, sizeof(list) - size, ",::1");
        cr_expect_not(networks_parse(list, &of));
}

Test(network, a_household_has_an_ipv4_address_or_64_bits_of_ipv6) {
        const struct address a = address("192.0.2.7"), b = address("2001:db8:1:2:3:4:5:6"),
                             b64 = address("2001:db8:1:2::");
        const struct address of_a = address_household(&a), of_b = address_household(&b);

        cr_expect(address_equal(&of_a, &a));
        cr_expect(address_equal(&of_b, &b64));
}

static bool is_public(const char *text) {
        const struct address a = address(text);

        return strchr(text, ':') ? address_is_public_ipv6(a.bytes) : address_is_public_ipv4(a.bytes + ADDRESS_SIZE - 4);
}

/* Both ends of each special range, and the nearest public address on either side. */
Test(network, special_ipv4_addresses_are_not_public) {
        static const char *const special[] = { "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
                "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254",
                "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0",
                "192.0.2.255", "192.88.99.0", "192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0",
                "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0",
                "239.255.255.255", "240.0.0.0", "255.255.255.255" };
        static const char *const open[] = { "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
                "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255",
                "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255",
                "203.0.114.0", "223.255.255.255", "8.8.8.8" };

        for (size_t i = 0; i < array_size(special); i++)
                cr_expect_not(is_public(special[i]), "%s", special[i]);
        for (size_t i = 0; i < array_size(open); i++)
                cr_expect(is_public(open[i]), "%s", open[i]);
}

Test(network, special_ipv6_addresses_are_not_public) {
        static const char *const special[] = { "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1",
                "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "1fff::1",
                "2001::", "2001::7f00:1", "2001:1ff:ffff::1", "2001:db8::", "2001:db8:ffff::1",
                "2002::", "2002:7f00:1::", "2002:ffff::1", "3fff::", "3fff:fff::1", "4000::1", "fc00::1",
                "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ffff::1" };
        static const char *const open[] = { "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2000::1",
                "2606:4700::1111", "3ffe::1", "3fff:1000::1" };

        for (size_t i = 0; i < array_size(special); i++)
                cr_expect_not(is_public(special[i]), "%s", special[i]);
        for (size_t i = 0; i < array_size(open); i++)
                cr_expect(is_public(open[i]), "%s", open[i]);
}
