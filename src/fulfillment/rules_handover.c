/* What leaves the house: with the customer, or with a carrier. */
#include "fulfillment/fulfillment.h"

#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define HANDOVERS_SIZE_MAX ((size_t) 4 * 1024 * 1024)
#define PACKAGES_SIZE_MAX  ((size_t) 4 * 1024 * 1024)

DEFINE_CLEANUP(json_t, tree_cleanup, json_decref)

const char *const proof_method_texts[] = { "code", "id_check", "none", NULL };

/* What an id_check may be noted as; whatever else a client sends could be a number, and is not kept. */
static const char *const document_kinds[] = { "driving_licence", "id_card", "other", "passport", "residence_permit" };

/* Units that are to leave, for each line of a fulfillment. */
struct load {
        int64_t units[ORDER_LINES_MAX];
        bool foreign, too_many;
};

static int64_t units_at_hand(const struct fulfillment_line *line) {
        return line->picked - line->fulfilled;
}

/* `at` is the pointer of the list in the request. */
static void load_line(struct load *load, const struct fulfillment *fulfillment, const struct line_units *units,
        const char *at, size_t place, const struct act *act) {
        const struct fulfillment_line *line = fulfillment_line_find(fulfillment, &units->order_line_id);
        char pointer[128];

        if (!line) {
                load->foreign = true;
                (void) snprintf(pointer, sizeof(pointer), "%s/%zu/order_line_id", at, place);
                (void) refuse_because(
                        act->refusal, act->arena, pointer, "foreign-item", "The fulfillment has no such line.");
                return;
        }
        load->units[line - fulfillment->lines] += units->quantity;
        if (load->units[line - fulfillment->lines] <= units_at_hand(line))
                return;
        load->too_many = true;
        (void) snprintf(pointer, sizeof(pointer), "%s/%zu/quantity", at, place);
        refuse_beyond(act->refusal, act->arena, pointer, "not-picked", units_at_hand(line),
                "%" PRId64 " units of the line are picked and still here.", units_at_hand(line));
}

static enum problem check_load(const struct load *load, const struct fulfillment *fulfillment, const struct act *act) {
        if (load->foreign)
                return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED,
                        "The request names lines that are not in the fulfillment.");
        if (!load->too_many)
                return PROBLEM_NONE;
        act->refusal->current_status = fulfillment_shown_status(fulfillment);
        return refuse(act->refusal, act->arena, PROBLEM_INVALID_TRANSITION,
                "More units are named than are picked and still here; none of them left.");
}

static void load_the_rest(struct load *load, const struct fulfillment *fulfillment) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                load->units[i] = units_at_hand(&fulfillment->lines[i]);
}

static size_t load_lines(const struct load *load, const struct fulfillment *fulfillment, struct line_units *lines) {
        size_t n = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (load->units[i])
                        lines[n++] = (struct line_units){ fulfillment->lines[i].order_line->id, load->units[i] };
        return n;
}

/* The units are gone from the location; true when they were the last ones. */
static bool take_out(struct fulfillment *fulfillment, const struct load *load, const struct act *act) {
        const struct stock_cause cause = fulfillment_cause(fulfillment, "sale", act);
        int64_t open = 0;

        for (size_t i = 0; i < fulfillment->n_lines; i++) {
                if (load->units[i])
                        fulfillment_line_fulfill(&fulfillment->lines[i], load->units[i], act->stock, &cause);
                open += fulfillment_line_open(&fulfillment->lines[i]);
        }
        return !open;
}

/* Take the units out, advance when nothing is left, and tell which of the two happened. */
static enum problem leave(struct fulfillment *fulfillment, const struct load *load, enum fulfillment_event event,
        const char *whole, const char *part, const struct act *act, struct event **ret_told) {
        struct line_units lines[ORDER_LINES_MAX];
        const size_t n_lines = load_lines(load, fulfillment, lines);
        const bool last = take_out(fulfillment, load, act);
        enum problem p = PROBLEM_NONE;
        int64_t waited_s;

        if (last)
                p = fulfillment_advance(fulfillment, event, act->arena, act->refusal);
        if (p)
                return p;
        waited_s = fulfillment_note_wait(fulfillment, last, act);
        *ret_told = fulfillment_tell(act->events, fulfillment, last ? whole : part, act->actor);
        if (waited_s >= 0)
                event_integer(*ret_told, "waited_s", waited_s);
        event_lines(*ret_told, lines, n_lines);
        order_ask_capture(fulfillment->order, fulfillment, act->events, act->actor);
        return PROBLEM_NONE;
}

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

