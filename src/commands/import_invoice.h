/*
 * commands/import_invoice: what one line of an invoice file says. Pure.
 */
#pragma once

#include "commands/import_file.h"

enum invoice_column {
        INVOICE_NUMBER,
        INVOICE_SKU,
        INVOICE_TITLE,
        INVOICE_QUANTITY,
        INVOICE_DATE,
        INVOICE_PRICE,
        INVOICE_CUSTOMER,
        INVOICE_COUNTRY,
};

extern const struct import_columns order_columns;

#define INVOICE_DATE_SIZE 17 /* "2010-12-01 08:26" and its NUL */

enum invoice_kind {
        INVOICE_GOODS,
        INVOICE_RETURN,    /* goods come back; their quantity is told as units that do */
        INVOICE_WRITE_OFF, /* goods that are there no more, without a customer */
        INVOICE_NOT_GOODS, /* postage, fees, discounts: nothing that stands on a shelf */
        INVOICE_INVALID,
};

struct invoice_line {
        int64_t quantity;
        int64_t price; /* minor units, for one */
        bool rounded;  /* the price had more decimals than the currency */
        char placed_at[INVOICE_DATE_SIZE];
};

/* What the row is; `ret_line` is set for goods and returns, `reason` (of IMPORT_REASON_SIZE) for all else. */
enum invoice_kind invoice_line_read(
        const struct import_row *row, const char *currency, struct invoice_line *ret_line, char *reason);

/* "2.555" in major units to minor units of the currency. What is beyond its decimals is rounded half to even, which
 * `ret_rounded` tells; at most INVOICE_DECIMALS_MAX decimals. False for what is no price. */
#define INVOICE_DECIMALS_MAX 6
bool invoice_price(const char *text, const char *currency, int64_t *ret_amount, bool *ret_rounded);

/* "1/12/2010 8:26" (day first) to "2010-12-01 08:26"; false for what is no such time. */
bool invoice_date(const char *text, char *ret_date);
