#include "base/config.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static char path[] = "/tmp/holdfast-config-XXXXXX";

/* Each test starts from an environment without settings. */
static void clear(void) {
        for (char **entry = environ; *entry;) {
                char name[128];

                (void) snprintf(name, sizeof(name), "%.*s", (int) strcspn(*entry, "="), *entry);
                if (strncmp(name, "HOLDFAST_", strlen("HOLDFAST_")) == 0)
                        (void) unsetenv(name);
                else
                        entry++;
        }
}

static void remove_file(void) {
        (void) unlink(path);
}

TestSuite(config, .init = clear, .fini = remove_file);

static void set(const char *variable, const char *value) {
        cr_assert_eq(setenv(variable, value, 1), 0);
}

static void assert_read(void) {
        const char *reason = NULL;

        cr_assert(config_read(&reason), "%s", reason);
}

static void assert_refused(const char *variable) {
        const char *reason = NULL;

        cr_assert_not(config_read(&reason));
        cr_assert_eq(strncmp(reason, variable, strlen(variable)), 0, "%s", reason);
}

static const char *file_with(const char *text, size_t size) {
        const int fd = mkstemp(path);

        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, text, size), (ssize_t) size);
        cr_assert_eq(close(fd), 0);
        return path;
}

Test(config, trusted_proxies_are_addresses_and_networks) {
        set("HOLDFAST_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::1");
        assert_read();
        set("HOLDFAST_TRUSTED_PROXIES", "");
        assert_read();
        cr_expect_null(config_text(CONFIG_TRUSTED_PROXIES));
        set("HOLDFAST_TRUSTED_PROXIES", "10.0.0.1/8");
        assert_refused("HOLDFAST_TRUSTED_PROXIES");
        set("HOLDFAST_TRUSTED_PROXIES", "the proxy");
        assert_refused("HOLDFAST_TRUSTED_PROXIES");
}

Test(config, unset_settings_have_their_defaults) {
        assert_read();
        cr_assert_str_eq(config_text(CONFIG_LISTEN), "127.0.0.1:8080");
        cr_assert_str_eq(config_text(CONFIG_SCHEMA), "holdfast");
        cr_assert_eq(config_integer(CONFIG_WRITE_WORKERS), 4);
        cr_assert_eq(config_integer(CONFIG_REQUEST_TIMEOUT), 10 * SECOND);
        cr_assert_null(config_text(CONFIG_DATABASE_URL));
        cr_assert_eq(config_integer(CONFIG_UNPAID_TTL), 0);
}

Test(config, settings_are_read_from_the_environment) {
        set("HOLDFAST_LISTEN", "[::1]:99");
        set("HOLDFAST_RATE_LIMIT", "600");
        set("HOLDFAST_UNPAID_TTL", "PT30M");
        set("HOLDFAST_JWT_DEV_ALLOW_REMOTE", "1");
        assert_read();
        cr_assert_str_eq(config_text(CONFIG_LISTEN), "[::1]:99");
        cr_assert_eq(config_integer(CONFIG_RATE_LIMIT), 600);
        cr_assert_eq(config_integer(CONFIG_UNPAID_TTL), 30 * MINUTE);
        cr_assert_eq(config_integer(CONFIG_JWT_DEV_ALLOW_REMOTE), 1);
}

Test(config, it_can_be_read_again) {
        set("HOLDFAST_LISTEN", "a:1");
        assert_read();
        set("HOLDFAST_LISTEN", "b:2");
        assert_read();
        cr_assert_str_eq(config_text(CONFIG_LISTEN), "b:2");
}

Test(config, an_empty_admin_address_means_none) {
        set("HOLDFAST_ADMIN_LISTEN", "");
        assert_read();
        cr_assert_null(config_text(CONFIG_ADMIN_LISTEN));
}

Test(config, an_empty_number_or_duration_is_not_set) {
        set("HOLDFAST_RATE_LIMIT", "");
        set("HOLDFAST_REQUEST_TIMEOUT", "");
        set("HOLDFAST_WRITE_WORKERS", "");
        assert_read();
        cr_assert_eq(config_integer(CONFIG_RATE_LIMIT), 0);
        cr_assert_eq(config_integer(CONFIG_REQUEST_TIMEOUT), 10 * SECOND);
        cr_assert_eq(config_integer(CONFIG_WRITE_WORKERS), 4);
}

Test(config, a_number_is_whole_and_in_its_range) {
        const char *const bad[] = { "-1", "1.5", "x", "1000001", "99999999999999999999", " 1" };

        for (size_t i = 0; i < array_size(bad); i++) {
                set("HOLDFAST_RATE_LIMIT", bad[i]);
                assert_refused("HOLDFAST_RATE_LIMIT");
        }
        set("HOLDFAST_RATE_LIMIT", "1000000");
        assert_read();
        set("HOLDFAST_WRITE_WORKERS", "0");
        assert_refused("HOLDFAST_WRITE_WORKERS");
        set("HOLDFAST_WRITE_WORKERS", "17");
        assert_refused("HOLDFAST_WRITE_WORKERS");
}

Test(config, a_duration_is_longer_than_nothing) {
        const char *const bad[] = { "PT0S", "30", "10 minutes", "P1M", "-PT1S" };

        for (size_t i = 0; i < array_size(bad); i++) {
                set("HOLDFAST_REQUEST_TIMEOUT", bad[i]);
                assert_refused("HOLDFAST_REQUEST_TIMEOUT");
        }
}

static const char *reason_for(const char *variable, const char *value) {
        const char *reason = NULL;

        set(variable, value);
        cr_assert_not(config_read(&reason));
        return reason;
}

