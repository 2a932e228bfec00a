#include "base/mark.h"

uint64_t mark_number(uint64_t mark, uint64_t number) {
        return (mark ^ number) * UINT64_C(0x100000001b3);
}

uint64_t mark_bytes(uint64_t mark, const void *bytes, size_t size) {
        for (size_t i = 0; i < size; i++)
                mark = mark_number(mark, ((const uint8_t *) bytes)[i]);
        return mark;
}
