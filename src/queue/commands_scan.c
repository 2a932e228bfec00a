/* POST /v1/locations/{code}/scan: look-up of a scanned or typed code. */
#include "catalog/catalog.h"
#include "engine/reply.h"
#include "orders/customer.h"
#include "queue/commands.h"

#include "base/config.h"
#include "base/gtin.h"
#include "base/text.h"

#include <ctype.h>

struct scan_body {
        const char *code;
};

static const struct shape_member scan_members[] = {
        REQUIRED(TEXT, struct scan_body, code, BETWEEN(1, SCANNED_MAX)),
};
const struct shape scan_shape = SHAPE(struct scan_body, scan_members);

enum scan_kind { SCAN_NOTHING, SCAN_FULFILLMENT, SCAN_ORDER, SCAN_PICKUP_CODE, SCAN_PRODUCT };

static const char *const kind_texts[] = {
        [SCAN_FULFILLMENT] = "fulfillment",
        [SCAN_NOTHING] = NULL,
        [SCAN_ORDER] = "order",
        [SCAN_PICKUP_CODE] = "pickup_code",
        [SCAN_PRODUCT] = "product",
};

/* The findings of one call. */
struct scan {
        struct scanned scanned;
        enum scan_kind kind;
        struct uuid id; /* of the fulfillment */
};

struct work {
        struct queue_heads heads;
        struct order_set set;
        struct catalog_set catalog;
};

/* ---- recognising the text ---- */

/* The first of some fulfillments whose code it is. */
static bool is_code_of(struct scan *scan, const char *text, const struct scanned_code *codes, size_t n) {
        const char *secrets[] = { config_text(CONFIG_PICKUP_SECRET), config_text(CONFIG_PICKUP_SECRET_PREVIOUS) };

        for (size_t i = 0; i < n; i++) {
                const struct fulfillment candidate = { .id = codes[i].fulfillment_id,
                        .pickup_serial = codes[i].pickup_serial };

                for (size_t j = 0; j < array_size(secrets); j++)
                        if (secrets[j] && pickup_code_matches(secrets[j], &candidate, text)) {
                                scan->id = candidate.id;
                                return true;
                        }
        }
        return false;
}

/* Waiting fulfillments come before collected ones. */
static bool is_pickup_code(struct scan *scan, const char *text) {
        const struct scanned *scanned = &scan->scanned;

        return is_code_of(scan, text, scanned->waiting, scanned->n_waiting) ||
               is_code_of(scan, text, scanned->collected, scanned->n_collected);
}

/* Ids are written in lower case; a scanner may read upper case. */
static bool is_id(const char *text, struct uuid *ret_id) {
        char small[UUID_TEXT_SIZE];
        size_t n;

        for (n = 0; text[n] && n < sizeof(small) - 1; n++)
                small[n] = (char) tolower((unsigned char) text[n]);
        small[n] = '\0';
        return !text[n] && uuid_parse(small, ret_id);
}

/* An id, an order's number, a pickup code, a product, in this order. */
static void recognise(struct scan *scan, const char *text, struct order_set *set, struct catalog_set *catalog) {
        if (is_id(text, &scan->id)) {
                scan->kind = SCAN_FULFILLMENT;
                orders_want_fulfillment(set, &scan->id);
        } else if (scan->scanned.n_orders) {
                scan->kind = SCAN_ORDER;
                orders_want(set, &scan->scanned.orders[0]);
        } else if (is_pickup_code(scan, text)) {
                scan->kind = SCAN_PICKUP_CODE;
                orders_want_fulfillment(set, &scan->id);
        } else if (scan->scanned.n_skus) {
                scan->kind = SCAN_PRODUCT;
                for (size_t i = 0; i < scan->scanned.n_skus; i++)
                        catalog_want_product(catalog, scan->scanned.skus[i]);
        }
}

/* ---- loading ---- */

static enum problem scan_begin(struct batch *batch, struct call *call) {
        const struct scan_body *body = call->body;
        struct scan *scan = arena_new(batch->arena, struct scan);
        char gtin[GTIN_SIZE];
        const bool has_gtin = gtin_parse(body->code, gtin) || gtin_from_digital_link(body->code, gtin);

        if (!scan)
                return FAULT_BUSY;
        scan->scanned.arena = batch->arena;
        scan->scanned.returns = call_has_scope(call, SCOPE_RETURNS_WRITE);
        call->work = scan;
        return scan_ask(batch->database, &scan->scanned, call_code(call, 0), body->code,
                has_gtin ? arena_text(batch->arena, gtin) : NULL);
}

