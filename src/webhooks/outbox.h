/*
 * webhooks/outbox: the events that one endpoint is about to get, as a pure state machine.
 *
 * The deliverer adds events in the order of the log, sends those that `outbox_next` names, and reports each answer. A
 * success drops the event. A failure keeps it for a later attempt; in an ordered outbox later events of its subject
 * wait for it, others do not. After ATTEMPTS_MAX failures the event is dead.
 *
 * Nothing is lost in a crash: the cursor never passes an event that is neither delivered nor in a row. `outbox_save`
 * lists the rows that the database needs before it may store the cursor. A deliverer that takes over loads these rows
 * and reads the log after the cursor. Events between may be sent again, with equal ids.
 *
 * The breaker opens after many failures. Then the outbox sends single probes with growing pauses, which do not count as
 * attempts, until one succeeds. Pure: no I/O, no clock, no allocation. One thread.
 */
#pragma once

#include "base/clock.h"
#include "base/uuid.h"

#define OUTBOX_MAX        256 /* events: then the deliverer reads no further for this endpoint */
#define ATTEMPTS_MAX      10
#define BREAKER_IN_A_ROW  20  /* failures one after another that open it */
#define BREAKER_WINDOW    100 /* attempts, of which more than half fail */
#define BREAKER_PAUSE_MIN (30 * SECOND)
#define BREAKER_PAUSE_MAX (15 * MINUTE)
#define RETRY_AFTER_MAX   (1 * HOUR)

struct outbox_event {
        int64_t position; /* in the log */
        struct uuid id;
        uint64_t subject; /* a digest of its text */
        void *body;       /* the caller's */
};

struct outbox_item {
        struct outbox_event event;
        unsigned attempts; /* that failed */
        timestamp due_at;  /* TIMESTAMP_NONE: at once */
        bool is_sending, is_probe;
        bool has_row;     /* the database has it */
        bool row_changed; /* and what it has is old; or it needs a row */
};

/* An event that has left the outbox: its row goes, or says that it is dead. */
struct outbox_end {
        struct outbox_event event;
        unsigned attempts;
        bool is_dead;
};

struct breaker {
        unsigned in_a_row;           /* failures since the last success */
        bool failed[BREAKER_WINDOW]; /* the last attempts, in a ring */
        size_t n, next, failures;    /* of the ring */
        bool is_open;
        duration pause; /* before the next probe */
        timestamp probe_at;
};

struct outbox {
        bool is_ordered;
        int64_t read_up_to;                   /* the last position of the log that was looked at */
        struct outbox_item items[OUTBOX_MAX]; /* by position */
        size_t n, n_sending;
        struct outbox_end ended[OUTBOX_MAX]; /* since the last save */
        size_t n_ended;
        struct breaker breaker;
        timestamp hold_until;                     /* the endpoint has asked for a pause */
        timestamp failing_since, last_success_at; /* TIMESTAMP_NONE: it is not, never */
        bool changed;                             /* there is something to save */
};

enum outbox_answer {
        ANSWER_OK,
        ANSWER_FAILED,
        ANSWER_GONE, /* the endpoint wants no more events: the caller disables it */
};

/* What a status means: 2xx is a success, 410 is gone, all else has failed, 0 (no answer) as well. */
enum outbox_answer answer_of_status(unsigned status);

/* The pause before attempt `attempts` + 1, for an event that has failed so often (1 to ATTEMPTS_MAX - 1): the delays of
 * the contract, and up to a tenth more or less. `random` is any number. */
duration retry_delay(unsigned attempts, uint64_t random);

void outbox_init(struct outbox *outbox, bool is_ordered, int64_t cursor);

/* Room for another event. */
bool outbox_has_room(const struct outbox *outbox);

/* Add an event of the log; one that is there already, from a row, stays as it is. False: it was there, or there is no
 * room. */
bool outbox_add(struct outbox *outbox, const struct outbox_event *event);

/* Add an event that was done before, to be sent once more. It needs a row at once, because the cursor has passed it. It
 * may have one, because it was given up.
 * False: it is there, or there is no room. Call it only when all ends are saved. */
bool outbox_add_again(struct outbox *outbox, const struct outbox_event *event);

/* Add an event from its row, after `attempts` failures. */
bool outbox_restore(struct outbox *outbox, const struct outbox_event *event, unsigned attempts, timestamp due_at);

/* The place of an event to send now, when at most `limit` may be under way; false: none. The caller sends it and calls
 * outbox_begin. */
must_check bool outbox_next(const struct outbox *outbox, size_t limit, timestamp now, size_t *ret_place);
void outbox_begin(struct outbox *outbox, size_t place);

/* Whether the event is still here. */
bool outbox_holds(const struct outbox *outbox, int64_t position);

/* The request could not be made: the event waits as before. */
void outbox_withdraw(struct outbox *outbox, int64_t position);

/* The answer to an event under way. Returns the event's attempts so far; `ret_next_at`: when the next one is due,
 * TIMESTAMP_NONE for none. */
unsigned outbox_answered(struct outbox *outbox, int64_t position, enum outbox_answer answer, duration retry_after,
        timestamp now, uint64_t random, timestamp *ret_next_at);

/* When something may be sent next without an answer before; INT64_MAX: not known. */
timestamp outbox_due(const struct outbox *outbox, timestamp now);

/* Mark the items that need a row (`row_changed`) and return the cursor that is true once those rows and all ends are
 * stored. After the commit call outbox_saved; without it the next outbox_save lists them again. */
int64_t outbox_save(struct outbox *outbox);
void outbox_saved(struct outbox *outbox);
