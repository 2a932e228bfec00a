#include "base/text.h"
#include "commands/commands.h"
#include "version.h"

#include <stdio.h>

static int print_help(FILE *out) {
        (void) fputs(
                "holdfast: order management with one truth about stock and orders\n\nusage: holdfast COMMAND [OPTIONS]\n\n",
                out);
        for (size_t i = 0; i < command_count; i++)
                (void) fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
        (void) fputs(
                "\nholdfast COMMAND --help describes a command. Settings come from the environment; see holdfast config.\n",
                out);
        return EXIT_WRONG_USAGE;
}

static int print_command_help(const struct subcommand *command) {
        (void) printf("usage: holdfast %s\n\n%s\n", command->usage, command->summary);
        if (command->help)
                (void) printf("\n%s\n", command->help);
        return EXIT_OK;
}

static int refuse_unknown(const char *name) {
        const char *names[32];
        const char *nearest;

        for (size_t i = 0; i < command_count; i++)
                names[i] = commands[i].name;
        nearest = text_nearest(name, names, command_count);
        (void) fprintf(stderr, "holdfast: unknown command \"%s\"", name);
        if (nearest)
                (void) fprintf(stderr, "; did you mean \"%s\"?", nearest);
        (void) fputs("\n", stderr);
        return print_help(stderr);
}

static bool asks_for_help(const char *word) {
        return text_equal(word, "--help") || text_equal(word, "-h");
}

int main(int argc, char **argv) {
        if (argc < 2)
                return print_help(stderr);
        if (asks_for_help(argv[1])) {
                (void) print_help(stdout);
                return EXIT_OK;
        }
        if (text_equal(argv[1], "--version"))
                return command_version(0, NULL);
        for (size_t i = 0; i < command_count; i++) {
                if (!text_equal(argv[1], commands[i].name))
                        continue;
                for (int j = 2; j < argc; j++)
                        if (asks_for_help(argv[j]))
                                return print_command_help(&commands[i]);
                return commands[i].run(argc - 1, argv + 1);
        }
        return refuse_unknown(argv[1]);
}
