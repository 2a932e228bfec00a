#include "importing/invoice.h"

#include "importing/amounts.h"

#include "base/money.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct import_column columns[] = {
        [INVOICE_NUMBER] = { "InvoiceNo", true },
        [INVOICE_SKU] = { "StockCode", true },
        [INVOICE_TITLE] = { "Description", false },
        [INVOICE_QUANTITY] = { "Quantity", true },
        [INVOICE_DATE] = { "InvoiceDate", true },
        [INVOICE_PRICE] = { "UnitPrice", true },
        [INVOICE_CUSTOMER] = { "CustomerID", false },
        [INVOICE_COUNTRY] = { "Country", false },
        [INVOICE_CURRENCY] = { "currency", false },
};
const struct import_columns order_columns = { columns, array_size(columns) };

/* Sorted. The first that begins a member names it. */
static const struct import_source sources[] = {
        { "channel", "--channel" },
        { "country", "Country" },
        { "currency", "currency" },
        { "customer", "CustomerID" },
        { "date", "InvoiceDate" },
        { "external_ref", "InvoiceNo" },
        { "fulfillment", "--location" },
        { "location", "--location" },
        { "order", "InvoiceNo" },
        { "placed_at", "InvoiceDate" },
        { "price", "UnitPrice" },
        { "quantity", "Quantity" },
        { "received_at", "InvoiceDate" },
        { "sku", "StockCode" },
        { "title", "Description" },
        { "unit_price", "UnitPrice" },
};
const struct import_sources order_sources = { sources, array_size(sources) };

/* Codes that stand among the products of some files and are none, unless the catalogue has them. Sorted; compared
 * without regard to case. */
static const struct {
        const char *code, *meaning;
} not_goods[] = {
        { "ADJUST", "a manual adjustment" },
        { "ADJUST2", "a manual adjustment" },
        { "AMAZONFEE", "a marketplace fee" },
        { "B", "a bad debt" },
        { "BANK CHARGES", "bank charges" },
        { "C2", "carriage" },
        { "CRUK", "a donation" },
        { "D", "a discount" },
        { "DOT", "postage" },
        { "M", "a manual entry" },
        { "PADS", "a placeholder" },
        { "POST", "postage" },
        { "S", "samples" },
};
static const char voucher_prefix[] = "gift_"; /* "gift_0001_20": a voucher over 20 */

static const char *not_goods_meaning(const char *code) {
        if (strncasecmp(code, voucher_prefix, sizeof(voucher_prefix) - 1) == 0)
                return "a gift voucher";
        for (size_t i = 0; i < array_size(not_goods); i++)
                if (strcasecmp(code, not_goods[i].code) == 0)
                        return not_goods[i].meaning;
        return NULL;
}

/* ---- prices ---- */

/* Half to even: up when the cut digits are more than half of one unit, or exactly half and the unit is odd. */
static bool rounds_up(int64_t amount, const char *cut) {
        if (*cut != '5')
                return *cut > '5';
        return cut[1 + strspn(cut + 1, "0")] || amount % 2;
}

/* How many there are without the zeros behind them, which are none. */
static size_t decimals_of(const char *fraction) {
        size_t n = strlen(fraction);

        while (n && fraction[n - 1] == '0')
                n--;
        return n;
}

bool invoice_price(const char *text, const char *currency, int64_t *ret_amount, bool *ret_rounded) {
        const int exponent = currency_exponent(currency);
        const char *point = strchr(text, '.');
        struct money money;
        char kept[32];
        size_t size;

        if (exponent < 0)
                return false;
        if (!point || strlen(point + 1) <= (size_t) exponent) {
                *ret_rounded = false;
                if (!money_parse(text, currency, &money) || money.amount < 0)
                        return false;
                *ret_amount = money.amount;
                return true;
        }
        size = (size_t) (point - text) + (exponent ? 1 + (size_t) exponent : 0);
        if (decimals_of(point + 1) > INVOICE_DECIMALS_MAX || point[1 + strspn(point + 1, "0123456789")] ||
                size >= sizeof(kept))
                return false;
        memcpy(kept, text, size);
        kept[size] = '\0';
        if (!money_parse(kept, currency, &money) || money.amount < 0 || *text == '-')
                return false;
        *ret_amount = money.amount + rounds_up(money.amount, point + 1 + exponent);
        *ret_rounded = point[1 + exponent + (int) strspn(point + 1 + exponent, "0")] != '\0';
        return money_in_range(*ret_amount);
}

