#include "base/shape_filling.h"
#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <string.h>

static void fill_boolean(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        if (!json_is_boolean(value)) {
                filling_expect(filling, place, "true or false");
                return;
        }
        *(bool *) record_slot(record, member->offset) = json_is_true(value);
}

static void store_text(struct filling *filling, const char *text, const char **ret_text) {
        *ret_text = arena_text(filling->arena, text);
}

static void read_code(struct filling *filling, const struct place *place, const json_t *value, const char **ret_code) {
        const char *text = filling_expect_text(filling, place, value);

        if (text && text_is_code(text))
                store_text(filling, text, ret_code);
        else if (text)
                filling_violate(filling, place, "malformed",
                        "A code is 1 to %d letters, digits and ._~:+@-, beginning with a letter or digit.",
                        CODE_SIZE_MAX);
}

static void fill_code(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        read_code(filling, place, value, record_slot(record, member->offset));
}

static void fill_duration(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const char *text = filling_expect_text(filling, place, value);
        char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE];
        duration span;

        if (!text)
                return;
        if (!duration_parse(text, &span)) {
                filling_violate(filling, place, "malformed", "A duration looks like PT30M or P7D.");
                return;
        }
        if (span < member->minimum || span > member->maximum) {
                duration_format(member->minimum, from);
                duration_format(member->maximum, to);
                filling_violate(filling, place, "out-of-range", "This must be from %s to %s.", from, to);
                return;
        }
        *(duration *) record_slot(record, member->offset) = span;
}

static void violate_names(struct filling *filling, const struct place *place, const char *const *names) {
        char list[DETAIL_SIZE_MAX - 64] = "";
        size_t size = 0;

        for (size_t i = 0; names[i] && size + strlen(names[i]) + 3 < sizeof(list); i++)
                size += (size_t) snprintf(list + size, sizeof(list) - size, "%s%s", i ? ", " : "", names[i]);
        filling_violate(filling, place, "not-allowed", "This must be one of: %s.", list);
}

/* The index of one of the names, else -1 after a violation. */
static int read_name(
        struct filling *filling, const struct place *place, const json_t *value, const char *const *names) {
        const char *text = filling_expect_text(filling, place, value);
        const int index = text_index(names, text);

        if (text && index < 0)
                violate_names(filling, place, names);
        return index;
}

static void fill_enum(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        *(int *) record_slot(record, member->offset) = read_name(filling, place, value, member->names);
}

/* -2^63 itself fits, but an integer below it may have been rounded to it. */
static bool is_beyond_64_bits(const struct filling *filling, double number) {
        return number < -0x1p63 || number >= 0x1p63 || (filling->rounded && number == -0x1p63);
}

/* False when the number is not whole. A whole one beyond 64 bits leaves *ret_fits false and *ret_integer alone. */
static bool whole_number(const struct filling *filling, const json_t *value, int64_t *ret_integer, bool *ret_fits) {
        const double number = json_number_value(value);

        *ret_fits = true;
        if (json_is_integer(value)) {
                *ret_integer = json_integer_value(value);
                return true;
        }
        if (is_beyond_64_bits(filling, number)) {
                *ret_fits = false;
                return true;
        }
        *ret_integer = (int64_t) number;
        return (double) *ret_integer == number;
}

static void fill_integer(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        int64_t integer = 0;
        bool fits;

        if (!json_is_number(value) || !whole_number(filling, value, &integer, &fits)) {
                filling_expect(filling, place, "a whole number");
                return;
        }
        if (!fits || integer < member->minimum || integer > member->maximum) {
                filling_out_of_range(filling, place, member);
                return;
        }
        *(int64_t *) record_slot(record, member->offset) = integer;
}

/* Whether the value is a list with as many elements as the member may have. */
static bool expect_list(
        struct filling *filling, const struct place *place, const struct shape_member *member, const json_t *value) {
        const size_t n = json_array_size(value);

        if (!json_is_array(value)) {
                filling_expect(filling, place, "a list");
                return false;
        }
        if ((uint64_t) n > (uint64_t) member->maximum) {
                filling_violate(filling, place, "too-many", "This list holds at most %" PRId64 ".", member->maximum);
                return false;
        }
        if ((uint64_t) n < (uint64_t) member->minimum)
                filling_violate(filling, place, "too-few", "This list holds at least %" PRId64 ".", member->minimum);
        return true;
}

static void store_list(const struct shape_member *member, void *elements, size_t n, void *record) {
        *(void **) record_slot(record, member->offset) = elements;
        if (member->present_offset != SHAPE_NO_OFFSET)
                *(size_t *) record_slot(record, member->present_offset) = n;
}

