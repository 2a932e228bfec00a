/* holdfast audit: prove, range by range and while the service runs, that stock, ledger and documents agree. */
#include "commands/audit.h"
#include "commands/commands.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/exposition.h"
#include "base/text.h"
#include "base/writer.h"
#include "db/connection.h"
#include "sql/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOCATIONS_OF_RANGE 10 /* several small stores are checked by one statement */
#define DOCUMENTS_OF_RANGE 10000
#define ARENA_MAX          ((size_t) 64 * 1024 * 1024)
#define FINDING_SIZE_MAX   ((size_t) 4096)
#define TRIP_WAIT          (10 * MINUTE)
#define LISTED_MAX         1000 /* findings; more are counted */
#define TEXTFILE_SIZE_MAX  ((size_t) 4096)

/* The meaning of each rule of sql/queries/audit.sql: the words before the stated and before the proved figure. Sorted.
 */
static const struct meaning {
        const char *rule, *stated, *proved;
} meanings[] = {
        { "allocated", "units ordered:", "in fulfillments:" },
        { "booked", "places booked:", "fulfillments that name it:" },
        { "booked_by_what_is_over", "places held by fulfillments that are over:", "should be" },
        { "cancelled", "units cancelled:", "short or cancelled in fulfillments:" },
        { "cancelled_untold", "units cancelled:", "in its events:" },
        { "captured_though_not", "captured, by a payment without a capture:", "should be" },
        { "changed_untold", "last changes without an event of the order:", "should be" },
        { "claim_without_order", "claimed without an order, or ordered without a claim:", "should be" },
        { "credited", "credited is", "by its lines" },
        { "credited_beyond_total", "credited beyond the total:", "should be" },
        { "failed_though_nobody_told", "failed, though the provider reported no failure:", "should be" },
        { "fulfilled", "units fulfilled:", "in fulfillments:" },
        { "fulfilled_untold", "units fulfilled:", "in its events:" },
        { "held_by_closed_payment", "held or asked for, by a payment that is closed:", "should be" },
        { "held_by_what_is_over", "units held by a fulfillment that is over:", "should be" },
        { "held_though_over", "lines held by a reservation that is over:", "should be" },
        { "last_movement", "the last movement has number", "there are" },
        { "let_go_too_early", "lines not held by an active reservation:", "should be" },
        { "lines_elsewhere", "lines at another location:", "should be" },
        { "lines_expire_otherwise", "lines that expire at another time:", "should be" },
        { "lines_of_no_order", "lines, payments or refunds of no order:", "should be" },
        { "lines_without_reservation", "lines of no reservation:", "should be" },
        { "listed_otherwise", "rows by which lists of a location would err:", "should be" },
        { "movements", "movements is", "rows in its ledger:" },
        { "no_lines", "lines:", "should be at least" },
        { "not_searchable", "searched by other words than its own, and not due:", "should be" },
        { "number", "its number is", "its place is" },
        { "on_hand", "on_hand is", "by its ledger" },
        { "on_hand_after", "on_hand_after is", "the changes so far add up to" },
        { "open_otherwise", "open or closed for another reason than its documents give:", "should be" },
        { "over_returned", "units returned or on their way beyond those that left:", "should be" },
        { "oversold", "units promised or unsellable beyond those on hand:", "should be" },
        { "paid", "paid is", "captured by its payments:" },
        { "refund_due", "refund_due is", "by its total, credits, payments and refunds" },
        { "refunded", "refunded is", "by its refunds" },
        { "refunded_beyond_authorized", "refunded beyond what was ever authorized:", "should be" },
        { "refunded_tax_beyond_tax", "tax refunded beyond the tax of the order:", "should be" },
        { "refunded_to", "refunded is", "by the refunds that go back to it" },
        { "reserved", "reserved is", "its documents hold" },
        { "resourced", "units moved to other locations:", "in fulfillments:" },
        { "returned", "units returned:", "accepted in returns:" },
        { "returned_on_hand", "units on hand by its lines:", "by its movements:" },
        { "returned_unsellable", "units unsellable by its lines:", "by its movements:" },
        { "returns_awaited", "returns awaited:", "returns that await goods:" },
        { "tax_of_lines", "tax of its lines:", "tax of the order:" },
        { "total", "total is", "its lines and shipping are worth" },
        { "unsellable", "unsellable is", "by its ledger" },
        { "unsellable_after", "unsellable_after is", "the changes so far add up to" },
        { "voided_though_nobody_told", "voided, though the provider reported no void:", "should be" },
};

