/*
 * catalog/policy: return policies: accepted returns and their refund.
 *
 * A channel and a product may each have a policy; the product's overrides its channel's, member by member. It is plain
 * data, stored as JSON; the returns room applies it. Its text lives in the arena of the reader.
 */
#pragma once

#include "base/arena.h"
#include "base/shape.h"
#include "base/writer.h"

#define RETURN_WINDOW_MAX 3650 /* days */
#define PER_MILLE_MAX     1000
#define POLICY_SIZE_MAX   ((size_t) 2048) /* bytes of JSON */

/* The condition of returned goods; as on the wire and in SQL, NULL-terminated. */
enum goods_condition { GOODS_DAMAGED, GOODS_QUARANTINE, GOODS_SELLABLE, GOODS_CONDITIONS };
extern const char *const goods_condition_texts[];

enum refund_shipping { REFUND_SHIPPING_FULL_RETURN, REFUND_SHIPPING_NEVER };
extern const char *const refund_shipping_texts[];

/* The terms for goods in one condition. */
struct condition_terms {
        int64_t refund_per_mille; /* of the amount paid */
        bool has_refund_per_mille;
        bool accepted, has_accepted; /* such goods are accepted at all */
};

struct condition_matrix {
        const struct condition_terms *damaged, *quarantine, *sellable; /* each may be NULL */
};

struct return_policy {
        const struct condition_matrix *conditions; /* may be NULL */
        int refund_shipping;                       /* enum refund_shipping; -1: absent */
        int64_t restocking_fee_per_mille;          /* of the refund */
        bool has_restocking_fee_per_mille;
        int64_t window_days; /* calendar days after the goods were handed over or delivered */
        bool has_window_days;
};

extern const struct shape return_policy_shape;

/* The terms of a condition; NULL: none. Policy NULL is fine. */
const struct condition_terms *policy_condition(const struct return_policy *policy, enum goods_condition condition);

/* The policy as a value; NULL writes null. */
void policy_write(struct writer *json, const struct return_policy *policy);

/* Read the output of policy_write; NULL text is no policy. False when it cannot be read, or without memory. */
must_check bool policy_read(const char *text, struct arena *arena, const struct return_policy **ret_policy);

bool policies_equal(const struct return_policy *a, const struct return_policy *b);
