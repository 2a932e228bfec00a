/*
 * notifications/columns: the columns of templates and messages (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns notification_columns, notification_outcome_columns, notification_template_columns;
