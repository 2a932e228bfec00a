#include "base/config.h"

#include "base/clock.h"
#include "base/money.h"
#include "base/network.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define VALUE_SIZE_MAX  ((size_t) 16 * 1024)
#define DOMAIN_SIZE_MAX 100
#define VARIABLE_MAX    64
#define SCHEMA_SIZE_MAX 63
#define FILE_SUFFIX     "_FILE"

extern char **environ;

static const struct setting_row {
        const char *variable;
        enum setting_kind kind;
        const char *initial;
        int64_t minimum, maximum;
        const char *help;
} settings[SETTING_COUNT] = {
#define X(name, variable, kind, initial, minimum, maximum, help)                                                       \
        { variable, SETTING_##kind, initial, minimum, maximum, help },
        SETTINGS(X)
#undef X
};

static struct {
        char *text; /* NULL: not set */
        int64_t integer;
} values[SETTING_COUNT];

static char reason[512];

const char *setting_variable(enum setting setting) {
        return settings[setting].variable;
}

const char *setting_help(enum setting setting) {
        return settings[setting].help;
}

const char *setting_default(enum setting setting) {
        return settings[setting].initial;
}

enum setting_kind setting_kind(enum setting setting) {
        return settings[setting].kind;
}

int64_t setting_minimum(enum setting setting) {
        return settings[setting].minimum;
}

int64_t setting_maximum(enum setting setting) {
        return settings[setting].maximum;
}

const char *config_text(enum setting setting) {
        return values[setting].text;
}

int64_t config_integer(enum setting setting) {
        return values[setting].integer;
}

static bool setting_fail(const char *variable, const char *what) {
        (void) snprintf(reason, sizeof(reason), "%s: %s", variable, what);
        return false;
}

static bool secret_file_read(const char *variable, const char *path, char **ret_text) {
        _cleanup_free_ char *text = calloc(1, VALUE_SIZE_MAX + 1);
        FILE *file = fopen(path, "re");
        size_t size = 0;
        bool failed = !file || !text;

        if (!failed)
                size = fread(text, 1, VALUE_SIZE_MAX + 1, file);
        failed = failed || ferror(file); /* a directory opens, and cannot be read */
        if (file)
                (void) fclose(file);
        if (failed)
                return setting_fail(variable, "the file cannot be read");
        if (size > VALUE_SIZE_MAX || memchr(text, '\0', size))
                return setting_fail(variable, "the file is longer than 16 KiB, or holds a NUL");
        while (size && (text[size - 1] == '\n' || text[size - 1] == '\r'))
                text[--size] = '\0';
        if (!size) /* an empty file is a mistake, not an unset secret */
                return setting_fail(variable, "the file is empty; leave the variable out to go without");
        *ret_text = take(text);
        return true;
}

/* Only for these settings an empty value is valid: it means none. */
static bool is_text(enum setting_kind kind) {
        return kind == SETTING_ADDRESS || kind == SETTING_CURRENCY || kind == SETTING_DOMAIN ||
               kind == SETTING_NETWORKS || kind == SETTING_TEXT || kind == SETTING_SECRET;
}

static bool setting_text_read(const struct setting_row *row, char **ret_text) {
        char file_variable[VARIABLE_MAX];
        const char *text = getenv(row->variable);
        const char *path = NULL;

        (void) snprintf(file_variable, sizeof(file_variable), "%s" FILE_SUFFIX, row->variable);
        if (row->kind == SETTING_SECRET)
                path = getenv(file_variable);
        if (path && !*path)
                path = NULL;
        if (text && *text && path)
                return setting_fail(row->variable, "set it or its _FILE, not both");
        if (path)
                return secret_file_read(file_variable, path, ret_text);
        if (!text || (!*text && !is_text(row->kind)))
                text = row->initial;
        *ret_text = *text ? strdup(text) : NULL;
        return true;
}

static bool fail_range(const struct setting_row *row) {
        char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE], what[sizeof(from) + sizeof(to) + 32];

        duration_format(row->minimum, from);
        duration_format(row->maximum, to);
        (void) snprintf(what, sizeof(what), "not from %s to %s", from, to);
        return setting_fail(row->variable, what);
}

static bool duration_read(const struct setting_row *row, const char *text, duration *ret_span) {
        if (!duration_parse(text, ret_span))
                return setting_fail(row->variable, "not an ISO 8601 duration, such as PT30M");
        if (*ret_span < row->minimum || *ret_span > row->maximum)
                return fail_range(row);
        return true;
}

