/* Handing over to the customer, against a proof. */
#include "fulfillment/leaving.h"

#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define HANDOVERS_SIZE_MAX ((size_t) 4 * 1024 * 1024)

const char *const proof_method_texts[] = { "code", "id_check", "none", NULL };

/* The kinds of document that an id_check may be noted as. Any other text could be a document's number, and is not
 * stored. */
static const char *const document_kinds[] = { "driving_licence", "id_card", "other", "passport", "residence_permit" };

/* ---- proof ---- */

/* The code as it is derived: capital letters only. An over-long text is cut, and cannot match. */
static void code_letters(const char *text, char *letters) {
        size_t n = 0;

        memset(letters, 0, PICKUP_CODE_SIZE + 1);
        for (; *text && n < PICKUP_CODE_SIZE; text++) {
                if (*text == ' ' || *text == '-')
                        continue;
                letters[n++] = *text >= 'a' && *text <= 'z' ? (char) (*text - 'a' + 'A') : *text;
        }
}

bool pickup_code_matches(const char *secret, const struct fulfillment *fulfillment, const char *text) {
        char letters[PICKUP_CODE_SIZE + 1];
        char code[PICKUP_CODE_SIZE];

        if (!pickup_code(secret, &fulfillment->id, fulfillment->pickup_serial, code))
                return false;
        code_letters(text, letters);
        return CRYPTO_memcmp(letters, code, sizeof(code)) == 0;
}

static enum problem refuse_locked(const struct fulfillment *fulfillment, const struct command *command) {
        const duration left = fulfillment->locked_until - command->now;

        command->refusal->retry_after_s = (unsigned) ((left + SECOND - 1) / SECOND);
        return refuse(command->refusal, command->arena, PROBLEM_HANDOVER_LOCKED,
                "%d wrong codes were named; codes are accepted again in %u seconds.", WRONG_CODES_MAX,
                command->refusal->retry_after_s);
}

static bool is_locked(const struct fulfillment *fulfillment, timestamp now) {
        return fulfillment->locked_until != TIMESTAMP_NONE && now < fulfillment->locked_until;
}

static bool has_secret(const struct handover *handover) {
        return handover->secret || handover->previous;
}

static bool is_right_code(const struct fulfillment *fulfillment, const struct handover *handover) {
        return pickup_code_matches(handover->secret, fulfillment, handover->value) ||
               pickup_code_matches(handover->previous, fulfillment, handover->value);
}

static enum problem refuse_code(const struct command *command) {
        return refuse(command->refusal, command->arena, PROBLEM_HANDOVER_PROOF_INVALID,
                "That is not the pickup code of this fulfillment.");
}

/* A code that was handed over with all its goods opens nothing any more, so guesses at it are not counted. */
void fulfillment_count_wrong_code(
        struct fulfillment *fulfillment, const struct handover *handover, const struct command *command) {
        if (command->refusal->problem != PROBLEM_HANDOVER_PROOF_INVALID ||
                fulfillment->status == FULFILLMENT_HANDED_OVER || !has_secret(handover))
                return;
        if (fulfillment->locked_until != TIMESTAMP_NONE)
                fulfillment_forget_wrong_codes(fulfillment);
        fulfillment->wrong_codes++;
        fulfillment->touched = true;
        if (fulfillment->wrong_codes >= WRONG_CODES_MAX) {
                fulfillment->locked_until = command->now + HANDOVER_LOCK;
                (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_HANDOVER_LOCKED, command);
        }
        order_settle(fulfillment->order, command);
}

static enum problem check_proof(
        const struct fulfillment *fulfillment, const struct handover *handover, const struct command *command) {
        if (handover->method == PROOF_NONE)
                return PROBLEM_NONE;
        if (handover->refused_methods & 1u << handover->method) {
                (void) refuse_because(command->refusal, command->arena, "#/proof/method", "not-allowed",
                        "The location does not take a proof by %s.", proof_method_texts[handover->method]);
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The location asks for another kind of proof.");
        }
        if (is_locked(fulfillment, command->now))
                return refuse_locked(fulfillment, command);
        if (handover->method == PROOF_ID_CHECK)
                return PROBLEM_NONE;
        if (!has_secret(handover))
                return refuse(command->refusal, command->arena, PROBLEM_HANDOVER_PROOF_INVALID,
                        "This service has no secret to derive pickup codes from.");
        return is_right_code(fulfillment, handover) ? PROBLEM_NONE : refuse_code(command);
}

/* ---- handing over ---- */

static const char *document_kind(const struct handover *handover) {
        if (handover->method == PROOF_ID_CHECK)
                for (size_t i = 0; i < array_size(document_kinds); i++)
                        if (text_equal(handover->value, document_kinds[i]))
                                return document_kinds[i];
        return NULL;
}

static void write_recipient(struct writer *json, const struct handover *handover, struct arena *arena) {
        const char *text;

        if (!handover->recipient && handover->relation < 0)
                return;
        text = recipient_text(handover->recipient, handover->relation, arena);
        write_name(json, "recipient");
        if (text)
                write_raw(json, text);
        else
                write_null(json);
}

/* Take the hand-overs before the last one out of it; a new list when there are none. The caller's to free. */
static json_t *take_earlier(json_t *last) {
        json_t *earlier = json_incref(json_object_get(last, "earlier"));

        (void) json_object_del(last, "earlier");
        return earlier ? earlier : json_array();
}

static int append_text(const char *text, size_t size, void *buffer) {
        buffer_append(buffer, text, size);
        return 0;
}

