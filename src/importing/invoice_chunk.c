#include "importing/invoice_chunk.h"

#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <string.h>

#define ARENA_SIZE_MAX   ((size_t) 64 * 1024 * 1024)
#define ROUNDS_MAX       3 /* an order that a rival makes between comparing and sending is compared again */
#define HISTORY_PATH     "/import/orders"
#define COMPARE_PATH     "/import/orders/compare"
#define PLACE_PATH       "/v1/orders"
#define PRODUCT_PATH     "/v1/products/"
#define PRODUCT_PATH_MAX 128

void sales_init(struct sales *sales, struct import *import) {
        *sales = (struct sales){ .import = import };
        arena_init(&sales->arena, ARENA_SIZE_MAX);
        arena_init(&sales->scratch, ARENA_SIZE_MAX);
}

static void sale_calls_clear(struct sales *sales) {
        for (size_t i = 0; i < sales->n_calls; i++)
                call_clear(&sales->calls[i]);
        sales->n_calls = 0;
}

void sales_clear(struct sales *sales) {
        sale_calls_clear(sales);
        import_seen_clear(&sales->known);
        import_catalog_clear(&sales->catalog);
        purchases_clear(&sales->purchases);
        arena_clear(&sales->arena);
        arena_clear(&sales->scratch);
}

/* ---- bodies ---- */

static void write_price(struct writer *json, const char *name, int64_t amount, const char *currency) {
        struct money money = { .amount = amount };

        memcpy(money.currency, currency, sizeof(money.currency) - 1);
        write_money_member(json, name, money);
}

static void write_customer(struct writer *json, const struct sale *sale, struct arena *arena) {
        const bool guest = !*sale->customer;

        write_name(json, "customer");
        write_object_begin(json);
        write_text_member(json, "name", guest ? "Guest" : arena_format(arena, "Customer %s", sale->customer));
        if (!guest)
                write_text_member(json, "customer_id", sale->customer);
        write_object_end(json);
}

static void write_lines(struct writer *json, const struct sale *sale, bool titled) {
        write_name(json, "lines");
        write_list_begin(json);
        for (size_t i = 0; i < sale->n_lines; i++) {
                const struct sale_line *line = &sale->lines[i];

                if (line->state != SALE_PENDING)
                        continue;
                write_object_begin(json);
                write_text_member(json, "sku", line->sku);
                write_integer_member(json, "quantity", line->quantity);
                write_price(json, "unit_price", line->price, line->currency);
                if (titled && *line->title)
                        write_text_member(json, "title", line->title);
                write_object_end(json);
        }
        write_list_end(json);
}

static void write_history(struct writer *json, const struct sale *sale, const struct import_options *options) {
        write_text_member(json, "placed_at", sale->placed_at);
        write_text_member(json, "location", options->location);
        if (*sale->country)
                write_text_member(json, "country", sale->country);
}

/* A live order: to be picked up at the location, and paid, because it was invoiced. */
static void write_open(struct writer *json, const struct import_options *options) {
        write_name(json, "fulfillment");
        write_object_begin(json);
        write_text_member(json, "method", "pickup");
        write_text_member(json, "location", options->location);
        write_object_end(json);
        write_name(json, "payment");
        write_object_begin(json);
        write_text_member(json, "status", "captured");
        write_object_end(json);
}