static bool is_address(const char *text) {
        char host[HOST_SIZE_MAX], port[PORT_SIZE_MAX];

        return text_split_address(text, host, port);
}

static bool are_networks(const char *text) {
        struct networks networks;

        return networks_parse(text, &networks);
}

/* RFC 1035 labels in small letters, most significant first. */
static bool is_reverse_domain(const char *text) {
        if (strlen(text) > DOMAIN_SIZE_MAX)
                return false;
        for (const char *at = text;;) {
                const size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-");

                if (!size || at[0] == '-' || at[size - 1] == '-')
                        return false;
                at += size;
                if (!*at || text_equal(at, "."))
                        return true;
                if (*at++ != '.')
                        return false;
        }
}

static bool value_parse(const struct setting_row *row, const char *text, int64_t *ret_integer) {
        char fault[CURRENCY_FAULT_SIZE];
        int64_t integer = 0;

        switch (row->kind) {
        case SETTING_BOOLEAN:
        case SETTING_INTEGER:
                if (text && !text_to_integer(text, row->minimum, row->maximum, &integer))
                        return setting_fail(row->variable, "not a whole number in its range");
                break;
        case SETTING_SWITCH:
                if (text && !text_equal(text, "on") && !text_equal(text, "off"))
                        return setting_fail(row->variable, "neither on nor off");
                integer = text_equal(text, "on");
                break;
        case SETTING_DURATION:
                if (text && !duration_read(row, text, &integer))
                        return false;
                break;
        case SETTING_ADDRESS:
                if (text && !is_address(text))
                        return setting_fail(
                                row->variable, "not address:port, such as 127.0.0.1:8080, with a port up to 65535");
                break;
        case SETTING_CURRENCY:
                if (text && currency_fault(text, fault))
                        return setting_fail(row->variable, currency_fault(text, fault));
                break;
        case SETTING_DOMAIN:
                if (text && !is_reverse_domain(text))
                        return setting_fail(row->variable, "not a reverse domain name, such as com.example");
                break;
        case SETTING_NETWORKS:
                if (text && !are_networks(text))
                        return setting_fail(row->variable,
                                "not addresses and networks, at most 64, such as 10.0.0.0/8,2001:db8::1");
                break;
        default:
                break;
        }
        *ret_integer = integer;
        return true;
}

static bool schema_is_valid(const char *schema) {
        const size_t size = schema ? strlen(schema) : 0;

        if (!size)
                return false;
        if (!islower((unsigned char) schema[0]) && schema[0] != '_')
                return false;
        for (size_t i = 0; i < size; i++)
                if (!islower((unsigned char) schema[i]) && !isdigit((unsigned char) schema[i]) && schema[i] != '_')
                        return false;
        return size <= SCHEMA_SIZE_MAX && !text_starts_with(schema, "pg_");
}

bool config_read(const char **ret_reason) {
        *ret_reason = reason;
        for (size_t i = 0; i < SETTING_COUNT; i++) {
                free(take(values[i].text));
                if (!setting_text_read(&settings[i], &values[i].text) ||
                        !value_parse(&settings[i], values[i].text, &values[i].integer))
                        return false;
        }
        if (!schema_is_valid(values[CONFIG_SCHEMA].text))
                return setting_fail("HOLDFAST_SCHEMA",
                        "lower-case letters, digits and _, at most 63, not starting with a digit or pg_");
        return true;
}

static bool variable_is_known(const char *variable, size_t size) {
        for (size_t i = 0; i < SETTING_COUNT; i++) {
                const size_t own = strlen(settings[i].variable);

                if (strncmp(variable, settings[i].variable, own) != 0)
                        continue;
                if (size == own || (settings[i].kind == SETTING_SECRET && size == own + strlen(FILE_SUFFIX) &&
                                           strncmp(variable + own, FILE_SUFFIX, strlen(FILE_SUFFIX)) == 0))
                        return true;
        }
        return false;
}

const char *config_unknown(size_t wanted) {
        size_t n = 0;

        for (char **entry = environ; *entry; entry++)
                if (text_starts_with(*entry, "HOLDFAST_") && !variable_is_known(*entry, strcspn(*entry, "=")) &&
                        n++ == wanted)
                        return *entry;
        return NULL;
}
