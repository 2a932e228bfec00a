/*
 * base/exit_code: exit codes of the program (sysexits.h); above 128, 128 and the number of the signal that stopped it.
 */
#pragma once

enum exit_code {
        EXIT_OK = 0,
        EXIT_FAILED = 1, /* the operation or check failed */
        EXIT_WRONG_USAGE = 2,
        EXIT_NO_DATABASE = 69, /* the database is unavailable */
        EXIT_OUR_FAULT = 70,
        EXIT_TRY_LATER = 75,
        EXIT_BAD_CONFIG = 78,
};