static void fill_list(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const size_t n = json_array_size(value);
        char *elements = NULL;

        if (!expect_list(filling, place, member, value))
                return;
        elements = arena_array(filling->arena, n, member->shape->size);
        if (!elements)
                return;
        for (size_t i = 0; i < n; i++) {
                const struct place at = { .parent = place, .index = i };

                filling_record(
                        filling, &at, member->shape, json_array_get(value, i), elements + i * member->shape->size);
        }
        store_list(member, elements, n, record);
}

struct money_body {
        int64_t amount, exponent;
        const char *currency;
        bool has_exponent;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
        return value < low ? low : value > high ? high : value;
}

static void check_currency(
        struct filling *filling, const struct place *place, const struct money_body *body, struct money *ret_money) {
        const int exponent = currency_exponent(body->currency);
        char fault[CURRENCY_FAULT_SIZE];
        struct place at = { .parent = place };

        if (exponent < 0) {
                at.name = "currency";
                filling_violate(filling, &at, "malformed", "%s", currency_fault(body->currency, fault));
                return;
        }
        if (body->has_exponent && body->exponent != exponent) {
                at.name = "exponent";
                filling_violate(filling, &at, "not-allowed", "The exponent of %s is %d.", body->currency, exponent);
                return;
        }
        ret_money->amount = body->amount;
        memcpy(ret_money->currency, body->currency, sizeof(ret_money->currency));
}

static void fill_money(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const struct shape_member members[] = {
                { .name = "amount",
                        .kind = SHAPE_INTEGER,
                        .required = true,
                        .offset = offsetof(struct money_body, amount),
                        .present_offset = SHAPE_NO_OFFSET,
                        .minimum = clamp(member->minimum, -MONEY_MAXIMUM, MONEY_MAXIMUM),
                        .maximum = clamp(member->maximum, -MONEY_MAXIMUM, MONEY_MAXIMUM) },
                { .name = "currency",
                        .kind = SHAPE_TEXT,
                        .required = true,
                        .offset = offsetof(struct money_body, currency),
                        .present_offset = SHAPE_NO_OFFSET,
                        .maximum = INT64_MAX },
                { .name = "exponent",
                        .kind = SHAPE_INTEGER,
                        .offset = offsetof(struct money_body, exponent),
                        .present_offset = offsetof(struct money_body, has_exponent),
                        .minimum = INT64_MIN,
                        .maximum = INT64_MAX },
        };
        const struct shape shape = SHAPE(struct money_body, members);
        struct money_body body;

        filling_record(filling, place, &shape, value, &body);
        if (body.currency)
                check_currency(filling, place, &body, record_slot(record, member->offset));
}

static void fill_number(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const double number = json_number_value(value);

        if (!json_is_number(value)) {
                filling_expect(filling, place, "a number");
                return;
        }
        if (number < (double) member->minimum || number > (double) member->maximum) {
                filling_out_of_range(filling, place, member);
                return;
        }
        *(double *) record_slot(record, member->offset) = number;
}

static void fill_object(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        void *object = arena_alloc(filling->arena, member->shape->size);

        if (!object)
                return;
        filling_record(filling, place, member->shape, value, object);
        *(void **) record_slot(record, member->offset) = object;
}

/* ---- raw objects: copied through base/writer, which bounds them and keeps 0.1 exact ---- */

static void copy_value(struct filling *filling, const struct place *place, const json_t *value, struct writer *writer);

static void copy_object(
        struct filling *filling, const struct place *place, const json_t *value, struct writer *writer) {
        json_t *object = (json_t *) value; /* jansson iterates over nothing const */
        const char *name;
        json_t *member;

        write_object_begin(writer);
        json_object_foreach(object, name, member) {
                const struct place at = { .parent = place, .name = name };

                write_name(writer, name);
                copy_value(filling, &at, member, writer);
        }
        write_object_end(writer);
}

static void copy_list(struct filling *filling, const struct place *place, const json_t *value, struct writer *writer) {
        write_list_begin(writer);
        for (size_t i = 0; i < json_array_size(value); i++) {
                const struct place at = { .parent = place, .index = i };

                copy_value(filling, &at, json_array_get(value, i), writer);
        }
        write_list_end(writer);
}

static void copy_text(struct filling *filling, const struct place *place, const json_t *value, struct writer *writer) {
        const char *text = filling_expect_text(filling, place, value);

        if (text)
                write_text(writer, text);
}

/* Stored as the nearest double, a large integer would come back as another one. In a body that has such integers, a
 * real of that size is named too: it cannot be told from them, and the body is refused in any case. */
