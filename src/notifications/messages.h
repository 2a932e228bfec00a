/*
 * notifications/messages: messages to customers, from the event that causes one to the answer of the mail server.
 *
 * The planner (notifications/jobs.c) follows the log of events and inserts a row for each message. The mailer
 * (notifications/mailer.c) leases rows that are due, sends them, and records the answers. A row is unique by event,
 * kind and medium, so one transition makes one message, however often it is planned.
 *
 * Delivery is at least once: if the program dies between the answer of the server and its record, the message is sent
 * again after the lease, with the same Message-ID, which was stored with the row. Text messages and pushes are sent by
 * others: they are rows too, and an event notification.requested asks for them.
 *
 * Nothing is sent about imported documents and about events older than MESSAGE_AGE_MAX. Pure but for the store.
 */
#pragma once

#include "base/enum_column.h"
#include "notifications/store.h"
#include "orders/orders.h"

#define MESSAGE_ATTEMPTS_MAX 11
#define MESSAGE_AGE_MAX      (3 * DAY)
#define MESSAGES_OF_ORDER    200 /* shown, and sent by request at most */
#define MESSAGE_LEASE        (2 * MINUTE)
#define QUIET_FROM           "21:00" /* reminders wait from then on, */
#define QUIET_UNTIL          "08:00" /* until then, on the wall clock of the location, unless the channel says otherwise */

enum message_medium { MESSAGE_BY_EMAIL, MESSAGE_BY_PUSH, MESSAGE_BY_SMS, MESSAGE_MEDIA };

enum message_state {
        MESSAGE_FAILED,    /* the server has refused it, or it was tried too often */
        MESSAGE_QUEUED,    /* it waits, or is being sent */
        MESSAGE_REQUESTED, /* an event asks others to send it */
        MESSAGE_SENT,      /* the server has taken it */
        MESSAGE_SKIPPED,   /* it is no longer true, or the customer was erased */
};

/* As on the wire and in SQL; NULL-terminated, sorted. */
extern const char *const message_medium_texts[], *const message_state_texts[];
extern const struct enum_column message_kind_column, message_medium_column, message_state_column;

struct message {
        struct uuid id;
        struct uuid order_id, fulfillment_id, refund_id; /* the latter may be nil */
        struct uuid event_id;                            /* of a message by request: its id */
        enum notification_kind kind;
        enum message_medium medium;
        enum message_state state;
        const char *channel, *locale;
        const char *recipient;  /* address or number; NULL: erased, or none is needed */
        const char *message_id; /* of e-mail */
        const char *answer;     /* of the server, or why it was not sent; may be NULL */
        const char *actor;
        int64_t attempts;
        int64_t version; /* of the document that its event names */
        timestamp due_at, created_at, updated_at, sent_at;
};

/* ---- planning ---- */

/* The kind of message that an event causes; false: none. */
must_check bool message_kind_of(const char *event_type, enum notification_kind *ret_kind);

/* The types of events that cause messages. */
size_t message_event_types(enum event_type types[EVENT_TYPE_COUNT]);

/* What one event asks for. `data` is JSON. */
struct message_cause {
        const char *type, *data;
        struct uuid event_id, fulfillment_id; /* the latter may be nil */
        timestamp occurred_at;
};

struct message_list {
        struct arena *arena;
        struct message *at;
        size_t n, capacity;
        bool exhausted;
};

/* False, and the list is exhausted: there is no memory left. */
bool message_list_add(struct message_list *list, const struct message *message);

/* Add the messages that the event causes about the order. `mails`: a mail server is configured. */
void messages_plan(struct message_list *list, const struct message_cause *cause, const struct order *order,
        const struct channel *channel, bool mails, timestamp now);

/* A message that a client asks for, once more or to another address. NULL `to`: the customer's address. Refuses a
 * channel without a sender, an erased customer, a customer without an address, and an order with MESSAGES_OF_ORDER
 * messages. */
struct message_request {
        int kind; /* enum notification_kind */
        const char *to;
        const char *actor;
        size_t n_before; /* messages about the order */
        bool mails;      /* a mail server is configured */
};

must_check bool message_ask(const struct message_request *request, const struct order *order,
        const struct channel *channel, timestamp now, struct arena *arena, struct refusal *refusal,
        struct message *ret_message);

/* Add an event about the message; the message must live until the events are saved. */
struct event *message_tell(struct events *events, const struct message *message, enum event_type type);

/* ---- sending ---- */

/* The outcome of one attempt. */
struct message_outcome {
        struct uuid id;
        int64_t attempts; /* of the lease that it belongs to */
        int64_t counted;  /* attempts to be recorded */
        enum message_state state;
        timestamp due_at, sent_at; /* may be TIMESTAMP_NONE */
        const char *answer;
};

/* The pause after `attempts` failures, up to a tenth more or less. `random` is any number. */
duration message_delay(int64_t attempts, uint64_t random);

/* The outcome after a failure that may pass: another attempt, or the end. */
struct message_outcome message_retry(const struct message *message, const char *answer, timestamp now, uint64_t random);

/* The end of the quiet hours (NULL: the usual ones) that the instant is in; the instant itself outside of them. NULL
 * zone: UTC. */
timestamp quiet_until(timestamp instant, const struct zone *zone, const struct quiet_hours *hours);

/* What a message is composed of, and the result. */
struct composing {
        const struct order_set *orders;
        const struct catalog_set *catalog;
        const struct template_set *templates;
        const char *pickup_secret; /* NULL: no codes */
        timestamp now;
};

struct composed {
        bool is_ready; /* `bytes` may be sent; else `outcome` is the end of the attempt */
        const char *from;
        const char *bytes;
        size_t size;
        struct message_outcome outcome;
};

/* Name the templates that the message may use. */
void message_templates_want(struct template_set *set, const struct message *message);

/* Compose an e-mail, or find that it is not to be sent now. FAULT_BUSY without memory. */
must_check enum problem message_compose(
        const struct message *message, const struct composing *composing, struct arena *arena, struct composed *ret);

/* ---- replies ---- */

struct writer;

/* The members of an open object; and as a list, those about one order. */
void message_write(struct writer *json, const struct message *message);
void messages_write(struct writer *json, const struct message_list *list, const struct uuid *order_id);
