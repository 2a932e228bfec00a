/*
 * importing/returns: invoices of goods that come back, once all orders of the file are there.
 *
 * They are taken in the order of their times. Each line is set against earlier purchases of its customer
 * (importing/purchases), which depends on nothing but the file; units that no purchase has are named and counted apart.
 * One invoice makes a return of each order that it reaches, known by the two numbers, so that a second import finds it.
 * 32 bytes for each line.
 */
#pragma once

#include "importing/import.h"
#include "importing/index.h"
#include "importing/invoice.h"
#include "importing/invoice_chunk.h"

struct comeback {
        uint64_t invoice; /* where its first line stands */
        uint64_t offset;
        size_t line;
        int64_t second; /* of the invoice */
};

struct comebacks {
        struct comeback *at;
        size_t n, capacity;
};

/* Keep a line of goods that come back. False without memory. */
bool comebacks_add(
        struct comebacks *comebacks, const struct import_index_entry *entry, const struct invoice_line *invoice);
void comebacks_clear(struct comebacks *comebacks);

/* Make returns of them and report their lines. EXIT_OK, or an exit code after complaining. */
int comebacks_run(struct comebacks *comebacks, struct sales *sales);
