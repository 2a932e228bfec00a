#include "catalog/commands.h"

/* ---- queries ---- */

struct locations_query {
        struct page_query page;
        int capability, kind; /* -1: any */
        const char *q;        /* may be NULL */
};

struct products_query {
        struct page_query page;
        const char *gtin, *q; /* may be NULL */
};

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

/* ---- the four lists ---- */

/* The page of one call. */
struct catalog_page {
        struct page page;
        struct catalog_set set;
};

static struct catalog_page *catalog_page_begin(
        struct batch *batch, struct page *page, struct catalog_filter *ret_filter) {
        struct catalog_page *mine = (struct catalog_page *) page;

        catalog_init(&mine->set, batch->arena);
        *ret_filter = (struct catalog_filter){ .after = page->after[0], .limit = page->limit + 1 };
        return mine;
}

static const struct catalog_set *page_set(const struct page *page) {
        return &((const struct catalog_page *) page)->set;
}

static void element_write(struct writer *json, const struct page *page, const void *row) {
        const struct catalog_list *list = page->call->route->kind;

        write_object_begin(json);
        list->record->write(json, row);
        write_object_end(json);
}

static void element_key(const struct page *page, const void *row, struct arena *arena, const char **ret_parts) {
        const struct catalog_list *list = page->call->route->kind;

        (void) arena;
        ret_parts[0] = *(const char *const *) ((const char *) row + list->record->code);
}

#define LIST_OF_RECORDS .size = sizeof(struct catalog_page), .n_parts = 1, .write = element_write, .key = element_key

/* ---- channels ---- */

static enum problem channels_ask(struct batch *batch, struct call *call, struct page *page) {
        struct catalog_filter filter;
        struct catalog_page *mine = catalog_page_begin(batch, page, &filter);

        filter.channel = call->claims->channel;
        channels_page(batch->database, &filter, &mine->set);
        return PROBLEM_NONE;
}

static const void *channel_row(const struct page *page, size_t i) {
        const struct catalog_set *set = page_set(page);

        return i < set->n_channels ? &set->channels[i] : NULL;
}

const struct catalog_list channels_list = { .record = &channel_record,
        .list = { LIST_OF_RECORDS, .ask = channels_ask, .row = channel_row } };

/* ---- listings ---- */

/* The channel is looked up as well: an empty list of a channel and an unknown channel are different answers. */
static enum problem listings_ask(struct batch *batch, struct call *call, struct page *page) {
        struct catalog_filter filter;
        struct catalog_page *mine = catalog_page_begin(batch, page, &filter);

        filter.channel = call_code(call, 0);
        listings_page(batch->database, &filter, &mine->set);
        catalog_want_channel(&mine->set, call_code(call, 0));
        return catalog_load(batch->database, &mine->set);
}

static bool listings_check(struct call *call, const struct page *page) {
        if (catalog_find_channel(page_set(page), call_code(call, 0)) && channel_is_visible(call))
                return true;
        call_refuse_unknown(call, "channel", call_code(call, 0));
        return false;
}

static const void *listing_row(const struct page *page, size_t i) {
        const struct catalog_set *set = page_set(page);

        return i < set->n_listings ? &set->listings[i] : NULL;
}

const struct catalog_list listings_list = { .record = &listing_record,
        .list = { LIST_OF_RECORDS, .ask = listings_ask, .check = listings_check, .row = listing_row } };

/* ---- locations ---- */

static enum problem locations_ask(struct batch *batch, struct call *call, struct page *page) {
        const struct locations_query *query = call->query;
        struct catalog_filter filter;
        struct catalog_page *mine = catalog_page_begin(batch, page, &filter);

        filter.all_codes = call->claims->all_locations;
        filter.codes = call->claims->locations;
        filter.n_codes = call->claims->n_locations;
        filter.capability = query->capability < 0 ? NULL : capability_names[query->capability];
        filter.kind = query->kind < 0 ? NULL : location_kinds[query->kind];
        filter.search = query->q;
        locations_page(batch->database, &filter, &mine->set);
        return PROBLEM_NONE;
}

static const void *location_row(const struct page *page, size_t i) {
        const struct catalog_set *set = page_set(page);

        return i < set->n_locations ? &set->locations[i] : NULL;
}

const struct catalog_list locations_list = { .record = &location_record,
        .list = { LIST_OF_RECORDS, .ask = locations_ask, .row = location_row } };

/* ---- products ---- */

void products_list_check(struct call *call) {
        const struct products_query *query = call->query;

        if (query->gtin && !gtin_from(query->gtin, "#/gtin", &call->arena, &call->refusal))
                call_refuse(call, PROBLEM_INVALID_PARAMETER,
                        "The parameter gtin must be a GTIN or a GS1 Digital Link with a valid check digit.");
}

static enum problem products_ask(struct batch *batch, struct call *call, struct page *page) {
        const struct products_query *query = call->query;
        struct catalog_filter filter;
        struct catalog_page *mine = catalog_page_begin(batch, page, &filter);

        filter.gtin = query->gtin ? gtin_from(query->gtin, "#/gtin", &call->arena, &call->refusal) : NULL;
        filter.search = query->q;
        products_page(batch->database, &filter, &mine->set);
        return PROBLEM_NONE;
}

static const void *product_row(const struct page *page, size_t i) {
        const struct catalog_set *set = page_set(page);

        return i < set->n_products ? &set->products[i] : NULL;
}

const struct catalog_list products_list = { .record = &product_record,
        .list = { LIST_OF_RECORDS, .ask = products_ask, .row = product_row } };
