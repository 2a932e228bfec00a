/*
 * catalog/policy: what may come back, and what it is worth then.
 *
 * A policy stands on a channel and on a product; what the product says goes before what its channel says, member by
 * member. It is plain data, kept as JSON: the returns room says what it means. Text in memory lives in the arena it was
 * read into.
 */
#pragma once

#include "base/arena.h"
#include "base/shape.h"
#include "base/writer.h"

#define RETURN_WINDOW_MAX 3650 /* days */
#define PER_MILLE_MAX     1000
#define POLICY_SIZE_MAX   ((size_t) 2048) /* bytes of JSON */

/* In which state goods come back; as on the wire and in SQL, NULL-terminated. */
enum goods_condition { GOODS_DAMAGED, GOODS_QUARANTINE, GOODS_SELLABLE, GOODS_CONDITIONS };
extern const char *const goods_condition_texts[];

enum refund_shipping { REFUND_SHIPPING_FULL_RETURN, REFUND_SHIPPING_NEVER };
extern const char *const refund_shipping_texts[];

/* What holds for goods in one condition. */
struct condition_terms {
        int64_t refund_per_mille; /* of what was paid */
        bool has_refund_per_mille;
        bool accepted, has_accepted; /* they are taken back at all */
};

struct condition_matrix {
        const struct condition_terms *damaged, *quarantine, *sellable; /* each may be NULL */
};

struct return_policy {
        const struct condition_matrix *conditions; /* may be NULL */
        int refund_shipping;                       /* enum refund_shipping; -1: not said */
        int64_t restocking_fee_per_mille;          /* of what is refunded */
        bool has_restocking_fee_per_mille;
        int64_t window_days; /* calendar days after the goods were handed over or delivered */
        bool has_window_days;
};

extern const struct shape return_policy_shape;

/* What the policy says of a condition; NULL: nothing. Policy NULL is fine. */
const struct condition_terms *policy_condition(const struct return_policy *policy, enum goods_condition condition);

/* The policy as a value; NULL writes null. */
void policy_write(struct writer *json, const struct return_policy *policy);

/* Read what policy_write wrote; NULL text is no policy. False when it cannot be read, or without memory. */
must_check bool policy_read(const char *text, struct arena *arena, const struct return_policy **ret_policy);

bool policies_equal(const struct return_policy *a, const struct return_policy *b);
