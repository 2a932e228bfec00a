/* Each test migrates a separate schema, which is dropped at its end. */
#include "fixture.h"

#include "../unit/dice.h"
#include "db/migrate.h"
#include "db/session.h"
#include "orders/orders.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATORS 4

static char schema[32];
static struct database_settings settings;
static struct database *database;

static struct database *connected(void) {
        struct database *made = database_new(&settings);

        cr_assert_eq(database_connect(made), PROBLEM_NONE, "%s", database_message(made));
        return made;
}

static void set_up(void) {
        const struct uuid random = uuid_random();

        (void) snprintf(schema, sizeof(schema), "test_%02x%02x%02x%02x", random.bytes[0], random.bytes[1],
                random.bytes[2], random.bytes[3]);
        settings = (struct database_settings){ .url = getenv("HOLDFAST_DATABASE_URL"),
                .schema = schema,
                .name = "migrate test",
                .plans = PLANS_FREE,
                .unprepared = true };
        database = connected();
}

static void execute(const char *sql) {
        database_ask_text(database, sql, NULL, NULL);
        cr_assert_eq(
                database_trip(database, clock_monotonic() + MINUTE), PROBLEM_NONE, "%s", database_message(database));
}

static void tear_down(void) {
        char drop[64];

        database = database_close(database);
        database = connected();
        (void) snprintf(drop, sizeof(drop), "drop schema if exists %s cascade", schema);
        execute(drop);
        database = database_close(database);
}

TestSuite(migrate, .init = set_up, .fini = tear_down);

static int announced;

static void announce(const struct migration *migration) {
        cr_assert_eq(migration->version, ++announced);
}

static enum problem migrate(struct migrate_report *report) {
        announced = 0;
        *report = (struct migrate_report){ -1, -1 };
        return migrate_to_head(database, schema, announce, report);
}

static void migrated(void) {
        struct migrate_report report;

        cr_assert_eq(migrate(&report), PROBLEM_NONE, "%s", database_message(database));
        cr_assert_eq(report.to, schema_head());
}

static int version(void) {
        struct schema_state state = { -1, -1 };

        cr_assert_eq(schema_look(database, schema, clock_monotonic() + MINUTE, &state), PROBLEM_NONE);
        return state.version;
}

/* A migration recorded by a newer program. */
static void migrated_tomorrow(const char *compatible) {
        char insert[192];

        migrated();
        (void) snprintf(insert, sizeof(insert),
                "insert into schema_migration (version, name, digest, compatible) values (%d, 'tomorrow', 'x', %s)",
                schema_head() + 1, compatible);
        execute(insert);
}

/* Connect as a lane does, to work on the schema. */
static enum problem work(struct database **ret_worker) {
        static struct database_settings at_work;

        at_work = settings;
        at_work.unprepared = false;
        *ret_worker = database_new(&at_work);
        return database_connect(*ret_worker);
}

Test(migrate, an_empty_database_is_brought_to_head_step_by_step) {
        struct migrate_report report;

        cr_assert_eq(version(), 0);
        cr_assert_eq(migrate(&report), PROBLEM_NONE, "%s", database_message(database));
        cr_assert_eq(report.from, 0);
        cr_assert_eq(report.to, schema_head());
        cr_assert_eq(announced, schema_head());
        cr_assert_eq(version(), schema_head());
        execute("select from stock, reservations, idempotency");
}

Test(migrate, a_second_time_there_is_nothing_to_do) {
        struct migrate_report report;

        migrated();
        cr_assert_eq(migrate(&report), PROBLEM_NONE);
        cr_assert_eq(report.from, schema_head());
        cr_assert_eq(report.to, schema_head());
        cr_assert_eq(announced, 0);
}

