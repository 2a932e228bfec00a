/*
 * tests/unit/dice: numbers that look random and are the same on every run (SplitMix64).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline uint64_t dice_roll(uint64_t *dice) {
        uint64_t z = *dice += UINT64_C(0x9E3779B97F4A7C15);

        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        return z ^ z >> 31;
}

/* From 0 to limit - 1. */
static inline size_t dice_below(uint64_t *dice, size_t limit) {
        return (size_t) (dice_roll(dice) % limit);
}
