/*
 * fulfillment: the work of one location on its part of an order, from the shelf to the customer's hands.
 *
 * The documents are those of the orders room (`struct fulfillment` with its order, lines and stock rows, all locked).
 * Each rule here is one command: it refuses before it changes anything, and changes all or nothing. It moves units,
 * stock and states, writes the events, and settles the order. A command whose aim is reached already succeeds and
 * changes nothing when the same actor says the same again: staff press twice. Otherwise it is INVALID_TRANSITION,
 * because the data of the request would be lost.
 */
#pragma once

#include "orders/orders.h"

#define PICK_ITEMS_MAX        200
#define PACKAGES_PER_CALL_MAX 50
#define PACKAGES_MAX          200 /* of one fulfillment */
#define WRONG_CODES_MAX       5
#define HANDOVERS_MAX         20 /* of one fulfillment; the last of them is of all that is left */
#define HANDOVER_LOCK         (15 * MINUTE)
#define HOLD_MAX              (60 * DAY) /* from now, or from the beginning of its slot */
#define LINK_TIME_MAX         (90 * DAY)
#define REMINDER_BEFORE       DAY /* the end of the hold */

struct sourcing_search;

enum short_reason {
        SHORT_CAPACITY,         /* the location has no time for it: the units are free again */
        SHORT_CLOSED,           /* likewise */
        SHORT_CUSTOMER_REQUEST, /* likewise */
        SHORT_DAMAGED,          /* the units stay on hand, unsellable */
        SHORT_NOT_FOUND,        /* the units are not on hand */
        SHORT_THEFT,            /* likewise */
};

/* As on the wire; NULL-terminated. */
extern const char *const short_reason_texts[];

/* Units of one line of the order. */
struct line_units {
        struct uuid order_line_id;
        int64_t quantity;
};

/* One entry of a pick: a line by its id, an SKU, or a scanned code. */
struct pick_item {
        const char *sku;
        bool has_order_line_id;
        struct uuid order_line_id;
        const char *code; /* an SKU, a GTIN, or a GS1 Digital Link */
        int64_t quantity;
};

enum proof_method { PROOF_CODE, PROOF_ID_CHECK, PROOF_NONE };

/* As on the wire; NULL-terminated. */
extern const char *const proof_method_texts[];

struct handover {
        enum proof_method method;
        const char *value;        /* the pickup code, or the kind of document shown; may be NULL */
        const char *recipient;    /* the person that took the goods; may be NULL */
        int relation;             /* to the customer; -1: not given */
        unsigned refused_methods; /* that the location does not take; bit n is enum proof_method n */
        const struct line_units *lines;
        size_t n_lines;       /* 0: all that is picked */
        const char *secret;   /* of pickup codes; may be NULL */
        const char *previous; /* the secret before; may be NULL */
};

struct package {
        const char *carrier, *tracking_number;
        const struct line_units *lines;
        size_t n_lines; /* 0: all that is picked and in no other package */
};

/* ---- on the shelf ---- */

/* Give the work to one associate, as long as the fulfillment is in the location; taking it over from another needs
 * `force`. */
enum problem fulfillment_assign(
        struct fulfillment *fulfillment, const char *assignee, bool force, const struct command *command);

/* Note units taken off the shelf. `gtins` has one for each line of the fulfillment (14 digits, or NULL); it may be NULL
 * when no item is a code. An SKU of several lines fills them in their order. OVER_PICK: more than remain;
 * VALIDATION_FAILED, "foreign-item": not of this fulfillment. `list` is the pointer of the list in the request. */
enum problem fulfillment_pick(struct fulfillment *fulfillment, const struct pick_item *items, size_t n_items,
        const char *list, const char *const *gtins, const struct command *command);

/* Put units back that were picked and are still here, those of the last lines first; a parcel that was packed is open
 * again. INVALID_TRANSITION, "not-picked": more than were picked. */
enum problem fulfillment_undo_pick(struct fulfillment *fulfillment, const struct pick_item *items, size_t n_items,
        const char *list, const char *const *gtins, const struct command *command);

/* Note units that the location lacks, of those not yet picked. Other locations take over the units that they have, the
 * rest is cancelled. FAULT_STALE when they have fewer than before the locks. */
enum problem fulfillment_short(struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines,
        enum short_reason reason, struct sourcing_search *search, const struct command *command);

/* All is picked or short. The fulfillment waits for the customer for `hold_for` at most, and until its slot ends;
 * `hold_for` counts from the beginning of the slot when that is still to come. Every associate may move a ready
 * fulfillment to another place. */
enum problem fulfillment_make_ready(struct fulfillment *fulfillment, const char *staging_location, duration hold_for,
        const struct command *command);

/* The location rejects the whole fulfillment, picked units as well. The associate has found the picked units:
 * `not_found` takes only the others off the stock. Other locations take over the units that they have, as above. */