static enum problem refuse_locked(const struct fulfillment *fulfillment, const struct act *act) {
        const duration left = fulfillment->locked_until - act->now;

        act->refusal->retry_after_s = (unsigned) ((left + SECOND - 1) / SECOND);
        return refuse(act->refusal, act->arena, PROBLEM_HANDOVER_LOCKED,
                "%d wrong codes were named; codes are accepted again in %u seconds.", WRONG_CODES_MAX,
                act->refusal->retry_after_s);
}

static bool is_locked(const struct fulfillment *fulfillment, timestamp now) {
        return fulfillment->locked_until != TIMESTAMP_NONE && now < fulfillment->locked_until;
}

void fulfillment_forget_wrong_codes(struct fulfillment *fulfillment) {
        fulfillment->wrong_codes = 0;
        fulfillment->locked_until = TIMESTAMP_NONE;
        fulfillment->changed = true;
}

static bool has_secret(const struct handover *handover) {
        return handover->secret || handover->previous;
}

static bool is_right_code(const struct fulfillment *fulfillment, const struct handover *handover) {
        return pickup_code_matches(handover->secret, fulfillment, handover->value) ||
               pickup_code_matches(handover->previous, fulfillment, handover->value);
}

static enum problem refuse_code(const struct act *act) {
        return refuse(act->refusal, act->arena, PROBLEM_HANDOVER_PROOF_INVALID,
                "That is not the pickup code of this fulfillment.");
}

/* A code that was handed over with all its goods opens nothing any more, so guesses at it are not counted. */
void fulfillment_count_wrong_code(
        struct fulfillment *fulfillment, const struct handover *handover, const struct act *act) {
        if (act->refusal->problem != PROBLEM_HANDOVER_PROOF_INVALID || fulfillment->status == FULFILLMENT_HANDED_OVER ||
                !has_secret(handover))
                return;
        if (fulfillment->locked_until != TIMESTAMP_NONE)
                fulfillment_forget_wrong_codes(fulfillment);
        fulfillment->wrong_codes++;
        fulfillment->touched = true;
        if (fulfillment->wrong_codes >= WRONG_CODES_MAX) {
                fulfillment->locked_until = act->now + HANDOVER_LOCK;
                (void) fulfillment_tell(act->events, fulfillment, "fulfillment.handover_locked", act->actor);
        }
        order_settle(fulfillment->order, act->events, act->actor, act->now);
}

static enum problem check_proof(
        const struct fulfillment *fulfillment, const struct handover *handover, const struct act *act) {
        if (handover->method == PROOF_NONE)
                return PROBLEM_NONE;
        if (handover->refused_methods & 1u << handover->method) {
                (void) refuse_because(act->refusal, act->arena, "#/proof/method", "not-allowed",
                        "The location does not take a proof by %s.", proof_method_texts[handover->method]);
                return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED,
                        "The location asks for another kind of proof.");
        }
        if (is_locked(fulfillment, act->now))
                return refuse_locked(fulfillment, act);
        if (handover->method == PROOF_ID_CHECK)
                return PROBLEM_NONE;
        if (!has_secret(handover))
                return refuse(act->refusal, act->arena, PROBLEM_HANDOVER_PROOF_INVALID,
                        "This service has no secret to derive pickup codes from.");
        return is_right_code(fulfillment, handover) ? PROBLEM_NONE : refuse_code(act);
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

static void write_units(struct writer *json, const struct line_units *lines, size_t n_lines) {
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
        _cleanup_(tree_cleanup) json_t *last = json_loads(kept, 0, NULL);
        _cleanup_(tree_cleanup) json_t *earlier = take_earlier(last);

        if (json_array_append(earlier, last)) {
                buffer->failed = true;
                return;
        }
        write_name(json, "earlier");
        (void) json_dump_callback(earlier, append_text, buffer, JSON_COMPACT);
        json->comma = true;
}

/* What is kept of a hand-over, and of those before; NULL without memory. */
static const char *handover_text(const struct fulfillment *fulfillment, const struct handover *handover,
        const struct load *load, const struct act *act) {
        struct line_units lines[ORDER_LINES_MAX];
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, act->arena, HANDOVERS_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "method", proof_method_texts[handover->method]);
        if (document_kind(handover))
                write_text_member(&json, "id_type", document_kind(handover));
        write_boolean_member(&json, "verified", handover->method != PROOF_NONE);
        write_recipient(&json, handover, act->arena);
        write_text_member(&json, "actor", act->actor);
        write_time_member(&json, "at", act->now);
        write_units(&json, lines, load_lines(load, fulfillment, lines));
        if (fulfillment->handover)
                write_earlier(&json, &buffer, fulfillment->handover);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

