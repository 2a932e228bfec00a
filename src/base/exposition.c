#include "base/exposition.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

void exposition_head(struct buffer *out, const char *name, const char *type, const char *help) {
        buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void sample_name(struct buffer *out, const char *name, const char *labels) {
        if (*labels)
                buffer_append_format(out, "%s{%s} ", name, labels);
        else
                buffer_append_format(out, "%s ", name);
}

void exposition_integer(struct buffer *out, const char *name, const char *labels, int64_t value) {
        sample_name(out, name, labels);
        buffer_append_format(out, "%" PRId64 "\n", value);
}

void exposition_number(struct buffer *out, const char *name, const char *labels, double value) {
        sample_name(out, name, labels);
        buffer_append_format(out, "%.17g\n", value);
}

void exposition_gauge(struct buffer *out, const char *name, const char *help, double value) {
        exposition_head(out, name, "gauge", help);
        exposition_number(out, name, "", value);
}

void exposition_histogram(struct buffer *out, const char *name, const char *labels, const struct histogram *histogram,
        const struct histogram_bounds *bounds) {
        const char *comma = *labels ? "," : "";
        const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
        uint64_t count = 0;

        for (size_t i = 0; i < bounds->n; i++) {
                count += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
                buffer_append_format(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, labels, comma,
                        (double) bounds->at[i] / (double) bounds->unit, count);
        }
        count += atomic_load_explicit(&histogram->counts[bounds->n], memory_order_relaxed);
        buffer_append_format(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, count);
        buffer_append_format(out, "%s_sum%s%s%s %.6f\n", name, open, labels, close,
                (double) atomic_load_explicit(&histogram->sum, memory_order_relaxed) / (double) bounds->unit);
        buffer_append_format(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close, count);
}

static const char *escaped(char c, char *scratch) {
        switch (c) {
        case '\n':
                return "\\n";
        case '"':
                return "\\\"";
        case '\\':
                return "\\\\";
        default:
                scratch[0] = c;
                return scratch;
        }
}

void exposition_label(const char *name, const char *value, char *ret_label) {
        size_t size = (size_t) snprintf(ret_label, EXPOSITION_LABEL_MAX / 2, "%s=\"", name);

        for (; *value; value++) {
                char scratch[2] = "";
                const char *text = escaped(*value, scratch);

                if (size + strlen(text) + sizeof("\"") > EXPOSITION_LABEL_MAX)
                        break;
                while (*text)
                        ret_label[size++] = *text++;
        }
        ret_label[size++] = '"';
        ret_label[size] = '\0';
}
