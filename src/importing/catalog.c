/* Products and locations: one row, one resource, put whole. */
#include "importing/amounts.h"
#include "importing/hours.h"
#include "importing/import.h"
#include "importing/invoice.h"
#include "importing/keys.h"

#include "base/money.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define CHUNK_ROWS 128
#define ROUNDS_MAX 4
#define PATH_SIZE  128
#define TAG_SIZE   24

/* ---- rows ---- */

/* A kind of document. A member for which the file has no column stays as it is. */
struct document_kind {
        const char *path; /* of a resource, without its code */
        const char *code_column;
        struct import_sources sources; /* of members that are not called as their columns */
        const char *const *members;    /* that a PUT takes, NULL-terminated */
        bool has_prices;
        /* Put the cells of the row into `said`, its price in the currency; null for empty cells. False with a reason of
         * IMPORT_REASON_SIZE. */
        bool (*say)(const struct import_row *row, const char *currency, char decimal, json_t *said, char *reason);
};

static void say_text(json_t *said, const char *name, const char *cell) {
        if (cell)
                (void) json_object_set_new(said, name, *cell ? json_string(cell) : json_null());
}

/* A cell that is not a number goes on as text, which the route refuses with a pointer to its place. */
static void say_number(json_t *said, const char *name, const char *cell) {
        double number;

        if (cell && text_to_number(cell, &number))
                (void) json_object_set_new(said, name, json_real(number));
        else
                say_text(said, name, cell);
}

static const struct import_column product_column_list[] = {
        [PRODUCT_SKU] = { "sku", true },
        [PRODUCT_TITLE] = { "title", true },
        [PRODUCT_GTIN] = { "gtin", false },
        [PRODUCT_PRICE] = { "price", false },
        [PRODUCT_CURRENCY] = { "currency", false },
        [PRODUCT_DESCRIPTION] = { "description", false },
        [PRODUCT_IMAGE] = { "image_url", false },
};
const struct import_columns product_columns = { product_column_list, array_size(product_column_list) };

static bool say_price(const struct import_row *row, const char *currency, char decimal, json_t *said, char *reason) {
        const char *price = row->cells[PRODUCT_PRICE];
        char fault[CURRENCY_FAULT_SIZE], plain[AMOUNT_SIZE];
        const char *doubt;
        int64_t amount = 0;
        bool rounded = false;

        if (!price || !*price) {
                say_text(said, "price", price);
                return true;
        }
        doubt = amount_plain(price, currency, decimal, plain);
        if (currency_fault(currency, fault))
                (void) snprintf(reason, IMPORT_REASON_SIZE, "currency: \"%.16s\": %s", currency,
                        currency_fault(currency, fault));
        else if (doubt)
                (void) snprintf(reason, IMPORT_REASON_SIZE, "price: \"%.32s\" %s", price, doubt);
        else if (!invoice_price(plain, currency, &amount, &rounded) || rounded)
                (void) snprintf(reason, IMPORT_REASON_SIZE, "price: \"%.32s\" is no price in %s, which has %d decimals",
                        price, currency, currency_exponent(currency));
        else
                return json_object_set_new(said, "price",
                               json_pack("{sIss}", "amount", (json_int_t) amount, "currency", currency)) == 0;
        return false;
}

/* Spreadsheets and shops put an apostrophe before digits that must not lose their zeros. */
static const char *gtin_digits(const char *cell) {
        return cell && *cell == '\'' ? cell + 1 : cell;
}

static bool product_say(const struct import_row *row, const char *currency, char decimal, json_t *said, char *reason) {
        say_text(said, "title", row->cells[PRODUCT_TITLE]);
        say_text(said, "gtin", gtin_digits(row->cells[PRODUCT_GTIN]));
        say_text(said, "description", row->cells[PRODUCT_DESCRIPTION]);
        say_text(said, "image_url", row->cells[PRODUCT_IMAGE]);
        return say_price(row, currency, decimal, said, reason);
}

/* The currency of the row's price: from its cell, else from the option or setting; NULL: from neither. */
static const char *product_currency(const struct import *import, const struct import_row *row) {
        const char *cell = row->cells[PRODUCT_CURRENCY];

        return cell && *cell ? cell : import->options->currency;
}

static const char *const product_members[] = { "attributes", "description", "gtin", "image_url", "price",
        "return_policy", "returnable", "title", NULL };
static const struct import_source product_sources[] = { { "price/currency", "currency" }, { "price", "price" } };
static const struct document_kind products = { "/v1/products/", "sku", { product_sources, array_size(product_sources) },
        product_members, true, product_say };

