#include "privacy/redact.h"

#include "base/text.h"

#include <jansson.h>
#include <string.h>

DEFINE_CLEANUP(json_t, tree_cleanup, json_decref)

/* Fixed reasons of the program, never typed by a person. Sorted. */
static const char *const fixed_reasons[] = { "capacity", "closed", "customer_request", "damaged", ERASED,
        "not_captured", "not_collected", "not_found", "stock_lost", "theft", "unpaid" };

const char *redact_reason(const char *reason) {
        if (!reason)
                return NULL;
        for (size_t i = 0; i < array_size(fixed_reasons); i++)
                if (text_equal(fixed_reasons[i], reason))
                        return fixed_reasons[i];
        return ERASED;
}

/* ---- what takes the place of a value; never asked for null ---- */

static json_t *nothing(const json_t *value) {
        (void) value;
        return json_null();
}

static json_t *word(const json_t *value) {
        (void) value;
        return json_string(ERASED);
}

static json_t *reason(const json_t *value) {
        return json_string(redact_reason(json_is_string(value) ? json_string_value(value) : ""));
}

static json_t *somebody(const json_t *value) {
        (void) value;
        return json_pack("{s:s}", "name", ERASED);
}

static json_t *customer(const json_t *value) {
        json_t *kept = json_pack("{s:s, s:n, s:n, s:n}", "name", ERASED, "email", "phone", "customer_id");
        json_t *erased_at = json_object_get(value, "erased_at");

        if (kept && erased_at)
                (void) json_object_set(kept, "erased_at", erased_at);
        return kept;
}

/* Of a message to a customer; elsewhere it is a location or a way of a refund. */
static json_t *address(const json_t *value) {
        const bool is_address = json_is_string(value) && strchr(json_string_value(value), '@');

        return is_address ? json_null() : json_deep_copy(value);
}

/* Sorted by name. */
static const struct personal {
        const char *name;
        json_t *(*replace)(const json_t *value);
} personal[] = {
        { "cancel_reason", reason },
        { "customer", customer },
        { "customer_name", word },
        { "note", word },
        { "payment_reference", nothing },
        { "reason", reason },
        { "recipient", somebody },
        { "reference", nothing },
        { "ship_to", nothing },
        { "to", address },
        { "tracking_number", word },
        { "vehicle", nothing },
};

static const struct personal *personal_member(const char *name) {
        for (size_t i = 0; i < array_size(personal); i++)
                if (text_equal(personal[i].name, name))
                        return &personal[i];
        return NULL;
}

/* ---- the walk; false without memory ---- */

static bool redact_value(json_t *value);

/* Values change, names do not, so the walk may go on. */
static bool redact_object(json_t *object) {
        for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
                const struct personal *member = personal_member(json_object_iter_key(at));
                json_t *value = json_object_iter_value(at);
                const bool ok = member && !json_is_null(value)
                                        ? json_object_iter_set_new(object, at, member->replace(value)) == 0
                                        : redact_value(value);

                if (!ok)
                        return false;
        }
        return true;
}

static bool redact_value(json_t *value) {
        if (json_is_object(value))
                return redact_object(value);
        for (size_t i = 0; i < json_array_size(value); i++)
                if (!redact_value(json_array_get(value, i)))
                        return false;
        return true;
}

const char *redact_document(const char *json, struct arena *arena) {
        _cleanup_(tree_cleanup) json_t *tree = json_loads(json, JSON_DECODE_ANY, NULL);
        _cleanup_free_ char *text = NULL;

        if (!tree || !redact_value(tree))
                return NULL;
        text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
        return text ? arena_text(arena, text) : NULL;
}
