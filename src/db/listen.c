#include "db/listen.h"

#include "db/connection_libpq.h"

int listen_socket(const struct database *database) {
        const PGconn *connection = database_handle(database);

        return connection ? PQsocket(connection) : -1;
}

enum problem listen_take(struct database *database, listen_reader reader, void *context) {
        PGconn *connection = database_handle(database);
        PGnotify *notice;

        if (!connection)
                return FAULT_LOST;
        if (!PQconsumeInput(connection))
                return database_drop(database, PQerrorMessage(connection));
        while ((notice = PQnotifies(connection))) {
                if (notice->be_pid != PQbackendPID(connection))
                        reader(context, notice->extra);
                PQfreemem(notice);
        }
        return PROBLEM_NONE;
}
