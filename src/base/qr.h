/*
 * base/qr: a QR code (ISO/IEC 18004) as a PNG image.
 *
 * Black on white, one bit a dot, with the quiet zone of four modules. Pure.
 */
#pragma once

#include "base/arena.h"

#include <stdint.h>

#define QR_TEXT_MAX ((size_t) 256) /* bytes */
#define QR_SCALE    6              /* dots of a module */

/* The image in the arena; NULL: the text is empty or longer than QR_TEXT_MAX, or there is no memory. */
must_check const uint8_t *qr_png(const char *text, struct arena *arena, size_t *ret_size);
