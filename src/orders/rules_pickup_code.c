/* The pickup code that a customer shows for a fulfillment. */
#include "orders/order.h"

#include <openssl/hmac.h>
#include <string.h>

bool pickup_code(const char *secret, const struct uuid *fulfillment_id, int64_t serial, char *ret_code) {
        static const char letters[] = "ABCDEFGHJKMNPQRSTUVWXYZ"; /* without I, L, O */
        unsigned char message[sizeof(fulfillment_id->bytes) + sizeof(serial)];
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;

        if (!secret)
                return false;
        memcpy(message, fulfillment_id->bytes, sizeof(fulfillment_id->bytes));
        for (size_t i = 0; i < sizeof(serial); i++)
                message[sizeof(fulfillment_id->bytes) + i] = (unsigned char) ((uint64_t) serial >> (56 - 8 * i));
        if (!HMAC(EVP_sha256(), secret, (int) strlen(secret), message, sizeof(message), digest, &size))
                return false;
        for (size_t i = 0; i < PICKUP_CODE_SIZE - 1; i++)
                ret_code[i] = letters[((unsigned) digest[2 * i] << 8 | digest[2 * i + 1]) % (sizeof(letters) - 1)];
        ret_code[PICKUP_CODE_SIZE - 1] = '\0';
        return true;
}
