#include "base/network.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define IPV4_OFFSET    12 /* of the four bytes in the sixteen */
#define IPV4_BITS      32
#define HOUSEHOLD_BITS 64
#define BLANKS         " \t"

static const uint8_t ipv4_head[IPV4_OFFSET] = { [10] = 0xff, [11] = 0xff };

static bool is_ipv4(const struct address *address) {
        return memcmp(address->bytes, ipv4_head, sizeof(ipv4_head)) == 0;
}

struct address address_of_ipv4(const uint8_t bytes[4]) {
        struct address address;

        memcpy(address.bytes, ipv4_head, sizeof(ipv4_head));
        memcpy(address.bytes + IPV4_OFFSET, bytes, 4);
        return address;
}

struct address address_of_ipv6(const uint8_t bytes[ADDRESS_SIZE]) {
        struct address address;

        memcpy(address.bytes, bytes, ADDRESS_SIZE);
        return address;
}

bool address_parse(const char *text, size_t size, struct address *ret_address) {
        char copy[ADDRESS_TEXT_SIZE] = "";
        uint8_t ipv4[4], ipv6[ADDRESS_SIZE];

        if (!size || size >= sizeof(copy) || memchr(text, '\0', size))
                return false;
        memcpy(copy, text, size);
        if (inet_pton(AF_INET, copy, ipv4) == 1)
                *ret_address = address_of_ipv4(ipv4);
        else if (inet_pton(AF_INET6, copy, ipv6) == 1)
                *ret_address = address_of_ipv6(ipv6);
        else
                return false;
        return true;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]) {
        if (is_ipv4(address))
                (void) inet_ntop(AF_INET, address->bytes + IPV4_OFFSET, text, ADDRESS_TEXT_SIZE);
        else
                (void) inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
}

bool address_equal(const struct address *a, const struct address *b) {
        return memcmp(a->bytes, b->bytes, ADDRESS_SIZE) == 0;
}

/* The bits from `prefix` on cleared. */
static struct address masked(const struct address *address, unsigned prefix) {
        struct address result = *address;

        for (unsigned i = 0; i < ADDRESS_SIZE; i++) {
                const unsigned kept = prefix > 8 * i ? prefix - 8 * i : 0;

                if (kept < 8)
                        result.bytes[i] &= (uint8_t) (0xff00u >> kept);
        }
        return result;
}

struct address address_household(const struct address *address) {
        return is_ipv4(address) ? *address : masked(address, HOUSEHOLD_BITS);
}

static bool prefix_parse(const char *text, size_t size, unsigned bits, unsigned *ret_prefix) {
        char copy[4] = "";
        int64_t prefix;

        if (!size || size >= sizeof(copy))
                return false;
        memcpy(copy, text, size);
        if (!text_to_integer(copy, 0, bits, &prefix))
                return false;
        *ret_prefix = (unsigned) (ADDRESS_BITS - bits) + (unsigned) prefix;
        return true;
}

static bool network_parse(const char *text, size_t size, struct network *ret_network) {
        const char *slash = memchr(text, '/', size);
        const size_t length = slash ? (size_t) (slash - text) : size;
        struct network network = { .prefix = ADDRESS_BITS };
        struct address begin;

        if (!address_parse(text, length, &network.address))
                return false;
        if (slash && !prefix_parse(slash + 1, size - length - 1, is_ipv4(&network.address) ? IPV4_BITS : ADDRESS_BITS,
                             &network.prefix))
                return false;
        begin = masked(&network.address, network.prefix);
        *ret_network = network;
        return address_equal(&begin, &network.address);
}

bool networks_parse(const char *list, struct networks *ret_networks) {
        struct networks networks = { .n = 0 };

        while (list) {
                const char *comma = strchr(list, ',');
                size_t size;

                list += strspn(list, BLANKS);
                size = strcspn(list, BLANKS ",");
                if (networks.n == NETWORKS_MAX || !strchr(",", *(list + size + strspn(list + size, BLANKS))) ||
                        !network_parse(list, size, &networks.items[networks.n]))
                        return false;
                networks.n++;
                list = comma ? comma + 1 : NULL;
        }
        *ret_networks = networks;
        return true;
}

bool networks_contain(const struct networks *networks, const struct address *address) {
        for (size_t i = 0; i < networks->n; i++) {
                const struct address begin = masked(address, networks->items[i].prefix);

                if (address_equal(&begin, &networks->items[i].address))
                        return true;
        }
        return false;
}

/* The first `bits` bits of both are equal. */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits) {
        const uint8_t mask = (uint8_t) (0xff00u >> bits % 8);

        return memcmp(a, b, bits / 8) == 0 && (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

struct range {
        uint8_t bytes[6];
        unsigned prefix;
};

static bool ranges_contain(const struct range *ranges, size_t n, const uint8_t *bytes) {
        for (size_t i = 0; i < n; i++)
                if (bits_equal(ranges[i].bytes, bytes, ranges[i].prefix))
                        return true;
        return false;
}

bool address_is_public_ipv4(const uint8_t bytes[4]) {
        static const struct range special[] = {
                { { 0 }, 8 },             /* this network */
                { { 10 }, 8 },            /* private */
                { { 100, 64 }, 10 },      /* shared (CGNAT) */
                { { 127 }, 8 },           /* loopback */
                { { 169, 254 }, 16 },     /* link-local, metadata of clouds */
                { { 172, 16 }, 12 },      /* private */
                { { 192, 0, 0 }, 24 },    /* protocol assignments */
                { { 192, 0, 2 }, 24 },    /* documentation */
                { { 192, 88, 99 }, 24 },  /* 6to4 relays */
                { { 192, 168 }, 16 },     /* private */
                { { 198, 18 }, 15 },      /* benchmarks */
                { { 198, 51, 100 }, 24 }, /* documentation */
                { { 203, 0, 113 }, 24 },  /* documentation */
                { { 224 }, 3 },           /* multicast, reserved, broadcast */
        };

        return !ranges_contain(special, array_size(special), bytes);
}

bool address_is_public_ipv6(const uint8_t bytes[ADDRESS_SIZE]) {
        static const struct range unicast = { { 0x20 }, 3 }; /* mapped, NAT64, local and multicast ones are outside */
        static const struct range special[] = {
                { { 0x20, 0x01 }, 23 },             /* protocol assignments, Teredo */
                { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
                { { 0x20, 0x02 }, 16 },             /* 6to4 */
                { { 0x3f, 0xff }, 20 },             /* documentation */
        };

        return ranges_contain(&unicast, 1, bytes) && !ranges_contain(special, array_size(special), bytes);
}
