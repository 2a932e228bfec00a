/*
 * importing/invoice_chunk: a chunk of invoices on their way to becoming orders.
 *
 * Each is compared with what its channel has already, its missing products are made when that is wished, and it is
 * sent; lines that are to blame for a refusal leave it, and it is sent again without them. At the end every line is
 * taken, unchanged or refused. All text lives in the chunk's arena.
 */
#pragma once

#include "importing/import.h"
#include "importing/invoice.h"
#include "importing/keys.h"
#include "importing/known_codes.h"
#include "importing/purchases.h"
#include "orders/orders.h"

#define SALES_MAX      128 /* in one chunk */
#define SALE_LINES_MAX 2000

enum sale_state { SALE_PENDING, SALE_TAKEN, SALE_UNCHANGED, SALE_REFUSED };

struct sale_line {
        size_t line; /* of the file */
        uint64_t offset;
        const char *sku, *title;
        int64_t quantity, price;
        char currency[4];
        enum sale_state state;
        const char *reason; /* why it was refused */
};

struct sale {
        const char *external_ref, *placed_at, *customer, *country;
        char currency[4];
        struct sale_line *lines; /* within those of the chunk */
        size_t n_lines;
        bool pending; /* some lines are */
};

struct sales {
        struct import *import;
        struct arena arena;            /* of the chunk */
        struct arena scratch;          /* of one body */
        struct import_seen known;      /* products that are there */
        struct import_catalog catalog; /* codes that may be no goods */
        enum date_order dates;         /* of the file */
        struct purchases purchases;    /* of all chunks so far */
        bool keeps_purchases;          /* the file has returns */
        struct sale sales[SALES_MAX];
        struct sale_line lines[SALE_LINES_MAX + ORDER_LINES_MAX];
        struct call calls[SALES_MAX];
        struct sale *called[SALES_MAX]; /* whose call it is */
        size_t n_sales, n_lines, n_calls;
};

/* Empty, for the first chunk. */
void sales_init(struct sales *sales, struct import *import);
void sales_clear(struct sales *sales);

/* Make orders of the chunk, report its lines, and empty it. EXIT_OK, or an exit code after complaining. */
int sales_run(struct sales *sales);
