/* holdfast export: rows of one kind to standard output. */
#include "commands/commands.h"

#include "base/config.h"
#include "base/log.h"
#include "base/stop.h"
#include "exporting/export.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_SIZE ((size_t) 64 * 1024)
/* An open snapshot keeps PostgreSQL from clearing old rows. */
#define EXPORT_TIME_MAX (4 * 60 * MINUTE)
#define OUTPUT_PAUSE_MS 200

/* Standard output, through a buffer. */
struct output {
        char bytes[OUTPUT_SIZE];
        size_t n;
        size_t step; /* bytes that one write can be sure not to wait for */
        int error;   /* errno of a failed write; 0: none */
        timestamp deadline;
};

static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...) {
        va_list values;

        va_start(values, format);
        (void) fputs("holdfast: ", stderr);
        (void) vfprintf(stderr, format, values);
        (void) fputs("\n", stderr);
        va_end(values);
}

/* ---- output ---- */

/* POLLOUT promises room for PIPE_BUF bytes in a pipe; a regular file never waits for a reader. */
static void output_init(struct output *output) {
        struct stat status;
        const bool regular = fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);

        *output = (struct output){ .step = regular ? OUTPUT_SIZE : PIPE_BUF,
                .deadline = clock_monotonic() + EXPORT_TIME_MAX };
}

static bool output_ends(void *into) {
        const struct output *output = into;

        return output->error || stop_asked() || clock_monotonic() >= output->deadline;
}

static size_t output_write(struct output *output, const char *bytes, size_t size) {
        struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
        ssize_t n;

        if (poll(&out, 1, OUTPUT_PAUSE_MS) <= 0)
                return 0;
        n = write(STDOUT_FILENO, bytes, size < output->step ? size : output->step);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
                output->error = errno;
        return n > 0 ? (size_t) n : 0;
}

/* False when the rest cannot be written. */
static bool output_flush(struct output *output) {
        size_t written = 0;

        while (written < output->n && !output_ends(output))
                written += output_write(output, output->bytes + written, output->n - written);
        if (written < output->n)
                return false;
        output->n = 0;
        return true;
}

static bool output_take(const char *row, size_t size, void *into) {
        struct output *output = into;

        while (size) {
                const size_t room = OUTPUT_SIZE - output->n, part = size < room ? size : room;

                memcpy(output->bytes + output->n, row, part);
                output->n += part;
                row += part;
                size -= part;
                if (output->n == OUTPUT_SIZE && !output_flush(output))
                        return false;
        }
        return true;
}

/* ---- options ---- */

static int export_misused(const char *fault) {
        complain("%s", fault);
        return command_misused("export");
}

/* NULL, or the fault. */
static const char *take_export_option(int option, const char *value, struct export_options *options) {
        static const char *location;

        switch (option) {
        case 'c':
                options->channel = value;
                return text_is_code(value) ? NULL : "--channel: this is no code (" CODE_RULE ")";
        case 'f':
                return export_format_named(value, &options->format) ? NULL : "--format is csv or jsonl";
        case 'l':
                location = value;
                options->locations = &location;
                options->n_locations = 1;
                options->all_locations = false;
                return text_is_code(value) ? NULL : "--location: this is no code (" CODE_RULE ")";
        case 's':
                return timestamp_parse(value, &options->since)
                               ? NULL
                               : "--since is a time with an offset, such as 2026-11-30T18:00:00Z";
        case 'u':
                return timestamp_parse(value, &options->until)
                               ? NULL
                               : "--until is a time with an offset, such as 2026-11-30T18:00:00Z";
        case 'x':
                options->for_spreadsheets = true;
                return NULL;
        default: /* getopt_long has said it */
                return "export does not take that";
        }
}

static const char *read_export_kind(int argc, char **argv, struct export_options *options) {
        if (argc - optind != 1)
                return "export takes one kind";
        options->kind = export_kind_named(argv[optind]);
        return options->kind ? export_options_fault(options) : "there is no such kind to export";
}

static const char *read_export_options(int argc, char **argv, struct export_options *options) {
        static const struct option table[] = {
                { "channel", required_argument, NULL, 'c' },
                { "for-spreadsheets", no_argument, NULL, 'x' },
                { "format", required_argument, NULL, 'f' },
                { "location", required_argument, NULL, 'l' },
                { "since", required_argument, NULL, 's' },
                { "until", required_argument, NULL, 'u' },
                { 0 },
        };

        optind = 1;
        for (int option = getopt_long(argc, argv, "", table, NULL); option != -1;
                option = getopt_long(argc, argv, "", table, NULL)) {
                const char *fault = take_export_option(option, optarg, options);

                if (fault)
                        return fault;
        }
        return read_export_kind(argc, argv, options);
}

/* ---- the command ---- */

static int explain_partial(const struct output *output) {
        if (stop_asked()) {
                complain("the export was stopped; the output is not complete");
                return stop_code();
        }
        complain("the export is not complete: standard output: %s",
                output->error ? strerror(output->error) : "the reader took too long");
        return EXIT_FAILED;
}

static int explain_fault(const struct database *database, enum problem p) {
        complain("the export is not complete: %s", database_message(database));
        return p == FAULT_LOST ? EXIT_NO_DATABASE : EXIT_FAILED;
}

static int explain_rows(const struct export_options *options, const struct export_outcome *outcome) {
        char as_of[TIMESTAMP_TEXT_SIZE];

        if (*outcome->unknown_location)
                complain("there is no location %s", outcome->unknown_location);
        if (*outcome->unknown_channel)
                complain("there is no channel %s", outcome->unknown_channel);
        if (*outcome->unknown_location || *outcome->unknown_channel)
                return EXIT_FAILED;
        timestamp_format(outcome->as_of, as_of);
        complain("%llu rows of %s as of %s", (unsigned long long) outcome->rows, options->kind->name, as_of);
        return EXIT_OK;
}

static int export_to_output(struct database *database, const struct export_options *options) {
        static struct output output;
        const struct copy_reader reader = { output_take, output_ends, &output };
        struct export_outcome outcome;
        enum problem p;

        output_init(&output);
        p = export_run(database, options, &reader, &outcome);
        if (output.error || stop_asked())
                return explain_partial(&output);
        if (p)
                return explain_fault(database, p);
        if (*outcome.unknown_location || *outcome.unknown_channel)
                return explain_rows(options, &outcome);
        return outcome.whole && output_flush(&output) ? explain_rows(options, &outcome) : explain_partial(&output);
}

int command_export(int argc, char **argv) {
        _cleanup_(database_close_cleanup) struct database *database = NULL;
        struct export_options options = {
                .since = TIMESTAMP_NONE, .until = TIMESTAMP_NONE, .all_locations = true, .format = COPY_CSV
        };
        const char *fault = read_export_options(argc, argv, &options);
        int code;

        if (fault)
                return export_misused(fault);
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        (void) signal(SIGPIPE, SIG_IGN);
        stop_listen();
        code = command_open(/* statement_timeout_ms= */ 0, &database);
        return code ? code : export_to_output(database, &options);
}
