/*
 * The pages that a list or a search reads depend on its answer, not on how many orders were ever placed: each is
 * planned and run, and its pages are counted, on a small and on a tenfold retailer. Pages, not times: the machine does
 * not matter.
 */
#include "fixture.h"
#include "sql/catalog.h"
#include "sql/erasure.h"
#include "sql/orders.h"
#include "sql/returns.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL        3000
#define LARGE        30000
#define PARAMETERS   16
#define CALLS_MAX    ((size_t) 400)
#define SQL_SIZE_MAX ((size_t) 64 * 1024)
#define SPARE_PAGES  60 /* deeper trees, one more page of a heap here and there */
#define SPARE_LOOKED                                                                                                   \
        (4 * 100) /* pages of the orders that a search looks at one by one, where a small stream has fewer */
#define EVERY_LOCATION "{everywhere}"

TestSuite(growth, .init = store_open, .fini = store_close, .timeout = 300);

struct measured {
        const char *name;
        const struct statement *statement;
        const char *values[PARAMETERS];
        int n;
        int64_t pages[2];
};

struct retailer {
        struct measured calls[CALLS_MAX];
        size_t n;
        int64_t spare;
};

/* ---- filling ---- */

static void fill(const char *sql, int from, int to) {
        char first[16], last[16];
        const char *const values[] = { first, last };

        (void) snprintf(first, sizeof(first), "%d", from);
        (void) snprintf(last, sizeof(last), "%d", to);
        database_ask_values(store_database, sql, array_size(values), values, NULL, NULL);
        store_trip();
}

/* Order n: three channels; one in 100 is cancelled, but never at "everywhere", which has nine of ten; "corner" has the
 * others. One in three is as it was placed. Names repeat, addresses do not. The ids and times grow with n. */
#define NUMBERED                                                                                                        \
        " from (select n, lpad(to_hex(n), 32, '0')::uuid as id, timestamptz '2027-01-01' + n * interval '1 min' as at," \
        " (array['web','web','app','shop'])[1 + n % 4] as channel,"                                                     \
        " case when n % 10 = 0 then 'corner' else 'everywhere' end as location,"                                        \
        " case when n % 100 = 0 then 'cancelled' else 'fulfilled' end as status"                                        \
        " from generate_series($1::bigint, $2::bigint) as n) as numbered"

static void orders_fill(int from, int to) {
        fill("insert into orders (id, order_number, channel, external_ref, status, payment_status, currency, customer,"
             " subtotal, discount, shipping, tax, tax_included, total, actor, placed_at, updated_at)"
             " select id, 'N-' || n, channel, 'ref-' || n, status, 'captured', 'EUR',"
             " jsonb_build_object('name', 'Ada ' || initcap(translate((n % 997)::text, '0123456789', 'bdfgklmnpr'))"
             "        || ' van Dyk', 'email', 'ada.' || n || '@example.com', 'phone', '+4930' || (1000000 + n),"
             "        'customer_id', 'c-' || n),"
             " 1, 0, 0, 0, true, 1, 'test', at, at + n % 3 * interval '1 s'" NUMBERED,
                from, to);
        fill("insert into order_places (order_id, location, channel, status, placed_at, updated_at)"
             " select id, location, channel, status, at, at + n % 3 * interval '1 s'" NUMBERED,
                from, to);
        fill("insert into order_search (order_id, version, placed_at, words, slices)"
             " select o.id, o.version, o.placed_at, order_words(o.customer, o.order_number, o.external_ref),"
             "        order_slices(o.placed_at)"
             " from orders o where o.id between lpad(to_hex($1::bigint), 32, '0')::uuid"
             "                              and lpad(to_hex($2::bigint), 32, '0')::uuid",
                from, to);
        fill("insert into returns (id, return_number, order_id, location, status, by_post, overridden, actor, created_at,"
             " updated_at, channel)"
             " select id, 'R-' || n, id, location, case status when 'cancelled' then 'lost' else 'received' end, true,"
             " false, 'test', at, at, channel" NUMBERED,
                from, to);
        fill("insert into products (sku, title, returnable, attributes, created_at, updated_at)"
             " select 'SKU-' || lpad(n::text, 8, '0'), 'Rain jacket ' || n, true, '{}', at, at" NUMBERED,
                from, to);
}

