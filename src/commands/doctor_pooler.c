/* The check for a pooler: it announces process ids that the server does not have, and in transaction mode it lets two
 * clients share a session of the server. */
#include "commands/doctor.h"
#include "db/session.h"

#define MEETINGS_MAX 3            /* rounds; poolers hand out the session that was used last, or the next in turn */
#define PATIENCE     (2 * SECOND) /* for a pooler that has no session left */
#define SEEN_MAX     (1 + 2 * MEETINGS_MAX) /* sessions that one client was in */

/* A client of the pooler and the server's sessions it was in. */
struct guest {
        struct database *database;
        int64_t seen[SEEN_MAX];
        size_t n_seen;
};

static enum problem session_read(struct rows *rows, void *into) {
        struct guest *guest = into;
        struct row row = row_at(rows, 0);

        if (guest->n_seen < SEEN_MAX)
                guest->seen[guest->n_seen++] = row_integer(&row);
        return PROBLEM_NONE;
}

static bool guest_look(struct guest *guest, bool stay) {
        if (stay)
                database_ask_text(guest->database, "begin", NULL, NULL);
        database_ask_text(guest->database, "select pg_backend_pid()", session_read, guest);
        return !database_trip(guest->database, clock_monotonic() + PATIENCE);
}

static bool guest_commit(struct guest *guest) {
        database_ask_text(guest->database, "commit", NULL, NULL);
        return !database_trip(guest->database, clock_monotonic() + PATIENCE);
}

static bool have_met(const struct guest *a, const struct guest *b) {
        for (size_t i = 0; i < a->n_seen; i++)
                for (size_t j = 0; j < b->n_seen; j++)
                        if (a->seen[i] == b->seen[j])
                                return true;
        return false;
}

static bool has_moved(const struct guest *guest) {
        for (size_t i = 1; i < guest->n_seen; i++)
                if (guest->seen[i] != guest->seen[0])
                        return true;
        return false;
}

/* While one client is in a transaction, the other one asks for its session; once more, and then with exchanged roles.
 */
static bool shares_sessions(struct guest *a, struct guest *b) {
        for (int i = 0; i < MEETINGS_MAX; i++) {
                struct guest *host = i % 2 ? b : a, *visitor = i % 2 ? a : b;

                if (!guest_look(host, /* stay= */ true) || !guest_look(visitor, /* stay= */ false) ||
                        !guest_commit(host) || !guest_look(host, /* stay= */ false))
                        return false;
        }
        return have_met(a, b) || has_moved(a) || has_moved(b);
}

void doctor_check_pooler(struct database *database, const char *url) {
        static const char check[] = "pooler";
        _cleanup_(database_close_cleanup) struct database *second = NULL;
        struct guest a = { .database = database }, b = { 0 };
        struct database_settings settings = { .url = url,
                .schema = "pg_catalog",
                .name = "holdfast doctor",
                .plans = PLANS_FREE,
                .statement_timeout_ms = DOCTOR_TIMEOUT_MS,
                .lock_timeout_ms = DOCTOR_TIMEOUT_MS,
                .unprepared = true };

        if (!guest_look(&a, /* stay= */ false))
                doctor_say(VERDICT_WARN, check, "see its log", "the session does not show its process id");
        else if (a.seen[0] == database_session(database)) {
                doctor_say(VERDICT_OK, check, NULL, "none: this is the server's own session");
        } else {
                second = database_new(&settings);
                b.database = second;
                if (!second || database_connect(second))
                        doctor_say(VERDICT_FAIL, check, "give its pool more sessions than all instances take",
                                "it allows one connection only");
                else if (shares_sessions(&a, &b))
                        doctor_say(VERDICT_FAIL, check,
                                "set pool_mode = session for Holdfast, or let HOLDFAST_DATABASE_URL go around it",
                                "it shares sessions among clients (transaction mode), which loses prepared statements, "
                                "settings and locks");
                else
                        doctor_say(VERDICT_OK, check, NULL, "there is one, and each client keeps its session");
        }
}
