#include "catalog/policy.h"

#include "base/buffer.h"
#include "base/text.h"

#include <string.h>

const char *const goods_condition_texts[] = { "damaged", "quarantine", "sellable", NULL };
const char *const refund_shipping_texts[] = { "full_return", "never", NULL };

static const struct shape_member condition_members[] = {
        OPTIONAL_FLAGGED(BOOLEAN, struct condition_terms, accepted),
        OPTIONAL_FLAGGED(INTEGER, struct condition_terms, refund_per_mille, BETWEEN(0, PER_MILLE_MAX)),
};
static const struct shape condition_shape = SHAPE(struct condition_terms, condition_members);

static const struct shape_member matrix_members[] = {
        OPTIONAL(OBJECT, struct condition_matrix, damaged, .shape = &condition_shape),
        OPTIONAL(OBJECT, struct condition_matrix, quarantine, .shape = &condition_shape),
        OPTIONAL(OBJECT, struct condition_matrix, sellable, .shape = &condition_shape),
};
static const struct shape matrix_shape = SHAPE(struct condition_matrix, matrix_members);

static const struct shape_member policy_members[] = {
        OPTIONAL(OBJECT, struct return_policy, conditions, .shape = &matrix_shape),
        OPTIONAL(ENUM, struct return_policy, refund_shipping, .names = refund_shipping_texts),
        OPTIONAL_FLAGGED(INTEGER, struct return_policy, restocking_fee_per_mille, BETWEEN(0, PER_MILLE_MAX)),
        OPTIONAL_FLAGGED(INTEGER, struct return_policy, window_days, BETWEEN(0, RETURN_WINDOW_MAX)),
};
const struct shape return_policy_shape = SHAPE(struct return_policy, policy_members);

const struct condition_terms *policy_condition(const struct return_policy *policy, enum goods_condition condition) {
        const struct condition_matrix *matrix = policy ? policy->conditions : NULL;

        if (!matrix)
                return NULL;
        switch (condition) {
        case GOODS_DAMAGED:
                return matrix->damaged;
        case GOODS_QUARANTINE:
                return matrix->quarantine;
        default:
                return matrix->sellable;
        }
}

static void write_policy_conditions(struct writer *json, const struct return_policy *policy) {
        write_name(json, "conditions");
        write_object_begin(json);
        for (unsigned i = 0; i < GOODS_CONDITIONS; i++) {
                const struct condition_terms *terms = policy_condition(policy, (enum goods_condition) i);

                if (!terms)
                        continue;
                write_name(json, goods_condition_texts[i]);
                write_object_begin(json);
                if (terms->has_accepted)
                        write_boolean_member(json, "accepted", terms->accepted);
                if (terms->has_refund_per_mille)
                        write_integer_member(json, "refund_per_mille", terms->refund_per_mille);
                write_object_end(json);
        }
        write_object_end(json);
}

void policy_write(struct writer *json, const struct return_policy *policy) {
        if (!policy) {
                write_null(json);
                return;
        }
        write_object_begin(json);
        if (policy->conditions)
                write_policy_conditions(json, policy);
        if (policy->refund_shipping >= 0)
                write_text_member(json, "refund_shipping", refund_shipping_texts[policy->refund_shipping]);
        if (policy->has_restocking_fee_per_mille)
                write_integer_member(json, "restocking_fee_per_mille", policy->restocking_fee_per_mille);
        if (policy->has_window_days)
                write_integer_member(json, "window_days", policy->window_days);
        write_object_end(json);
}

bool policy_read(const char *text, struct arena *arena, const struct return_policy **ret_policy) {
        struct refusal ignored = { 0 };
        void *policy;

        if (!text) {
                *ret_policy = NULL;
                return true;
        }
        if (shape_read(&return_policy_shape, text, strlen(text), arena, &ignored, &policy))
                return false;
        *ret_policy = policy;
        return true;
}

static bool terms_equal(const struct condition_terms *a, const struct condition_terms *b) {
        if (!a || !b)
                return a == b;
        return a->has_accepted == b->has_accepted && a->accepted == b->accepted &&
               a->has_refund_per_mille == b->has_refund_per_mille && a->refund_per_mille == b->refund_per_mille;
}

bool policies_equal(const struct return_policy *a, const struct return_policy *b) {
        bool equal;

        if (!a || !b)
                return a == b;
        equal = !a->conditions == !b->conditions && a->refund_shipping == b->refund_shipping &&
                a->has_restocking_fee_per_mille == b->has_restocking_fee_per_mille &&
                a->restocking_fee_per_mille == b->restocking_fee_per_mille &&
                a->has_window_days == b->has_window_days && a->window_days == b->window_days;
        for (unsigned i = 0; equal && i < GOODS_CONDITIONS; i++)
                equal = terms_equal(
                        policy_condition(a, (enum goods_condition) i), policy_condition(b, (enum goods_condition) i));
        return equal;
}
