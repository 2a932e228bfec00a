/* Lines, states, refusals and events that the activities of a fulfillment share. */
#include "fulfillment/fulfillment.h"

#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>

enum problem fulfillment_allows(
        const struct fulfillment *fulfillment, enum fulfillment_event event, const struct command *command) {
        struct fulfillment trial = *fulfillment;

        return fulfillment_advance(&trial, event, command->arena, command->refusal);
}

struct fulfillment_line *fulfillment_line_find(
        const struct fulfillment *fulfillment, const struct uuid *order_line_id) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (uuid_equal(&fulfillment->lines[i].order_line->id, order_line_id))
                        return &fulfillment->lines[i];
        return NULL;
}

void write_line_units(struct writer *json, const struct line_units *lines, size_t n_lines) {
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < n_lines; i++) {
                write_object_begin(json);
                write_uuid_member(json, "order_line_id", &lines[i].order_line_id);
                write_integer_member(json, "quantity", lines[i].quantity);
                write_object_end(json);
        }
        write_list_end(json);
}

void event_lines(struct event *event, const struct line_units *lines, size_t n_lines) {
        struct writer json = { .buffer = &event->data, .comma = event->data.size > 0 };

        write_line_units(&json, lines, n_lines);
}

struct stock_cause fulfillment_cause(
        const struct fulfillment *fulfillment, const char *reason, const struct command *command) {
        char id[UUID_TEXT_SIZE];
        const char *document;

        uuid_format(&fulfillment->id, id);
        document = arena_format(command->arena, "fulfillment/%s", id);
        if (!document)
                command->stock->exhausted = true;
        return (struct stock_cause){ .reason = reason, .document = document, .actor = command->actor };
}

enum problem fulfillment_refuse_state(
        const struct fulfillment *fulfillment, const struct command *command, const char *action) {
        command->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                "A fulfillment that is %s cannot be %s.", command->refusal->current_status, action);
}

enum problem fulfillment_repeat(const struct fulfillment *fulfillment, bool same, const struct command *command) {
        if (same && text_equal(fulfillment->moved_by, command->actor))
                return PROBLEM_NONE;
        command->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(command->refusal, command->arena, PROBLEM_INVALID_TRANSITION,
                "The fulfillment is %s already, %s.", command->refusal->current_status,
                same ? "by another actor" : "with other data than this request has");
}

bool fulfillment_is_awaited(enum fulfillment_method method, enum fulfillment_status status) {
        return method != BY_SHIPPING &&
               (status == FULFILLMENT_ALLOCATED || status == FULFILLMENT_PICKING || status == FULFILLMENT_READY);
}

void fulfillment_forget_wrong_codes(struct fulfillment *fulfillment) {
        fulfillment->wrong_codes = 0;
        fulfillment->locked_until = TIMESTAMP_NONE;
        fulfillment->changed = true;
}

void fulfillment_name_over_pick(
        const struct command *command, const char *list, size_t place, int64_t remaining, int64_t quantity) {
        violation_beyond(command->refusal, command->arena, list, place, "quantity", "over-pick", remaining,
                "%" PRId64 " units remain to be picked, %" PRId64 " are named.", remaining, quantity);
}

enum problem fulfillment_refuse_over_pick(const struct command *command) {
        return refuse(command->refusal, command->arena, PROBLEM_OVER_PICK,
                "More units are named than remain to be picked; none of them was noted.");
}
