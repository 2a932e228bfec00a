/* holdfast relay: copy the log of events to standard output or to an HTTP address, and keep the place by a consumer. */
#include "commands/relay.h"
#include "commands/commands.h"

#include "base/config.h"
#include "base/text.h"
#include "base/writer.h"
#include "events/commands.h"
#include "events/events.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define BATCH_BYTES_MAX  ((size_t) 512 * 1024) /* after which a batch ends */
#define EVENT_SIZE_MAX   (2 * EVENT_DATA_MAX)
#define BATCH_DEFAULT    LOG_LIMIT_MAX
#define ATTEMPTS_DEFAULT 10
#define ATTEMPTS_MAX     1000000
#define TYPES_MAX        2000 /* characters */

struct relay {
        struct relay_log log;
        struct relay_http_settings http_settings;
        struct relay_http *http; /* NULL: to the descriptor */
        int out;
        const char *to;
        int64_t batch;
        bool once;
        uint64_t n; /* events sent */
};

/* ---- options ---- */

static bool number_read(const char *name, const char *text, int64_t minimum, int64_t maximum, int64_t *ret_number) {
        if (text_to_integer(text, minimum, maximum, ret_number))
                return true;
        relay_say("--%s is a number from %" PRId64 " to %" PRId64, name, minimum, maximum);
        return false;
}

static bool after_read(const char *text, bool *ret_after_now) {
        *ret_after_now = text_equal(text, "now");
        if (*ret_after_now || text_equal(text, "oldest"))
                return true;
        relay_say("--after is oldest or now");
        return false;
}

static bool relay_take_option(struct relay *relay, int option) {
        switch (option) {
        case 'a':
                return number_read("attempts", optarg, 0, ATTEMPTS_MAX, &relay->http_settings.attempts);
        case 'b':
                return number_read("batch", optarg, 1, LOG_LIMIT_MAX, &relay->batch);
        case 'c':
                relay->http_settings.ca = optarg;
                return true;
        case 'f':
                return after_read(optarg, &relay->log.after_now);
        case 'n':
                relay->log.consumer = optarg;
                return true;
        case 'o':
                relay->once = true;
                return true;
        case 't':
                relay->to = optarg;
                return true;
        case 'y':
                relay->log.types = optarg;
                return true;
        default: /* getopt_long has said it */
                return false;
        }
}

/* `--to http URL` names the address behind the option; `--to URL` is the same. */
static bool target_read(struct relay *relay, int argc, char **argv) {
        if (relay->to && strstr(relay->to, "://"))
                relay->http_settings.url = relay->to;
        else if (text_equal(relay->to, "http") && optind < argc)
                relay->http_settings.url = argv[optind++];
        else if (!text_equal(relay->to, "stdout"))
                return false;
        return optind == argc;
}

static bool relay_read_options(int argc, char **argv, struct relay *relay) {
        static const struct option options[] = {
                { "after", required_argument, NULL, 'f' },
                { "attempts", required_argument, NULL, 'a' },
                { "batch", required_argument, NULL, 'b' },
                { "ca", required_argument, NULL, 'c' },
                { "consumer", required_argument, NULL, 'n' },
                { "once", no_argument, NULL, 'o' },
                { "to", required_argument, NULL, 't' },
                { "types", required_argument, NULL, 'y' },
                { 0 },
        };

        optind = 1;
        for (int option = getopt_long(argc, argv, "", options, NULL); option != -1;
                option = getopt_long(argc, argv, "", options, NULL))
                if (!relay_take_option(relay, option))
                        return false;
        return target_read(relay, argc, argv) && relay->log.consumer;
}

/* The fault of a value, after a report. */
static bool values_are_valid(struct relay *relay) {
        _cleanup_(arena_clear) struct arena arena;
        struct log_filter filter = { 0 };
        const char *fault = relay->http_settings.url ? relay_url_fault(relay->http_settings.url) : NULL;

        arena_init(&arena, RELAY_MEMORY_MAX);
        if (fault)
                relay_say("the URL is refused: %s", fault);
        else if (!text_is_code(relay->log.consumer))
                relay_say("--consumer is no name: it has %s", CODE_RULE);
        else if (relay->log.types &&
                 (strlen(relay->log.types) > TYPES_MAX || !event_types_parse(relay->log.types, &arena, &filter)))
                relay_say(
                        "--types has a pattern that names no type; write order.created or order.*, separated by commas");
        else if (relay->http_settings.ca && access(relay->http_settings.ca, R_OK) != 0)
                relay_say("--ca: the file %s cannot be read", relay->http_settings.ca);
        else
                return true;
        return false;
}

/* ---- the copy ---- */

/* Write as many events of the page as a batch may have. Returns their number. */
static size_t relay_lines_write(const struct log_page *page, struct buffer *lines) {
        size_t i;

        for (i = 0; i < page->n && lines->size < BATCH_BYTES_MAX; i++) {
                struct writer json;

                writer_init(&json, lines);
                write_object_begin(&json);
                event_write(&json, &page->events[i]);
                write_object_end(&json);
                buffer_append_text(lines, "\n");
        }
        return i;
}

static int say_fault(struct relay *relay, enum problem fault) {
        if (relay_stop_asked())
                return EXIT_OK;
        relay_say("stopped: %s",
                *database_message(relay->log.database) ? database_message(relay->log.database) : problem_title(fault));
        return fault == FAULT_BROKEN || fault == FAULT_POISON ? EXIT_OUR_FAULT : EXIT_NO_DATABASE;
}

