/*
 * webhooks/attempts: single deliveries, for integrators who look for the fault of an endpoint.
 *
 * The deliverer keeps the attempts in memory and stores them with the progress: an instance that dies loses the last
 * ones. They are pruned after ATTEMPTS_KEPT_FOR.
 */
#pragma once

#include "webhooks/webhooks.h"

#define ATTEMPTS_KEPT_FOR  (7 * DAY)
#define ATTEMPTS_IN_MEMORY 1024
#define ATTEMPT_ANSWER_MAX ((size_t) 1024) /* bytes of an answer */

struct webhook_attempt {
        struct uuid webhook_id, event_id;
        timestamp at;     /* when the request began */
        int64_t position; /* of the event in the log; 0: a test event */
        int64_t attempt;  /* from 1 */
        bool is_ok;
        int64_t status; /* 0: there was no answer */
        int64_t ms;
        const char *answer; /* the beginning of its body; NULL: none */
        const char *error;  /* why there was no answer; NULL: there was one */
        timestamp next_at;  /* TIMESTAMP_NONE: there is no next attempt */
};

/* Attempts that are not stored yet. */
struct attempts {
        struct arena arena; /* of their texts */
        struct webhook_attempt list[ATTEMPTS_IN_MEMORY];
        size_t n;
};

struct attempt_filter {
        struct uuid webhook_id, event_id, after_id;
        bool has_event_id, has_result, is_ok;
        timestamp after; /* with after_id; TIMESTAMP_NONE: from the newest on */
        int64_t limit;
};

struct attempt_page {
        struct arena *arena;
        struct webhook_attempt *rows; /* newest first */
        size_t n;
};

void attempts_init(struct attempts *attempts);
void attempts_clear(struct attempts *attempts);

/* Add an attempt; texts are copied. Without room or memory it is left out. */
void attempts_add(struct attempts *attempts, const struct webhook_attempt *attempt);

/* Printable UTF-8 of the first bytes of an answer: other bytes are written as U+FFFD. NULL: it is empty, or there is no
 * memory. Pure. */
const char *attempt_answer(const char *bytes, size_t size, struct arena *arena);

struct database;

/* Queue: store attempts; one that is there already stays. */
void attempts_store(struct database *database, struct arena *arena, const struct attempts *attempts);

/* Queue: a page of the attempts of an endpoint. */
void attempts_page_ask(struct database *database, const struct attempt_filter *filter, struct attempt_page *page);
