#include "orders/placing.h"

#include "base/text.h"

#include <string.h>

const struct fulfillment_choice *placing_choice(const struct order_body *body, const struct order_line_body *line) {
        return line->fulfillment ? line->fulfillment : body->fulfillment;
}

struct requested_line placing_line(const struct order_body *body, size_t line) {
        const struct order_line_body *wanted = &body->lines[line];
        const bool by_default = !wanted->fulfillment && body->fulfillment;

        return (struct requested_line){
                .sku = wanted->sku,
                .quantity = wanted->quantity,
                .unit_price = wanted->has_unit_price ? &wanted->unit_price : NULL,
                .choice = placing_choice(body, wanted),
                .list = "#/lines",
                .place = line,
                .choice_at = by_default ? "#/fulfillment" : NULL,
        };
}

void placing_violation_add(
        const struct validation *validation, const char *pointer, const char *code, const char *detail) {
        (void) refuse_because(validation->context.refusal, validation->context.arena, pointer, code, "%s", detail);
}

static bool ships(const struct order_body *body) {
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct fulfillment_choice *choice = placing_choice(body, &body->lines[i]);

                if (choice && choice->method == BY_SHIPPING)
                        return true;
        }
        return false;
}

static void check_discounts(const struct validation *validation) {
        for (size_t i = 0; i < validation->body->n_discounts; i++) {
                const struct discount_body *discount = &validation->body->discounts[i];

                if (!discount->has_line || (discount->line >= 0 && (size_t) discount->line < validation->body->n_lines))
                        continue;
                violation_at(validation->context.refusal, validation->context.arena, "#/discounts", i, "line",
                        "out-of-range", "The order has no such line.");
        }
}

static void check_people(const struct validation *validation) {
        customer_check(validation->body->customer, validation->context.arena, validation->context.refusal);
        if (validation->body->ship_to)
                address_check(validation->body->ship_to, validation->context.arena, validation->context.refusal);
        else if (ships(validation->body))
                placing_violation_add(
                        validation, "#/ship_to", "required", "An order with shipped lines needs an address.");
}

enum problem placing_check(const struct order_body *body, struct arena *arena, struct refusal *refusal) {
        const struct offer_context context = { .currency = body->currency, .arena = arena, .refusal = refusal };
        const struct validation validation = { body, context };
        char text[CURRENCY_FAULT_SIZE];
        const char *fault = currency_fault(body->currency, text);

        if (fault)
                placing_violation_add(&validation, "#/currency", "malformed", fault);
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct requested_line requested = placing_line(body, i);

                requested_line_check(&context, &requested);
        }
        check_discounts(&validation);
        check_people(&validation);
        if (body->has_shipping && !text_equal(body->shipping.currency, body->currency))
                placing_violation_add(&validation, "#/shipping/currency", "currency-mismatch",
                        "The currency differs from that of the order.");
        if (body->payment && body->payment->due_at != TIMESTAMP_NONE && body->payment->status > (int) PAYMENT_PENDING)
                placing_violation_add(
                        &validation, "#/payment/due_at", "not-allowed", "Only a pending payment may have a due time.");
        if (body->payment && body->payments)
                placing_violation_add(
                        &validation, "#/payments", "not-allowed", "Give either payment or payments, not both.");
        if (!refusal->n_violations)
                return PROBLEM_NONE;
        return refuse(
                refusal, arena, PROBLEM_VALIDATION_FAILED, "Some members of the order are invalid; see `errors`.");
}