/* ---- counting pages ---- */

/* The first node sums up all: "Buffers: shared hit=12 read=3". */
static enum problem pages_read(struct rows *rows, void *into) {
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct row row = row_at(rows, i);
                const char *line = row_text(&row), *buffers = strstr(line, "Buffers: shared"), *hit, *read;

                if (!buffers)
                        continue;
                hit = strstr(buffers, "hit=");
                read = strstr(buffers, "read=");
                *(int64_t *) into = (hit ? strtoll(hit + 4, NULL, 10) : 0) + (read ? strtoll(read + 5, NULL, 10) : 0);
                return PROBLEM_NONE;
        }
        return PROBLEM_NONE;
}

static int64_t pages_of(const struct measured *call) {
        static char sql[SQL_SIZE_MAX];
        int64_t pages = -1;

        (void) snprintf(sql, sizeof(sql), "explain (analyze, buffers) %s", call->statement->sql);
        database_ask_values(store_database, sql, call->n, call->values, pages_read, &pages);
        store_trip();
        return pages;
}

/* Lists are planned by the planner, as on the connections of their lane. */
static void plan_freely(void) {
        store_execute("set local enable_seqscan = on");
        store_execute("set local enable_hashjoin = on");
        store_execute("set local enable_mergejoin = on");
}

static void measure_all(struct retailer *retailer, size_t place) {
        static const char *const tables[] = { "orders", "order_places", "order_search", "returns", "products" };
        char sql[64];

        for (size_t i = 0; i < array_size(tables); i++) {
                (void) snprintf(sql, sizeof(sql), "analyze %s", tables[i]);
                store_execute(sql);
        }
        for (size_t i = 0; i < retailer->n; i++)
                retailer->calls[i].pages[place] = pages_of(&retailer->calls[i]);
}

static void call_add(struct retailer *retailer, const char *name, const struct statement *statement, int n,
        const char *const values[]) {
        struct measured *call = &retailer->calls[retailer->n++];

        cr_assert_lt(retailer->n, CALLS_MAX);
        *call = (struct measured){ .name = name, .statement = statement, .n = n };
        for (int i = 0; i < n; i++)
                call->values[i] = values[i];
}

/* Fails for each call whose pages grow with the retailer. */
static void grow_and_compare(struct retailer *retailer) {
        plan_freely();
        orders_fill(1, SMALL);
        measure_all(retailer, 0);
        orders_fill(SMALL + 1, LARGE);
        measure_all(retailer, 1);
        for (size_t i = 0; i < retailer->n; i++) {
                const struct measured *call = &retailer->calls[i];

                cr_expect_geq(call->pages[0], 0, "%s of %s was not measured", call->name, call->statement->name);
                cr_expect_leq(call->pages[1], 2 * call->pages[0] + SPARE_PAGES + retailer->spare,
                        "%s of %s reads %" PRId64 " pages at %d orders, %" PRId64 " at %d", call->name,
                        call->statement->name, call->pages[1], LARGE, call->pages[0], SMALL);
        }
}

static struct retailer *retailer_new(void) {
        struct retailer *retailer = arena_new(&store_arena, struct retailer);

        cr_assert_not_null(retailer);
        return retailer;
}

/* ---- orders ---- */

static const struct {
        const char *name, *channel, *statuses, *locations;
} order_filters[] = {
        { "no filter", NULL, NULL, NULL },
        { "a status that most have", NULL, "{fulfilled}", NULL },
        { "a rare status", NULL, "{cancelled}", NULL },
        { "a status that none has", NULL, "{partially_fulfilled}", NULL },
        { "two statuses", NULL, "{fulfilled,open}", NULL },
        { "a channel", "web", NULL, NULL },
        { "a channel that has none", "none", NULL, NULL },
        { "a channel and a rare status", "shop", "{cancelled}", NULL },
        { "a small location", NULL, NULL, "{corner}" },
        { "a large location", NULL, NULL, EVERY_LOCATION },
        { "a location that has none", NULL, NULL, "{nowhere}" },
        { "two locations", NULL, NULL, "{corner,everywhere}" },
        { "a large location and a status that none has there", NULL, "{cancelled}", EVERY_LOCATION },
        { "a large location and a channel that has none", "none", NULL, EVERY_LOCATION },
        { "a small location, a channel and a rare status", "web", "{cancelled}", "{corner}" },
};

