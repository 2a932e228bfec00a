/* holdfast customer: export or erase all records of one customer. */
#include "commands/commands.h"

#include "base/text.h"
#include "base/writer.h"
#include "db/connection.h"
#include "notifications/store_messages.h"
#include "orders/lists.h"
#include "orders/number.h"
#include "privacy/erasure.h"
#include "returns/returns.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define SELECTOR_SIZE_MAX  254 /* bytes: the longest selector, an e-mail address */
#define DOCUMENT_SIZE_MAX  ((size_t) 64 * 1024 * 1024)
#define CUSTOMER_TRIP_WAIT (10 * MINUTE)
#define STATEMENT_MS_LIMIT 600000

/* The selector of a customer; exactly one is not NULL. */
struct selector {
        const char *customer_id, *email, *phone, *order_number;
        char digits[SELECTOR_SIZE_MAX + 1];
};

struct person {
        struct database *database;
        struct arena arena; /* of one order, or of a batch of them */
        struct arena found_arena;
        struct found_orders orders;
};

/* ---- selectors ---- */

/* +49 may be written 0049; other prefixes of an exchange are not handled. */
static bool take_digits(struct selector *selector, const char *phone) {
        size_t n = 0;

        for (; *phone; phone++)
                if (isdigit((unsigned char) *phone))
                        selector->digits[n++] = *phone;
        selector->digits[n] = '\0';
        selector->phone = selector->digits + (text_starts_with(selector->digits, "00") ? 2 : 0);
        return *selector->phone;
}

static bool selector_take_option(int option, const char *value, struct selector *selector) {
        const size_t size = strlen(value);

        if (!size || size > SELECTOR_SIZE_MAX || !text_is_utf8(value, size))
                return false;
        switch (option) {
        case 'c':
                selector->customer_id = value;
                return true;
        case 'e':
                selector->email = value;
                return true;
        case 'o':
                selector->order_number = value;
                return true;
        case 'p':
                return take_digits(selector, value);
        default:
                return false;
        }
}

static bool selector_read(int argc, char **argv, struct selector *selector) {
        static const struct option table[] = {
                { "customer-id", required_argument, NULL, 'c' },
                { "email", required_argument, NULL, 'e' },
                { "order", required_argument, NULL, 'o' },
                { "phone", required_argument, NULL, 'p' },
                { 0 },
        };
        int n = 0;

        optind = 1;
        opterr = 0;
        for (int option = getopt_long(argc, argv, "", table, NULL); option != -1;
                option = getopt_long(argc, argv, "", table, NULL)) {
                if (!optarg || !selector_take_option(option, optarg, selector))
                        return false;
                n++;
        }
        return n == 1 && optind == argc;
}

static enum problem customer_find_orders(struct person *person, const struct selector *selector) {
        const struct person_selector by = {
                .customer_id = selector->customer_id,
                .email = selector->email,
                .phone = selector->phone,
                .order_number = selector->order_number,
                .order_number_read =
                        selector->order_number ? order_number_read(selector->order_number, &person->found_arena) : NULL,
        };

        person->orders.arena = &person->found_arena;
        return orders_find_person(person->database, &by, &person->orders);
}

static int customer_explain(const struct person *person, enum problem p) {
        (void) fprintf(stderr, "holdfast: the database refused: %s\n", database_message(person->database));
        return p == FAULT_LOST ? EXIT_NO_DATABASE : EXIT_FAILED;
}

/* ---- export ---- */

static enum problem order_load(struct person *person, const struct uuid *id, struct order_set *set,
        struct return_set *returns, struct timeline *timeline, struct message_list *messages) {
        enum problem p;

        orders_init(set, &person->arena, NULL);
        orders_want(set, id);
        returns_init(returns, &person->arena);
        *timeline = (struct timeline){ .arena = &person->arena };
        database_begin_snapshot(person->database);
        p = orders_read(person->database, set);
        if (!p)
                p = returns_read(person->database, returns, set);
        if (!p)
                p = timeline_load(person->database, id, timeline);
        if (p)
                return p;
        *messages = (struct message_list){ .arena = &person->arena };
        messages_of_orders_ask(person->database, id, 1, messages);
        database_commit(person->database);
        return database_trip(person->database, clock_monotonic() + CUSTOMER_TRIP_WAIT);
}

