#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_SIZE_MAX 4096

static int reading_end = -1;
static char packet[2 * LINE_SIZE_MAX];

/* Standard output becomes a socket that keeps the borders of every write. */
static void catch_output(void) {
        int ends[2];

        cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
        cr_assert_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
        (void) close(ends[1]);
        reading_end = ends[0];
}

static void close_output(void) {
        (void) close(reading_end);
}

TestSuite(log, .init = catch_output, .fini = close_output);

/* The next line as a tree; it must have come whole, in one write. */
static json_t *next_line(void) {
        const ssize_t size = read(reading_end, packet, sizeof(packet) - 1);
        json_error_t error;
        json_t *tree = NULL;

        cr_assert_gt(size, 1);
        cr_assert_leq(size, LINE_SIZE_MAX);
        packet[size] = '\0';
        cr_assert_eq(strchr(packet, '\n'), packet + size - 1, "one line, ended");
        tree = json_loadb(packet, (size_t) size, JSON_REJECT_DUPLICATES, &error);
        cr_assert_not_null(tree, "%s: %s", error.text, packet);
        return tree;
}

static void assert_silence(void) {
        cr_assert_eq(read(reading_end, packet, sizeof(packet)), -1);
}

static const char *text_of(const json_t *tree, const char *name) {
        return json_string_value(json_object_get(tree, name));
}

Test(log, milliseconds_have_a_fraction) {
        json_t *tree = NULL;

        log_event(LOG_LEVEL_INFO, "x", LOG_MILLISECONDS, "a", (duration) 12345, LOG_MILLISECONDS, "b", (duration) 7,
                LOG_MILLISECONDS, "c", -2 * SECOND, LOG_END);
        tree = next_line();
        cr_assert_not_null(strstr(packet, "\"a\":12.345,\"b\":0.007,\"c\":-2000.000"), "%s", packet);
        json_decref(tree);
}

Test(log, a_line_has_time_level_message_and_members) {
        const timestamp before = clock_wall();
        json_t *tree = NULL;
        timestamp time;

        log_event(LOG_LEVEL_INFO, "serving", LOG_TEXT, "address", "127.0.0.1:8080", LOG_INTEGER, "lanes", (int64_t) 3,
                LOG_END);
        tree = next_line();
        cr_assert_eq(json_object_size(tree), 5);
        cr_assert(timestamp_parse(text_of(tree, "time"), &time));
        cr_assert_geq(time, before - MILLISECOND);
        cr_assert_leq(time, clock_wall());
        cr_assert_str_eq(text_of(tree, "level"), "info");
        cr_assert_str_eq(text_of(tree, "message"), "serving");
        cr_assert_str_eq(text_of(tree, "address"), "127.0.0.1:8080");
        cr_assert_eq(json_integer_value(json_object_get(tree, "lanes")), 3);
        json_decref(tree);
        assert_silence();
}

Test(log, a_null_text_is_left_out) {
        json_t *tree = NULL;

        log_event(LOG_LEVEL_ERROR, "failed", LOG_TEXT, "route", NULL, LOG_INTEGER, "status", INT64_MIN, LOG_END);
        tree = next_line();
        cr_assert_str_eq(text_of(tree, "level"), "error");
        cr_assert_null(json_object_get(tree, "route"));
        cr_assert_eq(json_integer_value(json_object_get(tree, "status")), INT64_MIN);
        json_decref(tree);
}

Test(log, events_below_the_level_are_not_written) {
        log_event(LOG_LEVEL_DEBUG, "quiet at first", LOG_END);
        assert_silence();
        log_set_level(LOG_LEVEL_WARNING);
        log_event(LOG_LEVEL_INFO, "quiet", LOG_END);
        assert_silence();
        log_event(LOG_LEVEL_WARNING, "loud", LOG_END);
        json_decref(next_line());
        log_set_level(LOG_LEVEL_DEBUG);
        log_event(LOG_LEVEL_DEBUG, "loud", LOG_END);
        json_decref(next_line());
}

Test(log, text_cannot_break_out_of_its_line) {
        const char *text = "a\"b\\c\nd\r\te\x01\x1F 🧺\",\"level\":\"error";
        json_t *tree = NULL;

        log_event(LOG_LEVEL_INFO, text, LOG_TEXT, text, text, LOG_END);
        tree = next_line();
        cr_assert_str_eq(text_of(tree, "message"), text);
        cr_assert_str_eq(text_of(tree, text), text);
        cr_assert_str_eq(text_of(tree, "level"), "info");
        json_decref(tree);
}

Test(log, bytes_that_are_not_utf8_become_replacement_characters) {
        json_t *tree = NULL;

        log_event(LOG_LEVEL_INFO, "caf\xE9!", LOG_TEXT, "cut", "\xE2\x82", LOG_END);
        tree = next_line();
        cr_assert_str_eq(text_of(tree, "message"), "caf\xEF\xBF\xBD!");
        cr_assert_str_eq(text_of(tree, "cut"), "\xEF\xBF\xBD\xEF\xBF\xBD");
        json_decref(tree);
}

