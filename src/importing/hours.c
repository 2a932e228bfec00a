#include "importing/hours.h"

#include "base/text.h"
#include "catalog/catalog.h"

#include <string.h>

#define PART_SIZE 64

typedef bool (*part_reader)(const char *part, json_t *list);

/* The whole part must have been read: `read` is the place that %n has told. */
static bool is_all(const char *part, int read) {
        return read > 0 && !part[(size_t) read + strspn(part + read, " ")];
}

static int weekday_from(const char *name) {
        for (int day = 0; day < WEEKDAYS; day++)
                if (text_equal(day_names[day], name))
                        return day;
        return -1;
}

static bool opening_add(const char *part, json_t *list) {
        char first[4], last[4], opens[6], closes[6];
        int read = 0, day, end;

        if (sscanf(part, " %3[a-z] %5[0-9:]-%5[0-9:]%n", first, opens, closes, &read) == 3)
                memcpy(last, first, sizeof(last));
        else if (sscanf(part, " %3[a-z]-%3[a-z] %5[0-9:]-%5[0-9:]%n", first, last, opens, closes, &read) != 4)
                return false;
        day = weekday_from(first);
        end = weekday_from(last);
        if (!is_all(part, read) || day < 0 || end < day)
                return false;
        for (; day <= end; day++)
                (void) json_array_append_new(
                        list, json_pack("{ssssss}", "day", day_names[day], "opens", opens, "closes", closes));
        return true;
}

static bool closure_add(const char *part, json_t *list) {
        char date[11], opens[6], closes[6];
        int read = 0;

        if (sscanf(part, " %10[0-9-] %5[0-9:]-%5[0-9:]%n", date, opens, closes, &read) == 3 && is_all(part, read))
                return !json_array_append_new(
                        list, json_pack("{ssssss}", "date", date, "opens", opens, "closes", closes));
        read = 0;
        return sscanf(part, " %10[0-9-]%n", date, &read) == 1 && is_all(part, read) &&
               !json_array_append_new(list, json_pack("{ss}", "date", date));
}

static bool slot_add(const char *part, json_t *list) {
        char day[4], from[6], to[6];
        int64_t capacity;
        char digits[8];
        int read = 0;

        if (sscanf(part, " %3[a-z] %5[0-9:]-%5[0-9:] x %7[0-9]%n", day, from, to, digits, &read) != 4 ||
                !is_all(part, read) || !text_to_integer(digits, 0, INT32_MAX, &capacity))
                return false;
        return !json_array_append_new(
                list, json_pack("{sssssssI}", "day", day, "from", from, "to", to, "capacity", (json_int_t) capacity));
}

static bool parts_read(const char *cell, part_reader add, json_t *list) {
        const char *at;
        size_t size;

        while (text_next_part(&cell, ';', &at, &size)) {
                char part[PART_SIZE] = { 0 };

                if (size >= sizeof(part))
                        return false;
                memcpy(part, at, size);
                if (part[strspn(part, " ")] && !add(part, list))
                        return false;
        }
        return true;
}

static json_t *list_from(const char *cell, part_reader add) {
        json_t *list = json_array();

        if (list && parts_read(cell, add, list))
                return list;
        json_decref(list);
        return NULL;
}

json_t *import_opening_hours(const char *cell) {
        return list_from(cell, opening_add);
}

json_t *import_closures(const char *cell) {
        return list_from(cell, closure_add);
}

json_t *import_slots(const char *cell) {
        return list_from(cell, slot_add);
}
