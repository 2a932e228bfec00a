/*
 * engine/transfers: many transfers of libcurl at once, in one thread. engine/delivery and engine/smtp say what they
 * carry.
 *
 * A transfer is the first member of a record that its owner allocates by calloc; it is freed with the record. All
 * functions but transfers_wake are for one thread.
 */
#pragma once

#include "base/cleanup.h"
#include "base/clock.h"

#include <curl/curl.h>

struct transfers;

struct transfer {
        struct transfers *among;
        CURL *curl;
        struct curl_slist *list; /* of headers or recipients, as the owner likes; NULL: none */
        void *context;           /* of the owner's client */
        struct transfer *next, **at;
};

struct transfers {
        CURLM *multi;
        struct transfer *first;
        size_t n;
        bool has_curl;
};

/* `kept`: connections that stay open between transfers. False: no memory, or libcurl cannot be initialised; then
 * transfers_end is due as well. */
must_check bool transfers_begin(struct transfers *transfers, long kept);

/* The transfers under way are dropped. */
void transfers_end(struct transfers *transfers);

/* Give a zeroed transfer its handle and context. False without memory. */
must_check bool transfer_init(struct transfer *transfer, struct transfers *transfers, void *context);

/* Begin; all options are set. False: it has not begun, and is to be freed. */
must_check bool transfer_start(struct transfer *transfer);

/* Also of one that has not begun. */
void transfer_free(struct transfer *transfer);

/* Carry on, and wait `wait` at most for news. `ended` gets each transfer that is over, which is freed after it.
 */
void transfers_turn(struct transfers *transfers, duration wait,
        void (*ended)(struct transfer *transfer, CURLcode code, void *context), void *context);

/* End the wait of transfers_turn, or of the next one. For any thread. */
void transfers_wake(struct transfers *transfers);
