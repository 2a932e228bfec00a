#include "orders/changing.h"

#include "base/text.h"

struct requested_line changing_line(const struct change_body *body, size_t line, const char *sku) {
        const struct line_change *change = &body->lines[line];

        return (struct requested_line){
                .sku = change->sku ? change->sku : sku,
                .quantity = change->quantity,
                .unit_price = change->has_unit_price ? &change->unit_price : NULL,
                .choice = change->fulfillment,
                .list = "#/lines",
                .place = line,
        };
}

static bool is_change_repeated(const struct change_body *body, size_t line) {
        for (size_t i = 0; i < line; i++)
                if (body->lines[i].has_order_line_id &&
                        uuid_equal(&body->lines[i].order_line_id, &body->lines[line].order_line_id))
                        return true;
        return false;
}

static void check_added(const struct line_change *change, size_t i, struct arena *arena, struct refusal *refusal) {
        if (!change->has_quantity || !change->quantity)
                violation_at(refusal, arena, "#/lines", i, "quantity", "required",
                        "An added line needs a quantity above 0.");
        if (!change->fulfillment)
                violation_at(refusal, arena, "#/lines", i, "fulfillment", "required",
                        "An added line needs a method and a location.");
        if (change->has_remove)
                violation_at(refusal, arena, "#/lines", i, "remove", "not-allowed",
                        "An added line cannot be removed in the same request.");
}

static void check_present(const struct change_body *body, size_t i, struct arena *arena, struct refusal *refusal) {
        const struct line_change *change = &body->lines[i];

        if (is_change_repeated(body, i))
                violation_at(refusal, arena, "#/lines", i, "order_line_id", "repeated",
                        "An earlier change names the same line.");
        if (change->has_unit_price)
                violation_at(refusal, arena, "#/lines", i, "unit_price", "not-allowed",
                        "The price of a line stays as it was agreed.");
        if (change->remove && (change->has_quantity || change->fulfillment))
                violation_at(
                        refusal, arena, "#/lines", i, "remove", "conflict", "A removed line cannot change otherwise.");
        if (!change->remove && !change->has_quantity && !change->fulfillment)
                violation_at(refusal, arena, "#/lines", i, "quantity", "required",
                        "Name a quantity, a fulfillment or remove.");
}

/* The currency is not known yet. */
static void check_line(const struct change_body *body, size_t i, struct arena *arena, struct refusal *refusal) {
        const struct line_change *change = &body->lines[i];
        const struct offer_context context = { .arena = arena, .refusal = refusal };
        struct requested_line requested = changing_line(body, i, NULL);

        if (change->has_order_line_id == (change->sku != NULL))
                violation_at(refusal, arena, "#/lines", i, "order_line_id", change->sku ? "conflict" : "required",
                        "Name either an existing line, or the SKU of an added one.");
        else if (change->sku)
                check_added(change, i, arena, refusal);
        else
                check_present(body, i, arena, refusal);
        requested.unit_price = NULL;
        if (change->fulfillment)
                requested_line_check(&context, &requested);
}

enum problem changing_check(const struct change_body *body, struct arena *arena, struct refusal *refusal) {
        if (!body->n_lines && !body->customer && !body->ship_to && !body->recipient && !body->discounts &&
                !body->has_shipping && !body->tax)
                (void) refuse_because(refusal, arena, "#", "required", "Name at least one change.");
        for (size_t i = 0; i < body->n_lines; i++)
                check_line(body, i, arena, refusal);
        if (body->customer)
                customer_check(body->customer, arena, refusal);
        if (body->ship_to)
                address_check(body->ship_to, arena, refusal);
        return refusal->n_violations ? refuse(refusal, arena, PROBLEM_VALIDATION_FAILED,
                                               "Some members of the change are invalid; see `errors`.")
                                     : PROBLEM_NONE;
}