enum problem fulfillment_reject(struct fulfillment *fulfillment, enum short_reason reason,
        struct sourcing_search *search, const struct command *command);

/* Cancel the fulfillment; the customer keeps the units already handed over. */
enum problem fulfillment_cancel(struct fulfillment *fulfillment, const char *reason, const struct command *command);

/* ---- handing over and shipping ---- */

/* Hand over picked units against a proof. A wrong code is HANDOVER_PROOF_INVALID; the fifth in a row locks the
 * fulfillment for HANDOVER_LOCK: HANDOVER_LOCKED, for a correct code as well, but not for PROOF_NONE, which only a
 * supervisor may claim (the caller's check). Of the proof its kind is stored, never the code or a number. Each
 * hand-over is kept, the last one with those before it as `earlier`; VALIDATION_FAILED, "too-many": a part that would
 * leave no room for the rest. */
enum problem fulfillment_hand_over(
        struct fulfillment *fulfillment, const struct handover *handover, const struct command *command);

/* After a hand-over was refused: count the code when it was refused for a wrong one (command->refusal tells). */
void fulfillment_count_wrong_code(
        struct fulfillment *fulfillment, const struct handover *handover, const struct command *command);

/* Packages leave with a carrier. */
enum problem fulfillment_ship(struct fulfillment *fulfillment, const struct package *packages, size_t n_packages,
        const struct command *command);

enum problem fulfillment_deliver(struct fulfillment *fulfillment, const struct command *command);

/* Whether the text is the pickup code of that secret: case, spaces and hyphens do not matter. It takes as long for a
 * wrong code as for the right one. */
must_check bool pickup_code_matches(const char *secret, const struct fulfillment *fulfillment, const char *text);

/* ---- the customer comes ---- */

/* A customer's report about the way. */
struct check_in_word {
        enum check_in_event event; /* CHECK_IN_SET_OUT or CHECK_IN_ARRIVE */
        int64_t eta_minutes;       /* -1: not given; an arrival has none */
        const char *bay;           /* may be NULL */
        struct vehicle vehicle;    /* make NULL: not given */
};

/* Pickup and curbside, from the first moment until it is handed over. The last report wins; a bay or vehicle that it
 * does not give stays. The wait counts from the first of arrivals that follow each other. No event contains bay or
 * vehicle. */
enum problem fulfillment_check_in(
        struct fulfillment *fulfillment, const struct check_in_word *word, const struct command *command);

/* Name an alternate pickup person, in place of the last one named. The staff compare the name: it proves nothing. */
enum problem fulfillment_name_recipient(
        struct fulfillment *fulfillment, const char *name, int relation, const struct command *command);

/* From ready on. An instant that is past, before the end of its slot, or beyond HOLD_MAX is VALIDATION_FAILED. */
enum problem fulfillment_extend_hold(struct fulfillment *fulfillment, timestamp until, const struct command *command);

/* The end of the hold of a fulfillment that is made ready now. */
timestamp fulfillment_hold_end(const struct fulfillment *fulfillment, duration hold_for, timestamp now);

/* Part of making ready: the fulfillment waits until `until`, with a reminder REMINDER_BEFORE it if that is still to
 * come. */
void fulfillment_hold(struct fulfillment *fulfillment, timestamp until, timestamp now);

/* The hold has ended without a customer: the remaining units are cancelled, their refund is due, and they are available
 * again. Staff put the units in the staging location back on the shelf. Only when it is due: false when there was
 * nothing to do. A customer who has arrived gets ARRIVAL_GRACE, a customer on the way WAY_GRACE from the announced
 * arrival on. */
bool fulfillment_expire(struct fulfillment *fulfillment, const struct command *command);

/* The customer comes after all: every unit that expired is reserved and picked again, and waits until `hold_until`
 * (TIMESTAMP_NONE: `hold_for` from now on). Its slot is over. INSUFFICIENT_STOCK names each line of which the location
 * lacks units; then no unit is reinstated. */
enum problem fulfillment_reinstate(
        struct fulfillment *fulfillment, timestamp hold_until, duration hold_for, const struct command *command);

/* Write, once, the event that the hold will end; false when there was nothing to do. */
bool fulfillment_remind(struct fulfillment *fulfillment, const struct command *command);

/* A supervisor unlocks code entry, or replaces the code: the next one is derived from another serial. */
enum problem fulfillment_unlock(struct fulfillment *fulfillment, const struct command *command);
enum problem fulfillment_reissue_code(struct fulfillment *fulfillment, const struct command *command);

/* A link for the customer, in place of the one before; `digest` must outlive the save. It opens while the customer is
 * expected, and for LINK_TIME_MAX at most. */
enum problem fulfillment_issue_link(
        struct fulfillment *fulfillment, const uint8_t *digest, const struct command *command);
bool fulfillment_link_opens(const struct fulfillment *fulfillment, const uint8_t *digest, timestamp now);