/* The kinds of rows checked, in the order of the output. */
static const char *const counted[] = { "stock_rows", "movements", "reservations", "order_lines", "slots",
        "return_lines", "payments", "refunds", "events" };

struct audit {
        struct database *database;
        struct arena arena; /* of one range */
        bool json;
        const char *textfile; /* NULL: none */
        int64_t counts[array_size(counted)];
        int64_t n_findings;
};

/* ---- findings ---- */

static const struct meaning *meaning_of(const char *rule) {
        static const struct meaning plain = { "", "stated is", "should be" };

        for (size_t i = 0; i < array_size(meanings); i++)
                if (text_equal(meanings[i].rule, rule))
                        return &meanings[i];
        return &plain;
}

struct finding {
        const char *subject; /* NULL: `stated` rows of the kind `rule` were read */
        const char *rule;
        int64_t stated, proved;
};

static const struct column in_finding[] = {
        { "subject", TEXT_AT(struct finding, subject) },
        { "rule", TEXT_AT(struct finding, rule) },
        { "stated", INTEGER_AT(struct finding, stated) },
        { "proved", INTEGER_AT(struct finding, proved) },
};
const struct columns finding_columns = { "findings", COLUMNS(struct finding, in_finding) };

static void print_json(struct audit *audit, const struct finding *finding) {
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, &audit->arena, FINDING_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "subject", finding->subject);
        write_text_member(&json, "rule", finding->rule);
        write_integer_member(&json, "stated", finding->stated);
        write_integer_member(&json, "proved", finding->proved);
        write_object_end(&json);
        (void) printf("%s%s", audit->n_findings > 1 ? "," : "", buffer_text(&buffer));
}

static void finding_print(struct audit *audit, const struct finding *finding) {
        const struct meaning *meaning = meaning_of(finding->rule);

        if (++audit->n_findings > LISTED_MAX)
                return;
        if (audit->json)
                print_json(audit, finding);
        else
                (void) printf("%s: %s %" PRId64 ", %s %" PRId64 "\n", finding->subject, meaning->stated,
                        finding->stated, meaning->proved, finding->proved);
}

static void audit_count(struct audit *audit, const char *what, int64_t n) {
        for (size_t i = 0; i < array_size(counted); i++)
                if (text_equal(counted[i], what))
                        audit->counts[i] += n;
}

static enum problem audit_findings_read(struct rows *rows, void *into) {
        struct audit *audit = into;
        struct binding binding;

        if (!rows_bind(rows, &finding_columns, &binding))
                return FAULT_BROKEN;
        for (size_t i = 0; i < rows_count(rows); i++) {
                struct finding finding;

                row_fill(&binding, i, &finding);
                if (finding.subject)
                        finding_print(audit, &finding);
                else
                        audit_count(audit, finding.rule, finding.stated);
        }
        return PROBLEM_NONE;
}

/* ---- ranges ---- */

/* The end of a range: a code or an id; none is the end of all. */
struct bound {
        bool is_id, is_open;
        char code[CODE_SIZE_MAX + 1];
        struct uuid id;
};

struct bound_row {
        const char *code;
        struct uuid id;
};

static const struct column in_bound_row[] = {
        { "code", TEXT_AT(struct bound_row, code) },
        { "id", UUID_AT(struct bound_row, id) },
};
const struct columns audit_bound_columns = { "audit_bounds", COLUMNS(struct bound_row, in_bound_row) };