enum {
        LOCATION_CODE,
        LOCATION_NAME,
        LOCATION_KIND,
        LOCATION_LATITUDE,
        LOCATION_LONGITUDE,
        LOCATION_TIME_ZONE,
        LOCATION_COUNTRY,
        LOCATION_CAPABILITIES,
        LOCATION_LEAD_TIME,
        LOCATION_HOLD_FOR,
        LOCATION_OPENING_HOURS,
        LOCATION_CLOSURES,
        LOCATION_SLOTS,
};

static const struct import_column location_column_list[] = {
        [LOCATION_CODE] = { "code", true },
        [LOCATION_NAME] = { "name", true },
        [LOCATION_KIND] = { "kind", true },
        [LOCATION_LATITUDE] = { "latitude", false },
        [LOCATION_LONGITUDE] = { "longitude", false },
        [LOCATION_TIME_ZONE] = { "time_zone", true },
        [LOCATION_COUNTRY] = { "country", true },
        [LOCATION_CAPABILITIES] = { "capabilities", false },
        [LOCATION_LEAD_TIME] = { "lead_time", false },
        [LOCATION_HOLD_FOR] = { "hold_for", false },
        [LOCATION_OPENING_HOURS] = { "opening_hours", false },
        [LOCATION_CLOSURES] = { "closures", false },
        [LOCATION_SLOTS] = { "slots", false },
};
const struct import_columns location_columns = { location_column_list, array_size(location_column_list) };

static void say_capabilities(json_t *said, const char *cell) {
        json_t *list = cell ? json_array() : NULL;

        for (const char *at = cell; at && *at;) {
                const char *end;

                at += strspn(at, "; ");
                end = at + strcspn(at, "; ");
                if (end > at)
                        (void) json_array_append_new(list, json_stringn(at, (size_t) (end - at)));
                at = end;
        }
        if (list)
                (void) json_object_set_new(said, "capabilities", list);
}

/* An empty cell takes the list away. */
static bool say_list(const struct import_row *row, int column, json_t *(*read)(const char *), const char *example,
        json_t *said, char *reason) {
        const char *name = location_column_list[column].name, *cell = row->cells[column];
        json_t *list = cell ? read(cell) : NULL;

        if (cell && !list)
                (void) snprintf(
                        reason, IMPORT_REASON_SIZE, "%s: \"%.60s\" is not written like %s", name, cell, example);
        else if (cell)
                (void) json_object_set_new(said, name, list);
        return !cell || list;
}

static bool location_say(const struct import_row *row, const char *currency, char decimal, json_t *said, char *reason) {
        json_t *pickup = json_object();

        (void) currency;
        (void) decimal;
        say_text(said, "name", row->cells[LOCATION_NAME]);
        say_text(said, "kind", row->cells[LOCATION_KIND]);
        say_number(said, "latitude", row->cells[LOCATION_LATITUDE]);
        say_number(said, "longitude", row->cells[LOCATION_LONGITUDE]);
        say_text(said, "time_zone", row->cells[LOCATION_TIME_ZONE]);
        say_text(said, "country", row->cells[LOCATION_COUNTRY]);
        say_capabilities(said, row->cells[LOCATION_CAPABILITIES]);
        say_text(pickup, "lead_time", row->cells[LOCATION_LEAD_TIME]);
        say_text(pickup, "hold_for", row->cells[LOCATION_HOLD_FOR]);
        return json_object_set_new(said, "pickup", pickup) == 0 &&
               say_list(row, LOCATION_OPENING_HOURS, import_opening_hours, IMPORT_HOURS_EXAMPLE, said, reason) &&
               say_list(row, LOCATION_CLOSURES, import_closures, IMPORT_CLOSURES_EXAMPLE, said, reason) &&
               say_list(row, LOCATION_SLOTS, import_slots, IMPORT_SLOTS_EXAMPLE, pickup, reason);
}

static const char *const location_members[] = { "address", "capabilities", "closures", "country", "kind", "latitude",
        "longitude", "name", "opening_hours", "pickup", "time_zone", NULL };
static const struct import_source location_sources[] = { { "pickup", NULL } };
static const struct document_kind locations = { "/v1/locations/", "code",
        { location_sources, array_size(location_sources) }, location_members, false, location_say };

/* ---- a chunk of rows ---- */

struct document {
        size_t line;
        char path[PATH_SIZE];
        json_t *said;
        int64_t version; /* 0: there is none yet */
};