static bool leaves_some(const struct fulfillment *fulfillment, const struct load *load) {
        for (size_t i = 0; i < fulfillment->n_lines; i++)
                if (load->units[i] < fulfillment_line_open(&fulfillment->lines[i]))
                        return true;
        return false;
}

/* The rest is never refused: it is the customer's. */
static enum problem check_room(const struct fulfillment *fulfillment, const struct load *load, const struct act *act) {
        _cleanup_(tree_cleanup) json_t *kept =
                fulfillment->handover ? json_loads(fulfillment->handover, 0, NULL) : NULL;
        const size_t n_before = kept ? 1 + json_array_size(json_object_get(kept, "earlier")) : 0;

        if (n_before + 1 < HANDOVERS_MAX || !leaves_some(fulfillment, load))
                return PROBLEM_NONE;
        (void) refuse_because(act->refusal, act->arena, "#/lines", "too-many",
                "A fulfillment has %d hand-overs at most; this one has to be of all that is left.", HANDOVERS_MAX);
        return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED, "These are too many parts.");
}

static enum problem check_handover(const struct fulfillment *fulfillment, const struct handover *handover,
        const struct act *act, struct load *load) {
        enum problem p = fulfillment_allows(fulfillment, FULFILLMENT_HAND_OVER, act);

        if (p)
                return p;
        for (size_t i = 0; i < handover->n_lines; i++)
                load_line(load, fulfillment, &handover->lines[i], "#/lines", i, act);
        if (!handover->n_lines)
                load_the_rest(load, fulfillment);
        p = check_load(load, fulfillment, act);
        return p ? p : check_room(fulfillment, load, act);
}

