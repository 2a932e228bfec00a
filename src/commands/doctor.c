/* holdfast doctor: settings, secrets, keys and the machine; doctor_database.c has the database. */
#include "commands/doctor.h"
#include "commands/commands.h"

#include "auth/jwks.h"
#include "auth/jwks_fetch.h"
#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "http/server.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SECRET_SIZE_MIN   32
#define DESCRIPTORS_SPARE 256 /* for files and connections besides clients */

/* ---- settings ---- */

static bool check_settings(void) {
        const char *reason = NULL;
        const char *complaint;

        if (!config_read(&reason)) {
                doctor_say(
                        VERDICT_FAIL, "configuration", "holdfast config --markdown lists every setting", "%s", reason);
                return false;
        }
        complaint = command_config_complaint();
        if (complaint)
                doctor_say(VERDICT_FAIL, "configuration", "holdfast config --markdown lists every setting", "%s",
                        complaint);
        for (size_t i = 0; config_unknown(i); i++)
                doctor_say(VERDICT_WARN, "configuration", "correct or remove it", "unknown setting %.*s, ignored",
                        (int) strcspn(config_unknown(i), "="), config_unknown(i));
        if (!complaint && !config_unknown(0))
                doctor_say(VERDICT_OK, "configuration", NULL, "every setting can be read");
        return true;
}

/* A secret file must not be readable by every user of the machine. */
static void check_secret_files(void) {
        size_t n = 0, n_open = 0;

        for (enum setting setting = 0; setting < SETTING_COUNT; setting++) {
                char variable[64];
                struct stat status;
                const char *path;

                (void) snprintf(variable, sizeof(variable), "%s_FILE", setting_variable(setting));
                path = setting_kind(setting) == SETTING_SECRET ? getenv(variable) : NULL;
                if (!path || !*path || stat(path, &status) < 0)
                        continue;
                n++;
                if (!(status.st_mode & S_IROTH))
                        continue;
                n_open++;
                doctor_say(VERDICT_WARN, "secret files", "chmod o-r", "every user may read the file of %s", variable);
        }
        if (n && !n_open)
                doctor_say(VERDICT_OK, "secret files", NULL, "%zu, closed to others", n);
}

static void check_pickup_secret(void) {
        const char *secret = config_text(CONFIG_PICKUP_SECRET);

        if (!secret)
                doctor_say(VERDICT_WARN, "pickup secret", "set HOLDFAST_PICKUP_SECRET to 32 random bytes or more",
                        "not set, so orders have no pickup codes");
        else if (strlen(secret) < SECRET_SIZE_MIN)
                doctor_say(VERDICT_FAIL, "pickup secret", "use 32 random bytes or more", "it has only %zu bytes",
                        strlen(secret));
        else
                doctor_say(VERDICT_OK, "pickup secret", NULL, "set");
}

static void check_sealing_key(void) {
        const char *key = config_text(CONFIG_WEBHOOK_SEALING_KEY);

        if (!key)
                doctor_say(VERDICT_WARN, "sealing key", "set HOLDFAST_WEBHOOK_SEALING_KEY to 32 random bytes or more",
                        "not set, so the secrets of webhooks are kept plain in the database");
        else if (strlen(key) < SECRET_SIZE_MIN)
                doctor_say(VERDICT_FAIL, "sealing key", "use 32 random bytes or more", "the key has only %zu bytes",
                        strlen(key));
        else
                doctor_say(VERDICT_OK, "sealing key", NULL, "sealed");
}

/* ---- keys ---- */

/* Issuer and audience, because an identity provider may sign tokens for several services. */
static void check_tokens(void) {
        if (config_text(CONFIG_JWT_SECRET))
                return;
        if (!config_text(CONFIG_JWT_ISSUER) || !config_text(CONFIG_JWT_AUDIENCE))
                doctor_say(VERDICT_WARN, "tokens", "set HOLDFAST_JWT_ISSUER and HOLDFAST_JWT_AUDIENCE",
                        "every token signed by these keys is accepted, also one issued for another service");
        else
                doctor_say(VERDICT_OK, "tokens", NULL, "from %s, for %s", config_text(CONFIG_JWT_ISSUER),
                        config_text(CONFIG_JWT_AUDIENCE));
}