struct chunk {
        const struct document_kind *kind;
        struct import *import;
        struct import_seen seen;
        struct document documents[CHUNK_ROWS];
        struct call calls[CHUNK_ROWS];
        size_t n, n_calls;
};

static void document_calls_clear(struct chunk *chunk) {
        for (size_t i = 0; i < chunk->n_calls; i++)
                call_clear(&chunk->calls[i]);
        chunk->n_calls = 0;
}

/* Members of the row replace those of the document; null removes one. */
static void overlay(json_t *there, json_t *said) {
        const char *name;
        json_t *value;

        json_object_foreach(said, name, value) {
                json_t *old = json_object_get(there, name);

                if (json_is_null(value))
                        (void) json_object_del(there, name);
                else if (json_is_object(value) && json_is_object(old))
                        overlay(old, value);
                else
                        (void) json_object_set(there, name, value);
        }
}

/* The members of the existing document that a PUT takes. */
static json_t *body_from(const struct document_kind *kind, const json_t *there) {
        json_t *body = json_object();

        for (size_t i = 0; kind->members[i]; i++) {
                json_t *value = json_object_get(there, kind->members[i]);

                if (value && !json_is_null(value))
                        (void) json_object_set(body, kind->members[i], value);
        }
        return body;
}

static int read_documents(struct chunk *chunk) {
        for (size_t i = 0; i < chunk->n; i++) {
                const struct import_request request = { .method = "GET", .path = chunk->documents[i].path };

                importer_call(&chunk->import->importer, &chunk->calls[i], &request);
        }
        chunk->n_calls = chunk->n;
        return importer_run(&chunk->import->importer, chunk->calls, chunk->n_calls);
}

/* From the answer of the GET to the PUT, in the same call. */
static void put_document(struct chunk *chunk, size_t i) {
        struct document *document = &chunk->documents[i];
        _cleanup_(import_json_cleanup) json_t *there = importer_reply(&chunk->calls[i]);
        _cleanup_(import_json_cleanup) json_t *body = body_from(chunk->kind, there);
        _cleanup_free_ char *text = NULL;
        char tag[TAG_SIZE];
        struct import_request request = { .method = "PUT", .path = document->path };

        document->version =
                chunk->calls[i].reply.status == 200 ? json_integer_value(json_object_get(there, "version")) : 0;
        overlay(body, document->said);
        text = json_dumps(body, JSON_COMPACT);
        (void) snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", document->version);
        request.body = text;
        request.if_match = document->version ? tag : NULL;
        request.if_none_match = document->version ? NULL : "*";
        call_clear(&chunk->calls[i]);
        importer_call(&chunk->import->importer, &chunk->calls[i], &request);
}

#define NO_HOURS "warning: it offers pickup and has no opening_hours, so its promises may fall into the night"

/* A location where customers collect, and that is open at every hour as far as anybody knows. */
static bool lacks_hours(const json_t *location) {
        const json_t *capability;
        size_t i;

        json_array_foreach(json_object_get(location, "capabilities"), i, capability) {
                const char *name = json_string_value(capability);

                if (text_equal(name, "pickup") || text_equal(name, "curbside"))
                        return json_array_size(json_object_get(location, "opening_hours")) == 0;
        }
        return false;
}

/* Whether the document has to be read and put again: another client changed it between the two, or the answer to a PUT
 * that was made got lost. */
static bool report_document(struct chunk *chunk, const struct document *document, const struct call *call, bool last) {
        _cleanup_(import_json_cleanup) json_t *reply = importer_reply(call);
        struct import_report *report = &chunk->import->report;
        char text[IMPORT_PROBLEM_SIZE];

        if (call->reply.status == 412 && !last)
                return true;
        if (call->reply.status >= 400) {
                import_unsee(&chunk->seen, document->path + strlen(chunk->kind->path), "");
                import_problem_text(reply, NULL, 0, &chunk->kind->sources, text, sizeof(text));
                import_refuse(report, document->line, "%s (%s)", text, document->path + strlen(chunk->kind->path));
        } else if (document->version && json_integer_value(json_object_get(reply, "version")) == document->version) {
                report->unchanged++;
        } else {
                report->taken++;
        }
        if (call->reply.status < 400 && lacks_hours(reply)) {
                report->without_hours++;
                import_note(report, document->line, "%s (%s)", NO_HOURS, document->path + strlen(chunk->kind->path));
        }
        return false;
}

