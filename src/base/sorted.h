/*
 * base/sorted: arrays in order.
 *
 * As qsort and bsearch, but the array may be NULL when n is 0. The comparison gets pointers to two elements; in
 * sorted_find it gets the key and an element. Pure.
 */
#pragma once

#include <stddef.h>

typedef int (*comparison)(const void *, const void *);

void sort(void *array, size_t n, size_t size, comparison compare);

/* Sort, and keep one of equal elements. Returns how many remain. */
size_t sort_unique(void *array, size_t n, size_t size, comparison compare);

/* The element that equals the key, or NULL. */
void *sorted_find(const void *key, const void *array, size_t n, size_t size, comparison compare);

/* The comparison of an array of const char *, byte by byte: PostgreSQL's collation "C". */
int texts_compare(const void *left, const void *right);
