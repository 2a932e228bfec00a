#include "commands/commands.h"
#include "commands/pages.h"
#include "commands/shapes.h"

#include "base/text.h"
#include "http/documents.h"

#include <stdio.h>

static const char *key_text(const struct route *route) {
        switch (route->key) {
        case KEY_REQUIRED:
                return "required";
        case KEY_OPTIONAL:
                return "optional";
        default:
                return "none";
        }
}

static void print_routes(FILE *out) {
        struct route_list lists[ROUTE_LISTS_MAX];
        const size_t n = all_routes(lists);

        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < lists[i].n; j++) {
                        const struct route *route = &lists[i].routes[j];

                        (void) fprintf(out, "%s %s %s%s%s %s\n", method_text(route->method), route->path,
                                route->open ? "-" : scope_text(route->scope), route->also ? "," : "",
                                scope_text(route->also), key_text(route));
                }
}

/* Sorted; no option at all prints the document. */
static const struct {
        const char *option;
        void (*print)(FILE *out);
} outputs[] = {
        { "--asyncapi", page_asyncapi },
        { "--events", page_events },
        { "--lifecycles", page_lifecycles },
        { "--notifications", page_notifications },
        { "--problems", page_problems },
        { "--routes", print_routes },
        { "--shapes", shapes_print },
};

int command_openapi(int argc, char **argv) {
        if (argc == 1) {
                (void) fwrite(openapi_document.bytes, 1, openapi_document.size, stdout);
                (void) fputc('\n', stdout);
                return EXIT_OK;
        }
        for (size_t i = 0; argc == 2 && i < array_size(outputs); i++)
                if (text_equal(argv[1], outputs[i].option)) {
                        if (command_config()) /* the prefix of types */
                                return EXIT_BAD_CONFIG;
                        outputs[i].print(stdout);
                        return EXIT_OK;
                }
        return command_misused("openapi");
}
