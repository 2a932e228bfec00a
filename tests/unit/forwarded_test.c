#include "http/forwarded.h"

#include <criterion/criterion.h>
#include <string.h>

#define PROXIES "10.0.0.0/8,2001:db8:aaaa::/48"
#define PROXY   "10.0.0.1"
#define FORGED  "198.51.100.66"

static struct forwarded_lines x_lines, lines;

static void set_up(void) {
        x_lines.n = lines.n = 0;
}

TestSuite(forwarded, .init = set_up);

static void x_line(const char *line) {
        forwarded_lines_add(&x_lines, line);
}

static void line(const char *text) {
        forwarded_lines_add(&lines, text);
}

static void assert_client(const char *peer, const char *expected) {
        char text[ADDRESS_TEXT_SIZE];
        struct networks trusted;
        struct address address, client;

        cr_assert(networks_parse(PROXIES, &trusted));
        cr_assert(address_parse(peer, strlen(peer), &address));
        client = forwarded_client(&trusted, &address, &x_lines, &lines);
        address_format(&client, text);
        cr_expect_str_eq(text, expected);
}

Test(forwarded, without_headers_the_other_end_is_the_client) {
        assert_client("203.0.113.5", "203.0.113.5");
        assert_client(PROXY, PROXY);
}

Test(forwarded, headers_of_an_untrusted_client_are_ignored) {
        x_line(FORGED);
        line("for=" FORGED);
        assert_client("203.0.113.5", "203.0.113.5");
}

Test(forwarded, a_trusted_proxy_names_its_client) {
        x_line("203.0.113.5");
        assert_client(PROXY, "203.0.113.5");
}

Test(forwarded, entries_forged_by_the_client_are_left_of_it) {
        x_line(FORGED ", 203.0.113.5");
        assert_client(PROXY, "203.0.113.5");
}

Test(forwarded, a_proxy_may_add_a_separate_line) {
        x_line(FORGED);
        x_line("203.0.113.5");
        assert_client(PROXY, "203.0.113.5");
}

Test(forwarded, proxies_behind_proxies_are_passed) {
        x_line(FORGED ",203.0.113.5 , 10.0.0.2");
        x_line("2001:db8:aaaa::9");
        assert_client(PROXY, "203.0.113.5");
}

Test(forwarded, when_all_are_trusted_the_first_one_is_the_client) {
        x_line("10.0.0.3, 10.0.0.2");
        assert_client(PROXY, "10.0.0.3");
}

Test(forwarded, an_unreadable_entry_ends_the_walk) {
        static const char *const broken[] = { FORGED ", unknown", FORGED ",", "", FORGED ", 10.0.0.300",
                FORGED ", [::1" };

        for (size_t i = 0; i < array_size(broken); i++) {
                x_lines.n = 0;
                x_line(broken[i]);
                assert_client(PROXY, PROXY);
        }
}

Test(forwarded, addresses_may_have_ports_and_brackets) {
        x_line("203.0.113.5:4711");
        assert_client(PROXY, "203.0.113.5");
        x_line("[2001:db8::7]:4711");
        assert_client(PROXY, "2001:db8::7");
        x_line("[2001:db8::7]");
        assert_client(PROXY, "2001:db8::7");
        x_line("2001:db8::7");
        assert_client(PROXY, "2001:db8::7");
}

Test(forwarded, the_standard_header_tells_as_much) {
        line("for=" FORGED ", proto=https;For=\"203.0.113.5:80\";by=10.0.0.1");
        assert_client(PROXY, "203.0.113.5");
        line("for=\"[2001:db8::7]:4711\"");
        assert_client(PROXY, "2001:db8::7");
}

Test(forwarded, hidden_nodes_of_the_standard_header_lead_no_further) {
        static const char *const hidden[] = { "for=" FORGED ", for=_hidden", "for=" FORGED ", for=unknown",
                "for=" FORGED ", proto=https", "for=" FORGED ", for=\"" };

        for (size_t i = 0; i < array_size(hidden); i++) {
                lines.n = 0;
                line(hidden[i]);
                assert_client(PROXY, PROXY);
        }
}

Test(forwarded, where_both_headers_differ_neither_is_believed) {
        x_line("203.0.113.5");
        line("for=" FORGED);
        assert_client(PROXY, PROXY);
        line("for=203.0.113.5");
        assert_client(PROXY, "203.0.113.5");
}

Test(forwarded, of_many_lines_the_last_ones_count) {
        x_line(FORGED);
        for (int i = 1; i < FORWARDED_LINES_MAX; i++)
                x_line(PROXY);
        assert_client(PROXY, FORGED);
        x_line(PROXY);
        assert_client(PROXY, PROXY);
}
