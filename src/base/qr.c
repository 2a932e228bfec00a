#include "base/qr.h"

#include <qrencode.h>
#include <string.h>

#define QUIET_ZONE      4
#define STORED_SIZE_MAX ((size_t) 65535) /* of a block of deflate without compression (RFC 1951, section 3.2.4) */

DEFINE_CLEANUP(QRcode, qr_cleanup, QRcode_free)

/* ---- PNG (W3C PNG, third edition) ---- */

struct image {
        uint8_t *bytes;
        size_t size;
};

static void image_add(struct image *image, const void *bytes, size_t size) {
        memcpy(image->bytes + image->size, bytes, size);
        image->size += size;
}

static void image_add_number(struct image *image, uint32_t number) {
        const uint8_t bytes[] = { (uint8_t) (number >> 24), (uint8_t) (number >> 16), (uint8_t) (number >> 8),
                (uint8_t) number };

        image_add(image, bytes, sizeof(bytes));
}

static uint32_t crc_of(const uint8_t *bytes, size_t size) {
        uint32_t crc = UINT32_MAX;

        for (size_t i = 0; i < size; i++) {
                crc ^= bytes[i];
                for (int bit = 0; bit < 8; bit++)
                        crc = crc & 1 ? (crc >> 1) ^ UINT32_C(0xedb88320) : crc >> 1;
        }
        return ~crc;
}

static uint32_t adler_of(const uint8_t *bytes, size_t size) {
        uint32_t a = 1, b = 0;

        for (size_t i = 0; i < size; i++) {
                a = (a + bytes[i]) % 65521;
                b = (b + a) % 65521;
        }
        return b << 16 | a;
}

/* Length, type, data and checksum. */
static void chunk_add(struct image *image, const char *type, const void *data, size_t size) {
        const size_t begin = image->size + 4;

        image_add_number(image, (uint32_t) size);
        image_add(image, type, 4);
        image_add(image, data, size);
        image_add_number(image, crc_of(image->bytes + begin, image->size - begin));
}

static void png_header_add(struct image *image, uint32_t width) {
        static const uint8_t signature[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
        static const uint8_t kind[] = { 1, 0, 0, 0, 0 }; /* one bit a dot, grey, the only methods, not interlaced */
        uint8_t data[13];
        struct image header = { .bytes = data };

        image_add(image, signature, sizeof(signature));
        image_add_number(&header, width);
        image_add_number(&header, width);
        image_add(&header, kind, sizeof(kind));
        chunk_add(image, "IHDR", data, sizeof(data));
}

/* The rows as one stored block in a zlib stream (RFC 1950). */
static bool rows_add(struct image *image, const uint8_t *rows, size_t size, struct arena *arena) {
        const uint8_t head[] = { 0x78, 0x01, 1, (uint8_t) size, (uint8_t) (size >> 8), (uint8_t) ~size,
                (uint8_t) (~size >> 8) };
        struct image stream = { .bytes = arena_alloc(arena, size + sizeof(head) + 4) };

        if (!stream.bytes || size > STORED_SIZE_MAX)
                return false;
        image_add(&stream, head, sizeof(head));
        image_add(&stream, rows, size);
        image_add_number(&stream, adler_of(rows, size));
        chunk_add(image, "IDAT", stream.bytes, stream.size);
        return true;
}

/* ---- the code ---- */

static bool is_dark(const QRcode *code, size_t row, size_t column) {
        const size_t width = (size_t) code->width;

        if (row < QUIET_ZONE || column < QUIET_ZONE || row >= width + QUIET_ZONE || column >= width + QUIET_ZONE)
                return false;
        return code->data[(row - QUIET_ZONE) * width + column - QUIET_ZONE] & 1;
}

/* Each row of dots begins with the number of its filter, 0; a dot that is 1 is white. */
static uint8_t *dots_of(const QRcode *code, size_t width, struct arena *arena, size_t *ret_size) {
        const size_t row_size = 1 + (width + 7) / 8;
        uint8_t *rows = arena_alloc(arena, row_size * width);

        for (size_t y = 0; rows && y < width; y++)
                for (size_t x = 0; x < width; x++)
                        if (!is_dark(code, y / QR_SCALE, x / QR_SCALE))
                                rows[y * row_size + 1 + x / 8] |= (uint8_t) (0x80u >> (x % 8));
        *ret_size = row_size * width;
        return rows;
}

const uint8_t *qr_png(const char *text, struct arena *arena, size_t *ret_size) {
        const size_t text_size = strlen(text);
        _cleanup_(qr_cleanup) QRcode *code = NULL;
        struct image image = { 0 };
        const uint8_t *rows;
        size_t width, size;

        if (!text_size || text_size > QR_TEXT_MAX)
                return NULL;
        code = QRcode_encodeString8bit(text, /* version= */ 0, QR_ECLEVEL_M);
        if (!code)
                return NULL;
        width = ((size_t) code->width + (size_t) 2 * QUIET_ZONE) * QR_SCALE;
        rows = dots_of(code, width, arena, &size);
        image.bytes = arena_alloc(arena, size + 128);
        if (!rows || !image.bytes)
                return NULL;
        png_header_add(&image, (uint32_t) width);
        if (!rows_add(&image, rows, size, arena))
                return NULL;
        chunk_add(&image, "IEND", "", 0);
        *ret_size = image.size;
        return image.bytes;
}
