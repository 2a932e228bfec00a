#include "db/fault.h"

#include "base/text.h"

static const struct {
        const char *prefix; /* a class, or a whole state; the first match counts */
        enum problem fault;
} faults[] = {
        { "08", FAULT_LOST },
        { "0A000", FAULT_LOST }, /* a migration changed what a prepared statement returns: prepare again */
        { "22", FAULT_POISON },
        { "23503", FAULT_RIVAL },
        { "23505", FAULT_RIVAL },
        { "23", FAULT_POISON },
        { "25006", FAULT_LOST }, /* read-only: the server is a former primary */
        { "25P03", FAULT_LOST }, /* idle in transaction for too long */
        { "26000", FAULT_LOST }, /* the prepared statement is not there: another server behind the same address */
        { "40001", FAULT_CONFLICT },
        { "40P01", FAULT_CONFLICT },
        { "42P05", FAULT_LOST }, /* a statement of this name is prepared already: the session is shared with another
                                    client */
        { "53", FAULT_BUSY },
        { "55P03", FAULT_STUCK },
        { "57014", FAULT_BUSY },
        { "57P0", FAULT_LOST },
};

enum problem fault_of_sqlstate(const char *sqlstate) {
        if (!sqlstate || !*sqlstate)
                return FAULT_LOST;
        for (size_t i = 0; i < array_size(faults); i++)
                if (text_starts_with(sqlstate, faults[i].prefix))
                        return faults[i].fault;
        return FAULT_BROKEN;
}
