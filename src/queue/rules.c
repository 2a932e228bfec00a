#include "queue/queue.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const sla_texts[] = { "on_time", "at_risk", "overdue", NULL };
const char *const card_status_texts[] = { "allocated", "arrived", "on_the_way", "packed", "picking", "ready", NULL };
const char *const queue_sort_texts[] = { "created_at", "-created_at", "promised_at", "-promised_at", NULL };

static bool promise_is_kept(enum fulfillment_status status) {
        return status != FULFILLMENT_ALLOCATED && status != FULFILLMENT_PICKING && status != FULFILLMENT_PACKED;
}

enum sla queue_sla(enum fulfillment_status status, timestamp promised_at, timestamp now) {
        if (promise_is_kept(status) || now < promised_at - AT_RISK_BEFORE)
                return SLA_ON_TIME;
        return now < promised_at ? SLA_AT_RISK : SLA_OVERDUE;
}

timestamp queue_sla_changes_at(enum fulfillment_status status, timestamp promised_at, timestamp now) {
        if (promise_is_kept(status) || now >= promised_at)
                return TIMESTAMP_NONE;
        return now < promised_at - AT_RISK_BEFORE ? promised_at - AT_RISK_BEFORE : promised_at;
}

/* ---- tags: W/"q-berlin-17-1a2b3c4d5e6f-1790000000000000", 0 for an instant that never comes ---- */

static void tag_begin(char *text, size_t size, const char *location, int64_t revision, const char *view) {
        (void) snprintf(text, size, "q-%s-%" PRId64 "-%s-", location, revision, view);
}

const char *queue_tag(
        struct arena *arena, const char *location, int64_t revision, const char *view, timestamp changes_at) {
        char begin[CODE_SIZE_MAX + 64];

        tag_begin(begin, sizeof(begin), location, revision, view);
        return arena_format(arena, "W/\"%s%" PRId64 "\"", begin, changes_at == TIMESTAMP_NONE ? 0 : changes_at);
}

/* The number before the closing quote. */
static bool scanned_number_read(const char *text, int64_t *ret_number) {
        const size_t size = strspn(text, "0123456789");
        char digits[24];

        if (size >= sizeof(digits) || text[size] != '"')
                return false;
        memcpy(digits, text, size);
        digits[size] = '\0';
        return text_to_integer(digits, 0, INT64_MAX, ret_number);
}

bool queue_tag_holds(const char *if_none_match, const char *location, int64_t revision, const char *view, timestamp now,
        timestamp *ret_changes_at) {
        char begin[CODE_SIZE_MAX + 64];
        const char *tag = NULL;
        int64_t until;

        tag_begin(begin, sizeof(begin), location, revision, view);
        if (if_none_match)
                tag = strstr(if_none_match, begin);
        if (!tag || !scanned_number_read(tag + strlen(begin), &until) || (until && now >= until))
                return false;
        *ret_changes_at = until ? until : TIMESTAMP_NONE;
        return true;
}

/* ---- the stream ---- */