static bool doctor_document_get(struct token_document *ret_document, const char **ret_reason) {
        const atomic_bool abandon = false;

        if (config_text(CONFIG_JWT_JWKS_FILE))
                return token_document_read(config_text(CONFIG_JWT_JWKS_FILE), ret_document, ret_reason);
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                *ret_reason = "libcurl cannot be initialised";
                return false;
        }
        return token_document_fetch(config_text(CONFIG_JWT_JWKS_URL), &abandon, ret_document, ret_reason);
}

static bool keys_get(struct token_keys **ret_keys, const char **ret_reason) {
        _cleanup_(token_document_clear) struct token_document document = { 0 };
        const char *secret = config_text(CONFIG_JWT_SECRET);

        if (secret)
                return token_keys_from_secret(secret, strlen(secret), ret_keys, ret_reason);
        return doctor_document_get(&document, ret_reason) &&
               token_keys_from_jwks(document.bytes, document.size, ret_keys, ret_reason);
}

static void check_keys(void) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = NULL;
        const char *reason = NULL;
        const int n = !!config_text(CONFIG_JWT_SECRET) + !!config_text(CONFIG_JWT_JWKS_FILE) +
                      !!config_text(CONFIG_JWT_JWKS_URL);

        if (n != 1)
                doctor_say(VERDICT_FAIL, "keys",
                        "set one of HOLDFAST_JWT_JWKS_URL, HOLDFAST_JWT_JWKS_FILE, HOLDFAST_JWT_SECRET",
                        "%d sources of keys are set", n);
        else if (!keys_get(&keys, &reason))
                doctor_say(VERDICT_FAIL, "keys", "check the file or URL in HOLDFAST_JWT_...", "%s", reason);
        else if (config_text(CONFIG_JWT_SECRET))
                doctor_say(VERDICT_WARN, "keys", "use HOLDFAST_JWT_JWKS_URL for anything but development",
                        "development mode: every owner of HOLDFAST_JWT_SECRET can issue tokens for any subject");
        else
                doctor_say(VERDICT_OK, "keys", NULL, "%zu can be used", token_keys_count(keys));
}

/* ---- mail server ---- */

/* Connect, encrypt and log in; no mail is sent. */
static void check_smtp(void) {
        const struct smtp_server server = command_smtp_server();
        char answer[SMTP_ANSWER_SIZE];

        if (!server.url)
                doctor_say(VERDICT_OK, "mail server", NULL, "not set, so customers get no e-mails");
        else if (smtp_server_fault(&server))
                doctor_say(VERDICT_FAIL, "mail server", "correct HOLDFAST_SMTP_URL", "HOLDFAST_SMTP_URL %s",
                        smtp_server_fault(&server));
        else if (!smtp_probe(&server, answer))
                doctor_say(VERDICT_FAIL, "mail server",
                        "check HOLDFAST_SMTP_URL, HOLDFAST_SMTP_TLS and HOLDFAST_SMTP_CA", "%s", answer);
        else
                doctor_say(VERDICT_OK, "mail server", NULL, "it can be reached");
}

/* ---- machine ---- */

static void check_descriptors(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        doctor_say(limit.rlim_max < CONNECTIONS_MAX + DESCRIPTORS_SPARE ? VERDICT_WARN : VERDICT_OK, "descriptors",
                "raise the hard limit (ulimit -Hn, LimitNOFILE=) to 16640 for all the clients this program would serve",
                "the hard limit is %ju", (uintmax_t) limit.rlim_max);
}

int command_doctor(int argc, char **argv) {
        (void) argv;
        if (argc != 1)
                return command_misused("doctor");
        if (!check_settings())
                return EXIT_FAILED;
        check_secret_files();
        check_pickup_secret();
        check_sealing_key();
        doctor_check_primary();
        doctor_check_replica();
        check_keys();
        check_tokens();
        check_smtp();
        check_descriptors();
        return doctor_failures() ? EXIT_FAILED : EXIT_OK;
}
