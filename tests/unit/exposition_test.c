#include "base/exposition.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <string.h>

#define TEXT_MAX ((size_t) 64 * 1024)

static const struct histogram_bounds bounds = { .n = 2, .unit = SECOND, .at = { 10 * MILLISECOND, 1 * SECOND } };

Test(exposition, a_histogram_counts_upwards_and_ends_with_all) {
        _cleanup_(arena_clear) struct arena arena;
        struct histogram histogram = { 0 };
        struct buffer out;

        arena_init(&arena, TEXT_MAX);
        buffer_init(&out, &arena, TEXT_MAX);
        histogram_observe(&histogram, &bounds, 10 * MILLISECOND); /* a bound belongs to its range */
        histogram_observe(&histogram, &bounds, 11 * MILLISECOND);
        histogram_observe(&histogram, &bounds, 2 * SECOND);
        exposition_histogram(&out, "wait_seconds", "", &histogram, &bounds);
        cr_assert_str_eq(buffer_text(&out), "wait_seconds_bucket{le=\"0.01\"} 1\n"
                                            "wait_seconds_bucket{le=\"1\"} 2\n"
                                            "wait_seconds_bucket{le=\"+Inf\"} 3\n"
                                            "wait_seconds_sum 2.021000\n"
                                            "wait_seconds_count 3\n");
}

Test(exposition, labels_of_a_histogram_stand_before_its_bounds) {
        _cleanup_(arena_clear) struct arena arena;
        struct histogram histogram = { 0 };
        struct buffer out;

        arena_init(&arena, TEXT_MAX);
        buffer_init(&out, &arena, TEXT_MAX);
        exposition_histogram(&out, "wait_seconds", "lane=\"write\"", &histogram, &bounds);
        cr_assert(strstr(buffer_text(&out), "wait_seconds_bucket{lane=\"write\",le=\"0.01\"} 0\n"));
        cr_assert(strstr(buffer_text(&out), "wait_seconds_sum{lane=\"write\"} 0.000000\n"));
        cr_assert(strstr(buffer_text(&out), "wait_seconds_count{lane=\"write\"} 0\n"));
}

Test(exposition, times_are_shown_to_the_second_and_far_beyond) {
        _cleanup_(arena_clear) struct arena arena;
        struct buffer out;

        arena_init(&arena, TEXT_MAX);
        buffer_init(&out, &arena, TEXT_MAX);
        exposition_gauge(&out, "ended_timestamp_seconds", "When", 1764254430.125);
        exposition_integer(&out, "units", "", INT64_MAX);
        cr_assert_str_eq(buffer_text(&out),
                "# HELP ended_timestamp_seconds When\n# TYPE ended_timestamp_seconds gauge\n"
                "ended_timestamp_seconds 1764254430.125\nunits 9223372036854775807\n");
}

Test(exposition, a_label_is_escaped_and_never_overflows) {
        char label[EXPOSITION_LABEL_MAX], value[2 * EXPOSITION_LABEL_MAX];

        exposition_label("standby", "a\"b\\c\nd", label);
        cr_assert_str_eq(label, "standby=\"a\\\"b\\\\c\\nd\"");
        memset(value, '"', sizeof(value));
        value[sizeof(value) - 1] = '\0';
        exposition_label("standby", value, label);
        cr_assert(strlen(label) >= EXPOSITION_LABEL_MAX - 3 && strlen(label) < EXPOSITION_LABEL_MAX);
        cr_assert_str_eq(label + strlen(label) - 3, "\\\"\""); /* no escape is cut in two */
}