/* "Ada L.": the first name, and the first letter of the last one; a link shows no more of its customer. NULL without
 * memory. */
const char *customer_short_name(const char *name, struct arena *arena);

/* Part of every hand-over: note the customer's wait (-1: none), and end a visit that took a part. */
int64_t fulfillment_note_wait(struct fulfillment *fulfillment, bool last, const struct command *command);

/* ---- allowed actions ---- */

/* Named as the routes, and undo-pick for a pick with "undo"; sorted. */
#define FULFILLMENT_ACTIONS(X)                                                                                         \
        X(ASSIGN, "assign")                                                                                            \
        X(CANCEL, "cancel")                                                                                            \
        X(CHECK_IN, "check-in")                                                                                        \
        X(DELIVER, "deliver")                                                                                          \
        X(EXTEND_HOLD, "extend-hold")                                                                                  \
        X(HANDOVER, "handover")                                                                                        \
        X(LINK, "link")                                                                                                \
        X(PICK, "pick")                                                                                                \
        X(READY, "ready")                                                                                              \
        X(RECIPIENT, "recipient")                                                                                      \
        X(REINSTATE, "reinstate")                                                                                      \
        X(REISSUE_CODE, "reissue-code")                                                                                \
        X(REJECT, "reject")                                                                                            \
        X(SHIP, "ship")                                                                                                \
        X(SHORT, "short")                                                                                              \
        X(UNDO_PICK, "undo-pick")                                                                                      \
        X(UNLOCK, "unlock")

enum fulfillment_action {
#define X(name, text) ACTION_##name,
        FULFILLMENT_ACTIONS(X)
#undef X
                ACTION_COUNT,
};

typedef uint32_t action_set; /* bit n is enum fulfillment_action n */

extern const char *const fulfillment_action_texts[];

/* Powers of the bearer, by the scopes of the token; bits. */
enum power {
        MAY_FULFILL = 1 << 0,  /* fulfillment:write */
        MAY_ORDER = 1 << 1,    /* orders:write */
        MAY_OVERRIDE = 1 << 2, /* admin, which has the others as well */
};

/* The facts on which allowed actions depend. */
struct action_facts {
        enum fulfillment_method method;
        enum fulfillment_status status;
        int64_t remaining; /* units still to be picked */
        int64_t at_hand;   /* units picked and still here */
        int64_t expired;   /* units that nobody collected in time */
        bool locked;       /* or on the way there: wrong codes are counted */
};

struct action_facts fulfillment_facts(const struct fulfillment *fulfillment);

/* The commands that would change something now, for a client with these powers. Time plays no part: a hand-over that is
 * locked for a while is listed. */
action_set fulfillment_allowed_actions(const struct action_facts *facts, unsigned powers);

/* ---- functions that the rules share ---- */

/* Whether the state allows the event; refuses with INVALID_TRANSITION when not. Changes nothing. */
enum problem fulfillment_allows(
        const struct fulfillment *fulfillment, enum fulfillment_event event, const struct command *command);

/* Name an entry of a list of the request that asks for more units than remain to be picked; and refuse the request. */
void fulfillment_name_over_pick(
        const struct command *command, const char *list, size_t place, int64_t remaining, int64_t quantity);
enum problem fulfillment_refuse_over_pick(const struct command *command);

/* A command finds its aim reached. It succeeds when it has the `same` data as the command that reached it, and the same
 * actor. */
enum problem fulfillment_repeat(const struct fulfillment *fulfillment, bool same, const struct command *command);

/* Refuse with INVALID_TRANSITION: "a fulfillment that is ... cannot be `action`". */
enum problem fulfillment_refuse_state(
        const struct fulfillment *fulfillment, const struct command *command, const char *action);

/* A customer may come for it, or is expected to. */
bool fulfillment_is_awaited(enum fulfillment_method method, enum fulfillment_status status);

/* The line of that order line, or NULL. */
struct fulfillment_line *fulfillment_line_find(const struct fulfillment *fulfillment, const struct uuid *order_line_id);

/* Whether it may be held until then: VALIDATION_FAILED, "out-of-range", at `pointer` when not. */
enum problem fulfillment_check_hold(
        const struct fulfillment *fulfillment, timestamp until, const char *pointer, const struct command *command);

/* Forget the customer's check-in, but not how long they have waited. */
void fulfillment_end_visit(struct fulfillment *fulfillment, const struct command *command);

/* Forget the wrong codes and the lock they led to. */
void fulfillment_forget_wrong_codes(struct fulfillment *fulfillment);

/* Write a member "lines" into an open object. */
void write_line_units(struct writer *json, const struct line_units *lines, size_t n_lines);

/* Add lines and quantities to the data of an event. */
void event_lines(struct event *event, const struct line_units *lines, size_t n_lines);

/* Why a ledger row is written for this fulfillment. */
struct stock_cause fulfillment_cause(
        const struct fulfillment *fulfillment, const char *reason, const struct command *command);
