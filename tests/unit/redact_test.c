#include "privacy/redact.h"

#include "base/text.h"

#include <criterion/criterion.h>

#define MEMORY_MAX ((size_t) 1024 * 1024)

static struct arena arena;

static void open_arena(void) {
        arena_init(&arena, MEMORY_MAX);
}

static void close_arena(void) {
        arena_clear(&arena);
}

TestSuite(redact, .init = open_arena, .fini = close_arena);

static void assert_becomes(const char *before, const char *after) {
        const char *once = redact_document(before, &arena);

        cr_assert_str_eq(once, after);
        cr_assert_str_eq(redact_document(once, &arena), after, "doing it twice changes it");
}

Test(redact, a_document_without_a_person_stays_as_it_is) {
        assert_becomes("{\"id\":\"7\",\"lines\":[{\"sku\":\"MUG\",\"quantity\":2,\"picked\":null}],\"ok\":true}",
                "{\"id\":\"7\",\"lines\":[{\"sku\":\"MUG\",\"quantity\":2,\"picked\":null}],\"ok\":true}");
}

Test(redact, a_customer_is_redacted) {
        assert_becomes(
                "{\"customer\":{\"name\":\"Ada\",\"email\":\"a@b.example\",\"phone\":\"1\",\"customer_id\":\"c\"},\"total\":5}",
                "{\"customer\":{\"name\":\"erased\",\"email\":null,\"phone\":null,\"customer_id\":null},\"total\":5}");
}

Test(redact, the_time_of_an_erasure_stays_known) {
        assert_becomes("{\"customer\":{\"name\":\"Ada\",\"erased_at\":\"2026-11-27T10:00:00.000Z\"}}",
                "{\"customer\":{\"name\":\"erased\",\"email\":null,\"phone\":null,\"customer_id\":null,"
                "\"erased_at\":\"2026-11-27T10:00:00.000Z\"}}");
}

Test(redact, persons_are_found_wherever_they_stand) {
        assert_becomes(
                "{\"fulfillments\":[{\"recipient\":{\"name\":\"Bob\",\"relation\":\"friend\"},"
                "\"check_in\":{\"bay\":\"4\",\"vehicle\":{\"plate\":\"B-AD 1\"}},"
                "\"handover\":{\"recipient\":{\"name\":\"Bob\"},\"earlier\":[{\"recipient\":{\"name\":\"Cy\"}}]}}],"
                "\"ship_to\":{\"line1\":\"Street 1\"},\"customer_name\":\"Ada L.\",\"payment_reference\":\"pi_1\",\"payments\":[{\"reference\":\"pi_1\"}]}",
                "{\"fulfillments\":[{\"recipient\":{\"name\":\"erased\"},\"check_in\":{\"bay\":\"4\",\"vehicle\":null},"
                "\"handover\":{\"recipient\":{\"name\":\"erased\"},\"earlier\":[{\"recipient\":{\"name\":\"erased\"}}]}}],"
                "\"ship_to\":null,\"customer_name\":\"erased\",\"payment_reference\":null,\"payments\":[{\"reference\":null}]}");
}

Test(redact, parcels_keep_their_carrier) {
        assert_becomes("[{\"carrier\":\"DHL\",\"tracking_number\":\"0034\"}]",
                "[{\"carrier\":\"DHL\",\"tracking_number\":\"erased\"}]");
}

Test(redact, nothing_stays_nothing) {
        assert_becomes("{\"recipient\":null,\"ship_to\":null,\"reason\":null,\"customer_name\":null}",
                "{\"recipient\":null,\"ship_to\":null,\"reason\":null,\"customer_name\":null}");
}

Test(redact, free_text_is_redacted_and_fixed_reasons_stay) {
        assert_becomes(
                "[{\"reason\":\"Ada Lovelace has moved\"},{\"reason\":\"not_found\"},{\"cancel_reason\":\"unpaid\"}]",
                "[{\"reason\":\"erased\"},{\"reason\":\"not_found\"},{\"cancel_reason\":\"unpaid\"}]");
        cr_assert_null(redact_reason(NULL));
        cr_assert_str_eq(redact_reason("theft"), "theft");
        cr_assert_str_eq(redact_reason("Theft, says Ada"), ERASED);
}

Test(redact, a_text_that_is_no_json_is_refused) {
        cr_assert_null(redact_document("{\"customer\":", &arena));
}
