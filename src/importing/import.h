/*
 * importing/import: declarations that the kinds of import share.
 *
 * A kind reads its file in chunks of bounded size, makes calls of the rows and reports every line as taken, unchanged
 * or refused. It returns EXIT_OK when it got through the file, even when lines were refused; else it has complained.
 */
#pragma once

#include "importing/client.h"
#include "importing/dates.h"
#include "importing/file.h"
#include "importing/places.h"
#include "importing/report.h"

struct import_options {
        const char *kind, *path;
        const char *print_map;          /* print this format's map, and import nothing */
        const char *currency;           /* of prices that name none; NULL: unknown. Products and orders */
        const char *channel, *location; /* orders only, like the next three members */
        bool open, create_products;
        enum date_order dates;
        timestamp counted_at; /* stock only; TIMESTAMP_NONE: figures of now */
        struct import_reading reading;
        struct mapping_options mapping;
        char decimal; /* '.' or ','; '\0': by the pattern of each figure */
        bool dry_run;
        const char *rejects;        /* the file for refused rows; NULL: none */
        bool negative_as_zero;      /* stock only */
        bool for_orders, for_stock; /* an option was given that only these take */
};

struct import {
        const struct import_options *options;
        struct importer importer;
        struct import_file file;
        struct import_report report;
        struct import_rejects rejects;
        struct mapping mapping;
        struct import_places places;
        char decimal; /* of the options, else of the map */
};

int import_locations(struct import *import);
int import_orders(struct import *import);
int import_products(struct import *import);
int import_stock(struct import *import);

enum product_column {
        PRODUCT_SKU,
        PRODUCT_TITLE,
        PRODUCT_GTIN,
        PRODUCT_PRICE,
        PRODUCT_CURRENCY,
        PRODUCT_DESCRIPTION,
        PRODUCT_IMAGE
};

/* Columns of each kind, the one that names the row first. */
extern const struct import_columns location_columns, product_columns, stock_columns;

/* Half a sentence for a text that is no code: the column, as %s. */
#define MAKE_CODE "--map %s=code(COLUMN) makes one of it"

/* The ways to say in which currency the prices of a file are. */
#define CURRENCY_WAYS "name it with a column currency, with --currency C or with HOLDFAST_CURRENCY"

/* The next row. Lines that are none are reported and passed over, lines are counted and progress is shown.
 * *ret_more is false at the end of the file. EXIT_OK, or an exit code after complaining. */
int import_next(struct import *import, struct import_row *ret_row, bool *ret_more);

/* A row seen before. EXIT_OK, or an exit code after complaining. */
int import_read_again(struct import *import, uint64_t offset, size_t line, struct import_row *ret_row);

/* A price without a currency is refused. The first is named with its column, its subject (an SKU; NULL without memory)
 * and the ways out, the others are counted. */
void import_refuse_currency(
        struct import *import, const struct import_row *row, const char *column, const char *subject);

/* The file names more documents than the importer can remember. Complains; an exit code. */
int import_too_long(void);