/* NULL without memory. */
static const char *sale_body(struct sales *sales, const struct sale *sale, bool open) {
        const struct import_options *options = sales->import->options;
        struct buffer buffer;
        struct writer json;

        arena_reset(&sales->scratch);
        buffer_init(&buffer, &sales->scratch, BODY_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "channel", options->channel);
        write_text_member(&json, "external_ref", sale->external_ref);
        write_text_member(&json, "currency", sale->currency);
        write_customer(&json, sale, &sales->scratch);
        write_lines(&json, sale, /* titled= */ !options->open);
        if (open)
                write_open(&json, options);
        else
                write_history(&json, sale, options);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

/* ---- lines ---- */

static void refuse_line(struct sales *sales, struct sale_line *line, const char *reason) {
        const char *copy = arena_text(&sales->arena, reason);

        line->state = SALE_REFUSED;
        line->reason = copy ? copy : "";
}

static void settle_lines(struct sale *sale, enum sale_state state) {
        for (size_t i = 0; i < sale->n_lines; i++)
                if (sale->lines[i].state == SALE_PENDING)
                        sale->lines[i].state = state;
        sale->pending = false;
}

static void refuse_pending(struct sales *sales, struct sale *sale, const char *reason) {
        for (size_t i = 0; i < sale->n_lines; i++)
                if (sale->lines[i].state == SALE_PENDING)
                        refuse_line(sales, &sale->lines[i], reason ? reason : "");
}

/* The line that stands at this place among the pending ones, as a body lists them. */
static struct sale_line *pending_line(struct sale *sale, size_t place) {
        for (size_t i = 0; i < sale->n_lines; i++)
                if (sale->lines[i].state == SALE_PENDING && place-- == 0)
                        return &sale->lines[i];
        return NULL;
}

/* A capability that the location lacks is the fault of no line, though its pointer names one. */
static bool blames_line(const json_t *error, size_t *ret_place) {
        const char *pointer = json_string_value(json_object_get(error, "pointer"));

        return pointer && !strstr(pointer, "/fulfillment") && import_blames(error, "lines", ret_place);
}

static bool blame_lines(struct sales *sales, struct sale *sale, const json_t *problem) {
        const json_t *errors = json_object_get(problem, "errors");
        struct sale_line *blamed[VIOLATIONS_MAX];
        size_t places[VIOLATIONS_MAX], n = 0;
        char text[IMPORT_PROBLEM_SIZE];

        for (size_t i = 0; i < json_array_size(errors) && n < VIOLATIONS_MAX; i++) {
                if (!blames_line(json_array_get(errors, i), &places[n]))
                        continue;
                blamed[n] = pending_line(sale, places[n]);
                n += blamed[n] != NULL;
        }
        for (size_t i = 0; i < n; i++) {
                import_problem_text(problem, "lines", places[i], &order_sources, text, sizeof(text));
                refuse_line(sales, blamed[i], text);
        }
        return n > 0;
}

/* Lines that are to blame leave the sale; all of them when none is. */
static void refuse_sale(struct sales *sales, struct sale *sale, const json_t *problem) {
        char text[IMPORT_PROBLEM_SIZE];

        if (!blame_lines(sales, sale, problem)) {
                import_problem_text(problem, NULL, 0, &order_sources, text, sizeof(text));
                refuse_pending(sales, sale, text);
        }
        sale->pending = pending_line(sale, 0) != NULL;
}

/* ---- calls ---- */

/* Evaluates the answer to a sale's call; true: it has to be called again. */
typedef bool (*sale_answer)(struct sales *sales, struct sale *sale, unsigned status, const json_t *reply);

static int call_wanted(struct sales *sales, const bool *wanted, const char *path, bool open) {
        for (size_t i = 0; i < sales->n_sales; i++) {
                struct import_request request = { .method = "POST", .path = path };

                if (!wanted[i])
                        continue;
                request.body = sale_body(sales, &sales->sales[i], open);
                if (!request.body)
                        return EXIT_OUR_FAULT;
                sales->called[sales->n_calls] = &sales->sales[i];
                importer_call(&sales->import->importer, &sales->calls[sales->n_calls++], &request);
        }
        return importer_run(&sales->import->importer, sales->calls, sales->n_calls);
}

/* Call the path for every pending sale, and again for those whose lines were to blame. */
static int call_sales(struct sales *sales, const char *path, bool open, sale_answer answer) {
        bool wanted[SALES_MAX] = { false }, any = false;

        for (size_t i = 0; i < sales->n_sales; i++)
                any |= wanted[i] = sales->sales[i].pending;
        while (any) {
                const int code = call_wanted(sales, wanted, path, open);

                any = false;
                memset(wanted, 0, sizeof(wanted));
                for (size_t i = 0; i < sales->n_calls && !code; i++) {
                        _cleanup_(import_json_cleanup) json_t *reply = importer_reply(&sales->calls[i]);
                        struct sale *sale = sales->called[i];

                        any |= wanted[sale - sales->sales] =
                                answer(sales, sale, sales->calls[i].reply.status, reply) && sale->pending;
                }
                sale_calls_clear(sales);
                if (code)
                        return code;
        }
        return EXIT_OK;
}

/* Names of the differences between an existing order and the file; "" without any. An open order keeps neither date nor
 * country, and may move to another location. */
static const char *otherwise(struct sales *sales, const json_t *reply) {
        const json_t *names = json_object_get(reply, "otherwise");
        const bool open = sales->import->options->open;
        const char *text = "";

        for (size_t i = 0; i < json_array_size(names) && text; i++) {
                const char *name = json_string_value(json_array_get(names, i));

                if (open && !text_equal(name, "currency") && !text_equal(name, "customer"))
                        continue;
                text = arena_format(
                        &sales->arena, "%s%s%s", text, *text ? ", " : "", import_source_of(&order_sources, name));
        }
        return text;
}

/* An existing order is not changed: lines that it lacks are refused. */
static bool compare_answer(struct sales *sales, struct sale *sale, unsigned status, const json_t *reply) {
        const json_t *missing = json_object_get(reply, "missing");
        struct sale_line *lacking[ORDER_LINES_MAX];
        const char *differs;
        size_t n = 0;

        if (status == 404)
                return false;
        if (status != 200) {
                refuse_sale(sales, sale, reply);
                return true;
        }
        for (size_t i = 0; i < json_array_size(missing) && n < ORDER_LINES_MAX; i++) {
                lacking[n] = pending_line(sale, (size_t) json_integer_value(json_array_get(missing, i)));
                n += lacking[n] != NULL;
        }
        for (size_t i = 0; i < n; i++)
                refuse_line(sales, lacking[i],
                        arena_format(&sales->arena, "order %s is there already, otherwise: without this line",
                                sale->external_ref));
        differs = otherwise(sales, reply);
        if (!differs || *differs)
                refuse_pending(sales, sale,
                        arena_format(&sales->arena, "order %s is there already, otherwise: %s", sale->external_ref,
                                differs ? differs : ""));
        settle_lines(sale, SALE_UNCHANGED);
        return false;
}

static bool send_answer(struct sales *sales, struct sale *sale, unsigned status, const json_t *reply) {
        const char *code = json_string_value(json_object_get(reply, "code"));

        if (status == 201) {
                settle_lines(sale, SALE_TAKEN);
                sales->import->report.orders_made++;
                return false;
        }
        if (text_equal(code, problem_slug(PROBLEM_DUPLICATE_EXTERNAL_REF)))
                return false; /* a rival was faster: the next round compares */
        refuse_sale(sales, sale, reply);
        return true;
}

/* ---- products ---- */

static int line_compare(const void *left, const void *right) {
        const struct sale_line *const *a = left, *const *b = right;
        const int order = strcmp((*a)->sku, (*b)->sku);

        if (order)
                return order;
        return (*a)->line < (*b)->line ? -1 : (*a)->line > (*b)->line;
}

/* The first of n lines of one product that has a title, and the first that has a price, speak for it. */
static const char *product_body(struct sales *sales, struct sale_line *const *lines, size_t n) {
        const char *title = lines[0]->sku;
        const struct sale_line *priced = lines[0];
        struct buffer buffer;
        struct writer json;

        for (size_t i = n; i-- > 0;) {
                if (*lines[i]->title)
                        title = lines[i]->title;
                if (lines[i]->price)
                        priced = lines[i];
        }
        arena_reset(&sales->scratch);
        buffer_init(&buffer, &sales->scratch, BODY_SIZE_MAX);
        writer_init(&json, &buffer);
        write_object_begin(&json);
        write_text_member(&json, "title", title);
        write_price(&json, "price", priced->price, priced->currency);
        write_object_end(&json);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

struct product_group {
        struct sale_line **lines;
        size_t n;
};

static void product_answer(struct sales *sales, const struct product_group *group, const struct call *call) {
        _cleanup_(import_json_cleanup) json_t *reply = importer_reply(call);
        char text[IMPORT_PROBLEM_SIZE];
        size_t ignored;

        sales->import->report.products_made += call->reply.status == 201;
        if (call->reply.status == 201 || call->reply.status == 412) {
                (void) !import_seen(&sales->known, group->lines[0]->sku, "", 1, &ignored);
                return;
        }
        import_problem_text(reply, NULL, 0, &order_sources, text, sizeof(text));
        for (size_t i = 0; i < group->n; i++)
                refuse_line(sales, group->lines[i], text);
}

static int make_products(struct sales *sales, const struct product_group *groups, size_t n) {
        int code = EXIT_OK;

        for (size_t i = 0; i < n && !code; i++) {
                char path[PRODUCT_PATH_MAX];
                const struct import_request request = { .method = "PUT",
                        .path = path,
                        .body = product_body(sales, groups[i].lines, groups[i].n),
                        .if_none_match = "*" };

                (void) snprintf(path, sizeof(path), PRODUCT_PATH "%s", groups[i].lines[0]->sku);
                if (!request.body)
                        code = EXIT_OUR_FAULT;
                else
                        importer_call(&sales->import->importer, &sales->calls[sales->n_calls++], &request);
        }
        if (!code)
                code = importer_run(&sales->import->importer, sales->calls, sales->n_calls);
        for (size_t i = 0; i < n && !code; i++)
                product_answer(sales, &groups[i], &sales->calls[i]);
        sale_calls_clear(sales);
        return code;
}

/* Lines of pending sales, by product. */
static size_t collect_lines(struct sales *sales, struct sale_line **lines) {
        size_t n = 0;

        for (size_t i = 0; i < sales->n_lines; i++)
                if (sales->lines[i].state == SALE_PENDING && !import_has_seen(&sales->known, sales->lines[i].sku, ""))
                        lines[n++] = &sales->lines[i];
        if (n)
                qsort(lines, n, sizeof(struct sale_line *), line_compare);
        return n;
}

/* Products that lines of pending sales name and no earlier line named; made unless they exist. */
static int create_products(struct sales *sales) {
        struct sale_line *lines[SALE_LINES_MAX + ORDER_LINES_MAX];
        const size_t n_lines = collect_lines(sales, lines);
        struct product_group groups[SALES_MAX];
        int code = EXIT_OK;
        size_t n = 0;

        for (size_t i = 0, first = 0; i < n_lines && !code; i++) {
                if (i + 1 < n_lines && text_equal(lines[i + 1]->sku, lines[first]->sku))
                        continue;
                groups[n++] = (struct product_group){ &lines[first], i + 1 - first };
                first = i + 1;
                if (n < SALES_MAX && first < n_lines)
                        continue;
                code = make_products(sales, groups, n);
                n = 0;
        }
        for (size_t i = 0; i < sales->n_sales; i++)
                sales->sales[i].pending = pending_line(&sales->sales[i], 0) != NULL;
        return code;
}

/* ---- the chunk ---- */

static bool any_pending(const struct sales *sales) {
        for (size_t i = 0; i < sales->n_sales; i++)
                if (sales->sales[i].pending)
                        return true;
        return false;
}

static void report_sale_line(struct import_report *report, const struct sale *sale, const struct sale_line *line) {
        static const char rival[] = "another client is changing the same order; import it again";

        report->taken += line->state == SALE_TAKEN;
        report->unchanged += line->state == SALE_UNCHANGED;
        if (line->state == SALE_REFUSED || line->state == SALE_PENDING)
                import_refuse(report, line->line, "%s (%.64s: %" PRId64 " of %s)",
                        line->state == SALE_REFUSED ? line->reason : rival, sale->external_ref, line->quantity,
                        line->sku);
}

static void report_lines(struct sales *sales) {
        for (size_t i = 0; i < sales->n_sales; i++)
                for (size_t j = 0; j < sales->sales[i].n_lines; j++)
                        report_sale_line(&sales->import->report, &sales->sales[i], &sales->sales[i].lines[j]);
}

/* Returns are set against purchases of the same customer; a file without returns needs none, and guests have none. */
static bool keep_purchases(struct sales *sales, const struct sale *sale) {
        bool kept = true;

        for (size_t i = 0; i < sale->n_lines && *sale->customer && sales->keeps_purchases; i++) {
                const struct sale_line *line = &sale->lines[i];
                struct purchase purchase = { .second = purchase_second(sale->placed_at),
                        .offset = line->offset,
                        .price = line->price,
                        .bought = (uint32_t) line->quantity,
                        .left = (uint32_t) line->quantity };

                memcpy(purchase.currency, line->currency, sizeof(purchase.currency));
                if (line->state == SALE_TAKEN || line->state == SALE_UNCHANGED)
                        kept = kept && purchases_add(&sales->purchases, sale->customer, line->sku, &purchase);
        }
        return kept;
}

int sales_run(struct sales *sales) {
        const bool open = sales->import->options->open;
        int code = EXIT_OK;

        for (unsigned round = 0; !code && round < ROUNDS_MAX && any_pending(sales); round++) {
                code = call_sales(sales, COMPARE_PATH, /* open= */ false, compare_answer);
                if (!code && sales->import->options->create_products)
                        code = create_products(sales);
                if (!code)
                        code = call_sales(sales, open ? PLACE_PATH : HISTORY_PATH, open, send_answer);
        }
        if (!code)
                report_lines(sales);
        for (size_t i = 0; i < sales->n_sales && !code && !open; i++)
                code = keep_purchases(sales, &sales->sales[i]) ? EXIT_OK : EXIT_OUR_FAULT;
        sales->n_sales = sales->n_lines = 0;
        arena_reset(&sales->arena);
        return code;
}
