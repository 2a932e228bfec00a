#include "base/sorted.h"

#include <stdlib.h>
#include <string.h>

void sort(void *array, size_t n, size_t size, comparison compare) {
        if (n)
                qsort(array, n, size, compare);
}

size_t sort_unique(void *array, size_t n, size_t size, comparison compare) {
        char *elements = array;
        size_t kept = 0;

        sort(array, n, size, compare);
        for (size_t i = 0; i < n; i++) {
                if (kept && compare(elements + (kept - 1) * size, elements + i * size) == 0)
                        continue;
                if (kept != i)
                        memcpy(elements + kept * size, elements + i * size, size);
                kept++;
        }
        return kept;
}

void *sorted_find(const void *key, const void *array, size_t n, size_t size, comparison compare) {
        return n ? bsearch(key, array, n, size, compare) : NULL;
}

int texts_compare(const void *left, const void *right) {
        return strcmp(*(const char *const *) left, *(const char *const *) right);
}
