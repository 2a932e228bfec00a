#include "importing/encoding.h"

#include "base/text.h"

#include <string.h>

static const struct {
        const char *name;
        enum import_encoding encoding;
} names[] = {
        { "auto", ENCODING_AUTO },
        { "latin1", ENCODING_WINDOWS_1252 },
        { "utf-16", ENCODING_UTF16_LE },
        { "utf-8", ENCODING_UTF8 },
        { "windows-1252", ENCODING_WINDOWS_1252 },
};

bool encoding_named(const char *name, enum import_encoding *ret_encoding) {
        for (size_t i = 0; i < array_size(names); i++)
                if (text_equal(names[i].name, name)) {
                        *ret_encoding = names[i].encoding;
                        return true;
                }
        return false;
}

static const struct {
        const char *bytes;
        enum import_encoding encoding;
} marks[] = { { "\xef\xbb\xbf", ENCODING_UTF8 }, { "\xff\xfe", ENCODING_UTF16_LE }, { "\xfe\xff", ENCODING_UTF16_BE } };

bool encoding_of_mark(const char *bytes, size_t size, enum import_encoding *ret_encoding, size_t *ret_size) {
        for (size_t i = 0; i < array_size(marks); i++) {
                const size_t mark = strlen(marks[i].bytes);

                if (size < mark || memcmp(bytes, marks[i].bytes, mark) != 0)
                        continue;
                *ret_encoding = marks[i].encoding;
                *ret_size = mark;
                return true;
        }
        return false;
}

/* ---- code points ---- */

static size_t point_write(uint32_t point, char *out) {
        size_t size = 0;

        if (point < 0x80) {
                out[size++] = (char) point;
        } else if (point < 0x800) {
                out[size++] = (char) (0xc0 | point >> 6);
                out[size++] = (char) (0x80 | (point & 0x3f));
        } else {
                if (point < 0x10000) {
                        out[size++] = (char) (0xe0 | point >> 12);
                } else {
                        out[size++] = (char) (0xf0 | point >> 18);
                        out[size++] = (char) (0x80 | (point >> 12 & 0x3f));
                }
                out[size++] = (char) (0x80 | (point >> 6 & 0x3f));
                out[size++] = (char) (0x80 | (point & 0x3f));
        }
        return size;
}

static const uint16_t windows_1252[] = { 0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030,
        0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178 };

size_t windows_1252_decode(const char *bytes, size_t size, char *out) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++) {
                const unsigned char byte = (unsigned char) bytes[i];

                n += point_write(byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte, out + n);
        }
        return n;
}

#define REPLACEMENT 0xfffdu

static uint32_t unit_at(const char *bytes, bool big_endian) {
        const unsigned first = (unsigned char) bytes[0], second = (unsigned char) bytes[1];

        return big_endian ? first << 8 | second : second << 8 | first;
}

static bool is_high(uint32_t unit) {
        return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit) {
        return unit >= 0xdc00 && unit < 0xe000;
}

size_t utf16_decode(const char *bytes, size_t size, bool big_endian, bool last, char *out, size_t *ret_used) {
        size_t n = 0, i = 0;

        while (i + 1 < size) {
                const uint32_t unit = unit_at(bytes + i, big_endian);
                uint32_t point = is_high(unit) || is_low(unit) ? REPLACEMENT : unit;

                if (is_high(unit) && i + 3 >= size && !last)
                        break;
                i += 2;
                if (is_high(unit) && i + 1 < size && is_low(unit_at(bytes + i, big_endian))) {
                        point = 0x10000 + ((unit - 0xd800) << 10) + (unit_at(bytes + i, big_endian) - 0xdc00);
                        i += 2;
                }
                n += point_write(point, out + n);
        }
        if (last && i < size) {
                n += point_write(REPLACEMENT, out + n);
                i = size;
        }
        *ret_used = i;
        return n;
}

uint64_t utf16_size(const char *utf8, size_t size) {
        uint64_t units = 0;

        for (size_t i = 0; i < size; i++) {
                const unsigned char byte = (unsigned char) utf8[i];

                units += (byte & 0xc0) != 0x80;
                units += byte >= 0xf0;
        }
        return 2 * units;
}