static enum problem bound_read(struct rows *rows, void *into) {
        struct bound *bound = into;
        struct binding binding;
        struct bound_row row = { .code = "" };

        if (!rows_bind(rows, &audit_bound_columns, &binding))
                return FAULT_BROKEN;
        bound->is_open = rows_count(rows) == 0;
        if (bound->is_open)
                return PROBLEM_NONE;
        row_fill(&binding, 0, &row);
        bound->id = row.id;
        (void) snprintf(bound->code, sizeof(bound->code), "%s", row.code);
        return PROBLEM_NONE;
}

static void parameter_bound(struct parameters *parameters, const struct bound *bound) {
        if (bound->is_id)
                parameter_uuid(parameters, bound->is_open ? NULL : &bound->id);
        else
                parameter_text(parameters, bound->is_open ? NULL : bound->code);
}

static enum problem find_next(
        struct audit *audit, const struct statement *statement, const struct bound *after, struct bound *ret_next) {
        struct parameters p;

        *ret_next = *after;
        database_begin(audit->database);
        parameters_init(&p, &audit->arena);
        parameter_bound(&p, after);
        parameter_integer(&p, after->is_id ? DOCUMENTS_OF_RANGE : LOCATIONS_OF_RANGE);
        database_ask(audit->database, statement, &p, bound_read, ret_next);
        database_commit(audit->database);
        return database_trip(audit->database, clock_monotonic() + TRIP_WAIT);
}

static enum problem check_range(
        struct audit *audit, const struct statement *statement, const struct bound *after, const struct bound *upto) {
        struct parameters p;

        database_begin(audit->database);
        parameters_init(&p, &audit->arena);
        parameter_bound(&p, after);
        parameter_bound(&p, upto);
        database_ask(audit->database, statement, &p, audit_findings_read, audit);
        database_commit(audit->database);
        return database_trip(audit->database, clock_monotonic() + TRIP_WAIT);
}

/* One kind of document or row: the division of its keys into ranges, and the checks of each range. */
static const struct chapter {
        bool by_id;
        const struct statement *next;
        const struct statement *checks[7];
        size_t n_checks;
} chapters[] = {
        { false, &sql_audit_next_location,
                { &sql_audit_stock, &sql_audit_ledger, &sql_audit_slots, &sql_audit_return_buckets }, 4 },
        { true, &sql_audit_next_reservation, { &sql_audit_reservations }, 1 },
        { true, &sql_audit_next_order,
                { &sql_audit_orders, &sql_audit_open, &sql_audit_returns, &sql_audit_money, &sql_audit_payments,
                        &sql_audit_lists, &sql_audit_told },
                7 },
};

static enum problem chapter_check(struct audit *audit, const struct chapter *chapter) {
        struct bound after = { .is_id = chapter->by_id }, upto;
        enum problem p = PROBLEM_NONE;

        do {
                arena_reset(&audit->arena);
                p = find_next(audit, chapter->next, &after, &upto);
                for (size_t i = 0; !p && i < chapter->n_checks; i++)
                        p = check_range(audit, chapter->checks[i], &after, &upto);
                after = upto;
        } while (!p && !upto.is_open);
        return p;
}

/* ---- the command ---- */

static void print_counts(const struct audit *audit) {
        const char *const words[] = { "stock rows", "movements", "reservations", "order lines", "slots", "return lines",
                "payments", "refunds", "events" };

        (void) printf("audit:");
        for (size_t i = 0; i < array_size(counted); i++)
                (void) printf("%s %" PRId64 " %s", i ? "," : "", audit->counts[i], words[i]);
        if (audit->n_findings)
                (void) printf("; %" PRId64 " findings\n", audit->n_findings);
        else
                (void) printf("; everything agrees\n");
}

