#include "version.h"
#include "commands/commands.h"

#include <stdio.h>

int command_version(int argc, char **argv) {
        (void) argc;
        (void) argv;
        (void) printf("holdfast %s (%s)\n", HOLDFAST_VERSION, HOLDFAST_COMMIT);
        return EXIT_OK;
}
