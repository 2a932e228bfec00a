#include "commands/doctor.h"

#include "db/connection.h"

#include <inttypes.h>
#include <string.h>

struct endpoints_found {
        int64_t n, disabled, failing;
};

static enum problem endpoints_found_read(struct rows *rows, void *into) {
        struct row row = row_at(rows, 0);

        *(struct endpoints_found *) into = (struct endpoints_found){
                .n = row_integer(&row), .disabled = row_integer(&row), .failing = row_integer(&row)
        };
        return PROBLEM_NONE;
}

void doctor_check_webhooks(struct database *database) {
        static const char check[] = "webhooks";
        struct endpoints_found found = { 0 };

        database_ask_text(database,
                "select count(*), count(*) filter (where w.state = 'disabled'),"
                " count(*) filter (where w.state = 'active' and p.failing_since < clock_timestamp() - interval '1 hour')"
                "  from webhooks w join webhook_progress p on p.webhook_id = w.id",
                endpoints_found_read, &found);
        if (database_trip(database, clock_monotonic() + DOCTOR_TIME_MAX))
                doctor_say(VERDICT_FAIL, check, "see its log", "cannot be asked for: %.*s",
                        (int) strcspn(database_message(database), "\n"), database_message(database));
        else if (found.disabled || found.failing)
                doctor_say(VERDICT_WARN, check,
                        "GET /v1/webhooks names them; mend the receiver, then POST /v1/webhooks/{id}/resume",
                        "%" PRId64 " of %" PRId64 " are disabled, %" PRId64 " have failed for an hour", found.disabled,
                        found.n, found.failing);
        else
                doctor_say(VERDICT_OK, check, NULL, "%" PRId64, found.n);
}