Test(migrate, missing_migrations_run_and_existing_rows_stay) {
        struct migrate_report report;

        migrated();
        execute("insert into channels (code, name, kind, created_at, updated_at) values ('web', 'Web', 'web', now(), now())");
        cr_assert_eq(migrate(&report), PROBLEM_NONE);
        execute("delete from channels where code = 'web' and 1 / (select count(*) from channels) = 1");
}

static void *migrate_too(void *context) {
        struct database *mine = connected();
        struct migrate_report report = { -1, -1 };
        enum problem *p = context;

        *p = migrate_to_head(mine, schema, NULL, &report);
        if (!*p && report.to != schema_head())
                *p = PROBLEM_INTERNAL;
        mine = database_close(mine);
        return NULL;
}

Test(migrate, several_at_once_do_it_once) {
        pthread_t threads[MIGRATORS];
        enum problem problems[MIGRATORS];

        for (int i = 0; i < MIGRATORS; i++)
                cr_assert_eq(pthread_create(&threads[i], NULL, migrate_too, &problems[i]), 0);
        for (int i = 0; i < MIGRATORS; i++)
                cr_assert_eq(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < MIGRATORS; i++)
                cr_assert_eq(problems[i], PROBLEM_NONE);
        cr_assert_eq(version(), schema_head());
}

Test(migrate, a_newer_schema_is_not_touched) {
        struct migrate_report report;

        migrated();
        execute("insert into schema_migration (version, name, digest) values (999999, 'tomorrow', 'x')");
        cr_assert_eq(migrate(&report), FAULT_STALE);
        cr_assert_eq(announced, 0);
        cr_assert_eq(version(), 999999);
}

Test(migrate, a_newer_schema_that_is_compatible_is_left_as_it_is) {
        struct migrate_report report;

        migrated_tomorrow("true");
        cr_assert_eq(migrate(&report), PROBLEM_NONE);
        cr_assert_eq(announced, 0);
        cr_assert_eq(report.to, schema_head() + 1);
}

Test(migrate, no_program_works_on_a_schema_with_newer_incompatible_steps) {
        struct database *worker = NULL;

        migrated_tomorrow("false");
        cr_assert_eq(work(&worker), FAULT_LOST);
        cr_assert(strstr(database_message(worker), "use the program that migrated it"), "%s", database_message(worker));
        worker = database_close(worker);
}

Test(migrate, a_program_works_on_a_newer_schema_that_is_compatible) {
        struct database *worker = NULL;

        migrated_tomorrow("true");
        cr_assert_eq(work(&worker), PROBLEM_NONE, "%s", database_message(worker));
        worker = database_close(worker);
}

Test(migrate, one_step_that_is_not_compatible_among_others_is_enough) {
        struct schema_state state;

        migrated_tomorrow("false");
        execute("insert into schema_migration (version, name, digest, compatible) values (999999, 'later', 'x', true)");
        cr_assert_eq(schema_look(database, schema, clock_monotonic() + MINUTE, &state), PROBLEM_NONE);
        cr_assert_eq(state.version, 999999);
        cr_assert_eq(state.oldest, schema_head() + 1);
        cr_assert_not(schema_fits(&state));
}

/* Early programs recorded no compatibility. */
Test(migrate, a_book_without_declarations_counts_all_its_steps_as_incompatible) {
        struct database *worker = NULL;

        migrated();
        execute("alter table schema_migration drop column compatible");
        cr_assert_eq(work(&worker), PROBLEM_NONE, "%s", database_message(worker));
        worker = database_close(worker);
        execute("insert into schema_migration (version, name, digest) values (999999, 'tomorrow', 'x')");
        cr_assert_eq(work(&worker), FAULT_LOST);
        worker = database_close(worker);
}

Test(migrate, no_program_works_on_a_schema_that_is_too_old) {
        struct database *worker = NULL;

        migrated();
        execute("delete from schema_migration where version > 1");
        cr_assert_eq(work(&worker), FAULT_LOST);
        cr_assert(strstr(database_message(worker), "run holdfast migrate"), "%s", database_message(worker));
        worker = database_close(worker);
}

