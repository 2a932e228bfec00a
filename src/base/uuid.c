#include "base/uuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define RANDOM_AT_ONCE 256 /* up to so many bytes come whole or not at all (getrandom(2)) */

/* A guessable id is worse than no service, so the process aborts without random bytes. */
static void random_draw(uint8_t *bytes) {
        ssize_t n;

        do {
                n = getrandom(bytes, RANDOM_AT_ONCE, 0);
        } while (n < 0 && errno == EINTR);
        if (n != RANDOM_AT_ONCE)
                abort();
}

/* Each byte drawn is used once; the system is asked for many at a time. */
static void fill_random(struct uuid *uuid) {
        static _Thread_local uint8_t drawn[RANDOM_AT_ONCE];
        static _Thread_local size_t left;

        if (left < sizeof(uuid->bytes)) {
                random_draw(drawn);
                left = sizeof(drawn);
        }
        left -= sizeof(uuid->bytes);
        memcpy(uuid->bytes, drawn + left, sizeof(uuid->bytes));
}

/* Milliseconds in the upper 48 bits, then 12 bits of their fraction (RFC 9562, section 6.2, method 3). A thread never
 * takes the same moment twice, nor an earlier one when the wall clock is set back. */
static uint64_t next_moment(void) {
        static _Thread_local uint64_t latest;
        const uint64_t now = (uint64_t) clock_wall();
        const uint64_t moment = now / 1000 << 12 | now % 1000 * 4096 / 1000;

        latest = moment > latest ? moment : latest + 1;
        return latest;
}

struct uuid uuid_new(void) {
        const uint64_t moment = next_moment();
        struct uuid uuid;

        fill_random(&uuid);
        for (int i = 0; i < 6; i++)
                uuid.bytes[i] = (uint8_t) (moment >> (52 - 8 * i));
        uuid.bytes[6] = (uint8_t) (0x70 | (moment >> 8 & 0x0F));
        uuid.bytes[7] = (uint8_t) moment;
        uuid.bytes[8] = (uint8_t) (0x80 | (uuid.bytes[8] & 0x3F));
        return uuid;
}

struct uuid uuid_floor(timestamp instant) {
        const uint64_t milliseconds = instant > 0 ? (uint64_t) instant / 1000 : 0;
        struct uuid uuid = { 0 };

        for (int i = 0; i < 6; i++)
                uuid.bytes[i] = (uint8_t) (milliseconds >> (40 - 8 * i));
        return uuid;
}

/* FNV-1a, folded to 16 bits. */
uint16_t uuid_place_of(const char *place) {
        uint32_t hash = UINT32_C(2166136261);

        for (size_t i = 0; place[i]; i++)
                hash = (hash ^ (uint8_t) place[i]) * UINT32_C(16777619);
        return (uint16_t) (hash >> 16 ^ hash);
}

struct uuid uuid_new_at(const char *place) {
        const uint16_t hash = uuid_place_of(place);
        struct uuid uuid = uuid_new();

        uuid.bytes[14] = (uint8_t) (hash >> 8);
        uuid.bytes[15] = (uint8_t) hash;
        return uuid;
}

uint16_t uuid_place(const struct uuid *uuid) {
        return (uint16_t) (uuid->bytes[14] << 8 | uuid->bytes[15]);
}

struct uuid uuid_random(void) {
        struct uuid uuid;

        fill_random(&uuid);
        return uuid;
}

static int uuid_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash(size_t position) {
        return position == 8 || position == 13 || position == 18 || position == 23;
}

bool uuid_parse(const char *text, struct uuid *ret_uuid) {
        struct uuid uuid = { 0 };
        size_t n_digits = 0;

        for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
                const int value = uuid_digit(text[i]);

                if (is_dash(i) && text[i] == '-')
                        continue;
                if (is_dash(i) || value < 0)
                        return false;
                uuid.bytes[n_digits / 2] = (uint8_t) (uuid.bytes[n_digits / 2] << 4 | value);
                n_digits++;
        }
        if (text[UUID_TEXT_SIZE - 1])
                return false;
        *ret_uuid = uuid;
        return true;
}

void uuid_format(const struct uuid *uuid, char *text) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *text++ = '-';
                *text++ = digits[uuid->bytes[i] >> 4];
                *text++ = digits[uuid->bytes[i] & 0x0F];
        }
        *text = '\0';
}

int uuid_compare(const struct uuid *a, const struct uuid *b) {
        return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool uuid_is_nil(const struct uuid *uuid) {
        return uuid_equal(uuid, &(struct uuid){ 0 });
}

bool uuid_is_repeated(const struct uuid *first, size_t i, size_t stride) {
        const char *ids = (const char *) first;

        for (size_t j = 0; j < i; j++)
                if (memcmp(ids + j * stride, ids + i * stride, sizeof(*first)) == 0)
                        return true;
        return false;
}
