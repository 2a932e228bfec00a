/*
 * notifications/mailer: one thread that sends the queued e-mails which this instance has leased.
 *
 * It is a thread beside the scheduled jobs (engine/jobs.h), because transfers go on between turns: it waits in libcurl
 * for answers. It has one connection, and no transaction is open while it waits. Several instances share the queue by
 * leases of MESSAGE_LEASE (notifications/messages.h); the mails of an instance that dies are due again after that.
 *
 * While the mail server cannot be reached, a single mail is tried with growing pauses, and no attempt is counted.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

struct smtp_server; /* engine/smtp.h */

struct mailer_settings {
        const char *database_url;
        const char *schema;
        const char *pickup_secret;        /* NULL: mails have no codes */
        const struct smtp_server *server; /* copied; its texts must stay */
};

/* One for the process. False when there is no memory or no thread. */
must_check bool mailer_start(const struct mailer_settings *settings);

/* Wait shortly for answers under way, record them, and stop. Also when none was started. */
void mailer_stop(void);

/* There may be new mails. Any thread, and also when none is started. */
void mailer_wake(void);