Test(config, the_fault_of_a_duration_is_named) {
        cr_assert_str_eq(
                reason_for("HOLDFAST_REQUEST_TIMEOUT", "PT0S"), "HOLDFAST_REQUEST_TIMEOUT: not from PT1S to PT1H");
        cr_assert_str_eq(
                reason_for("HOLDFAST_REQUEST_TIMEOUT", "PT1H1S"), "HOLDFAST_REQUEST_TIMEOUT: not from PT1S to PT1H");
        cr_assert_str_eq(reason_for("HOLDFAST_REQUEST_TIMEOUT", "soon"),
                "HOLDFAST_REQUEST_TIMEOUT: not an ISO 8601 duration, such as PT30M");
}

Test(config, an_address_has_a_port_that_there_is) {
        const char *const bad[] = { "x", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1: 18180", "127.0.0.1:-1" };

        for (size_t i = 0; i < array_size(bad); i++) {
                set("HOLDFAST_LISTEN", bad[i]);
                assert_refused("HOLDFAST_LISTEN: ");
        }
        set("HOLDFAST_LISTEN", "127.0.0.1:65535");
        assert_read();
        set("HOLDFAST_ADMIN_LISTEN", "127.0.0.1:65536");
        assert_refused("HOLDFAST_ADMIN_LISTEN: ");
}

/* An empty secret file is a mistake and must not count as an unset secret. */
Test(config, a_secret_file_without_a_secret_is_refused) {
        set("HOLDFAST_DATABASE_URL_FILE", file_with("\n", 1));
        assert_refused("HOLDFAST_DATABASE_URL_FILE: the file is empty");
        set("HOLDFAST_DATABASE_URL_FILE", "/dev/null");
        assert_refused("HOLDFAST_DATABASE_URL_FILE: the file is empty");
        set("HOLDFAST_DATABASE_URL_FILE", "/");
        assert_refused("HOLDFAST_DATABASE_URL_FILE: the file cannot be read");
}

Test(config, an_empty_secret_or_name_of_a_file_is_none) {
        set("HOLDFAST_DATABASE_URL_FILE", "");
        set("HOLDFAST_DATABASE_URL", "postgresql:///shop");
        assert_read();
        cr_assert_str_eq(config_text(CONFIG_DATABASE_URL), "postgresql:///shop");
        set("HOLDFAST_DATABASE_URL", "");
        assert_read();
        cr_assert_null(config_text(CONFIG_DATABASE_URL));
}

Test(config, a_schema_is_a_plain_name) {
        const char *const bad[] = { "1a", "A", "a-b", "a b", "pg_a", "a\"b", "",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

        for (size_t i = 0; i < array_size(bad); i++) {
                set("HOLDFAST_SCHEMA", bad[i]);
                assert_refused("HOLDFAST_SCHEMA");
        }
        set("HOLDFAST_SCHEMA", "shop_de_1");
        assert_read();
        cr_assert_str_eq(config_text(CONFIG_SCHEMA), "shop_de_1");
}

Test(config, a_secret_may_stand_in_a_file) {
        set("HOLDFAST_JWT_SECRET_FILE", file_with("s3cret with spaces \r\n\n", 22));
        assert_read();
        cr_assert_str_eq(config_text(CONFIG_JWT_SECRET), "s3cret with spaces ");
        cr_assert_null(config_unknown(0));
}

Test(config, a_secret_stands_in_one_place) {
        set("HOLDFAST_JWT_SECRET", "a");
        set("HOLDFAST_JWT_SECRET_FILE", "/dev/null");
        assert_refused("HOLDFAST_JWT_SECRET");
}

Test(config, an_unusable_secret_file_is_refused) {
        char *large = calloc(1, 16 * 1024 + 1);

        set("HOLDFAST_JWT_SECRET_FILE", "/nowhere/at/all");
        assert_refused("HOLDFAST_JWT_SECRET_FILE");
        set("HOLDFAST_JWT_SECRET_FILE", file_with("a\0b", 3));
        assert_refused("HOLDFAST_JWT_SECRET_FILE");
        remove_file();
        memcpy(path, "/tmp/holdfast-config-XXXXXX", sizeof(path));
        memset(large, 'a', 16 * 1024 + 1);
        set("HOLDFAST_JWT_SECRET_FILE", file_with(large, 16 * 1024 + 1));
        assert_refused("HOLDFAST_JWT_SECRET_FILE");
        free(large);
}

Test(config, only_secrets_may_stand_in_files) {
        set("HOLDFAST_LISTEN_FILE", "/dev/null");
        assert_read();
        cr_assert_str_eq(config_text(CONFIG_LISTEN), "127.0.0.1:8080");
        cr_assert_str_eq(config_unknown(0), "HOLDFAST_LISTEN_FILE=/dev/null");
}

Test(config, unknown_settings_are_reported) {
        set("HOLDFAST_LISTN", "a");
        set("HOLDFAST_LISTEN_", "b");
        set("HOLDFAST_", "c");
        assert_read();
        cr_assert_not_null(config_unknown(0));
        cr_assert_not_null(config_unknown(2));
        cr_assert_null(config_unknown(3));
}

Test(config, every_setting_is_described_and_sorted) {
        for (int i = 0; i < SETTING_COUNT; i++) {
                const enum setting setting = (enum setting) i;

                cr_assert_eq(strncmp(setting_variable(setting), "HOLDFAST_", strlen("HOLDFAST_")), 0);
                cr_assert_gt(strlen(setting_help(setting)), 0);
                if (i)
                        cr_assert_lt(strcmp(setting_variable((enum setting)(i - 1)), setting_variable(setting)), 0);
        }
}
