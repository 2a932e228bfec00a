#include "importing/amounts.h"
#include "importing/formats.h"
#include "importing/import.h"
#include "importing/mapping.h"
#include "importing/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct import_column column_list[] = { { "sku", true }, { "title", true }, { "location", false },
        { "on_hand", false }, { "opening_hours", false } };
static const struct import_columns columns = { column_list, array_size(column_list) };

static struct arena arena;
static struct import_map map;
static struct import_header header;
static struct import_plan *plan;
static char reason[IMPORT_FAULT_SIZE];

static void begin(void) {
        arena_init(&arena, 1 << 20);
        import_map_init(&map, &arena, &columns);
}

static void end(void) {
        import_plan_free(plan);
        import_header_clear(&header);
        arena_clear(&arena);
}

TestSuite(import_map, .init = begin, .fini = end);

static size_t split(const char *line, char **fields) {
        return csv_split(arena_text(&arena, line), strlen(line), ',', fields);
}

static void bind(const char *names) {
        char *fields[CSV_FIELDS_MAX];
        const size_t n = split(names, fields);

        cr_assert(import_header_take(&header, &columns, fields, n, reason), "%s", reason);
        plan = import_plan_bind(&map, &header, reason);
        cr_assert(plan, "%s", reason);
}

static const char *cells[IMPORT_COLUMNS_MAX];

static void begin_row(const char *line) {
        static char *fields[CSV_FIELDS_MAX];

        (void) split(line, fields);
        import_plan_begin(plan, fields);
}

static bool more(void) {
        bool fault = false;

        return import_plan_next(plan, cells, &fault) && !fault;
}

static void assert_cell(size_t column, const char *expected) {
        cr_expect_str_eq(cells[column] ? cells[column] : "NULL", expected, "column %zu: %s", column, cells[column]);
}

static void pairs(const char *text) {
        cr_assert(import_map_add_pairs(&map, text, reason), "%s", reason);
}

static void lines(const char *text) {
        cr_assert(import_map_add_lines(&map, text, reason), "%s", reason);
}

Test(import_map, takes_columns_by_their_names) {
        pairs("sku=\"Variant SKU\",title=Handle");
        bind("handle,VariantSKU,other");
        begin_row("h,s,o");
        cr_assert(more());
        assert_cell(0, "s");
        assert_cell(1, "h");
        assert_cell(2, "NULL");
        cr_expect_not(more());
        cr_expect_not(header.used[2]);
}

Test(import_map, joins_columns_and_leaves_empty_ones_out) {
        pairs("title=Handle+Option1 Value+Option2 Value,sku=A+'x'+B");
        bind("Handle,Option1 Value,Option2 Value,A,B");
        begin_row("tee,,red,1,2");
        cr_assert(more());
        assert_cell(1, "tee red");
        assert_cell(0, "1-x-2");
        begin_row(",,,,");
        cr_assert(more());
        assert_cell(1, "");
        assert_cell(0, "");
}

Test(import_map, takes_the_first_choice_that_is_not_empty) {
        lines("sku = SKU | 'id' + ID | code(Name)\ntitle = Name\n");
        bind("SKU,ID,Name");
        begin_row("s,7,n");
        cr_assert(more());
        assert_cell(0, "s");
        begin_row(",7,n");
        cr_assert(more());
        assert_cell(0, "id-7");
        begin_row(",,A / b ");
        cr_assert(more());
        assert_cell(0, "A-b");
}

Test(import_map, makes_a_row_of_each_column_that_is_a_location) {
        pairs("on_hand=@\"High Street 1\"+@Warehouse,title=sku");
        bind("sku,Warehouse,High Street 1,Depot");
        begin_row("a,7,8,9");
        cr_assert(more());
        assert_cell(2, "High Street 1");
        assert_cell(3, "8");
        cr_assert(more());
        assert_cell(2, "Warehouse");
        assert_cell(3, "7");
        cr_expect_not(more());
        begin_row("a,,8,9");
        cr_assert(more());
        assert_cell(3, "8");
        cr_expect_not(more(), "an empty cell says nothing of its location");
}

Test(import_map, takes_all_other_columns_or_those_of_a_pattern_as_locations) {
        lines("known Vendor\non_hand = @*\nskip @ = \"not stocked\"\nset title = T\n");
        bind("sku,Vendor,One,Two");
        begin_row("a,v,not stocked,2");
        cr_assert(more());
        assert_cell(2, "Two");
        assert_cell(3, "2");
        assert_cell(1, "T");
        cr_expect_not(more());
        import_plan_free(plan);
        import_header_clear(&header);
        import_map_init(&map, &arena, &columns);
        lines("on_hand = @\"Quantity *\"\nset title = T\n");
        bind("sku,Quantity One,New Quantity One,Quantity ");
        begin_row("a,1,2,3");
        cr_assert(more());
        assert_cell(2, "One");
        cr_expect_not(more());
}