static enum problem scan_load(struct batch *batch) {
        struct work *work = arena_new(batch->arena, struct work);
        enum problem p;

        if (!work)
                return FAULT_BUSY;
        batch->work = work;
        orders_init(&work->set, batch->arena, NULL);
        catalog_init(&work->catalog, batch->arena);
        p = queue_heads_load(batch, &work->heads);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                if (!batch->calls[i]->refusal.problem)
                        p = scan_begin(batch, batch->calls[i]);
        if (!p)
                p = batch_trip(batch);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                if (batch->calls[i]->work) {
                        const struct scan_body *body = batch->calls[i]->body;

                        recognise(batch->calls[i]->work, body->code, &work->set, &work->catalog);
                }
        return p ? p : cards_read(batch, &work->set, &work->catalog);
}

/* ---- answering ---- */

static void write_product(struct writer *json, const struct product *product) {
        write_object_begin(json);
        write_text_member(json, "sku", product->sku);
        write_text_member(json, "title", product->title);
        write_text_member(json, "gtin", product->gtin);
        write_text_member(json, "image_url", product->image_url);
        write_object_end(json);
}

static void write_match(struct writer *json, struct call *call, const struct fulfillment *fulfillment,
        const struct work *work, timestamp now) {
        write_object_begin(json);
        card_write(json, fulfillment, order_customer_name(fulfillment->order, &call->arena), &work->catalog,
                fulfillment_powers(call), now);
        write_object_end(json);
}

/* The customer has the goods, or they are on the way. */
static bool fulfillment_has_left(const struct fulfillment *fulfillment) {
        return fulfillment->status == FULFILLMENT_HANDED_OVER || fulfillment->status == FULFILLMENT_SHIPPED ||
               fulfillment->status == FULFILLMENT_DELIVERED;
}

/* Fulfillments of this location; for staff that accepts returns, also those that have left other locations. */
static bool is_shown(const struct call *call, const struct scan *scan, const struct fulfillment *fulfillment) {
        const char *channel = call->claims->channel;

        if (text_equal(fulfillment->location, call_code(call, 0)))
                return true;
        return scan->scanned.returns && fulfillment_has_left(fulfillment) &&
               (!channel || text_equal(channel, fulfillment->order->channel));
}

static void write_order_matches(
        struct writer *json, struct call *call, const struct scan *scan, const struct work *work, timestamp now) {
        const struct order *order = order_find(&work->set, &scan->scanned.orders[0]);

        for (size_t i = 0; order && i < order->n_fulfillments; i++)
                if (is_shown(call, scan, order->fulfillments[i]))
                        write_match(json, call, order->fulfillments[i], work, now);
}

static const struct fulfillment *fulfillment_here(
        const struct call *call, const struct scan *scan, const struct work *work) {
        const struct fulfillment *fulfillment = NULL;

        if (scan->kind == SCAN_FULFILLMENT || scan->kind == SCAN_PICKUP_CODE)
                fulfillment = fulfillment_find(&work->set, &scan->id);
        return fulfillment && is_shown(call, scan, fulfillment) ? fulfillment : NULL;
}

static void scan_one(struct call *call, const struct scan *scan, const struct work *work, timestamp now) {
        const struct fulfillment *fulfillment = fulfillment_here(call, scan, work);
        const bool nothing = scan->kind == SCAN_FULFILLMENT && !fulfillment;
        struct reply_writer w;

        reply_begin(&w, call, 200);
        write_text_member(&w.json, "kind", nothing ? NULL : kind_texts[scan->kind]);
        write_name(&w.json, "matches");
        write_list_begin(&w.json);
        if (fulfillment)
                write_match(&w.json, call, fulfillment, work, now);
        if (scan->kind == SCAN_ORDER)
                write_order_matches(&w.json, call, scan, work, now);
        for (size_t i = 0; scan->kind == SCAN_PRODUCT && i < scan->scanned.n_skus; i++) {
                const struct product *product = catalog_find_product(&work->catalog, scan->scanned.skus[i]);

                if (product)
                        write_product(&w.json, product);
        }
        write_list_end(&w.json);
        reply_end(&w);
}

static enum problem scan_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++)
                if (batch->calls[i]->work)
                        scan_one(batch->calls[i], batch->calls[i]->work, batch->work, batch->now);
        return PROBLEM_NONE;
}

const struct operation queue_scan = { .load = scan_load, .decide = scan_decide };