/* The first page; behind all but a few orders. */
static const char *const first[] = { NULL, NULL };
static const char *const last_placed[] = { "2027-01-01T00:20:00Z", "ffffffff-ffff-ffff-ffff-ffffffffffff" };

static void order_lists_add(struct retailer *retailer, const char *words, const char *const after[2], bool by_change) {
        for (size_t i = 0; i < array_size(order_filters); i++) {
                const char *const values[PARAMETERS] = { order_filters[i].channel, order_filters[i].statuses, NULL,
                        NULL, words, order_filters[i].locations, after[0], after[1], "21", NULL, NULL,
                        by_change ? "2027-01-01T00:00:00Z" : NULL, "N-1500", "{49301000777}", "1000", "100" };

                if (words)
                        call_add(retailer, order_filters[i].name,
                                by_change ? &sql_orders_search_changed : &sql_orders_search, PARAMETERS, values);
                else
                        call_add(retailer, order_filters[i].name, by_change ? &sql_orders_changed : &sql_orders_page,
                                PARAMETERS - 4, values);
        }
}

Test(growth, lists_of_orders_read_as_much_at_a_tenfold_retailer) {
        struct retailer *retailer = retailer_new();

        for (int by_change = 0; by_change < 2; by_change++)
                order_lists_add(retailer, NULL, first, by_change);
        order_lists_add(retailer, NULL, last_placed, /* by_change= */ false);
        grow_and_compare(retailer);
}

/* Words that one order has, that all have, and that none has. */
Test(growth, searches_of_orders_read_as_much_at_a_tenfold_retailer) {
        static const char *const words[] = { "ada.777@example.com", "example.com", "nothing such", "ref-1234",
                "van dyk" };
        struct retailer *retailer = retailer_new();

        retailer->spare = SPARE_LOOKED;
        for (size_t i = 0; i < array_size(words); i++) {
                order_lists_add(retailer, words[i], first, /* by_change= */ false);
                order_lists_add(retailer, words[i], last_placed, /* by_change= */ false);
        }
        order_lists_add(retailer, "ada.777@example.com", first, /* by_change= */ true);
        order_lists_add(retailer, "nothing such", first, /* by_change= */ true);
        grow_and_compare(retailer);
}

Test(growth, orders_that_are_named_are_read_alone) {
        static const struct {
                const char *name;
                int place;
                const char *value;
        } names[] = { { "external_ref without a channel", 2, "ref-1500" }, { "no such external_ref", 2, "ref-0" },
                { "order number", 3, "N-1500" }, { "e-mail", 9, "ADA.777@example.com" },
                { "no such e-mail", 9, "nobody@example.com" }, { "phone", 10, "{49301000777}" },
                { "phone in each spelling", 10, "{49301000777,0301000777,490301000777}" }, { "no phone", 10, "{}" } };
        struct retailer *retailer = retailer_new();

        for (size_t i = 0; i < array_size(names); i++) {
                const char *values[PARAMETERS - 2] = { [8] = "21" };

                values[names[i].place] = names[i].value;
                call_add(retailer, names[i].name, &sql_orders_named, PARAMETERS - 2, values);
                values[11] = "2027-01-01T00:00:00Z";
                call_add(retailer, names[i].name, &sql_orders_named_changed, PARAMETERS - 2, values);
        }
        grow_and_compare(retailer);
}

Test(growth, the_orders_of_a_customer_are_found_by_each_of_the_names) {
        static const char *const values[][5] = { { "c-777" }, { NULL, "Ada.777@example.com" },
                { NULL, NULL, "49301000777" }, { NULL, NULL, NULL, "ref-7", "N-1" }, { "nobody" } };
        struct retailer *retailer = retailer_new();

        for (size_t i = 0; i < array_size(values); i++)
                call_add(retailer, "a customer", &sql_erasure_find_person, 5, values[i]);
        grow_and_compare(retailer);
}

/* ---- returns and products ---- */