/* All so far, oldest first. */
static void write_earlier(struct writer *json, struct buffer *buffer, const char *kept) {
        _cleanup_(json_tree_cleanup) json_t *last = json_loads(kept, 0, NULL);
        _cleanup_(json_tree_cleanup) json_t *earlier = take_earlier(last);

        if (json_array_append(earlier, last)) {
                buffer->failed = true;
                return;
        }
        write_name(json, "earlier");
        (void) json_dump_callback(earlier, append_text, buffer, JSON_COMPACT);
        json->comma = true;
}

/* The stored text of a hand-over, and of those before; NULL without memory. */
static const char *handover_text(const struct fulfillment *fulfillment, const struct handover *handover,
        const struct departure *departure, const struct command *command) {
        struct line_units lines[ORDER_LINES_MAX];
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, command->arena, HANDOVERS_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "method", proof_method_texts[handover->method]);
        if (document_kind(handover))
                write_text_member(&json, "id_type", document_kind(handover));
        write_boolean_member(&json, "verified", handover->method != PROOF_NONE);
        write_recipient(&json, handover, command->arena);
        write_text_member(&json, "actor", command->actor);
        write_time_member(&json, "at", command->now);
        write_line_units(&json, lines, departure_lines(departure, fulfillment, lines));
        if (fulfillment->handover)
                write_earlier(&json, &buffer, fulfillment->handover);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

static bool leaves_some(const struct fulfillment *fulfillment, const struct departure *departure) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (departure->units[i] < fulfillment_line_open(&fulfillment->lines[i]))
                        return true;
        return false;
}

/* The rest is never refused: it is the customer's. */
static enum problem check_handover_room(
        const struct fulfillment *fulfillment, const struct departure *departure, const struct command *command) {
        _cleanup_(json_tree_cleanup) json_t *kept =
                fulfillment->handover ? json_loads(fulfillment->handover, 0, NULL) : NULL;
        const size_t n_before = kept ? 1 + json_array_size(json_object_get(kept, "earlier")) : 0;

        if (n_before + 1 < HANDOVERS_MAX || !leaves_some(fulfillment, departure))
                return PROBLEM_NONE;
        (void) refuse_because(command->refusal, command->arena, "#/lines", "too-many",
                "A fulfillment has %d hand-overs at most; this one has to be of all that is left.", HANDOVERS_MAX);
        return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                "The fulfillment has too many hand-overs; see `errors`.");
}

static enum problem check_handover(const struct fulfillment *fulfillment, const struct handover *handover,
        const struct command *command, struct departure *departure) {
        enum problem p = fulfillment_allows(fulfillment, FULFILLMENT_HAND_OVER, command);

        if (p)
                return p;
        for (size_t i = 0; i < handover->n_lines; i++)
                departure_add(departure, fulfillment, &handover->lines[i], "#/lines", i, command);
        if (!handover->n_lines)
                departure_rest(departure, fulfillment);
        p = departure_check(departure, fulfillment, command);
        return p ? p : check_handover_room(fulfillment, departure, command);
}

/* Whether the stored hand-over agrees with this request. */
static bool was_handed_over_so(const struct fulfillment *fulfillment, const struct handover *handover) {
        _cleanup_(json_tree_cleanup) json_t *kept =
                fulfillment->handover ? json_loads(fulfillment->handover, 0, NULL) : NULL;
        const json_t *recipient = json_object_get(kept, "recipient");
        const char *relation = handover->relation < 0 ? NULL : relation_texts[handover->relation];

        return text_equal(json_member_text(kept, "method"), proof_method_texts[handover->method]) &&
               text_equal(json_member_text(kept, "id_type"), document_kind(handover)) &&
               text_equal(json_member_text(recipient, "name"), handover->recipient) &&
               text_equal(json_member_text(recipient, "relation"), relation);
}

/* A wrong code is not counted any more; it is not passed over either. */
static enum problem hand_over_again(
        const struct fulfillment *fulfillment, const struct handover *handover, const struct command *command) {
        const enum problem p = fulfillment_repeat(fulfillment, was_handed_over_so(fulfillment, handover), command);

        return !p && handover->method == PROOF_CODE && !is_right_code(fulfillment, handover) ? refuse_code(command) : p;
}

enum problem fulfillment_hand_over(
        struct fulfillment *fulfillment, const struct handover *handover, const struct command *command) {
        struct event *told = NULL;
        struct departure departure = { 0 };
        const char *text;
        enum problem p;

        if (fulfillment->status == FULFILLMENT_HANDED_OVER)
                return hand_over_again(fulfillment, handover, command);
        p = check_handover(fulfillment, handover, command, &departure);
        if (p)
                return p;
        text = handover_text(fulfillment, handover, &departure, command);
        if (!text)
                return refuse(command->refusal, command->arena, PROBLEM_CONTENT_TOO_LARGE,
                        "The fulfillment has no room for the text of this hand-over.");
        p = check_proof(fulfillment, handover, command);
        if (p)
                return p;
        p = departure_leave(fulfillment, &departure, FULFILLMENT_HAND_OVER, EVENT_FULFILLMENT_HANDED_OVER,
                EVENT_FULFILLMENT_PARTIALLY_HANDED_OVER, command, &told);
        if (p)
                return p;
        event_text(told, "proof", proof_method_texts[handover->method]);
        fulfillment_forget_wrong_codes(fulfillment);
        fulfillment->handover = text;
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}
