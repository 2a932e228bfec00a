/*
 * db/types: PostgreSQL's types on the wire, by their fixed OIDs (src/include/catalog/pg_type.dat).
 */
#pragma once

#include "base/clock.h"

enum {
        TYPE_BOOLEAN = 16,
        TYPE_BYTEA = 17,
        TYPE_BIGINT = 20,
        TYPE_INTEGER = 23,
        TYPE_TEXT = 25,
        TYPE_DOUBLE = 701,
        TYPE_TEXT_ARRAY = 1009,
        TYPE_VARCHAR = 1043,
        TYPE_TIMESTAMPTZ = 1184,
        TYPE_UUID = 2950,
        TYPE_JSONB = 3802,
};

/* PostgreSQL counts from 2000-01-01T00:00:00Z. */
#define POSTGRES_EPOCH ((timestamp) 946684800 * SECOND)

/* The first byte of a jsonb value on the wire. */
#define JSONB_VERSION '\1'