/* `n` times the piece, as text. */
static const char *repeated(const char *piece, size_t n) {
        static char text[4 * LINE_SIZE_MAX + 1];
        const size_t size = strlen(piece);

        for (size_t i = 0; i < n; i++)
                memcpy(text + i * size, piece, size);
        text[n * size] = '\0';
        return text;
}

/* Every length around the limit, with characters that take one to six bytes on the line. */
Test(log, a_long_line_is_cut_between_characters_and_stays_valid) {
        static const char *const pieces[] = { "x", "é", "🧺", "\"", "\x01", "\xFF" };
        static const size_t sizes[] = { 1, 2, 4, 2, 6, 6 };

        for (size_t i = 0; i < array_size(pieces); i++) {
                for (size_t n = (LINE_SIZE_MAX - 150) / sizes[i]; n < LINE_SIZE_MAX / sizes[i]; n++) {
                        const char *text = repeated(pieces[i], n);
                        json_t *tree = NULL;

                        log_event(LOG_LEVEL_INFO, "long", LOG_TEXT, "value", text, LOG_INTEGER, "after", (int64_t) 700,
                                LOG_TEXT, "tail", "tail", LOG_END);
                        tree = next_line();
                        cr_assert_str_eq(text_of(tree, "message"), "long");
                        cr_assert(text_is_utf8(text_of(tree, "value"), strlen(text_of(tree, "value"))));
                        cr_assert(pieces[i][0] == '\xFF' || text_starts_with(text, text_of(tree, "value")));
                        if (text_of(tree, "tail"))
                                cr_assert(text_starts_with("tail", text_of(tree, "tail")));
                        if (json_object_get(tree, "after"))
                                cr_assert_eq(
                                        json_integer_value(json_object_get(tree, "after")), 700, "no number is cut");
                        json_decref(tree);
                }
        }
}

Test(log, a_line_is_filled_to_its_limit) {
        static char text[LINE_SIZE_MAX * 2];
        json_t *tree = NULL;

        memset(text, 'x', sizeof(text) - 1);
        log_event(LOG_LEVEL_INFO, "long", LOG_TEXT, "value", text, LOG_TEXT, "no", "room", LOG_END);
        tree = next_line();
        cr_assert_eq(strlen(packet), LINE_SIZE_MAX);
        cr_assert_null(json_object_get(tree, "no"));
        json_decref(tree);
}

Test(log, a_long_message_leaves_the_line_valid) {
        static char text[LINE_SIZE_MAX * 2];

        memset(text, 'x', sizeof(text) - 1);
        log_event(LOG_LEVEL_INFO, text, LOG_TEXT, text, text, LOG_END);
        json_decref(next_line());
}

Test(log, levels_are_known_by_their_names_alone) {
        enum log_level level = LOG_LEVEL_DEBUG;

        cr_assert(log_level_named("error", &level));
        cr_assert_eq(level, LOG_LEVEL_ERROR);
        cr_assert(log_level_named("debug", &level));
        cr_assert_eq(level, LOG_LEVEL_DEBUG);
        cr_assert_not(log_level_named("Warning", &level));
        cr_assert_not(log_level_named("", &level));
        cr_assert_not(log_level_named(NULL, &level));
        cr_assert_eq(level, LOG_LEVEL_DEBUG);
}

Test(log, gathered_lines_come_together_when_they_are_flushed) {
        const char *second = NULL;

        log_gather(true);
        log_event(LOG_LEVEL_INFO, "first", LOG_END);
        log_event(LOG_LEVEL_INFO, "second", LOG_END);
        assert_silence();
        log_flush();
        cr_assert_gt(read(reading_end, packet, sizeof(packet) - 1), 0);
        second = strchr(packet, '\n');
        cr_assert_not_null(strstr(packet, "first"));
        cr_assert_not_null(second);
        cr_assert_not_null(strstr(second, "second"));
        assert_silence();
        log_event(LOG_LEVEL_INFO, "third", LOG_END);
        log_gather(false);
        json_decref(next_line());
}

Test(log, gathered_lines_are_never_torn) {
        size_t n_lines = 0;
        ssize_t size;

        log_gather(true);
        for (int i = 0; i < 100; i++)
                log_event(LOG_LEVEL_INFO, "a line of some length, so that a write does not end where a line does",
                        LOG_END);
        log_gather(false);
        while ((size = read(reading_end, packet, sizeof(packet) - 1)) > 0) {
                cr_assert_leq(size, LINE_SIZE_MAX);
                cr_assert_eq(packet[0], '{');
                cr_assert_eq(packet[size - 1], '\n');
                for (ssize_t i = 0; i < size; i++)
                        n_lines += packet[i] == '\n';
        }
        cr_assert_eq(n_lines, 100);
}

Test(log, a_warning_does_not_wait) {
        log_gather(true);
        log_event(LOG_LEVEL_WARNING, "at once", LOG_END);
        json_decref(next_line());
        log_gather(false);
        assert_silence();
}