static void write_customer_returns(struct writer *json, const struct return_set *returns) {
        write_name(json, "returns");
        write_list_begin(json);
        for (size_t i = 0; i < returns->n_rows; i++) {
                write_object_begin(json);
                rma_write(json, returns->rows[i]);
                write_object_end(json);
        }
        write_list_end(json);
}

static enum problem order_print(struct person *person, const struct uuid *id, bool first) {
        struct order_set set;
        struct return_set returns;
        struct timeline timeline;
        struct message_list messages;
        struct buffer buffer;
        struct writer json;
        enum problem p;

        arena_reset(&person->arena);
        p = order_load(person, id, &set, &returns, &timeline, &messages);
        if (p || set.n_rows == 0)
                return p;
        buffer_init(&buffer, &person->arena, DOCUMENT_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        order_write(&json, &set.rows[0], NULL);
        write_customer_returns(&json, &returns);
        write_name(&json, "notifications");
        messages_write(&json, &messages, id);
        write_name(&json, "timeline");
        timeline_write(&json, &timeline);
        write_object_end(&json);
        if (buffer.failed)
                return FAULT_BUSY;
        (void) printf("%s%s", first ? "" : ",", buffer_text(&buffer));
        return PROBLEM_NONE;
}

static int person_export(struct person *person) {
        char now[TIMESTAMP_TEXT_SIZE];
        enum problem p = PROBLEM_NONE;

        timestamp_format(clock_wall(), now);
        (void) printf("{\"exported_at\":\"%s\",\"orders\":[", now);
        for (size_t i = 0; i < person->orders.n && !p; i++)
                p = order_print(person, &person->orders.rows[i].id, i == 0);
        if (p)
                return customer_explain(person, p);
        (void) printf("]}\n");
        if (!ferror(stdout) && !fflush(stdout))
                return EXIT_OK;
        (void) fputs("holdfast: the export could not be written in full\n", stderr);
        return EXIT_FAILED;
}

/* ---- erasure ---- */

static void print_open(const char *order_number, const char *why) {
        (void) fprintf(stderr, "%s is unchanged: %s\n", order_number, why);
}

static int print_sums(const struct erasure *erasure) {
        (void) printf("%-22s %10zu\n%-22s %10zu\n%-22s %10zu\n%-22s %10zu\n", "orders erased", erasure->erased,
                "erased before", erasure->before, "kept replies erased", erasure->records_erased, "orders still open",
                erasure->open);
        if (!erasure->open)
                return EXIT_OK;
        (void) fprintf(stderr, "holdfast: close the orders named above, then run the command again\n");
        return EXIT_FAILED;
}

static int person_erase(struct person *person) {
        struct erasure erasure = { .database = person->database,
                .arena = &person->arena,
                .cause = "request",
                .records = true,
                .is_open = print_open };
        struct uuid ids[ERASED_AT_ONCE];
        enum problem p = PROBLEM_NONE;

        for (size_t done = 0; done < person->orders.n && !p; done += ERASED_AT_ONCE) {
                size_t n = 0;

                for (; n < ERASED_AT_ONCE && done + n < person->orders.n; n++)
                        ids[n] = person->orders.rows[done + n].id;
                arena_reset(&person->arena);
                p = erase_orders(&erasure, ids, n);
        }
        return p ? customer_explain(person, p) : print_sums(&erasure);
}

/* ---- the command ---- */

static int explain_nobody(void) {
        (void) fputs("holdfast: no order found for this customer: check the spelling in the order\n", stderr);
        return EXIT_FAILED;
}

static int person_run(const char *verb, const struct selector *selector, struct database *database) {
        struct person person = { .database = database };
        enum problem p;
        int code;

        arena_init(&person.arena, ERASURE_MEMORY_MAX);
        arena_init(&person.found_arena, ERASURE_MEMORY_MAX);
        p = customer_find_orders(&person, selector);
        if (p)
                code = customer_explain(&person, p);
        else if (!person.orders.n)
                code = explain_nobody();
        else
                code = text_equal(verb, "export") ? person_export(&person) : person_erase(&person);
        arena_clear(&person.found_arena);
        arena_clear(&person.arena);
        return code;
}

int command_customer(int argc, char **argv) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct selector selector = { 0 };
        int code;

        if (argc < 2 || !(text_equal(argv[1], "export") || text_equal(argv[1], "erase")) ||
                !selector_read(argc - 1, argv + 1, &selector))
                return command_misused("customer");
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        code = command_open(STATEMENT_MS_LIMIT, &database);
        return code ? code : person_run(argv[1], &selector, database);
}
