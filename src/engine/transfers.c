#include "engine/transfers.h"

#include <stdlib.h>

#define POLL_MAX (1 * SECOND)

bool transfers_begin(struct transfers *transfers, long kept) {
        *transfers = (struct transfers){ .has_curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK };
        if (transfers->has_curl)
                transfers->multi = curl_multi_init();
        if (!transfers->multi)
                return false;
        (void) curl_multi_setopt(transfers->multi, CURLMOPT_MAXCONNECTS, kept);
        return true;
}

void transfers_end(struct transfers *transfers) {
        while (transfers->first)
                transfer_free(transfers->first);
        if (transfers->multi)
                (void) curl_multi_cleanup(transfers->multi);
        if (transfers->has_curl)
                curl_global_cleanup();
        *transfers = (struct transfers){ 0 };
}

bool transfer_init(struct transfer *transfer, struct transfers *transfers, void *context) {
        transfer->among = transfers;
        transfer->context = context;
        transfer->curl = curl_easy_init();
        return transfer->curl && curl_easy_setopt(transfer->curl, CURLOPT_PRIVATE, transfer) == CURLE_OK;
}

bool transfer_start(struct transfer *transfer) {
        struct transfers *among = transfer->among;

        if (curl_multi_add_handle(among->multi, transfer->curl) != CURLM_OK)
                return false;
        transfer->at = &among->first;
        transfer->next = among->first;
        if (among->first)
                among->first->at = &transfer->next;
        among->first = transfer;
        among->n++;
        return true;
}

void transfer_free(struct transfer *transfer) {
        if (transfer->at) {
                *transfer->at = transfer->next;
                if (transfer->next)
                        transfer->next->at = transfer->at;
                transfer->among->n--;
        }
        if (transfer->curl) {
                (void) curl_multi_remove_handle(transfer->among->multi, transfer->curl);
                curl_easy_cleanup(transfer->curl);
        }
        curl_slist_free_all(transfer->list);
        free(transfer);
}

static void ended_take(struct transfers *transfers,
        void (*ended)(struct transfer *transfer, CURLcode code, void *context), void *context) {
        const CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(transfers->multi, &left))) {
                struct transfer *transfer = NULL;

                if (message->msg != CURLMSG_DONE ||
                        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
                        continue;
                ended(transfer, message->data.result, context);
                transfer_free(transfer);
        }
}

void transfers_turn(struct transfers *transfers, duration wait,
        void (*ended)(struct transfer *transfer, CURLcode code, void *context), void *context) {
        const duration longest = wait < POLL_MAX ? wait : POLL_MAX;
        int running = 0;

        (void) curl_multi_perform(transfers->multi, &running);
        ended_take(transfers, ended, context);
        if (longest > 0)
                (void) curl_multi_poll(transfers->multi, NULL, 0, (int) (longest / MILLISECOND), NULL);
        (void) curl_multi_perform(transfers->multi, &running);
        ended_take(transfers, ended, context);
}

void transfers_wake(struct transfers *transfers) {
        (void) curl_multi_wakeup(transfers->multi);
}
