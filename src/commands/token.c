#include "commands/commands.h"

#include "auth/issue.h"
#include "base/config.h"
#include "base/text.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#define LOCATIONS_MAX 256
#define TTL_S_DEFAULT 3600

static int token_usage(void) {
        (void) fputs(
                "usage: holdfast token --subject S --scope \"a b\" [--location L]... [--channel C] [--ttl SECONDS]\n",
                stderr);
        return EXIT_WRONG_USAGE;
}

static bool ttl_read(const char *text, int64_t *ret_ttl_s) {
        if (text_to_integer(text, 1, TOKEN_TTL_S_MAX, ret_ttl_s))
                return true;
        (void) fprintf(
                stderr, "holdfast: --ttl is a number of seconds, from 1 to %" PRId64 "\n", (int64_t) TOKEN_TTL_S_MAX);
        return false;
}

static bool token_read_options(int argc, char **argv, const char **locations, struct token_request *request) {
        static const struct option options[] = {
                { "channel", required_argument, NULL, 'c' },
                { "location", required_argument, NULL, 'l' },
                { "scope", required_argument, NULL, 's' },
                { "subject", required_argument, NULL, 'u' },
                { "ttl", required_argument, NULL, 't' },
                { 0 },
        };
        int option;

        optind = 1;
        for (option = getopt_long(argc, argv, "", options, NULL); option != -1;
                option = getopt_long(argc, argv, "", options, NULL)) {
                if (option == 'c')
                        request->channel = optarg;
                else if (option == 's')
                        request->scope = optarg;
                else if (option == 'u')
                        request->subject = optarg;
                else if (option == 'l' && request->n_locations < LOCATIONS_MAX)
                        locations[request->n_locations++] = optarg;
                else if (option != 't' || !ttl_read(optarg, &request->ttl_s))
                        return false;
        }
        request->has_locations = request->n_locations > 0;
        return optind == argc && request->subject && request->scope;
}

int command_token(int argc, char **argv) {
        const char *locations[LOCATIONS_MAX];
        struct token_request request = { .ttl_s = TTL_S_DEFAULT, .issued_at = clock_wall(), .locations = locations };
        _cleanup_free_ char *token = NULL;

        if (!token_read_options(argc, argv, locations, &request))
                return token_usage();
        if (command_config())
                return EXIT_BAD_CONFIG;
        request.secret = config_text(CONFIG_JWT_SECRET);
        request.issuer = config_text(CONFIG_JWT_ISSUER);
        request.audience = config_text(CONFIG_JWT_AUDIENCE);
        if (!request.secret) {
                (void) fputs("holdfast: set HOLDFAST_JWT_SECRET, which signs the token\n", stderr);
                return EXIT_BAD_CONFIG;
        }
        if (token_issue(&request, &token)) {
                (void) fputs(
                        "holdfast: token not made: the secret needs 32 bytes or more, the subject must not be empty\n",
                        stderr);
                return EXIT_FAILED;
        }
        (void) puts(token);
        return EXIT_OK;
}
