/*
 * commands/doctor_indexes: the indexes without which a list or a search reads whole tables.
 */
#pragma once

/* By name, sorted, ended by NULL. Indexes of primary keys and unique constraints are left out: PostgreSQL keeps them.
 */
extern const char *const doctor_indexes[];