static int say_expired(const struct relay_log *log) {
        relay_say("cursor-expired: events after sequence %020" PRId64
                  " are no longer kept (HOLDFAST_RETENTION_EVENT_LOG), or belong to another database",
                log->filter.after);
        relay_say("load the documents again, then move the consumer: PUT /v1/consumers/%s {\"after\":\"oldest\"}",
                log->consumer);
        return EXIT_FAILED;
}

static int say_stale(const struct relay_log *log) {
        relay_say("stale-cursor: another process has moved or removed the consumer %s from sequence %020" PRId64
                  "; one relay for each consumer",
                log->consumer, log->committed);
        return EXIT_FAILED;
}

static int outcome_code(enum relay_outcome outcome) {
        switch (outcome) {
        case RELAY_SENT:
        case RELAY_STOPPED:
                return EXIT_OK;
        case RELAY_CLOSED:
                return EXIT_FAILED;
        case RELAY_GIVEN_UP:
                return EXIT_TRY_LATER;
        }
        return EXIT_OUR_FAULT;
}

static enum relay_outcome lines_send(struct relay *relay, const struct buffer *lines) {
        if (!lines->size)
                return RELAY_SENT;
        return relay->http ? relay_http_send(relay->http, lines->bytes, lines->size)
                           : relay_pipe_send(relay->out, lines->bytes, lines->size);
}

/* Send events of the page that was read. */
static enum relay_outcome page_send(struct relay *relay, bool *ret_has_more) {
        struct relay_log *log = &relay->log;
        int64_t next = event_log_next(&log->filter, &log->page, ret_has_more);
        enum relay_outcome outcome;
        struct buffer lines;
        size_t n;

        buffer_init(&lines, &log->arena, BATCH_BYTES_MAX + EVENT_SIZE_MAX);
        n = relay_lines_write(&log->page, &lines);
        if (n < log->page.n) {
                next = log->page.events[n - 1].position;
                *ret_has_more = true;
        }
        if (lines.failed) {
                relay_say("there is no memory for the events");
                return RELAY_CLOSED;
        }
        outcome = lines_send(relay, &lines);
        if (outcome == RELAY_SENT) {
                log->filter.after = next;
                relay->n += n;
                log->commit_at = n ? 0 : log->commit_at;
        }
        return outcome;
}

static int consumer_commit_now(struct relay *relay) {
        bool moved;
        enum problem p = relay_log_commit(&relay->log, &moved);

        if (p)
                return say_fault(relay, p);
        return moved ? EXIT_OK : say_stale(&relay->log);
}

/* Copy one page. True: the run ends, with the code. */
static bool page_copy(struct relay *relay, int *ret_code) {
        struct relay_log *log = &relay->log;
        enum relay_outcome outcome;
        enum problem p = relay_log_read(log);
        bool has_more = false;

        *ret_code = p ? say_fault(relay, p) : EXIT_OK;
        if (!p && !event_log_can_resume(&log->page.bounds, log->filter.after))
                *ret_code = say_expired(log);
        if (p || *ret_code)
                return true;
        outcome = page_send(relay, &has_more);
        *ret_code = outcome_code(outcome);
        if (outcome != RELAY_SENT)
                return true;
        if (clock_monotonic() >= log->commit_at)
                *ret_code = consumer_commit_now(relay);
        if (*ret_code || (relay->once && !has_more))
                return true;
        if (!has_more)
                relay_log_wait(log);
        return false;
}

/* The last commit tells how far the relay has looked, though the last events were of other types. */
static int relay_copy(struct relay *relay) {
        bool ended = false;
        int code = EXIT_OK;

        while (!ended && !relay_stop_asked())
                ended = page_copy(relay, &code);
        return code ? code : consumer_commit_now(relay);
}

/* ---- the command ---- */

/* Standard output is for events alone, so other lines go to standard error. */
static bool relay_output_take(struct relay *relay) {
        relay->out = dup(STDOUT_FILENO);
        return relay->out >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
}

static int relay_run(struct relay *relay) {
        enum problem p;
        int code;

        if (relay->http_settings.url) {
                relay->http_settings.authorization = config_text(CONFIG_RELAY_AUTHORIZATION);
                relay->http = relay_http_new(&relay->http_settings);
        }
        if (!relay_stop_listen() || (relay->http_settings.url && !relay->http) || !relay_output_take(relay)) {
                relay_say("the system refuses a signal, a descriptor or memory");
                return EXIT_OUR_FAULT;
        }
        p = relay_log_open(&relay->log);
        relay->log.filter.limit = relay->batch;
        if (p == PROBLEM_INVALID_PARAMETER)
                relay_say("the consumer has a type that this program does not know; give --types");
        if (p)
                return p == PROBLEM_INVALID_PARAMETER ? EXIT_FAILED : say_fault(relay, p);
        code = relay_copy(relay);
        relay_say("stopped after %" PRIu64 " events; the consumer is at sequence %020" PRId64, relay->n,
                relay->log.committed);
        return code;
}

int command_relay(int argc, char **argv) {
        struct relay relay = { .batch = BATCH_DEFAULT, .http_settings.attempts = ATTEMPTS_DEFAULT, .out = -1 };
        int code;

        if (!relay_read_options(argc, argv, &relay))
                return command_misused("relay");
        if (!values_are_valid(&relay))
                return EXIT_WRONG_USAGE;
        if (command_database_config())
                return EXIT_BAD_CONFIG;
        code = command_check_schema();
        if (code)
                return code;
        code = relay_run(&relay);
        relay_log_close(&relay.log);
        relay.http = relay_http_free(relay.http);
        return code;
}