Test(import_map, fills_down_within_one_thing_and_skips_rows) {
        lines("fill Title by Handle\nskip Price = \"\"\nput Title = none if Title = \"\"\nsku=Handle\ntitle = Title\n");
        bind("Handle,Title,Price");
        begin_row("a,A,1");
        cr_assert(more());
        begin_row("a,,2");
        cr_assert(more());
        assert_cell(1, "A");
        begin_row("a,,");
        cr_expect_not(more());
        begin_row("b,,3");
        cr_assert(more());
        assert_cell(1, "none");
}

Test(import_map, tests_values_by_their_beginning_or_not_at_all) {
        lines("skip Type = variable* | grouped\nskip View != \"\"\nset title=T\n");
        bind("sku,Type,View");
        static const struct {
                const char *row;
                bool taken;
        } cases[] = { { "a,variable x,", false }, { "a,grouped,", false }, { "a,grouped x,", true },
                { "a,simple,de", false }, { "a,simple,", true } };

        for (size_t i = 0; i < array_size(cases); i++) {
                begin_row(cases[i].row);
                cr_expect_eq(more(), cases[i].taken, "%s", cases[i].row);
        }
}

Test(import_map, writes_opening_hours_of_days) {
        lines("opening_hours = mon(Monday) + tue(Tuesday) + wed(Wednesday)\nset title = T\n");
        bind("sku,Monday,Tuesday,Wednesday");
        begin_row("a,x,\"09:00-12:30, 13:30-19:00\",9 AM - 12:15 AM");
        cr_assert(more());
        assert_cell(4, "tue 09:00-12:30; tue 13:30-19:00; wed 09:00-00:15");
}

static void assert_form(enum map_form form, const char *text, const char *expected) {
        char out[256];

        cr_assert(map_form_apply(form, text, out, sizeof(out)));
        cr_expect_str_eq(out, expected, "%s: %s", text, out);
        cr_expect(map_form_apply(form, text, out, strlen(expected) + 1), "%s fits exactly", text);
        cr_expect_not(map_form_apply(form, text, out, strlen(expected)), "%s does not fit", text);
}

Test(import_map, gives_cells_their_form) {
        assert_form(FORM_FIRST, "a, b", "a");
        assert_form(FORM_CODE, "MUG 01/blue", "MUG-01-blue");
        assert_form(FORM_CODE, " (x) ", "x");
        assert_form(FORM_BRACKETED, "[REF-1] Name [x]", "REF-1");
        assert_form(FORM_BRACKETED, "Name", "Name");
        assert_form(FORM_BRACKETED, "[Name", "[Name");
        assert_form(FORM_TEXT, "<p class=\"p1\">Soft, warm\nand <b>blue</b>.</p><p>Wash&nbsp;&amp; dry &lt;30</p>",
                "Soft, warm and blue. Wash & dry <30");
        assert_form(FORM_TEXT, "1 < 2 & 3", "1 < 2 & 3");
        assert_form(FORM_CLOSURES, "2026-12-24: 09:00-13:00, 2026-12-25: x", "2026-12-24 09:00-13:00; 2026-12-25");
        assert_form(FORM_HOURS, "Open 24 hours", "mon 00:00-24:00");
        assert_form(FORM_HOURS, "noon", "mon noon");
}

static void assert_fault(const char *text, const char *word) {
        cr_expect_not(import_map_add_lines(&map, text, reason), "%s", text);
        cr_expect(strstr(reason, word), "%s: \"%s\" does not say %s", text, reason, word);
}

Test(import_map, names_the_line_and_the_fault) {
        assert_fault("sku = A\nprize = B\n", "line 2: there is no column \"prize\"");
        assert_fault("sku\n", "a = is missing");
        assert_fault("sku =\n", "a name is missing");
        assert_fault("sku = \"A\n", "never closed");
        assert_fault("sku = code(A\n", "a ) is missing");
        assert_fault("sku = A + B + C + D + E + F + G + H + I\n", "more than 8");
        assert_fault("fill A\n", "by is missing");
        assert_fault("put A = B\n", "if is missing");
        assert_fault("decimal x\n", "decimal is");
        cr_expect_not(import_map_set(&map, "sku", reason));
}

Test(import_map, needs_the_columns_that_the_caller_names) {
        char *fields[2] = { "sku", "title" };

        pairs("title=Name");
        cr_assert(import_header_take(&header, &columns, fields, 2, reason));
        plan = import_plan_bind(&map, &header, reason);
        cr_expect_null(plan);
        cr_expect(strstr(reason, "\"Name\""), "%s", reason);
}

Test(import_map, a_fixed_value_replaces_the_column) {
        cr_assert(import_map_set(&map, "title= A, b ", reason));
        bind("sku,title");
        begin_row("a,t");
        cr_assert(more());
        assert_cell(1, "A, b ");
        cr_expect_not(header.used[1]);
}

/* ---- amounts ---- */

