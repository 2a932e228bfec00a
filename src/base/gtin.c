#include "base/gtin.h"

#include <string.h>
#include <strings.h>

#define GTIN_DIGITS ((size_t) (GTIN_SIZE - 1))

/* Weights count from the right, so the leading zeros of a padded GTIN change nothing. */
static bool has_check_digit(const char *padded) {
        unsigned sum = 0;

        for (size_t i = 0; i < GTIN_DIGITS; i++)
                sum += (unsigned) (padded[i] - '0') * (i % 2 == 0 ? 3 : 1);
        return sum % 10 == 0;
}

static bool gtin_has_form(const char *text, size_t size) {
        return (size == 8 || (size >= 12 && size <= GTIN_DIGITS)) && strspn(text, "0123456789") >= size;
}

static bool parse_sized(const char *text, size_t size, char *ret_gtin) {
        char padded[GTIN_SIZE] = "00000000000000";

        if (!gtin_has_form(text, size))
                return false;
        memcpy(padded + GTIN_DIGITS - size, text, size);
        if (!has_check_digit(padded))
                return false;
        memcpy(ret_gtin, padded, sizeof(padded));
        return true;
}

bool gtin_parse(const char *text, char *ret_gtin) {
        return parse_sized(text, strnlen(text, GTIN_SIZE), ret_gtin);
}

static bool is_path_key(const char *segment, size_t size) {
        return (size == 2 && memcmp(segment, "01", 2) == 0) || (size == 4 && memcmp(segment, "gtin", 4) == 0);
}

/* The path of an http(s) URI, at its first slash, or NULL. */
static const char *path_of(const char *uri) {
        const char *host = NULL;
        size_t size;

        if (strncasecmp(uri, "http://", 7) == 0)
                host = uri + 7;
        else if (strncasecmp(uri, "https://", 8) == 0)
                host = uri + 8;
        if (!host)
                return NULL;
        size = strcspn(host, "/?#");
        return size > 0 && host[size] == '/' ? host + size : NULL;
}

/* The next segment that follows a key, or NULL; `slash` begins the one to look at first. "01" may also be a directory
 * of the host, so there may be several. */
static const char *next_candidate(const char *slash, size_t *ret_size) {
        bool after_key = false;

        while (slash && *slash == '/') {
                const char *segment = slash + 1;

                *ret_size = strcspn(segment, "/?#");
                if (after_key)
                        return segment;
                after_key = is_path_key(segment, *ret_size);
                slash = segment + *ret_size;
        }
        return NULL;
}

bool gtin_from_digital_link(const char *uri, char *ret_gtin) {
        size_t size = 0;

        for (const char *at = next_candidate(path_of(uri), &size); at; at = next_candidate(at - 1, &size))
                if (parse_sized(at, size, ret_gtin))
                        return true;
        return false;
}

bool gtin_is_mistyped(const char *text) {
        size_t size = 0;

        if (gtin_has_form(text, strlen(text)))
                return true;
        for (const char *at = next_candidate(path_of(text), &size); at; at = next_candidate(at - 1, &size))
                if (gtin_has_form(at, size))
                        return true;
        return false;
}
