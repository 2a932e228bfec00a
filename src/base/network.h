/*
 * base/network: addresses of machines, and ranges of them in CIDR notation (RFC 4632).
 *
 * An IPv4 address is kept as its mapped IPv6 address (::ffff:0:0/96, RFC 4291, section 2.5.5.2), so that
 * both read and compare the same.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_SIZE      16
#define ADDRESS_BITS      (8 * ADDRESS_SIZE)
#define ADDRESS_TEXT_SIZE 46
#define NETWORKS_MAX      64

struct address {
        uint8_t bytes[ADDRESS_SIZE];
};

struct network {
        struct address address;
        unsigned prefix; /* how many of its first bits count */
};

struct networks {
        struct network items[NETWORKS_MAX];
        size_t n;
};

struct address address_of_ipv4(const uint8_t bytes[4]);
struct address address_of_ipv6(const uint8_t bytes[ADDRESS_SIZE]);

/* "192.0.2.7" or "2001:db8::7" in `size` bytes, and nothing else: no port, no brackets, no zone. */
must_check bool address_parse(const char *text, size_t size, struct address *ret_address);

void address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

bool address_equal(const struct address *a, const struct address *b);

/* The network by which requests are counted: an IPv4 address itself, or the /64 of an IPv6 address, because a client
 * usually owns all of it. */
struct address address_household(const struct address *address);

/* "10.0.0.0/8, 2001:db8::1": comma separated; an address alone is a network of one. NULL: none. False: an entry is no
 * network, there are more than NETWORKS_MAX, or bits are set behind the prefix, which is usually a mistake. */
must_check bool networks_parse(const char *list, struct networks *ret_networks);

bool networks_contain(const struct networks *networks, const struct address *address);

/* Whether the address is one of the public internet: no loopback, private, shared, link-local, multicast, documentation
 * or translation address (the IANA special-purpose registries, RFC 6890). A mapped IPv4 address within IPv6 is not
 * public, so that no address is judged twice. */
bool address_is_public_ipv4(const uint8_t bytes[4]);
bool address_is_public_ipv6(const uint8_t bytes[ADDRESS_SIZE]);
