#include "commands/commands.h"
#include "commands/pages.h"

#include "base/config.h"
#include "base/text.h"

#include <string.h>

/* A line that a shell or an environment file accepts; secrets are hidden. */
static void print_setting(enum setting setting) {
        const char *value = config_text(setting);
        const char *initial = setting_default(setting);

        (void) printf("# %s; default: %s\n", setting_help(setting), *initial ? initial : "(none)");
        if (value && setting_kind(setting) == SETTING_SECRET)
                value = "(secret)";
        (void) printf("%s=%s\n", setting_variable(setting), value ? value : "");
}

int command_show_config(int argc, char **argv) {
        if (argc == 2 && text_equal(argv[1], "--markdown")) {
                page_configuration(stdout);
                return EXIT_OK;
        }
        if (argc != 1 && !(argc == 2 && text_equal(argv[1], "print")))
                return command_misused("config");
        if (command_config())
                return EXIT_BAD_CONFIG;
        for (enum setting setting = 0; setting < SETTING_COUNT; setting++)
                print_setting(setting);
        for (size_t i = 0; config_unknown(i); i++)
                (void) fprintf(stderr, "holdfast: unknown setting %.*s, ignored\n",
                        (int) strcspn(config_unknown(i), "="), config_unknown(i));
        return EXIT_OK;
}