Test(migrate, a_step_that_is_not_compatible_does_not_run_beside_a_program_at_work) {
        struct database *worker = connected();
        struct migrate_report report;
        bool granted = false;

        schema_share(worker, schema, &granted);
        cr_assert_eq(database_trip(worker, clock_monotonic() + MINUTE), PROBLEM_NONE);
        cr_assert(granted);
        cr_assert_not(migrations[0].compatible);
        cr_assert_eq(migrate(&report), FAULT_RIVAL);
        cr_assert_eq(report.to, 0);
        cr_assert_eq(announced, 0); /* a step that did not run was not announced */
        worker = database_close(worker);
        database = database_close(database); /* its lock and its transaction end with it */
        database = connected();
        cr_assert_eq(version(), 0);
        migrated();
}

Test(migrate, no_program_begins_to_work_while_such_a_step_runs) {
        struct database *worker = NULL;
        bool alone = false;

        migrated();
        database_ask_text(database, "begin", NULL, NULL);
        schema_seize(database, schema, &alone);
        cr_assert_eq(database_trip(database, clock_monotonic() + MINUTE), PROBLEM_NONE);
        cr_assert(alone);
        cr_assert_eq(work(&worker), FAULT_LOST);
        cr_assert_str_eq(database_message(worker), "the schema is being migrated");
        execute("rollback");
        cr_assert_eq(database_connect(worker), PROBLEM_NONE, "%s", database_message(worker));
        worker = database_close(worker);
}

static void execute_on(struct database *other, const char *sql) {
        database_ask_text(other, sql, NULL, NULL);
        cr_assert_eq(database_trip(other, clock_monotonic() + MINUTE), PROBLEM_NONE, "%s", database_message(other));
}

static enum problem waits_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(bool *) into = row_boolean(&row);
        return PROBLEM_NONE;
}

/* Wait until a session waits for the table, or none does. */
static void waiters_awaited(struct database *watcher, bool wanted) {
        bool waits = !wanted;

        while (waits != wanted) {
                database_ask_text(watcher,
                        "select exists (select from pg_locks where relation = 'stock'::regclass and not granted)",
                        waits_read, &waits);
                cr_assert_eq(database_trip(watcher, clock_monotonic() + MINUTE), PROBLEM_NONE);
        }
}

static struct database *reader, *watcher;
static bool may_another_migrate;

static void ask_whether_another_may_migrate(void) {
        const char *const values[] = { schema };

        database_ask_values(watcher, "select pg_try_advisory_lock(hashtextextended('holdfast migrate ' || $1, 0))", 1,
                values, waits_read, &may_another_migrate);
        cr_assert_eq(database_trip(watcher, clock_monotonic() + MINUTE), PROBLEM_NONE);
}

/* A report that reads a table for long. It ends when the migration has waited for the table a second time. */
static void *read_for_long(void *context) {
        (void) context;
        waiters_awaited(watcher, true);
        waiters_awaited(watcher, false);
        waiters_awaited(watcher, true);
        ask_whether_another_may_migrate();
        execute_on(reader, "commit");
        return NULL;
}

static pthread_t reading;

static void begin_to_read_before_stock_changes(const struct migration *migration) {
        if (migration->version != 3) /* 0004_safety_stock is next */
                return;
        execute_on(reader, "begin");
        execute_on(reader, "select from stock");
        cr_assert_eq(pthread_create(&reading, NULL, read_for_long, NULL), 0);
}

/* Sessions that come after a waiting migration wait behind it: so it gives up its place now and then. */
Test(migrate, a_step_waits_for_a_table_in_short_turns_until_it_has_it) {
        struct migrate_report report;

        const int session = database_session(database);

        reader = connected();
        watcher = connected();
        cr_assert_eq(migrate_to_head(database, schema, begin_to_read_before_stock_changes, &report), PROBLEM_NONE, "%s",
                database_message(database));
        cr_assert_eq(pthread_join(reading, NULL), 0);
        cr_assert_eq(report.to, schema_head());
        cr_assert_eq(database_session(database), session);
        cr_assert_not(may_another_migrate);
        reader = database_close(reader);
        watcher = database_close(watcher);
}

