/* From the log into the outboxes of the endpoints. */
#include "base/log.h"
#include "db/connection.h"
#include "webhooks/deliverer_internal.h"

#define PAGE_EVENTS  200
#define PAGES_A_TURN 8

/* Offer the events of a page to each endpoint that has read exactly up to its beginning. */
static void page_offer(struct deliverer *deliverer, const struct log_page *page, int64_t after, int64_t next) {
        struct body **bodies = arena_new_array(&deliverer->arena, struct body *, page->n + 1);

        for (size_t i = 0; bodies && i < deliverer->endpoints.n; i++)
                if (deliverer->endpoints.at[i]->outbox.read_up_to == after)
                        endpoint_offer(deliverer->endpoints.at[i], page, next, bodies, &deliverer->arena);
        for (size_t i = 0; bodies && i < page->n; i++)
                body_drop(bodies[i]);
}

/* An endpoint whose next events the log no longer has goes on with the oldest. */
static void endpoint_catch_up(struct endpoint *endpoint, const struct log_bounds *bounds) {
        char id[UUID_TEXT_SIZE];

        if (event_log_can_resume(bounds, endpoint->outbox.read_up_to))
                return;
        uuid_format(&endpoint->id, id);
        log_event(LOG_LEVEL_WARNING, "webhook events lost, the log no longer has them", LOG_TEXT, "webhook", id,
                LOG_INTEGER, "after", endpoint->outbox.read_up_to, LOG_END);
        endpoint->outbox.read_up_to = bounds->first ? bounds->first - 1 : bounds->position;
        endpoint->outbox.changed = true;
}

/* The endpoint that reads next: the one that is least far, from those that may read. */
static struct endpoint *reader_choose(
        const struct deliverer *deliverer, const struct log_bounds *bounds, int64_t beyond) {
        struct endpoint *chosen = NULL;

        for (size_t i = 0; i < deliverer->endpoints.n; i++) {
                struct endpoint *endpoint = deliverer->endpoints.at[i];

                if (!endpoint_may_read(endpoint) || endpoint->outbox.read_up_to >= bounds->position)
                        continue;
                endpoint_catch_up(endpoint, bounds);
                if (endpoint->outbox.read_up_to > beyond &&
                        (!chosen || endpoint->outbox.read_up_to < chosen->outbox.read_up_to))
                        chosen = endpoint;
        }
        return chosen;
}

/* The bounds are read with the page: bounds of an earlier moment would end before events of the page, and the endpoints
 * would read these again. */
static enum problem log_page_read(struct deliverer *deliverer, struct log_bounds *bounds, int64_t after) {
        const struct log_filter filter = { .after = after, .limit = PAGE_EVENTS };
        struct log_page page = { .arena = &deliverer->arena };
        bool has_more;
        enum problem p;

        database_begin_snapshot(deliverer->database);
        event_log_bounds_ask(deliverer->database, &page.bounds);
        event_log_page_ask(deliverer->database, &filter, &page);
        database_commit(deliverer->database);
        p = deliverer_trip(deliverer);
        if (p)
                return p;
        *bounds = page.bounds;
        page_offer(deliverer, &page, after, event_log_next(&filter, &page, &has_more));
        return PROBLEM_NONE;
}

static enum problem log_bounds_read(struct deliverer *deliverer, struct log_bounds *bounds) {
        database_begin_snapshot(deliverer->database);
        event_log_bounds_ask(deliverer->database, bounds);
        database_commit(deliverer->database);
        return deliverer_trip(deliverer);
}

/* Each page is behind the one before, so that no endpoint keeps the others from reading. */
enum problem log_read(struct deliverer *deliverer) {
        struct log_bounds bounds = { 0 };
        struct endpoint *reader;
        int64_t beyond = -1;
        enum problem p;

        if (!atomic_exchange(&deliverer->events_told, false) || !deliverer->endpoints.n)
                return PROBLEM_NONE;
        p = log_bounds_read(deliverer, &bounds);
        for (size_t i = 0; !p && i < PAGES_A_TURN; i++) {
                reader = reader_choose(deliverer, &bounds, beyond);
                if (!reader)
                        break;
                beyond = reader->outbox.read_up_to;
                p = log_page_read(deliverer, &bounds, beyond);
        }
        if (p || reader_choose(deliverer, &bounds, -1))
                atomic_store(&deliverer->events_told, true);
        return p;
}