static void assert_amount(const char *text, const char *currency, char decimal, const char *expected) {
        char out[AMOUNT_SIZE];
        const char *fault = amount_plain(text, currency, decimal, out);

        if (expected)
                cr_expect(!fault && strcmp(out, expected) == 0, "%s: %s", text, fault ? fault : out);
        else
                cr_expect(fault, "%s is %s", text, out);
}

Test(import_amounts, takes_signs_and_thousands_away_when_there_is_no_doubt) {
        assert_amount("12.99", "EUR", 0, "12.99");
        assert_amount("34.0000", "USD", 0, "34.0000");
        assert_amount("\xc2\xa3"
                      "1,250.00",
                "GBP", 0, "1250.00");
        assert_amount("1.250,00 \xe2\x82\xac", "EUR", 0, "1250.00");
        assert_amount("16,50", "EUR", 0, "16.50");
        assert_amount("0,125", "EUR", 0, "0.125");
        assert_amount("16,500000", "EUR", 0, "16.500000");
        assert_amount("1,234,567", "JPY", 0, "1234567");
        assert_amount("1.234.567", "JPY", 0, "1234567");
        assert_amount("1\xc2\xa0"
                      "234,50",
                "EUR", 0, "1234.50");
        assert_amount("1'234.50", "CHF", 0, "1234.50");
        assert_amount("5.00 EUR", "EUR", 0, "5.00");
        assert_amount("USD 5", "USD", 0, "5");
        assert_amount("$5.00", "USD", 0, "5.00");
        assert_amount("-\xc2\xa3"
                      "5.00",
                "GBP", 0, "-5.00");
        assert_amount("\xe2\x88\x92"
                      "5",
                "GBP", 0, "-5");
        assert_amount(".5", "GBP", 0, "0.5");
}

Test(import_amounts, refuses_figures_in_doubt) {
        assert_amount("1,200", "EUR", 0, NULL);
        assert_amount("1,200", "EUR", '.', "1200");
        assert_amount("1,200", "EUR", ',', "1.200");
        assert_amount("1.200", "EUR", ',', "1200");
        assert_amount("16.50", "EUR", ',', NULL);
        assert_amount("$5.00", "EUR", 0, NULL);
        assert_amount("5.00 GBP", "EUR", 0, NULL);
        assert_amount("1,23,456.00", "INR", 0, NULL);
        assert_amount("1.2.3", "EUR", 0, NULL);
        assert_amount("1e5", "EUR", 0, NULL);
        assert_amount("12,34,", "EUR", 0, NULL);
        assert_amount("variable", "EUR", 0, NULL);
        assert_amount("", "EUR", 0, NULL);
}

static void assert_quantity(const char *text, char decimal, bool loose, int64_t expected) {
        int64_t quantity = -99;
        const char *fault = quantity_plain(text, decimal, loose, &quantity);

        cr_expect_eq(fault ? -99 : quantity, expected, "%s: %s", text, fault ? fault : "another figure");
}

Test(import_amounts, reads_quantities_with_zeros_and_thousands) {
        assert_quantity("12", 0, true, 12);
        assert_quantity("-3", 0, true, -3);
        assert_quantity("12.0", 0, true, 12);
        assert_quantity("100.0000", 0, true, 100);
        assert_quantity("12,0", 0, true, 12);
        assert_quantity("1,200", 0, true, 1200);
        assert_quantity("1,200", 0, false, -99);
        assert_quantity("1,200", '.', false, 1200);
        assert_quantity("1.200", ',', false, 1200);
        assert_quantity("2.5", 0, true, -99);
        assert_quantity("\xc2\xa3"
                        "2",
                0, true, -99);
        assert_quantity("many", 0, true, -99);
}

/* ---- the maps that come with the program ---- */

static const struct import_columns *columns_of(const char *kind) {
        return strcmp(kind, "products") == 0 ? &product_columns
               : strcmp(kind, "stock") == 0  ? &stock_columns
                                             : &location_columns;
}

Test(import_formats, can_all_be_read_and_prove_themselves) {
        static const char *const kinds[] = { "products", "stock", "locations" };
        size_t sections = 0;

        cr_assert_gt(import_format_count, 0);
        for (size_t i = 0; i < import_format_count; i++) {
                cr_expect(strstr(IMPORT_FORMAT_NAMES, import_formats[i].name), "%s", import_formats[i].name);
                cr_expect(!i || strcmp(import_formats[i - 1].name, import_formats[i].name) < 0);
        }
        for (size_t i = 0; i < array_size(kinds); i++) {
                struct mapping mapping;

                cr_assert(
                        mapping_make(&mapping, &(struct mapping_options){ 0 }, kinds[i], columns_of(kinds[i]), reason),
                        "%s", reason);
                for (size_t j = 0; j < mapping.n_formats; j++)
                        cr_expect_gt(mapping.formats[j]->has.n, 1, "%s", mapping.formats[j]->format);
                sections += mapping.n_formats;
                mapping_clear(&mapping);
        }
        cr_expect_gt(sections, import_format_count);
}