Test(migrate, a_step_whose_text_has_changed_is_noticed) {
        struct migrate_report report;

        migrated();
        execute("update schema_migration set digest = repeat('0', 64) where version = 1");
        cr_assert_eq(migrate(&report), FAULT_STALE);
        cr_assert_eq(announced, 0);
}

Test(migrate, a_step_that_fails_leaves_the_schema_as_it_was) {
        struct migrate_report report;
        char obstacle[128];

        (void) snprintf(obstacle, sizeof(obstacle), "create schema %s", schema);
        execute(obstacle);
        execute("create table idempotency (in_the_way text)"); /* the last of the first step */
        cr_assert_neq(migrate(&report), PROBLEM_NONE);
        database = database_close(database);
        database = connected();
        cr_assert_eq(version(), 0);
        execute("drop table idempotency");
        migrated();
}

Test(migrate, every_statement_of_every_step_is_run) {
        for (size_t i = 0; i < migration_count; i++) {
                const char *sql = migrations[i].sql;
                const size_t size = strlen(sql);

                cr_assert_eq(migrations[i].version, (int) i + 1);
                cr_assert_gt(size, 2);
                cr_assert_str_eq(sql + size - 2, ";\n", "%s: the text behind the last \";\" would be left out",
                        migrations[i].name);
        }
}

/* ---- orders from before payments had rows ---- */

#define OLD_ORDERS 300
#define OLD_LINES  4

static struct database *shop;
static struct order old_orders[OLD_ORDERS];
static struct order_line old_lines[OLD_ORDERS][OLD_LINES];
static struct order_discount old_discounts[OLD_ORDERS][2];

static const char *const old_statuses[] = { "pending", "authorized", "captured", "voided" };

