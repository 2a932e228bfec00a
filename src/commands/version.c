#include "version.h"
#include "commands/commands.h"

#include <stdio.h>

int command_version(int argc, char **argv) {
        if (!command_takes_nothing(argc, argv))
                return EXIT_WRONG_USAGE;
        (void) printf("holdfast %s (%s)\n", HOLDFAST_VERSION, HOLDFAST_COMMIT);
        return EXIT_OK;
}