Test(growth, lists_of_returns_read_as_much_at_a_tenfold_retailer) {
        static const struct {
                const char *name, *order_number, *return_number, *locations, *statuses, *channel, *lead;
        } filters[] = {
                { "no filter", NULL, NULL, NULL, NULL, NULL, "state" },
                { "a rare status", NULL, NULL, NULL, "{lost}", NULL, "state" },
                { "a status that none has", NULL, NULL, NULL, "{authorized}", NULL, "state" },
                { "a channel that has none", NULL, NULL, NULL, NULL, "none", "state" },
                { "a small location", NULL, NULL, "{corner}", NULL, NULL, "place" },
                { "a large location and a status that none has there", NULL, NULL, EVERY_LOCATION, "{lost}", NULL,
                        "place" },
                { "an order number", "N-1500", NULL, NULL, NULL, NULL, "order" },
                { "a return number", NULL, "R-1500", NULL, NULL, NULL, "number" },
                { "no such return number", NULL, "R-0", NULL, NULL, NULL, "number" },
        };
        struct retailer *retailer = retailer_new();

        for (size_t i = 0; i < 2 * array_size(filters); i++) {
                const size_t f = i / 2;
                const char *const *after = i % 2 ? last_placed : first;
                const char *const values[] = { NULL, filters[f].order_number, filters[f].return_number,
                        filters[f].locations, filters[f].statuses, filters[f].channel, after[0], after[1], "21",
                        filters[f].lead };

                call_add(retailer, filters[f].name, &sql_returns_page, array_size(values), values);
        }
        grow_and_compare(retailer);
}

Test(growth, searches_of_products_read_as_much_at_a_tenfold_retailer) {
        static const char *const words[] = { "rain", "jacket 777", "nothing", "SKU-000007", "SKU" };
        static const char *const after[] = { NULL, "SKU-00001500" };
        struct retailer *retailer = retailer_new();

        for (size_t i = 0; i < 2 * array_size(words); i++) {
                const char *const values[] = { after[i % 2], "21", NULL, words[i / 2], "500" };

                call_add(retailer, words[i / 2], &sql_products_search, array_size(values), values);
        }
        for (size_t i = 0; i < 2; i++) {
                const char *const values[] = { after[i], "21", i ? "6291041500213" : NULL };

                call_add(retailer, "a page", &sql_products_page, array_size(values), values);
        }
        grow_and_compare(retailer);
}

/* All open orders of three channels wait for payment; ten of them are overdue, by a named deadline or by the policy.
 * The job runs each second with pinned plans. */
static int64_t pages_of_overdue(int from, int to) {
        static const struct measured call = {
                .name = "overdue", .statement = &sql_orders_unpaid, .values = { "32", "3600" }, .n = 2
        };

        orders_fill(from, to);
        fill("update orders o set status = 'open', payment_status = 'pending', unpaid_since = statement_timestamp()" NUMBERED
             " where o.id = numbered.id",
                from, to);
        store_execute("update orders set unpaid_since = statement_timestamp() - interval '2 hours'"
                      " where order_number in ('N-1', 'N-2', 'N-3', 'N-4', 'N-5')");
        store_execute(
                "update orders set payment_due_at = statement_timestamp() - interval '2 hours', unpaid_since = null"
                " where order_number in ('N-6', 'N-7', 'N-8', 'N-9', 'N-10')");
        store_execute("analyze orders");
        return pages_of(&call);
}

Test(growth, the_job_that_finds_overdue_orders_reads_those_alone) {
        int64_t small, large;

        store_execute("insert into channels (code, name, kind, created_at, updated_at)"
                      " select code, code, 'web', now(), now() from unnest('{web,app,shop}'::text[]) as code");
        small = pages_of_overdue(1, SMALL);
        large = pages_of_overdue(SMALL + 1, LARGE);
        cr_assert_gt(small, 0);
        cr_assert_leq(large, 2 * small + SPARE_PAGES, "%" PRId64 " pages at %d orders, %" PRId64 " at %d", large, LARGE,
                small, SMALL);
}

Test(growth, a_list_that_grows_is_noticed) {
        static const struct statement whole_table = { .name = "whole_table",
                .sql = "select count(*) from orders o where o.total > $1::bigint" };
        struct measured call = { .name = "", .statement = &whole_table, .values = { "0" }, .n = 1 };
        int64_t before;

        plan_freely();
        orders_fill(1, SMALL);
        before = pages_of(&call);
        orders_fill(SMALL + 1, 3 * SMALL);
        cr_assert_gt(pages_of(&call), 2 * before + SPARE_PAGES);
}