static void run_old(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run_old(const char *format, ...) {
        char sql[1024];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(sql, sizeof(sql), format, arguments);
        va_end(arguments);
        execute_on(shop, sql);
}

static void invent_lines(struct order *order, uint64_t *dice) {
        for (size_t i = 0; i < order->n_lines; i++) {
                struct order_line *line = &order->lines[i];

                *line = (struct order_line){ .number = (int64_t) i,
                        .order = order,
                        .quantity = 1 + (int64_t) dice_below(dice, 5),
                        .unit_price = dice_below(dice, 4) ? (int64_t) dice_below(dice, 900) : 0 };
                line->cancelled = order->status == ORDER_CANCELLED
                                          ? line->quantity
                                          : (int64_t) dice_below(dice, (size_t) line->quantity);
                order->subtotal += line->quantity * line->unit_price;
        }
        order->balance.total = order->subtotal;
}

static void invent_discount(struct order *order, uint64_t *dice, int64_t line, int64_t most) {
        struct order_discount *discount = &order->discounts[order->n_discounts];

        if (dice_below(dice, 2))
                return;
        *discount = (struct order_discount){ .amount = (int64_t) dice_below(dice, (size_t) most + 1), .line = line };
        order->n_discounts++;
        order->discount += discount->amount;
        order->balance.total -= discount->amount;
}

static void invent_order(size_t i, uint64_t *dice) {
        struct order *order = &old_orders[i];

        *order = (struct order){ .lines = old_lines[i],
                .n_lines = 1 + dice_below(dice, OLD_LINES),
                .discounts = old_discounts[i],
                .status = i % 4 == 3 || !dice_below(dice, 4) ? ORDER_CANCELLED : ORDER_OPEN,
                .shipping = (int64_t) dice_below(dice, 500),
                .tax = (int64_t) dice_below(dice, 500),
                .tax_included = dice_below(dice, 2) };
        invent_lines(order, dice);
        invent_discount(order, dice, 0, order->lines[0].quantity * order->lines[0].unit_price);
        invent_discount(order, dice, -1, order->balance.total);
        order->balance.total += order->shipping + (order->tax_included ? 0 : order->tax);
}

/* The refund due by the previous program: of captured orders, the shares of all cancelled units. */
static int64_t old_refund_due(const struct order *order) {
        int64_t due = order->status == ORDER_CANCELLED ? order->shipping : 0;

        for (size_t i = 0; i < order->n_lines; i++)
                due += order_line_value(&order->lines[i], 0, order->lines[i].cancelled);
        return due;
}

static void sell(size_t i) {
        const struct order *order = &old_orders[i];
        const char *status = old_statuses[order->status == ORDER_CANCELLED && i % 4 != 2 ? 3 : i % 4];

        run_old("insert into orders (id, order_number, channel, external_ref, status, payment_status, currency, customer,"
                " subtotal, discount, shipping, tax, tax_included, total, refund_due, actor, placed_at, updated_at)"
                " values ('00000000-0000-0000-0000-%012zu', %zu, 'web', %zu, '%s', '%s', 'EUR', '{}', %" PRId64
                ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %s, %" PRId64 ", %" PRId64 ", 'ada', now(), now())",
                i, i, i, order_status_texts[order->status], status, order->subtotal, order->discount, order->shipping,
                order->tax, order->tax_included ? "true" : "false", order->balance.total,
                i % 4 == 2 ? old_refund_due(order) : 0);
        for (size_t j = 0; j < order->n_lines; j++)
                run_old("insert into order_lines (order_id, line, id, sku, title, quantity, unit_price, cancelled) values"
                        " ('00000000-0000-0000-0000-%012zu', %zu, gen_random_uuid(), 'A', 'A', %" PRId64 ", %" PRId64
                        ", %" PRId64 ")",
                        i, j, order->lines[j].quantity, order->lines[j].unit_price, order->lines[j].cancelled);
        for (size_t j = 0; j < order->n_discounts; j++)
                run_old("insert into order_discounts (order_id, number, amount, line) values"
                        " ('00000000-0000-0000-0000-%012zu', %zu, %" PRId64 ", nullif(%" PRId64 ", -1))",
                        i, j, order->discounts[j].amount, order->discounts[j].line);
}

static void sell_before_payments_have_rows(const struct migration *migration) {
        uint64_t dice = 11;

        if (migration->version != 10) /* 0011_money is next */
                return;
        execute_on(shop, "begin");
        for (size_t i = 0; i < OLD_ORDERS; i++) {
                invent_order(i, &dice);
                sell(i);
        }
        execute_on(shop, "commit");
}

static int64_t last_number;

static enum problem number_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        (void) into;
        last_number = row_integer(&row);
        return PROBLEM_NONE;
}

static int64_t number_of(const char *sql) {
        database_ask_text(shop, sql, number_read, NULL);
        cr_assert_eq(database_trip(shop, clock_monotonic() + MINUTE), PROBLEM_NONE, "%s", database_message(shop));
        return last_number;
}

