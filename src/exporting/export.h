/*
 * exporting/export: one kind of rows, from one snapshot, as CSV or JSON lines.
 *
 * Bounded: one row at a time, whatever the size of the export. Prices are in major units, times in UTC. The columns
 * are those that an import of the kind reads, and the order of the rows is fixed, so that equal data gives equal bytes.
 */
#pragma once

#include "base/text.h"
#include "db/copy.h"
#include "exporting/kinds.h"

#define EXPORT_LOCATIONS_MAX 64 /* that one export can name */

struct export_options {
        const struct export_kind *kind;
        enum copy_format format;
        timestamp since, until; /* TIMESTAMP_NONE: no limit; until itself is left out */
        const char *const *locations;
        size_t n_locations;
        bool all_locations;
        const char *channel; /* NULL: all */
        bool for_spreadsheets;
};

struct export_outcome {
        timestamp as_of; /* of the snapshot */
        uint64_t rows;   /* without the header */
        bool whole;      /* false: the reader ended it */
        /* The options name a location or channel that does not exist, and there are no rows; "": they do not. */
        char unknown_location[CODE_SIZE_MAX + 1], unknown_channel[CODE_SIZE_MAX + 1];
};

/* Format by its name on the command line and in a query. */
must_check bool export_format_named(const char *name, enum copy_format *ret_format);

/* Why these options do not fit together, as a sentence; NULL: they do. */
const char *export_options_fault(const struct export_options *options);

/* Export to the reader. `database` is connected with PLANS_FREE and has nothing queued. */
must_check enum problem export_run(struct database *database, const struct export_options *options,
        const struct copy_reader *reader, struct export_outcome *ret_outcome);
