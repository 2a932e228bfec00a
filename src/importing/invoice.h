/*
 * importing/invoice: the reader of one line of an invoice file. Pure.
 */
#pragma once

#include "importing/dates.h"
#include "importing/file.h"
#include "importing/report.h"

enum invoice_column {
        INVOICE_NUMBER,
        INVOICE_SKU,
        INVOICE_TITLE,
        INVOICE_QUANTITY,
        INVOICE_DATE,
        INVOICE_PRICE,
        INVOICE_CUSTOMER,
        INVOICE_COUNTRY,
        INVOICE_CURRENCY,
};

extern const struct import_columns order_columns;

/* Of the requests that orders and returns of a file become. */
extern const struct import_sources order_sources;

enum invoice_kind {
        INVOICE_GOODS,
        INVOICE_RETURN,    /* goods come back; their quantity is the number of returned units */
        INVOICE_WRITE_OFF, /* goods that are there no more, without a customer */
        INVOICE_NOT_GOODS, /* postage, fees, discounts: nothing that stands on a shelf */
        INVOICE_NO_CURRENCY,
        INVOICE_INVALID,
};

/* Facts that one line alone does not hold. */
struct invoice_terms {
        const char *currency;  /* of lines that name none; NULL: such lines are refused */
        enum date_order dates; /* of the file */
        char decimal;          /* of prices and quantities; '\0': by their pattern */
        bool loose_thousands;  /* 1,000 units are a thousand though `decimal` is not said */
        bool is_product;       /* the catalogue has its code: it is goods, whatever the code means in other shops */
        bool has_returns;      /* its invoice has units below 0 */
};

struct invoice_line {
        int64_t quantity;
        int64_t price; /* minor units, for one */
        bool rounded;  /* the price had more decimals than the currency */
        char currency[4];
        char placed_at[IMPORT_DATE_SIZE];
};

/* The kind of the row; `ret_line` is set for goods and returns, `reason` (of IMPORT_REASON_SIZE) for all else. */
enum invoice_kind invoice_line_read(
        const struct import_row *row, const struct invoice_terms *terms, struct invoice_line *ret_line, char *reason);

/* "2.555" in major units to minor units of the currency. Further decimals are rounded half to even, and `ret_rounded`
 * is set; at most INVOICE_DECIMALS_MAX decimals, trailing zeros not counted. False for a text that is no price. */
#define INVOICE_DECIMALS_MAX 6
bool invoice_price(const char *text, const char *currency, int64_t *ret_amount, bool *ret_rounded);
