/*
 * forwarded_fuzz: X-Forwarded-For and Forwarded as strangers and proxies write them.
 *
 * Lines: the address of the peer, X-Forwarded-For, Forwarded, and a second X-Forwarded-For. Only a trusted peer is
 * believed. Text to the left of the client's address changes nothing.
 */
#include "fuzz.h"

#include "base/text.h"
#include "http/forwarded.h"

#define PROXIES "10.0.0.0/8,2001:db8:aaaa::/48"
#define FORGED  "198.51.100.66"

static struct address client_of(const struct networks *trusted, const struct address *peer, const char *x_line,
        const char *second, const char *line) {
        struct forwarded_lines x_lines = { 0 }, lines = { 0 };

        if (x_line)
                forwarded_lines_add(&x_lines, x_line);
        if (second)
                forwarded_lines_add(&x_lines, second);
        if (line)
                forwarded_lines_add(&lines, line);
        return forwarded_client(trusted, peer, &x_lines, &lines);
}

static void require_same(const struct address *a, const struct address *b) {
        require(address_equal(a, b));
}

/* Proxies add addresses on the right. A client's forgery is on their left, in the same line or in an earlier one. */
static void forgery_changes_nothing(struct arena *arena, const struct networks *trusted, const struct address *peer,
        const char *x_line, const char *line) {
        const struct address by_x = client_of(trusted, peer, x_line, NULL, NULL);
        const struct address by_standard = client_of(trusted, peer, NULL, NULL, line);
        struct address forged;

        if (x_line && !networks_contain(trusted, &by_x)) {
                forged = client_of(trusted, peer, arena_format(arena, FORGED ", %s", x_line), NULL, NULL);
                require_same(&forged, &by_x);
                forged = client_of(trusted, peer, FORGED, x_line, NULL);
                require_same(&forged, &by_x);
        }
        if (line && !networks_contain(trusted, &by_standard)) {
                forged = client_of(trusted, peer, NULL, NULL, arena_format(arena, "for=" FORGED ", %s", line));
                require_same(&forged, &by_standard);
        }
}

/* An address that is written and read again is the same one. */
static void reads_as_written(const struct address *address) {
        char text[ADDRESS_TEXT_SIZE];
        struct address again;

        address_format(address, text);
        require(address_parse(text, strlen(text), &again));
        require_same(address, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        struct arena arena;
        struct fuzz_lines in;
        struct networks trusted;
        struct address peer, client;

        arena_init(&arena, FUZZ_MEMORY);
        fuzz_lines_split(&arena, bytes, size, &in);
        require(networks_parse(PROXIES, &trusted));
        if (!address_parse(in.at[0], strlen(in.at[0]), &peer))
                require(address_parse("10.0.0.1", 8, &peer));
        client = client_of(&trusted, &peer, fuzz_header(in.at[1]), fuzz_header(in.at[3]), fuzz_header(in.at[2]));
        reads_as_written(&client);
        if (!networks_contain(&trusted, &peer))
                require_same(&client, &peer);
        forgery_changes_nothing(&arena, &trusted, &peer, fuzz_header(in.at[1]), fuzz_header(in.at[2]));
        arena_clear(&arena);
        return 0;
}
