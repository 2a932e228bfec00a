#include "catalog/commands.h"

#include "base/text.h"

bool channel_is_visible(const struct call *call) {
        return !call->claims->channel || text_equal(call->claims->channel, call_code(call, 0));
}

void write_record(struct writer *json, const struct record *record) {
        write_time_member(json, "created_at", record->created_at);
        write_time_member(json, "updated_at", record->updated_at);
        write_integer_member(json, "version", record->version);
}

void write_price(struct writer *json, const struct money *price) {
        write_name(json, "price");
        if (*price->currency)
                write_money(json, *price);
        else
                write_null(json);
}
