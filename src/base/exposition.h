/*
 * base/exposition: figures in the text format of Prometheus, version 0.0.4.
 *
 * A metric is its head followed by all its samples. Labels are given as text: name="value",name="value", without
 * braces; values from outside go through exposition_label.
 */
#pragma once

#include "base/buffer.h"
#include "base/histogram.h"

#define EXPOSITION_LABEL_MAX 192

/* `type`: "counter", "gauge" or "histogram". */
void exposition_head(struct buffer *out, const char *name, const char *type, const char *help);

/* One sample; `labels` "" or as above. */
void exposition_integer(struct buffer *out, const char *name, const char *labels, int64_t value);
void exposition_number(struct buffer *out, const char *name, const char *labels, double value);

/* A head and its only sample. */
void exposition_gauge(struct buffer *out, const char *name, const char *help, double value);

/* The samples of a histogram. */
void exposition_histogram(struct buffer *out, const char *name, const char *labels, const struct histogram *histogram,
        const struct histogram_bounds *bounds);

/* name="value" with the value escaped; a value too long for the EXPOSITION_LABEL_MAX bytes of `ret_label` is cut off.
 */
void exposition_label(const char *name, const char *value, char *ret_label);
