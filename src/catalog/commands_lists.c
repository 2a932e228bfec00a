#include "catalog/commands.h"

/* ---- queries ---- */

struct channels_query {
        struct page_query page;
};

struct locations_query {
        struct page_query page;
        int capability, kind; /* -1: any */
        const char *q;        /* may be NULL */
};

struct products_query {
        struct page_query page;
        const char *gtin, *q; /* may be NULL */
};

static const struct shape_member channels_query_members[] = { PAGE_MEMBERS(struct channels_query) };
const struct shape channels_query_shape = SHAPE(struct channels_query, channels_query_members);

static const struct shape_member locations_query_members[] = {
        PAGE_MEMBERS(struct locations_query),
        OPTIONAL(ENUM, struct locations_query, capability, .names = capability_names),
        OPTIONAL(ENUM, struct locations_query, kind, .names = location_kinds),
        OPTIONAL(TEXT, struct locations_query, q, BETWEEN(1, SEARCH_MAX)),
};
const struct shape locations_query_shape = SHAPE(struct locations_query, locations_query_members);

static const struct shape_member products_query_members[] = {
        PAGE_MEMBERS(struct products_query),
        OPTIONAL(TEXT, struct products_query, gtin, BETWEEN(0, GTIN_TEXT_MAX)),
        OPTIONAL(TEXT, struct products_query, q, BETWEEN(1, SEARCH_MAX)),
};
const struct shape products_query_shape = SHAPE(struct products_query, products_query_members);

/* ---- the four kinds ---- */

struct list_kind {
        void (*filter)(struct call *call, struct catalog_filter *filter, struct catalog_set *set);
        void (*ask)(struct database *database, const struct catalog_filter *filter, struct catalog_set *set);
        size_t (*count)(const struct catalog_set *set);
        const char *(*key)(const struct catalog_set *set, size_t i);
        void (*write)(struct writer *json, const struct catalog_set *set, size_t i);
};

static void channels_filter(struct call *call, struct catalog_filter *filter, struct catalog_set *set) {
        (void) set;
        filter->channel = call->claims->channel;
}

static size_t channels_count(const struct catalog_set *set) {
        return set->n_channels;
}

static const char *channels_key(const struct catalog_set *set, size_t i) {
        return set->channels[i].code;
}

static void channel_element_write(struct writer *json, const struct catalog_set *set, size_t i) {
        write_channel(json, &set->channels[i]);
}

static const struct list_kind channels_kind = { channels_filter, channels_page, channels_count, channels_key,
        channel_element_write };

/* The channel is looked up as well: an empty list of a channel and an unknown channel are different answers. */
static void listings_filter(struct call *call, struct catalog_filter *filter, struct catalog_set *set) {
        filter->channel = call_code(call, 0);
        catalog_want_channel(set, call_code(call, 0));
}

static size_t listings_count(const struct catalog_set *set) {
        return set->n_listings;
}

static const char *listings_key(const struct catalog_set *set, size_t i) {
        return set->listings[i].sku;
}

static void listing_element_write(struct writer *json, const struct catalog_set *set, size_t i) {
        write_listing(json, &set->listings[i]);
}

static const struct list_kind listings_kind = { listings_filter, listings_page, listings_count, listings_key,
        listing_element_write };

static void locations_filter(struct call *call, struct catalog_filter *filter, struct catalog_set *set) {
        const struct locations_query *query = call->query;

        (void) set;
        filter->all_codes = call->claims->all_locations;
        filter->codes = call->claims->locations;
        filter->n_codes = call->claims->n_locations;
        filter->capability = query->capability < 0 ? NULL : capability_names[query->capability];
        filter->kind = query->kind < 0 ? NULL : location_kinds[query->kind];
        filter->search = query->q;
}

static size_t locations_count(const struct catalog_set *set) {
        return set->n_locations;
}

static const char *locations_key(const struct catalog_set *set, size_t i) {
        return set->locations[i].code;
}

static void location_element_write(struct writer *json, const struct catalog_set *set, size_t i) {
        write_location(json, &set->locations[i]);
}

static const struct list_kind locations_kind = { locations_filter, locations_page, locations_count, locations_key,
        location_element_write };

static void products_filter(struct call *call, struct catalog_filter *filter, struct catalog_set *set) {
        const struct products_query *query = call->query;

        (void) set;
        filter->gtin = query->gtin ? gtin_from(query->gtin, "#/gtin", &call->arena, &call->refusal) : NULL;
        filter->search = query->q;
}

