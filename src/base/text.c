#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Longer words are no typing mistakes, and comparing them costs time. */
#define NEAREST_SIZE_MAX ((size_t) 64)

bool text_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts_with(const char *text, const char *prefix) {
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

int text_index(const char *const *list, const char *text) {
        for (int i = 0; text && list[i]; i++)
                if (text_equal(list[i], text))
                        return i;
        return -1;
}

bool text_next_part(const char **rest, char separator, const char **ret_part, size_t *ret_size) {
        const char *part = *rest;

        if (!part || !*part)
                return false;
        *ret_part = part;
        *ret_size = strcspn(part, (const char[]){ separator, '\0' });
        *rest = part + *ret_size + (part[*ret_size] == separator);
        return true;
}

static bool char_is_digit(char c) {
        return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 3629, section 4: the first byte decides the size and the range of the second; the ranges exclude overlong forms,
 * surrogates and numbers above U+10FFFF. */
static const struct utf8_form {
        uint8_t first_low, first_high, second_low, second_high;
        size_t size;
} utf8_forms[] = {
        { 0xC2, 0xDF, 0x80, 0xBF, 2 },
        { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
        { 0xE1, 0xEC, 0x80, 0xBF, 3 },
        { 0xED, 0xED, 0x80, 0x9F, 3 },
        { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 },
        { 0xF1, 0xF3, 0x80, 0xBF, 4 },
        { 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

static bool utf8_has_form(const struct utf8_form *form, const uint8_t *bytes, size_t size) {
        if (bytes[0] < form->first_low || bytes[0] > form->first_high || size < form->size)
                return false;
        if (bytes[1] < form->second_low || bytes[1] > form->second_high)
                return false;
        for (size_t i = 2; i < form->size; i++)
                if ((bytes[i] & 0xC0) != 0x80)
                        return false;
        return true;
}

size_t text_utf8_size(const char *text, size_t size) {
        const uint8_t *bytes = (const uint8_t *) text;

        if (size == 0 || bytes[0] == 0)
                return 0;
        if (bytes[0] < 0x80)
                return 1;
        for (size_t i = 0; i < array_size(utf8_forms); i++)
                if (utf8_has_form(&utf8_forms[i], bytes, size))
                        return utf8_forms[i].size;
        return 0;
}

bool text_is_utf8(const char *text, size_t size) {
        while (size) {
                const size_t one = text_utf8_size(text, size);

                if (one == 0)
                        return false;
                text += one;
                size -= one;
        }
        return true;
}

size_t text_code_points(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += ((uint8_t) *text & 0xC0) != 0x80;
        return n;
}

/* The code point of a valid sequence of `size` bytes. */
static uint32_t code_point(const char *text, size_t size) {
        static const uint8_t masks[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
        uint32_t point = (uint8_t) *text & masks[size];

        for (size_t i = 1; i < size; i++)
                point = point << 6 | ((uint8_t) text[i] & 0x3F);
        return point;
}

static bool is_printable(uint32_t point) {
        static const struct {
                uint32_t low, high;
        } spoken[] = {
                { 0x00, 0x1F }, { 0x7F, 0x9F },         /* control characters: an escape sequence begins with one */
                { 0x061C, 0x061C }, { 0x200E, 0x200F }, /* Unicode Bidirectional Algorithm: marks, embeddings, */
                { 0x2028, 0x202E }, { 0x2066, 0x2069 }, /* overrides and isolates; line and paragraph separators */
        };

        for (size_t i = 0; i < array_size(spoken); i++)
                if (point >= spoken[i].low && point <= spoken[i].high)
                        return false;
        return true;
}

void text_make_printable(char *text) {
        size_t left = strlen(text);
        char *out = text;

        while (left) {
                const size_t size = text_utf8_size(text, left);

                if (size && is_printable(code_point(text, size))) {
                        memmove(out, text, size);
                        out += size;
                } else {
                        *out++ = '?';
                }
                text += size ? size : 1;
                left -= size ? size : 1;
        }
        *out = '\0';
}

bool text_is_code(const char *text) {
        size_t size = 0;

        if (!is_letter(*text) && !char_is_digit(*text))
                return false;
        for (; text[size]; size++)
                if (size == CODE_SIZE_MAX ||
                        (!is_letter(text[size]) && !char_is_digit(text[size]) && !strchr("._~:+@-", text[size])))
                        return false;
        return true;
}

bool text_json_escape(char byte, char *escape) {
        static const char controls[] = "\b\f\n\r\t", letters[] = "bfnrt";
        const char *control = NULL;

        if ((uint8_t) byte >= 0x20 && byte != '"' && byte != '\\')
                return false;
        if (byte)
                control = strchr(controls, byte);
        if ((uint8_t) byte >= 0x20)
                (void) snprintf(escape, JSON_ESCAPE_SIZE, "\\%c", byte);
        else if (control)
                (void) snprintf(escape, JSON_ESCAPE_SIZE, "\\%c", letters[control - controls]);
        else
                (void) snprintf(escape, JSON_ESCAPE_SIZE, "\\u%04x", (unsigned) (uint8_t) byte);
        return true;
}

size_t text_json_plain(const char *text) {
        size_t n = 0;

        while ((uint8_t) text[n] >= 0x20 && (uint8_t) text[n] < 0x80 && text[n] != '"' && text[n] != '\\')
                n++;
        return n;
}

bool text_to_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *ret_integer) {
        const bool negative = *text == '-';
        int64_t integer = 0;

        text += negative;
        if (!*text)
                return false;
        for (; *text; text++) {
                const int64_t digit = negative ? '0' - *text : *text - '0';

                if (!char_is_digit(*text) || __builtin_mul_overflow(integer, 10, &integer) ||
                        __builtin_add_overflow(integer, digit, &integer))
                        return false;
        }
        if (integer < minimum || integer > maximum)
                return false;
        *ret_integer = integer;
        return true;
}

static bool skip_digits(const char **cursor) {
        const char *start = *cursor;

        while (char_is_digit(**cursor))
                (*cursor)++;
        return *cursor > start;
}

static bool is_number(const char *text) {
        text += *text == '-' || *text == '+';
        if (!skip_digits(&text))
                return false;
        if (*text == '.') {
                text++;
                if (!skip_digits(&text))
                        return false;
        }
        if (*text == 'e' || *text == 'E') {
                text++;
                text += *text == '-' || *text == '+';
                if (!skip_digits(&text))
                        return false;
        }
        return !*text;
}

bool text_to_number(const char *text, double *ret_number) {
        locale_t plain;
        double number;

        if (!is_number(text))
                return false;
        /* The process may have taken another locale; glibc hands out its own "C" here, without allocating. */
        plain = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
        if (!plain)
                return false;
        number = strtod_l(text, NULL, plain);
        freelocale(plain);
        if (!isfinite(number))
                return false;
        *ret_number = number;
        return true;
}

static int percent_digit(char c) {
        if (char_is_digit(c))
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* The byte that "%XX" stands for, or -1; `escape` is at the first X. */
static int escaped_byte(const char *escape) {
        const int high = percent_digit(escape[0]);
        const int low = high < 0 ? -1 : percent_digit(escape[1]);

        return low < 0 ? -1 : 16 * high + low;
}

static bool is_port(const char *text) {
        int64_t port;

        return char_is_digit(*text) && strlen(text) < PORT_SIZE_MAX && text_to_integer(text, 0, UINT16_MAX, &port);
}

bool text_split_address(const char *address, char host[HOST_SIZE_MAX], char port[PORT_SIZE_MAX]) {
        const char *colon = strrchr(address, ':');
        size_t size;

        if (!colon)
                return false;
        size = (size_t) (colon - address);
        if (size >= 2 && address[0] == '[' && address[size - 1] == ']') {
                address++;
                size -= 2;
        }
        if (size >= HOST_SIZE_MAX || strcspn(address, " \t\r\n") < size || !is_port(colon + 1))
                return false;
        memcpy(host, address, size);
        host[size] = '\0';
        memcpy(port, colon + 1, strlen(colon + 1) + 1);
        return true;
}

static bool begins_with(const char *text, size_t size, const char *prefix) {
        return size >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, size_t size, const char *suffix) {
        return size >= strlen(suffix) && memcmp(text + size - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static size_t span(const char *text, size_t size, const char *more) {
        size_t n = 0;

        while (n < size &&
                ((text[n] >= 'a' && text[n] <= 'z') || char_is_digit(text[n]) || (text[n] && strchr(more, text[n]))))
                n++;
        return n;
}

bool text_is_origin(const char *text, size_t size) {
        const size_t scheme = span(text, size, "+-.");
        const size_t before_host = scheme + strlen("://");

        if (!scheme || !begins_with(text + scheme, size - scheme, "://") || before_host == size)
                return false;
        if (before_host + span(text + before_host, size - before_host, "-._:[]") < size || text[size - 1] == ':')
                return false;
        return !(begins_with(text, size, "http:") && ends_with(text, size, ":80")) &&
               !(begins_with(text, size, "https:") && ends_with(text, size, ":443"));
}

bool text_percent_decode(char *text, bool allow_slash) {
        const char *from = text;
        char *to = text;

        while (*from) {
                int byte;

                if (*from != '%') {
                        *to++ = *from++;
                        continue;
                }
                byte = escaped_byte(from + 1);
                if (byte <= 0 || (!allow_slash && (byte == '/' || byte == '\\')))
                        return false;
                *to++ = (char) byte;
                from += 3;
        }
        *to = '\0';
        return text_is_utf8(text, (size_t) (to - text));
}

static const char base64url_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int base64url_value(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (char_is_digit(c))
                return c - '0' + 52;
        return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(const char *text, size_t text_size, uint8_t *bytes, size_t *ret_size) {
        unsigned bits = 0, n_bits = 0;
        size_t size = 0;

        if (text_size % 4 == 1)
                return false;
        for (size_t i = 0; i < text_size; i++) {
                const int value = base64url_value(text[i]);

                if (value < 0)
                        return false;
                bits = bits << 6 | (unsigned) value;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        bytes[size++] = (uint8_t) (bits >> n_bits);
                        bits &= (1U << n_bits) - 1;
                }
        }
        /* Bits left over would let several texts stand for the same bytes. */
        if (bits)
                return false;
        *ret_size = size;
        return true;
}

void base64url_encode(const uint8_t *bytes, size_t size, char *text) {
        unsigned bits = 0, n_bits = 0;

        for (size_t i = 0; i < size; i++) {
                bits = (bits & 0xFF) << 8 | bytes[i];
                for (n_bits += 8; n_bits >= 6; n_bits -= 6)
                        *text++ = base64url_letters[bits >> (n_bits - 6) & 63];
        }
        if (n_bits)
                *text++ = base64url_letters[bits << (6 - n_bits) & 63];
        *text = '\0';
}

static size_t least(size_t a, size_t b) {
        return a < b ? a : b;
}

/* Levenshtein's distance, one row of the table at a time. Both sizes are at most NEAREST_SIZE_MAX. */
static size_t edit_distance(const char *a, size_t a_size, const char *b, size_t b_size) {
        size_t row[NEAREST_SIZE_MAX + 1];

        for (size_t j = 0; j <= b_size; j++)
                row[j] = j;
        for (size_t i = 1; i <= a_size; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= b_size; j++) {
                        const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

                        diagonal = row[j];
                        row[j] = least(replaced, 1 + least(row[j], row[j - 1]));
                }
        }
        return row[b_size];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n) {
        const size_t word_size = strnlen(word, NEAREST_SIZE_MAX + 1);
        const char *nearest = NULL;
        size_t shortest = SIZE_MAX;

        for (size_t i = 0; i < n && word_size <= NEAREST_SIZE_MAX; i++) {
                const size_t size = strnlen(candidates[i], NEAREST_SIZE_MAX + 1);
                size_t distance;

                if (size > NEAREST_SIZE_MAX)
                        continue;
                distance = edit_distance(word, word_size, candidates[i], size);
                if (distance < shortest && 3 * distance <= (size > word_size ? size : word_size)) {
                        nearest = candidates[i];
                        shortest = distance;
                }
        }
        return nearest;
}