/* Documents that are to be put again stay in the chunk. */
static void report_documents(struct chunk *chunk, bool last) {
        size_t kept = 0;

        for (size_t i = 0; i < chunk->n; i++) {
                if (report_document(chunk, &chunk->documents[i], &chunk->calls[i], last))
                        chunk->documents[kept++] = chunk->documents[i];
                else
                        json_decref(chunk->documents[i].said);
        }
        chunk->n = kept;
        document_calls_clear(chunk);
}

static int document_chunk_run(struct chunk *chunk) {
        int code = EXIT_OK;

        for (unsigned round = 1; chunk->n && !code; round++) {
                code = read_documents(chunk);
                for (size_t i = 0; !code && i < chunk->n; i++)
                        put_document(chunk, i);
                if (!code)
                        code = importer_run(&chunk->import->importer, chunk->calls, chunk->n_calls);
                if (!code)
                        report_documents(chunk, /* last= */ round == ROUNDS_MAX);
        }
        return code;
}

/* ---- rows ---- */

static const char *currency_of(const struct chunk *chunk, const struct import_row *row) {
        return chunk->kind->has_prices ? product_currency(chunk->import, row) : NULL;
}

static bool row_lacks_currency(const struct chunk *chunk, const struct import_row *row) {
        const char *price = chunk->kind->has_prices ? row->cells[PRODUCT_PRICE] : NULL;

        return price && *price && !currency_of(chunk, row);
}

static int row_begin(struct chunk *chunk, const struct import_row *row, bool *ret_begun) {
        struct document *document = &chunk->documents[chunk->n];
        struct import_report *report = &chunk->import->report;
        const char *code = row->cells[0];
        char reason[IMPORT_REASON_SIZE];

        *ret_begun = false;
        if (!text_is_code(code)) {
                import_refuse(report, row->line, "%s: \"%.64s\" is no code (" CODE_RULE "); " MAKE_CODE,
                        chunk->kind->code_column, code, chunk->kind->code_column);
                return EXIT_OK;
        }
        if (row_lacks_currency(chunk, row)) {
                import_refuse_currency(chunk->import, row, product_column_list[PRODUCT_PRICE].name, code);
                return EXIT_OK;
        }
        *document = (struct document){ .line = row->line, .said = json_object() };
        if (!document->said)
                return EXIT_OUR_FAULT;
        (void) snprintf(document->path, sizeof(document->path), "%s%s", chunk->kind->path, code);
        *ret_begun = chunk->kind->say(row, currency_of(chunk, row), chunk->import->decimal, document->said, reason);
        if (!*ret_begun) {
                json_decref(document->said);
                import_refuse(report, row->line, "%s (%s)", reason, code);
        }
        return EXIT_OK;
}

/* The second row about one thing is refused, or running the import again would change it to and fro; but not when the
 * first one was refused, which its chunk has to tell. */
static int document_row_take(struct chunk *chunk, const struct import_row *row) {
        size_t before = 0;
        bool begun = false;
        int code;

        if (!import_seen(&chunk->seen, row->cells[0], "", row->line, &before))
                return import_too_long();
        if (before && chunk->n && before >= chunk->documents[0].line) {
                code = document_chunk_run(chunk);
                return code ? code : document_row_take(chunk, row);
        }
        if (before) {
                import_refuse(&chunk->import->report, row->line, "%s: line %zu is about %s already",
                        chunk->kind->code_column, before, row->cells[0]);
                return EXIT_OK;
        }
        code = row_begin(chunk, row, &begun);
        if (begun)
                chunk->n++;
        else
                import_unsee(&chunk->seen, row->cells[0], "");
        return code;
}

static int import_documents(struct import *import, const struct document_kind *kind) {
        _cleanup_free_ struct chunk *chunk = calloc(1, sizeof(*chunk));
        struct import_row row;
        bool more = true;
        int code = EXIT_OK;

        if (!chunk)
                return EXIT_OUR_FAULT;
        chunk->kind = kind;
        chunk->import = import;
        while (more && !code) {
                code = import_next(import, &row, &more);
                if (!code && more)
                        code = document_row_take(chunk, &row);
                if (!code && (!more || chunk->n == CHUNK_ROWS))
                        code = document_chunk_run(chunk);
        }
        document_calls_clear(chunk);
        for (size_t i = 0; i < chunk->n; i++)
                json_decref(chunk->documents[i].said);
        chunk->n = 0;
        import_seen_clear(&chunk->seen);
        return code;
}

int import_products(struct import *import) {
        return import_documents(import, &products);
}

int import_locations(struct import *import) {
        return import_documents(import, &locations);
}
