/*
 * notifications/columns: the columns of templates (db/columns.h), for the room's store.
 */
#pragma once

#include "db/columns.h"

extern const struct columns notification_template_columns;
