#include "notifications/format.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define AMOUNT_SIZE_MAX ((size_t) 64)

/* How a language writes. `months` and `days`, which begin with Monday, are for times. */
struct language {
        const char *name;
        char point;
        const char *group; /* between thousands */
        bool symbol_first;
        const char *months[12], *days[7];
        bool is_german; /* "21." and "Uhr" behind the time */
};

static const struct language languages[] = {
        { .name = "de",
                .point = ',',
                .group = ".",
                .months = { "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
                        "Oktober", "November", "Dezember" },
                .days = { "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag" },
                .is_german = true },
        { .name = "en",
                .point = '.',
                .group = ",",
                .symbol_first = true,
                .months = { "January", "February", "March", "April", "May", "June", "July", "August", "September",
                        "October", "November", "December" },
                .days = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" } },
};

static const struct {
        const char *currency, *symbol;
} symbols[] = { { "EUR", "€" }, { "GBP", "£" }, { "JPY", "¥" }, { "USD", "$" } };

static const struct language *language_of(const char *locale) {
        for (size_t i = 0; i < array_size(languages); i++)
                if (text_starts_with(locale, languages[i].name) && strchr("-", locale[strlen(languages[i].name)]))
                        return &languages[i];
        return NULL;
}

/* ---- amounts ---- */

static const char *symbol_of(const char *currency) {
        for (size_t i = 0; i < array_size(symbols); i++)
                if (text_equal(symbols[i].currency, currency))
                        return symbols[i].symbol;
        return currency;
}

/* The digits before the point, in groups of three if there is a separator. */
static void append_grouped(struct buffer *buffer, int64_t whole, const char *group) {
        char digits[AMOUNT_SIZE_MAX / 2];
        size_t n = 0;

        do {
                digits[n++] = (char) ('0' + whole % 10);
                whole /= 10;
        } while (whole);
        while (n) {
                buffer_append(buffer, &digits[--n], 1);
                if (n && n % 3 == 0)
                        buffer_append_text(buffer, group);
        }
}

static void append_figure(struct buffer *buffer, int64_t amount, int exponent, char point, const char *group) {
        int64_t unit = 1;

        for (int i = 0; i < exponent; i++)
                unit *= 10;
        append_grouped(buffer, amount / unit, group);
        if (exponent > 0)
                buffer_append_format(buffer, "%c%0*" PRId64, point, exponent, amount % unit);
}

const char *amount_format(int64_t amount, const char *currency, const char *locale, struct arena *arena) {
        const struct language *language = language_of(locale);
        const int exponent = currency_exponent(currency) > 0 ? currency_exponent(currency) : 0;
        const char *symbol = language ? symbol_of(currency) : currency;
        struct buffer buffer;

        buffer_init(&buffer, arena, AMOUNT_SIZE_MAX);
        if (amount < 0)
                buffer_append_text(&buffer, "-");
        if (language && language->symbol_first) {
                buffer_append_text(&buffer, symbol);
                if (symbol == currency)
                        buffer_append_text(&buffer, " ");
        }
        append_figure(
                &buffer, llabs(amount), exponent, language ? language->point : '.', language ? language->group : "");
        if (!language || !language->symbol_first)
                buffer_append_format(&buffer, " %s", symbol);
        return buffer.failed ? NULL : buffer_text(&buffer);
}

/* ---- times ---- */

const char *time_format(timestamp instant, const struct zone *zone, const char *locale, struct arena *arena) {
        const struct language *language = language_of(locale);
        struct day day;
        int64_t number, minutes;

        if (instant == TIMESTAMP_NONE)
                return NULL;
        number = zone_day(zone, instant);
        minutes = (zone_wall_time(zone, instant) - number * DAY) / MINUTE;
        day = day_of_number(number);
        if (!language)
                return arena_format(arena, "%04d-%02d-%02d %02d:%02d", day.year, day.month, day.day,
                        (int) (minutes / 60), (int) (minutes % 60));
        return arena_format(arena, "%s, %d%s %s %d, %02d:%02d%s", language->days[weekday_of(number)], day.day,
                language->is_german ? "." : "", language->months[day.month - 1], day.year, (int) (minutes / 60),
                (int) (minutes % 60), language->is_german ? " Uhr" : "");
}