static void copy_real(struct filling *filling, const struct place *place, const json_t *value, struct writer *writer) {
        const double number = json_real_value(value);

        if (filling->rounded && is_beyond_64_bits(filling, number))
                filling_violate(filling, place, "out-of-range", "An integer has at most 64 bits.");
        else
                write_number(writer, number);
}

static void copy_value(struct filling *filling, const struct place *place, const json_t *value, struct writer *writer) {
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                copy_object(filling, place, value, writer);
                return;
        case JSON_ARRAY:
                copy_list(filling, place, value, writer);
                return;
        case JSON_STRING:
                copy_text(filling, place, value, writer);
                return;
        case JSON_INTEGER:
                write_integer(writer, json_integer_value(value));
                return;
        case JSON_REAL:
                copy_real(filling, place, value, writer);
                return;
        case JSON_TRUE:
        case JSON_FALSE:
                write_boolean(writer, json_is_true(value));
                return;
        case JSON_NULL:
                write_null(writer);
                return;
        }
}

static void fill_raw(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        struct buffer buffer;
        struct writer writer;

        if (!json_is_object(value)) {
                filling_expect(filling, place, "an object");
                return;
        }
        buffer_init(&buffer, filling->arena, (size_t) member->maximum);
        writer_init(&writer, &buffer);
        copy_object(filling, place, value, &writer);
        if (buffer.failed)
                filling_violate(
                        filling, place, "too-long", "This object takes at most %" PRId64 " bytes.", member->maximum);
        else
                *(const char **) record_slot(record, member->offset) = buffer_text(&buffer);
}

/* ---- the rest of the kinds ---- */

static void read_text(struct filling *filling, const struct place *place, const json_t *value, int64_t minimum,
        int64_t maximum, const char **ret_text) {
        const char *text = filling_expect_text(filling, place, value);
        const int64_t size = text ? (int64_t) text_code_points(text) : 0;

        if (!text)
                return;
        if (size < minimum)
                filling_violate(filling, place, "too-short", "This has at least %" PRId64 " characters.", minimum);
        else if (size > maximum)
                filling_violate(filling, place, "too-long", "This has at most %" PRId64 " characters.", maximum);
        else
                store_text(filling, text, ret_text);
}

static void fill_text(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        read_text(filling, place, value, member->minimum, member->maximum, record_slot(record, member->offset));
}

/* A text of any kind, one of the names, or a code. */
static void read_element(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, const char **ret_text) {
        int index;

        if (member->kind == SHAPE_TEXT_LIST) {
                read_text(filling, place, value, 1, TEXT_LIST_SIZE_MAX, ret_text);
        } else if (member->names) {
                index = read_name(filling, place, value, member->names);
                *ret_text = index < 0 ? NULL : member->names[index];
        } else {
                read_code(filling, place, value, ret_text);
        }
}

static void fill_texts(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const size_t n = json_array_size(value);
        const char **texts = NULL;

        if (!expect_list(filling, place, member, value))
                return;
        texts = arena_new_array(filling->arena, const char *, n);
        if (!texts)
                return;
        for (size_t i = 0; i < n; i++) {
                const struct place at = { .parent = place, .index = i };

                read_element(filling, &at, member, json_array_get(value, i), &texts[i]);
        }
        store_list(member, texts, n, record);
}

static void fill_time(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const char *text = filling_expect_text(filling, place, value);

        if (text && !timestamp_parse(text, record_slot(record, member->offset)))
                filling_violate(filling, place, "malformed", "A time looks like 2026-11-21T10:15:30Z (RFC 3339).");
}

static void fill_uuid(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const char *text = filling_expect_text(filling, place, value);

        if (text && !uuid_parse(text, record_slot(record, member->offset)))
                filling_violate(filling, place, "malformed", "An id is a UUID in lower-case letters.");
}

filler *const fillers[] = {
        [SHAPE_BOOLEAN] = fill_boolean,
        [SHAPE_CODE] = fill_code,
        [SHAPE_DURATION] = fill_duration,
        [SHAPE_ENUM] = fill_enum,
        [SHAPE_INTEGER] = fill_integer,
        [SHAPE_LIST] = fill_list,
        [SHAPE_MONEY] = fill_money,
        [SHAPE_NUMBER] = fill_number,
        [SHAPE_OBJECT] = fill_object,
        [SHAPE_RAW] = fill_raw,
        [SHAPE_TEXT] = fill_text,
        [SHAPE_TEXTS] = fill_texts,
        [SHAPE_TEXT_LIST] = fill_texts,
        [SHAPE_TIME] = fill_time,
        [SHAPE_UUID] = fill_uuid,
};
