/* The vectors of the standards: what the forge of the other tests signs, it could get wrong the way the verifier does.
 */
#include "auth/signature.h"

#include "auth/jwks.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

/* RFC 7515, appendix A.1 and A.3. */
#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static const char p256_of_rfc_7515[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                                       "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                       "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static bool signature_holds(const struct token_keys *keys, const char *message, const char *signature) {
        uint8_t bytes[512];
        size_t size = 0;

        cr_assert(base64url_decode(signature, strlen(signature), bytes, &size));
        return token_signature_valid(token_keys_at(keys, 0), message, strlen(message), bytes, size);
}

static struct token_keys *keys_of(const char *document) {
        struct token_keys *keys = NULL;
        const char *reason = NULL;

        cr_assert(token_keys_from_jwks(document, strlen(document), &keys, &reason), "%s", reason);
        return keys;
}

Test(token_signature, hs256_vector_of_rfc_7515_holds) {
        const char *text = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;
        uint8_t secret[64];
        const char *reason = NULL;
        size_t size = 0;

        cr_assert(base64url_decode(text, strlen(text), secret, &size));
        cr_assert(token_keys_from_secret(secret, size, &keys, &reason));
        cr_expect(signature_holds(keys, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD,
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        cr_expect_not(signature_holds(keys, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ8." PAYLOAD,
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        cr_expect_not(
                signature_holds(keys, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD, "dBjftJeZ4CVP-mB92K27"));
}

Test(token_signature, es256_vector_of_rfc_7515_holds) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = keys_of(p256_of_rfc_7515);

        cr_expect(signature_holds(keys, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD,
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"));
        cr_expect_not(signature_holds(keys, "eyJhbGciOiJFUzI1NiJ8." PAYLOAD,
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"));
}

Test(token_signature, es256_has_64_bytes_and_not_one_more) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = keys_of(p256_of_rfc_7515);

        cr_expect_not(signature_holds(keys, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD,
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1QAA"));
}

/* CVE-2022-21449: r = s = 0 held for every message in a verifier that forgot to look. */
Test(token_signature, es256_of_zeroes_never_holds) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = keys_of(p256_of_rfc_7515);
        const uint8_t zeroes[64] = { 0 };

        cr_expect_not(token_signature_valid(token_keys_at(keys, 0), "a", 1, zeroes, sizeof(zeroes)));
}

Test(token_signature, eddsa_vector_of_rfc_8037_holds) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys =
                keys_of("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}");
        const char *signature =
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

        cr_expect(signature_holds(keys, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", signature));
        cr_expect_not(signature_holds(keys, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd", signature));
}
