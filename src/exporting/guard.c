#include "exporting/guard.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

size_t guard_size_max(size_t size) {
        return 2 * size; /* a cell has a comma or the line end behind it */
}

static bool cell_is_number(const char *text, size_t size) {
        size_t digits = 0, points = 0;

        for (size_t i = 0; i < size; i++) {
                if (text[i] == '.' && digits && i + 1 < size)
                        points++;
                else if (!isdigit((unsigned char) text[i]))
                        return false;
                else
                        digits++;
        }
        return digits && points <= 1;
}

static bool cell_is_formula(const char *text, size_t size) {
        return size && strchr("=+-@\t\r", *text) && !(*text == '-' && cell_is_number(text + 1, size - 1));
}

/* The bytes of the cell at the front, with its quotes. */
static size_t cell_size(const char *row, size_t size) {
        bool quoted = false;
        size_t i = 0;

        for (; i < size && (quoted || (row[i] != ',' && row[i] != '\n')); i++)
                quoted ^= row[i] == '"'; /* a doubled quote ends the quotes and begins them again */
        return i;
}

size_t guard_row(const char *row, size_t size, char *guarded) {
        size_t n = 0;

        for (size_t at = 0; at < size;) {
                const size_t cell = cell_size(row + at, size - at), behind = at + cell < size;
                const size_t quotes = cell >= 2 && row[at] == '"';
                const bool formula = cell_is_formula(row + at + quotes, cell - 2 * quotes);

                memcpy(guarded + n, row + at, quotes);
                n += quotes;
                if (formula)
                        guarded[n++] = '\'';
                memcpy(guarded + n, row + at + quotes, cell - quotes + behind);
                n += cell - quotes + behind;
                at += cell + behind;
        }
        return n;
}