static const char *member_text(const json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

/* Whether what was kept of the hand-over is what this request says of it. */
static bool was_handed_over_so(const struct fulfillment *fulfillment, const struct handover *handover) {
        _cleanup_(tree_cleanup) json_t *kept =
                fulfillment->handover ? json_loads(fulfillment->handover, 0, NULL) : NULL;
        const json_t *recipient = json_object_get(kept, "recipient");
        const char *relation = handover->relation < 0 ? NULL : relation_texts[handover->relation];

        return text_equal(member_text(kept, "method"), proof_method_texts[handover->method]) &&
               text_equal(member_text(kept, "id_type"), document_kind(handover)) &&
               text_equal(member_text(recipient, "name"), handover->recipient) &&
               text_equal(member_text(recipient, "relation"), relation);
}

/* A wrong code is not counted any more; it is not passed over either. */
static enum problem hand_over_again(
        const struct fulfillment *fulfillment, const struct handover *handover, const struct act *act) {
        const enum problem p = fulfillment_repeat(fulfillment, was_handed_over_so(fulfillment, handover), act);

        return !p && handover->method == PROOF_CODE && !is_right_code(fulfillment, handover) ? refuse_code(act) : p;
}

enum problem fulfillment_hand_over(
        struct fulfillment *fulfillment, const struct handover *handover, const struct act *act) {
        struct event *told = NULL;
        struct load load = { 0 };
        const char *text;
        enum problem p;

        if (fulfillment->status == FULFILLMENT_HANDED_OVER)
                return hand_over_again(fulfillment, handover, act);
        p = check_handover(fulfillment, handover, act, &load);
        if (p)
                return p;
        text = handover_text(fulfillment, handover, &load, act);
        if (!text)
                return refuse(act->refusal, act->arena, PROBLEM_CONTENT_TOO_LARGE, "There is no room for that.");
        p = check_proof(fulfillment, handover, act);
        if (p)
                return p;
        p = leave(fulfillment, &load, FULFILLMENT_HAND_OVER, "fulfillment.handed_over",
                "fulfillment.partially_handed_over", act, &told);
        if (p)
                return p;
        event_text(told, "proof", proof_method_texts[handover->method]);
        fulfillment_forget_wrong_codes(fulfillment);
        fulfillment->handover = text;
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

/* ---- shipping ---- */

static void write_package(struct writer *json, const struct package *package, timestamp now) {
        write_object_begin(json);
        write_text_member(json, "carrier", package->carrier);
        write_text_member(json, "tracking_number", package->tracking_number);
        write_time_member(json, "shipped_at", now);
        if (package->n_lines)
                write_units(json, package->lines, package->n_lines);
        write_object_end(json);
}

/* The list of packages so far with further ones at its end; NULL without memory. */
static const char *packages_text(
        const char *before, const struct package *packages, size_t n_packages, const struct act *act) {
        const char *end = strrchr(before, ']');
        const size_t kept = end ? (size_t) (end - before) : 0;
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, act->arena, PACKAGES_SIZE_MAX);
        writer_init(&json, &buffer);
        if (kept)
                buffer_append(&buffer, before, kept);
        else
                buffer_append_text(&buffer, "[");
        json.comma = strchr(before, '{') != NULL;
        for (size_t i = 0; i < n_packages; i++)
                write_package(&json, &packages[i], act->now);
        buffer_append_text(&buffer, "]");
        return buffer.failed ? NULL : buffer_text(&buffer);
}

/* A package has a tracking number, and nothing of ours has such a member but a package. */
static size_t packages_count(const char *packages) {
        size_t n = 0;

        for (const char *at = packages; (at = strstr(at, "\"shipped_at\":")) != NULL; at++)
                n++;
        return n;
}

static bool has_left(const json_t *kept, const struct package *package) {
        for (size_t i = 0; i < json_array_size(kept); i++)
                if (text_equal(member_text(json_array_get(kept, i), "carrier"), package->carrier) &&
                        text_equal(member_text(json_array_get(kept, i), "tracking_number"), package->tracking_number))
                        return true;
        return false;
}

/* Whether each of them is among those that have left. */
static bool have_left(const struct fulfillment *fulfillment, const struct package *packages, size_t n_packages) {
        _cleanup_(tree_cleanup) json_t *kept = json_loads(fulfillment->packages, 0, NULL);

        for (size_t i = 0; i < n_packages; i++)
                if (!has_left(kept, &packages[i]))
                        return false;
        return true;
}

static enum problem check_packages(const struct fulfillment *fulfillment, const struct package *packages,
        size_t n_packages, const struct act *act, struct load *load) {
        enum problem p = fulfillment_allows(fulfillment, FULFILLMENT_SHIP, act);
        bool the_rest = false;

        if (p)
                return p;
        if (packages_count(fulfillment->packages) + n_packages > PACKAGES_MAX) {
                (void) refuse_because(act->refusal, act->arena, "#/packages", "too-many",
                        "A fulfillment has %d packages at most.", PACKAGES_MAX);
                return refuse(act->refusal, act->arena, PROBLEM_VALIDATION_FAILED, "These are too many packages.");
        }
        for (size_t i = 0; i < n_packages; i++) {
                char at[64];

                (void) snprintf(at, sizeof(at), "#/packages/%zu/lines", i);
                for (size_t j = 0; j < packages[i].n_lines; j++)
                        load_line(load, fulfillment, &packages[i].lines[j], at, j, act);
                the_rest = the_rest || !packages[i].n_lines;
        }
        p = check_load(load, fulfillment, act);
        if (!p && the_rest)
                load_the_rest(load, fulfillment);
        return p;
}

enum problem fulfillment_ship(
        struct fulfillment *fulfillment, const struct package *packages, size_t n_packages, const struct act *act) {
        struct event *told = NULL;
        struct load load = { 0 };
        const char *text;
        enum problem p;

        if (fulfillment->status == FULFILLMENT_SHIPPED)
                return fulfillment_repeat(fulfillment, have_left(fulfillment, packages, n_packages), act);
        p = check_packages(fulfillment, packages, n_packages, act, &load);
        if (p)
                return p;
        text = packages_text(fulfillment->packages, packages, n_packages, act);
        if (!text)
                return refuse(act->refusal, act->arena, PROBLEM_CONTENT_TOO_LARGE, "There is no room for that.");
        p = leave(fulfillment, &load, FULFILLMENT_SHIP, "fulfillment.shipped", "fulfillment.partially_shipped", act,
                &told);
        if (p)
                return p;
        event_integer(told, "packages", (int64_t) n_packages);
        fulfillment->packages = text;
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}

enum problem fulfillment_deliver(struct fulfillment *fulfillment, const struct act *act) {
        enum problem p;

        if (fulfillment->status == FULFILLMENT_DELIVERED)
                return fulfillment_repeat(fulfillment, /* same= */ true, act);
        p = fulfillment_advance(fulfillment, FULFILLMENT_DELIVER, act->arena, act->refusal);
        if (p)
                return p;
        (void) fulfillment_tell(act->events, fulfillment, "fulfillment.delivered", act->actor);
        order_settle(fulfillment->order, act->events, act->actor, act->now);
        return PROBLEM_NONE;
}