/* To the cent: each line has the value that the program computes, and the refund due stays. */
Test(migrate, orders_from_before_are_carried_over_to_the_cent) {
        struct migrate_report report;
        char sql[256];

        shop = connected();
        cr_assert_eq(migrate_to_head(database, schema, sell_before_payments_have_rows, &report), PROBLEM_NONE, "%s",
                database_message(database));
        for (size_t i = 0; i < OLD_ORDERS; i++)
                for (size_t j = 0; j < old_orders[i].n_lines; j++) {
                        const struct order_line *line = &old_lines[i][j];

                        (void) snprintf(sql, sizeof(sql),
                                "select value from order_lines where line = %zu and order_id ="
                                " '00000000-0000-0000-0000-%012zu'",
                                j, i);
                        cr_assert_eq(number_of(sql), order_line_value(line, 0, line->quantity), "order %zu", i);
                }
        cr_assert_eq(number_of("select count(*) from payments"), OLD_ORDERS);
        cr_assert_eq(
                number_of(
                        "select count(*) from orders o join payments p on p.order_id = o.id"
                        " where o.refund_due <> greatest(o.paid - o.refunded - (o.total - o.credited), 0)"
                        " or o.paid <> p.captured or o.paid <> case when o.payment_status = 'captured' then o.total else 0 end"
                        " or p.status <> o.payment_status or p.amount <> o.total"
                        " or o.total <> o.shipping + (select sum(value) from order_lines l where l.order_id = o.id)"),
                0);
        cr_assert_eq(number_of("select count(*) from orders where tax > 0") > 0, 1);
        cr_assert_eq(
                number_of("select count(*) from orders o join (select order_id, sum(tax) as dealt, min(tax) as least,"
                          " min(cancelled_value) as given from order_lines group by order_id) l on l.order_id = o.id"
                          " where l.least < 0 or l.given < 0 or l.dealt > o.tax"
                          " or (not o.tax_included and l.dealt <> o.tax)"
                          " or (o.tax_included and o.shipping = 0 and l.dealt <> o.tax)"),
                0);
        shop = database_close(shop);
}

/* Of 10.00 each: a requested void, a void reported by the provider, a failure, and a requested rest. */
static void pay_before_events_have_amounts(const struct migration *migration) {
        if (migration->version != 16) /* 0017_told is next */
                return;
        execute_on(shop,
                "insert into payments (id, order_id, number, status, amount, authorized, captured, voided, capture_due, refunded,"
                " actor, created_at, updated_at)"
                " select ('00000000-0000-0000-0000-00000000000' || n)::uuid, gen_random_uuid(), 1, status, 1000, 1000, captured,"
                " 1000 - captured, 0, 0, 'ada', now(), now()"
                "  from (values (1, 'voided', 0), (2, 'voided', 0), (3, 'failed', 0), (4, 'captured', 400))"
                "       as old (n, status, captured)");
        execute_on(shop,
                "insert into payment_events (payment_id, event_id, type, content, recorded_at)"
                " select ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'e-' || type, type, sha256(''), now()"
                "  from (values (2, 'authorized'), (2, 'voided'), (3, 'authorized'), (3, 'failed'), (4, 'captured'))"
                "       as old (n, type)");
}

static void assert_payment(int n, const char *figures, const char *opened, const char *events) {
        char sql[1024];

        (void) snprintf(sql, sizeof(sql),
                "select count(*) from payments p where right(p.id::text, 1) = '%d' and p.opened = '%s'"
                " and concat_ws(' ', p.voided, p.void_due, p.void_asked, p.failed) = '%s'"
                " and coalesce((select string_agg(concat_ws(' ', e.type, e.amount), ', ' order by e.number) from payment_events e"
                " where e.payment_id = p.id and e.counts), '') = '%s'",
                n, opened, figures, events);
        cr_assert_eq(number_of(sql), 1, "payment %d", n);
}

Test(migrate, payments_from_before_keep_requested_voids_apart_from_reported_ones) {
        struct migrate_report report;

        shop = connected();
        cr_assert_eq(migrate_to_head(database, schema, pay_before_events_have_amounts, &report), PROBLEM_NONE, "%s",
                database_message(database));
        assert_payment(1, "0 1000 1000 0", "authorized", "");
        assert_payment(2, "1000 0 1000 0", "pending", "authorized 1000, voided 1000");
        assert_payment(3, "0 0 0 1000", "pending", "authorized 1000, failed");
        assert_payment(4, "0 600 600 0", "pending", "authorized 1000, captured 400");
        cr_assert_eq(number_of("select count(*) from payment_events where not counts"), 5);
        shop = database_close(shop);
}
