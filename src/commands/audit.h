/*
 * commands/audit: the columns of the audit's statements (db/columns.h).
 */
#pragma once

#include "db/columns.h"

extern const struct columns audit_bound_columns, finding_columns;