void products_list_check(struct call *call) {
        const struct products_query *query = call->query;

        if (query->gtin && !gtin_from(query->gtin, "#/gtin", &call->arena, &call->refusal))
                call_refuse(call, PROBLEM_INVALID_PARAMETER,
                        "The parameter gtin must be a GTIN or a GS1 Digital Link with a valid check digit.");
}

static size_t products_count(const struct catalog_set *set) {
        return set->n_products;
}

static const char *products_key(const struct catalog_set *set, size_t i) {
        return set->products[i].sku;
}

static void product_element_write(struct writer *json, const struct catalog_set *set, size_t i) {
        write_product(json, &set->products[i]);
}

static const struct list_kind products_kind = { products_filter, products_page, products_count, products_key,
        product_element_write };

/* ---- parts common to the four kinds ---- */

/* The page of one call. */
struct list {
        struct page page;
        struct catalog_set set;
};

static enum problem catalog_list_begin(
        struct batch *batch, struct call *call, const struct cursor_key *key, const struct list_kind *kind) {
        struct list *list = arena_new(batch->arena, struct list);
        struct catalog_filter filter = { 0 };

        if (!list)
                return FAULT_BUSY;
        call->work = list;
        catalog_init(&list->set, batch->arena);
        if (!page_begin(&list->page, call, key, /* n_parts= */ 1))
                return PROBLEM_NONE;
        filter.after = list->page.after[0];
        filter.limit = list->page.limit + 1;
        kind->filter(call, &filter, &list->set);
        kind->ask(batch->database, &filter, &list->set);
        return catalog_load(batch->database, &list->set);
}

static enum problem catalog_list_load(struct batch *batch, const struct list_kind *kind) {
        const struct cursor_key *key = NULL;
        enum problem p = pages_load(batch, &key);

        for (size_t i = 0; !p && i < batch->n_calls; i++)
                p = catalog_list_begin(batch, batch->calls[i], key, kind);
        return p;
}

/* A page ends with its last row, or when the reply has grown large. */
static void list_reply(struct call *call, const struct list_kind *kind) {
        const struct list *list = call->work;
        const size_t n = kind->count(&list->set);
        const char *last = NULL;
        struct reply_writer w;
        size_t i;

        reply_begin(&w, call, 200);
        write_name(&w.json, "data");
        write_list_begin(&w.json);
        for (i = 0; i < n && i < (size_t) list->page.limit && w.buffer.size < PAGE_SIZE_MAX; i++) {
                write_object_begin(&w.json);
                kind->write(&w.json, &list->set, i);
                write_object_end(&w.json);
                last = kind->key(&list->set, i);
        }
        write_list_end(&w.json);
        page_end(&w, &list->page, i < n ? &last : NULL);
        reply_end(&w);
}

static enum problem catalog_list_decide(struct batch *batch, const struct list_kind *kind) {
        for (size_t i = 0; i < batch->n_calls; i++)
                if (!batch->calls[i]->refusal.problem)
                        list_reply(batch->calls[i], kind);
        return PROBLEM_NONE;
}

static enum problem channels_load(struct batch *batch) {
        return catalog_list_load(batch, &channels_kind);
}

static enum problem channels_decide(struct batch *batch) {
        return catalog_list_decide(batch, &channels_kind);
}

const struct operation channels_list = { .load = channels_load, .decide = channels_decide };

static enum problem listings_load(struct batch *batch) {
        return catalog_list_load(batch, &listings_kind);
}

static enum problem listings_decide(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++) {
                struct call *call = batch->calls[i];
                const struct list *list = call->work;

                if (!catalog_find_channel(&list->set, call_code(call, 0)) ||
                        !channel_is_visible(call, call_code(call, 0)))
                        call_refuse_unknown(call, "channel", call_code(call, 0));
        }
        return catalog_list_decide(batch, &listings_kind);
}

const struct operation listings_list = { .load = listings_load, .decide = listings_decide };

static enum problem locations_load(struct batch *batch) {
        return catalog_list_load(batch, &locations_kind);
}

static enum problem locations_decide(struct batch *batch) {
        return catalog_list_decide(batch, &locations_kind);
}

const struct operation locations_list = { .load = locations_load, .decide = locations_decide };

static enum problem products_load(struct batch *batch) {
        return catalog_list_load(batch, &products_kind);
}

static enum problem products_decide(struct batch *batch) {
        return catalog_list_decide(batch, &products_kind);
}

const struct operation products_list = { .load = products_load, .decide = products_decide };