/* ---- lines ---- */

/* A leading C before the number marks goods that come back, when units are below 0: a number may begin with C. */
static bool is_cancellation(const char *invoice) {
        return (*invoice == 'C' || *invoice == 'c') && isdigit((unsigned char) invoice[1]);
}

#define SAY(...) ((void) snprintf(reason, IMPORT_REASON_SIZE, __VA_ARGS__))

static bool currency_read(const struct import_row *row, const struct invoice_terms *terms, char *ret_currency) {
        const char *cell = row->cells[INVOICE_CURRENCY];
        const char *currency = cell && *cell ? cell : terms->currency;

        if (!currency || currency_exponent(currency) < 0)
                return false;
        memcpy(ret_currency, currency, strlen(currency) + 1);
        return true;
}

static enum invoice_kind refuse_currency(const struct import_row *row, char *reason) {
        const char *cell = row->cells[INVOICE_CURRENCY];
        char text[CURRENCY_FAULT_SIZE];

        if (!cell || !*cell)
                return INVOICE_NO_CURRENCY;
        SAY("currency: \"%.16s\": %s", cell, currency_fault(cell, text));
        return INVOICE_INVALID;
}

static bool price_read(
        const char *price, const struct invoice_terms *terms, struct invoice_line *line, const char **ret_doubt) {
        char plain[AMOUNT_SIZE];

        *ret_doubt = amount_plain(price, line->currency, terms->decimal, plain);
        return !*ret_doubt && invoice_price(plain, line->currency, &line->price, &line->rounded);
}

static enum invoice_kind goods_read(const struct import_row *row, enum invoice_kind kind,
        const struct invoice_terms *terms, struct invoice_line *ret_line, char *reason) {
        const char *price = row->cells[INVOICE_PRICE], *doubt = NULL;

        if (!text_is_code(row->cells[INVOICE_SKU]))
                SAY("StockCode: \"%.64s\" is no code (" CODE_RULE ")", row->cells[INVOICE_SKU]);
        else if (!ret_line->quantity)
                SAY("Quantity: 0 units are none");
        else if (!currency_read(row, terms, ret_line->currency))
                return refuse_currency(row, reason);
        else if (!price_read(price, terms, ret_line, &doubt))
                SAY("UnitPrice: \"%.32s\" %s", price, doubt ? doubt : "is no price in its currency");
        else if (!import_date(row->cells[INVOICE_DATE], terms->dates, ret_line->placed_at))
                SAY("InvoiceDate: \"%.32s\" is no time such as %s", row->cells[INVOICE_DATE],
                        date_example(terms->dates));
        else
                return kind;
        return INVOICE_INVALID;
}

enum invoice_kind invoice_line_read(
        const struct import_row *row, const struct invoice_terms *terms, struct invoice_line *ret_line, char *reason) {
        const char *invoice = row->cells[INVOICE_NUMBER], *quantity = row->cells[INVOICE_QUANTITY];
        const char *meaning = terms->is_product ? NULL : not_goods_meaning(row->cells[INVOICE_SKU]);
        const char *fault;

        *ret_line = (struct invoice_line){ 0 };
        if (!*invoice) {
                SAY("InvoiceNo: it is empty");
                return INVOICE_INVALID;
        }
        if (meaning) {
                SAY("StockCode: %.32s is no product of the catalogue, and means %s", row->cells[INVOICE_SKU], meaning);
                return INVOICE_NOT_GOODS;
        }
        fault = quantity_plain(quantity, terms->decimal, terms->loose_thousands, &ret_line->quantity);
        if (fault) {
                SAY("Quantity: \"%.32s\" %s; wanted is a whole number", quantity, fault);
                return INVOICE_INVALID;
        }
        if (is_cancellation(invoice) && ret_line->quantity > 0 && terms->has_returns) {
                SAY("Quantity: %" PRId64 " units do not come back; those that do are below 0", ret_line->quantity);
                return INVOICE_INVALID;
        }
        if (is_cancellation(invoice) && ret_line->quantity <= 0) {
                ret_line->quantity = ret_line->quantity == INT64_MIN ? 0 : -ret_line->quantity;
                return goods_read(row, INVOICE_RETURN, terms, ret_line, reason);
        }
        if (ret_line->quantity < 0) {
                SAY("Quantity: %" PRId64 " units are a write-off; history moves no stock", ret_line->quantity);
                return INVOICE_WRITE_OFF;
        }
        return goods_read(row, INVOICE_GOODS, terms, ret_line, reason);
}
