/* JSON of payments and refunds. */
#include "payments/payments.h"

#include "base/writer.h"

void payment_write(struct writer *json, const struct payment *payment) {
        const char *currency = payment->balance->currency;

        write_uuid_member(json, "id", &payment->id);
        write_uuid_member(json, "order_id", &payment->balance->order_id);
        write_integer_member(json, "number", payment->number);
        write_text_member(json, "status", payment_lifecycle.states[payment->state]);
        write_text_member(json, "provider", payment->provider);
        write_text_member(json, "reference", payment->reference);
        write_amount_member(json, "amount", payment->amount, currency);
        write_amount_member(json, "authorized", payment->authorized, currency);
        write_amount_member(json, "captured", payment->captured, currency);
        write_amount_member(json, "voided", payment->voided, currency);
        write_amount_member(json, "void_due", payment->void_due, currency);
        write_amount_member(json, "failed", payment->failed, currency);
        write_amount_member(json, "capture_due", payment->capture_due, currency);
        write_amount_member(json, "refunded", payment->refunded, currency);
        write_text_member(json, "actor", payment->actor);
        write_integer_member(json, "version", payment->version);
        write_time_member(json, "created_at", payment->created_at);
        write_time_member(json, "updated_at", payment->updated_at);
}

static void write_uuid_or_null(struct writer *json, const char *name, const struct uuid *id) {
        if (id)
                write_uuid_member(json, name, id);
        else
                write_text_member(json, name, NULL);
}

void refund_write(struct writer *json, const struct refund *refund) {
        write_uuid_member(json, "id", &refund->id);
        write_uuid_member(json, "order_id", &refund->balance->order_id);
        write_integer_member(json, "number", refund->number);
        write_text_member(json, "status", refund_lifecycle.states[refund->state]);
        write_text_member(json, "to", refund_to_texts[refund->to]);
        write_uuid_or_null(json, "payment_id", refund->payment ? &refund->payment->id : NULL);
        write_uuid_or_null(json, "return_id", uuid_is_nil(&refund->return_id) ? NULL : &refund->return_id);
        write_amount_member(json, "amount", refund->amount, refund->balance->currency);
        write_amount_member(json, "tax", refund->tax, refund->balance->currency);
        write_text_member(json, "reason", refund->reason);
        write_text_member(json, "reference", refund->reference);
        write_text_member(json, "actor", refund->actor);
        write_integer_member(json, "version", refund->version);
        write_time_member(json, "created_at", refund->created_at);
        write_time_member(json, "updated_at", refund->updated_at);
}

void payments_write(struct writer *json, const struct balance *balance) {
        write_name(json, "payments");
        write_list_begin(json);
        for (size_t i = 0; i < balance->n_payments; i++) {
                write_object_begin(json);
                payment_write(json, balance->payments[i]);
                write_object_end(json);
        }
        write_list_end(json);
        write_name(json, "refunds");
        write_list_begin(json);
        for (size_t i = 0; i < balance->n_refunds; i++) {
                write_object_begin(json);
                refund_write(json, balance->refunds[i]);
                write_object_end(json);
        }
        write_list_end(json);
}