static void print_json_counts(const struct audit *audit) {
        (void) printf("],\"n_findings\":%" PRId64 ",\"checked\":{", audit->n_findings);
        for (size_t i = 0; i < array_size(counted); i++)
                (void) printf("%s\"%s\":%" PRId64, i ? "," : "", counted[i], audit->counts[i]);
        (void) printf("},\"clean\":%s}\n", audit->n_findings ? "false" : "true");
}

static int audit_run(struct audit *audit, bool *ret_finished) {
        enum problem p = PROBLEM_NONE;

        if (audit->json)
                (void) printf("{\"findings\":[");
        for (size_t i = 0; !p && i < array_size(chapters); i++)
                p = chapter_check(audit, &chapters[i]);
        if (p) {
                (void) fprintf(stderr, "holdfast: the audit could not finish: %s\n", database_message(audit->database));
                return p == FAULT_LOST ? EXIT_NO_DATABASE : EXIT_FAILED;
        }
        *ret_finished = true;
        if (audit->json)
                print_json_counts(audit);
        else
                print_counts(audit);
        return audit->n_findings ? EXIT_FAILED : EXIT_OK;
}

/* ---- figures for Prometheus: a file for the node exporter's textfile collector ---- */

/* The collector, another user, may read at any moment: so the file is replaced as a whole, and is readable by all
 * whatever the umask. */
static bool file_replace(const char *path, const char *fresh, const char *text) {
        FILE *file = fopen(fresh, "we");
        bool ok;

        if (!file)
                return false;
        ok = fputs(text, file) >= 0 && fchmod(fileno(file), S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) == 0;
        ok = fclose(file) == 0 && ok;
        return ok && rename(fresh, path) == 0;
}

static int textfile_write(struct audit *audit, bool finished, duration took) {
        struct buffer out;
        const char *fresh;

        arena_reset(&audit->arena);
        buffer_init(&out, &audit->arena, TEXTFILE_SIZE_MAX);
        exposition_gauge(&out, "holdfast_audit_duration_seconds", "Duration of the last audit", (double) took / SECOND);
        exposition_gauge(&out, "holdfast_audit_findings", "Findings of the last audit; -1 when it was not finished",
                finished ? (double) audit->n_findings : -1);
        exposition_gauge(&out, "holdfast_audit_timestamp_seconds", "When the last audit ended, as Unix time",
                (double) clock_wall() / SECOND);
        fresh = arena_format(&audit->arena, "%s.new", audit->textfile);
        if (fresh && !out.failed && file_replace(audit->textfile, fresh, buffer_text(&out)))
                return EXIT_OK;
        (void) fprintf(stderr, "holdfast: %s cannot be written: %s\n", audit->textfile, strerror(errno));
        return EXIT_FAILED;
}

/* ---- options ---- */

static int options_read(int argc, char **argv, struct audit *audit) {
        for (int i = 1; i < argc; i++) {
                if (text_equal(argv[i], "--json")) {
                        audit->json = true;
                } else if (text_equal(argv[i], "--textfile") && i + 1 < argc) {
                        audit->textfile = argv[++i];
                } else {
                        (void) fprintf(stderr, "holdfast: audit: unknown argument \"%s\"; see holdfast audit --help\n",
                                argv[i]);
                        return EXIT_WRONG_USAGE;
                }
        }
        return EXIT_OK;
}

static int audit_all(struct audit *audit, bool *ret_finished) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        const int code = command_open(/* statement_timeout_ms= */ 0, &database);

        if (code)
                return code;
        audit->database = database;
        return audit_run(audit, ret_finished);
}

int command_audit(int argc, char **argv) {
        const timestamp begin = clock_monotonic();
        struct audit audit = { 0 };
        bool finished = false;
        int code = options_read(argc, argv, &audit);

        if (code)
                return code;
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        arena_init(&audit.arena, ARENA_MAX);
        code = audit_all(&audit, &finished);
        if (audit.textfile && textfile_write(&audit, finished, clock_monotonic() - begin) && !code)
                code = EXIT_FAILED;
        arena_clear(&audit.arena);
        return code;
}
