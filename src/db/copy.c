#include "db/copy.h"

#include "base/cleanup.h"
#include "db/connection_libpq.h"
#include "db/sql.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define CANCEL_MESSAGE_SIZE 256

/* JSON text holds no control characters, so with these for quotes and commas nothing in it is quoted or escaped. */
static const struct {
        const char *before, *after;
} formats[] = {
        [COPY_CSV] = { "copy (", ") to stdout (format csv, header true)" },
        [COPY_JSONL] = { "copy (select row_to_json(copied) from (",
                ") as copied) to stdout (format csv, quote e'\\x01', delimiter e'\\x02')" },
};

static char *copy_command(const struct statement *statement, enum copy_format format) {
        const char *before = formats[format].before, *after = formats[format].after;
        const size_t size = strlen(before) + strlen(statement->sql) + strlen(after) + 1;
        char *text = malloc(size);

        if (text)
                (void) snprintf(text, size, "%s%s%s", before, statement->sql, after);
        return text;
}

/* Note the failure, of a result if there is one, and close the connection. */
static enum problem copy_fail(struct database *database, const PGresult *result) {
        enum problem fault;

        if (!result)
                return database_drop(database, PQerrorMessage(database_handle(database)));
        fault = database_refuse(database, result);
        database_end(database);
        return fault;
}

/* A statement that still sorts does not notice a closed socket. */
static void copy_cancel(struct database *database) {
        PGcancel *cancel = PQgetCancel(database_handle(database));
        char message[CANCEL_MESSAGE_SIZE];

        if (cancel)
                (void) PQcancel(cancel, message, sizeof(message));
        PQfreeCancel(cancel);
        database_end(database);
}

/* Wait until the socket can be read, or written to while something is unsent; at most for COPY_PAUSE. */
static enum problem copy_wait(struct database *database, bool unsent) {
        PGconn *connection = database_handle(database);
        struct pollfd socket = { .fd = PQsocket(connection), .events = (short) (POLLIN | (unsent ? POLLOUT : 0)) };

        if (poll(&socket, 1, (int) (COPY_PAUSE / MILLISECOND)) > 0 && !PQconsumeInput(connection))
                return copy_fail(database, NULL);
        return PROBLEM_NONE;
}

/* The next result, or NULL behind the last one. *ret_ends: the reader ends the copy before it has come. */
static enum problem copy_result(
        struct database *database, const struct copy_reader *reader, PGresult **ret_result, bool *ret_ends) {
        PGconn *connection = database_handle(database);
        enum problem p = PROBLEM_NONE;

        *ret_ends = false;
        while (!p && PQisBusy(connection)) {
                *ret_ends = reader->ends(reader->into);
                if (*ret_ends)
                        return PROBLEM_NONE;
                p = copy_wait(database, /* unsent= */ false);
        }
        if (!p)
                *ret_result = PQgetResult(connection);
        return p;
}

static enum problem copy_send(struct database *database, const char *text) {
        PGconn *connection = database_handle(database);
        int unsent;

        if (!PQexitPipelineMode(connection) || !PQsendQuery(connection, text))
                return copy_fail(database, NULL);
        for (unsent = PQflush(connection); unsent > 0; unsent = PQflush(connection)) {
                const enum problem p = copy_wait(database, /* unsent= */ true);

                if (p)
                        return p;
        }
        return unsent ? copy_fail(database, NULL) : PROBLEM_NONE;
}

static enum problem copy_begin(
        struct database *database, const char *text, const struct copy_reader *reader, bool *ret_ends) {
        PGresult *result = NULL;
        enum problem p = copy_send(database, text);

        if (!p)
                p = copy_result(database, reader, &result, ret_ends);
        if (!p && !*ret_ends && PQresultStatus(result) != PGRES_COPY_OUT)
                p = copy_fail(database, result);
        PQclear(result);
        return p;
}

/* Behind the rows: the outcome, and the pipeline again. */
static enum problem copy_finish(struct database *database, const struct copy_reader *reader, bool *ret_ends) {
        PGresult *outcome = NULL, *last = NULL;
        enum problem p = copy_result(database, reader, &outcome, ret_ends);

        if (!p && !*ret_ends && PQresultStatus(outcome) != PGRES_COMMAND_OK)
                p = copy_fail(database, outcome);
        if (!p && !*ret_ends)
                p = copy_result(database, reader, &last, ret_ends);
        if (!p && !*ret_ends && (last || !PQenterPipelineMode(database_handle(database))))
                p = copy_fail(database, last);
        PQclear(outcome);
        PQclear(last);
        return p;
}

enum { ROWS_ALL = -1, ROWS_FAILED = -2 }; /* as PQgetCopyData tells */

/* One row, or a wait for it. *ret_more: there may be another. */
static enum problem copy_row(
        struct database *database, const struct copy_reader *reader, bool *ret_more, bool *ret_ends) {
        char *row = NULL;
        const int size = PQgetCopyData(database_handle(database), &row, /* async= */ 1);

        *ret_more = size != ROWS_ALL && size != ROWS_FAILED;
        if (!*ret_more)
                return copy_finish(database, reader, ret_ends);
        if (size == 0) {
                *ret_ends = reader->ends(reader->into);
                return *ret_ends ? PROBLEM_NONE : copy_wait(database, /* unsent= */ false);
        }
        *ret_ends = !reader->accept(row, (size_t) size, reader->into);
        PQfreemem(row);
        return PROBLEM_NONE;
}

enum problem database_copy(struct database *database, const struct statement *statement, enum copy_format format,
        const struct copy_reader *reader, bool *ret_whole) {
        _cleanup_free_ char *text = copy_command(statement, format);
        bool more = true, ends = false;
        enum problem p;

        *ret_whole = false;
        if (!text)
                return database_fail(database, FAULT_BUSY, "out of memory");
        if (!database_handle(database))
                return database_fail(database, FAULT_LOST, "not connected");
        p = copy_begin(database, text, reader, &ends);
        while (!p && !ends && more)
                p = copy_row(database, reader, &more, &ends);
        if (!p && ends)
                copy_cancel(database);
        *ret_whole = !p && !ends;
        return p;
}
