#include "http/forwarded.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* A piece of a header. */
struct piece {
        const char *text;
        size_t size;
};

void forwarded_lines_add(struct forwarded_lines *lines, const char *line) {
        if (lines->n == FORWARDED_LINES_MAX) {
                memmove(&lines->lines[0], &lines->lines[1], (FORWARDED_LINES_MAX - 1) * sizeof(lines->lines[0]));
                lines->n--;
        }
        lines->lines[lines->n++] = line;
}

static struct piece trimmed(struct piece piece) {
        while (piece.size && strchr(BLANKS, piece.text[0])) {
                piece.text++;
                piece.size--;
        }
        while (piece.size && strchr(BLANKS, piece.text[piece.size - 1]))
                piece.size--;
        return piece;
}

/* Take the part behind the last separator off the end. False: nothing is left. */
static bool take_last(struct piece *rest, char separator, struct piece *ret_last) {
        size_t begin = rest->size;

        if (!rest->text)
                return false;
        while (begin && rest->text[begin - 1] != separator)
                begin--;
        *ret_last = trimmed((struct piece){ rest->text + begin, rest->size - begin });
        *rest = begin ? (struct piece){ rest->text, begin - 1 } : (struct piece){ NULL, 0 };
        return true;
}

/* An address as proxies write it: alone, with a port, or in brackets with or without one. */
static bool node_parse(struct piece node, struct address *ret_address) {
        const char *colon, *bracket;

        if (node.size && node.text[0] == '[') {
                bracket = memchr(node.text, ']', node.size);
                return bracket && address_parse(node.text + 1, (size_t) (bracket - node.text) - 1, ret_address);
        }
        if (address_parse(node.text, node.size, ret_address))
                return true;
        colon = memchr(node.text, ':', node.size);
        return colon && address_parse(node.text, (size_t) (colon - node.text), ret_address);
}

/* The node that `for=` names in an element of Forwarded, such as: proto=https;for="[2001:db8::7]:4711". */
static bool for_parse(struct piece element, struct address *ret_address) {
        struct piece pair;

        while (take_last(&element, ';', &pair)) {
                if (pair.size < strlen("for=") || strncasecmp(pair.text, "for=", strlen("for=")) != 0)
                        continue;
                pair = (struct piece){ pair.text + strlen("for="), pair.size - strlen("for=") };
                if (pair.size >= 2 && pair.text[0] == '"' && pair.text[pair.size - 1] == '"')
                        pair = (struct piece){ pair.text + 1, pair.size - 2 };
                return node_parse(pair, ret_address);
        }
        return false;
}

/* Walk from the nearest proxy towards the client, as long as each proxy is trusted. An unreadable entry, such as
 * "unknown", ends the walk. */
static struct address walk(const struct networks *trusted, const struct address *peer,
        const struct forwarded_lines *lines, bool (*parse)(struct piece, struct address *)) {
        struct address client = *peer;

        for (size_t i = lines->n; i; i--) {
                struct piece rest = { lines->lines[i - 1], strlen(lines->lines[i - 1]) };
                struct piece element;

                while (take_last(&rest, ',', &element))
                        if (!networks_contain(trusted, &client) || !parse(element, &client))
                                return client;
        }
        return client;
}

struct address forwarded_client(const struct networks *trusted, const struct address *peer,
        const struct forwarded_lines *x_forwarded_for, const struct forwarded_lines *forwarded) {
        const struct address by_x = walk(trusted, peer, x_forwarded_for, node_parse);
        const struct address by_standard = walk(trusted, peer, forwarded, for_parse);

        if (x_forwarded_for->n && forwarded->n)
                return address_equal(&by_x, &by_standard) ? by_x : *peer;
        return x_forwarded_for->n ? by_x : by_standard;
}
