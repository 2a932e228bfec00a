#include "base/shape.h"

#include "base/text.h"
#include "base/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NESTING_MAX      32
#define POINTER_SIZE_MAX ((size_t) 1024)
#define DETAIL_SIZE_MAX  ((size_t) 512)

DEFINE_CLEANUP(json_t, tree_cleanup, json_decref)

/* Where in the document we stand: a chain on the stack, put into words only when something is wrong. */
struct place {
        const struct place *parent; /* NULL at the root */
        const char *name;           /* NULL in a list */
        size_t index;
};

/* One call of shape_fill: where text and violations go. */
struct filling {
        struct arena *arena;
        struct refusal *refusal;
        bool rounded; /* the tree has integers beyond 64 bits, all read as reals */
};

typedef void filler(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record);

static void fill_record(struct filling *filling, const struct place *place, const struct shape *shape,
        const json_t *tree, void *record);

static enum problem refuse_size(struct arena *arena, struct refusal *refusal) {
        return refuse(refusal, arena, PROBLEM_CONTENT_TOO_LARGE, "The body holds more than one request may.");
}

/* ---- pointers and violations ---- */

/* RFC 6901, section 6: "~" and "/" are escaped first, then all that RFC 3986 does not let stand in a fragment. */
static void append_name(struct buffer *pointer, const char *name) {
        for (; *name; name++) {
                const char byte = *name;
                const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                                   (byte >= '0' && byte <= '9') || strchr("-._!$&'()*+,;=:@?", byte);

                if (byte == '~')
                        buffer_append_text(pointer, "~0");
                else if (byte == '/')
                        buffer_append_text(pointer, "~1");
                else if (plain)
                        buffer_append(pointer, name, 1);
                else
                        buffer_append_format(pointer, "%%%02X", (unsigned) (unsigned char) byte);
        }
}

/* A name that is too long to show is left out whole, with all below it: the pointer then names what encloses it. */
static void append_place(struct buffer *pointer, const struct place *place) {
        size_t before;

        if (!place->parent)
                return;
        append_place(pointer, place->parent);
        before = pointer->size;
        buffer_append_text(pointer, "/");
        if (place->name)
                append_name(pointer, place->name);
        else
                buffer_append_format(pointer, "%zu", place->index);
        if (pointer->failed && pointer->bytes) {
                pointer->size = before;
                pointer->bytes[before] = '\0';
        }
}

static void violate(struct filling *filling, const struct place *place, const char *code, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

static const char *pointer_to(struct filling *filling, const struct place *place) {
        struct buffer pointer;

        buffer_init(&pointer, filling->arena, POINTER_SIZE_MAX);
        buffer_append_text(&pointer, "#");
        append_place(&pointer, place);
        return buffer_text(&pointer);
}

static void violate(struct filling *filling, const struct place *place, const char *code, const char *format, ...) {
        /* Past the limit they are only counted, and must not cost memory. */
        const bool listed = filling->refusal->n_violations < VIOLATIONS_MAX;
        char detail[DETAIL_SIZE_MAX] = "";
        va_list arguments;

        va_start(arguments, format);
        if (listed)
                (void) vsnprintf(detail, sizeof(detail), format, arguments);
        va_end(arguments);
        (void) refuse_because(
                filling->refusal, filling->arena, listed ? pointer_to(filling, place) : "#", code, "%s", detail);
}

static void expect(struct filling *filling, const struct place *place, const char *what) {
        violate(filling, place, "wrong-type", "This must be %s.", what);
}

static void out_of_range(struct filling *filling, const struct place *place, const struct shape_member *member) {
        violate(filling, place, "out-of-range", "This must be from %" PRId64 " to %" PRId64 ".", member->minimum,
                member->maximum);
}

static bool has_nul(const json_t *value) {
        return memchr(json_string_value(value), '\0', json_string_length(value)) != NULL;
}

/* The text of a value that must be text without NUL, else NULL after a violation. */
static const char *expect_text(struct filling *filling, const struct place *place, const json_t *value) {
        if (!json_is_string(value)) {
                expect(filling, place, "text");
                return NULL;
        }
        if (has_nul(value)) {
                violate(filling, place, "nul-not-allowed", "The character U+0000 cannot be stored.");
                return NULL;
        }
        return json_string_value(value);
}

/* ---- one filler for each kind ---- */

static void *slot(void *record, size_t offset) {
        return (char *) record + offset;
}

static void fill_boolean(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        if (!json_is_boolean(value)) {
                expect(filling, place, "true or false");
                return;
        }
        *(bool *) slot(record, member->offset) = json_is_true(value);
}

static void store_text(struct filling *filling, const char *text, const char **ret_text) {
        *ret_text = arena_text(filling->arena, text);
}

static void read_code(struct filling *filling, const struct place *place, const json_t *value, const char **ret_code) {
        const char *text = expect_text(filling, place, value);

        if (text && text_is_code(text))
                store_text(filling, text, ret_code);
        else if (text)
                violate(filling, place, "malformed",
                        "A code is 1 to %d letters, digits and ._~:+@-, beginning with a letter or digit.",
                        CODE_SIZE_MAX);
}

static void fill_code(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        read_code(filling, place, value, slot(record, member->offset));
}

static void fill_duration(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const char *text = expect_text(filling, place, value);
        char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE];
        duration span;

        if (!text)
                return;
        if (!duration_parse(text, &span)) {
                violate(filling, place, "malformed", "A duration looks like PT30M or P7D.");
                return;
        }
        if (span < member->minimum || span > member->maximum) {
                duration_format(member->minimum, from);
                duration_format(member->maximum, to);
                violate(filling, place, "out-of-range", "This must be from %s to %s.", from, to);
                return;
        }
        *(duration *) slot(record, member->offset) = span;
}

static int index_of_name(const char *text, const char *const *names) {
        for (int i = 0; names[i]; i++)
                if (text_equal(text, names[i]))
                        return i;
        return -1;
}

static void violate_names(struct filling *filling, const struct place *place, const char *const *names) {
        char list[DETAIL_SIZE_MAX - 64] = "";
        size_t size = 0;

        for (size_t i = 0; names[i] && size + strlen(names[i]) + 3 < sizeof(list); i++)
                size += (size_t) snprintf(list + size, sizeof(list) - size, "%s%s", i ? ", " : "", names[i]);
        violate(filling, place, "not-allowed", "This must be one of: %s.", list);
}

/* The index of one of the names, else -1 after a violation. */
static int read_name(
        struct filling *filling, const struct place *place, const json_t *value, const char *const *names) {
        const char *text = expect_text(filling, place, value);
        const int index = text ? index_of_name(text, names) : -1;

        if (text && index < 0)
                violate_names(filling, place, names);
        return index;
}

static void fill_enum(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        *(int *) slot(record, member->offset) = read_name(filling, place, value, member->names);
}

/* -2^63 itself fits, but may be what an integer below it was rounded to. */
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
                expect(filling, place, "a whole number");
                return;
        }
        if (!fits || integer < member->minimum || integer > member->maximum) {
                out_of_range(filling, place, member);
                return;
        }
        *(int64_t *) slot(record, member->offset) = integer;
}

/* Whether the value is a list with as many elements as the member may have. */
static bool expect_list(
        struct filling *filling, const struct place *place, const struct shape_member *member, const json_t *value) {
        const size_t n = json_array_size(value);

        if (!json_is_array(value)) {
                expect(filling, place, "a list");
                return false;
        }
        if ((uint64_t) n > (uint64_t) member->maximum) {
                violate(filling, place, "too-many", "This list holds at most %" PRId64 ".", member->maximum);
                return false;
        }
        if ((uint64_t) n < (uint64_t) member->minimum)
                violate(filling, place, "too-few", "This list holds at least %" PRId64 ".", member->minimum);
        return true;
}

static void store_list(const struct shape_member *member, void *elements, size_t n, void *record) {
        *(void **) slot(record, member->offset) = elements;
        if (member->present_offset != SHAPE_NO_OFFSET)
                *(size_t *) slot(record, member->present_offset) = n;
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

                fill_record(filling, &at, member->shape, json_array_get(value, i), elements + i * member->shape->size);
        }
        store_list(member, elements, n, record);
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
                const json_t *element = json_array_get(value, i);
                int index;

                if (!member->names) {
                        read_code(filling, &at, element, &texts[i]);
                        continue;
                }
                index = read_name(filling, &at, element, member->names);
                texts[i] = index < 0 ? NULL : member->names[index];
        }
        store_list(member, texts, n, record);
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
        struct place at = { .parent = place };

        if (exponent < 0) {
                at.name = "currency";
                violate(filling, &at, "malformed", "This must be an active ISO 4217 currency, such as EUR.");
                return;
        }
        if (body->has_exponent && body->exponent != exponent) {
                at.name = "exponent";
                violate(filling, &at, "not-allowed", "The exponent of %s is %d.", body->currency, exponent);
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

        fill_record(filling, place, &shape, value, &body);
        if (body.currency)
                check_currency(filling, place, &body, slot(record, member->offset));
}

static void fill_number(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const double number = json_number_value(value);

        if (!json_is_number(value)) {
                expect(filling, place, "a number");
                return;
        }
        if (number < (double) member->minimum || number > (double) member->maximum) {
                out_of_range(filling, place, member);
                return;
        }
        *(double *) slot(record, member->offset) = number;
}

static void fill_object(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        void *object = arena_alloc(filling->arena, member->shape->size);

        if (!object)
                return;
        fill_record(filling, place, member->shape, value, object);
        *(void **) slot(record, member->offset) = object;
}

/* ---- raw objects: copied through our own writer, which bounds them and keeps 0.1 what it was ---- */

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
        const char *text = expect_text(filling, place, value);

        if (text)
                write_text(writer, text);
}

/* Stored as the nearest double, a large integer would come back as another one. In a body that has such integers, a
 * real of that size is named too: it cannot be told from them, and the body is refused in any case. */
static void copy_real(struct filling *filling, const struct place *place, const json_t *value, struct writer *writer) {
        const double number = json_real_value(value);

        if (filling->rounded && is_beyond_64_bits(filling, number))
                violate(filling, place, "out-of-range", "An integer has at most 64 bits.");
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
                expect(filling, place, "an object");
                return;
        }
        buffer_init(&buffer, filling->arena, (size_t) member->maximum);
        writer_init(&writer, &buffer);
        copy_object(filling, place, value, &writer);
        if (buffer.failed)
                violate(filling, place, "too-long", "This object takes at most %" PRId64 " bytes.", member->maximum);
        else
                *(const char **) slot(record, member->offset) = buffer_text(&buffer);
}

/* ---- the rest of the kinds ---- */

static void fill_text(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const char *text = expect_text(filling, place, value);
        const int64_t size = text ? (int64_t) text_code_points(text) : 0;

        if (!text)
                return;
        if (size < member->minimum)
                violate(filling, place, "too-short", "This has at least %" PRId64 " characters.", member->minimum);
        else if (size > member->maximum)
                violate(filling, place, "too-long", "This has at most %" PRId64 " characters.", member->maximum);
        else
                store_text(filling, text, slot(record, member->offset));
}

static void fill_time(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const char *text = expect_text(filling, place, value);

        if (text && !timestamp_parse(text, slot(record, member->offset)))
                violate(filling, place, "malformed", "A time looks like 2026-11-21T10:15:30Z (RFC 3339).");
}

static void fill_uuid(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        const char *text = expect_text(filling, place, value);

        if (text && !uuid_parse(text, slot(record, member->offset)))
                violate(filling, place, "malformed", "An id is a UUID in lower-case letters.");
}

static filler *const fillers[] = {
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
        [SHAPE_TIME] = fill_time,
        [SHAPE_UUID] = fill_uuid,
};

/* ---- records ---- */

/* 0 is what a table that says nothing holds; taken at its word, it would overwrite the first member of the struct. */
static bool has_flag(const struct shape_member *member) {
        if (member->kind == SHAPE_LIST || member->kind == SHAPE_TEXTS)
                return false;
        return member->present_offset != SHAPE_NO_OFFSET && member->present_offset != 0;
}

static void fill_member(struct filling *filling, const struct place *place, const struct shape_member *member,
        const json_t *value, void *record) {
        if (!value || json_is_null(value)) {
                if (member->required)
                        violate(filling, place, "required", "This member is required.");
                return;
        }
        fillers[member->kind](filling, place, member, value, record);
        if (has_flag(member))
                *(bool *) slot(record, member->present_offset) = true;
}

static void empty_record(const struct shape *shape, void *record) {
        memset(record, 0, shape->size);
        for (size_t i = 0; i < shape->n_members; i++) {
                const struct shape_member *member = &shape->members[i];

                if (member->kind == SHAPE_ENUM)
                        *(int *) slot(record, member->offset) = -1;
                if (member->kind == SHAPE_TIME)
                        *(timestamp *) slot(record, member->offset) = TIMESTAMP_NONE;
        }
}

static bool is_member(const struct shape *shape, const char *name) {
        for (size_t i = 0; i < shape->n_members; i++)
                if (text_equal(name, shape->members[i].name))
                        return true;
        return false;
}

static const char *nearest_member(struct filling *filling, const struct shape *shape, const char *name) {
        const char **names = arena_new_array(filling->arena, const char *, shape->n_members);

        if (!names)
                return NULL;
        for (size_t i = 0; i < shape->n_members; i++)
                names[i] = shape->members[i].name;
        return text_nearest(name, names, shape->n_members);
}

/* The name itself is in the pointer; it is the client's, so the sentence does not repeat it. */
static void refuse_member(
        struct filling *filling, const struct place *place, const struct shape *shape, const char *name) {
        const struct place at = { .parent = place, .name = name };
        const char *meant = NULL;

        /* What will not be listed is not worth the search. */
        if (filling->refusal->n_violations < VIOLATIONS_MAX)
                meant = nearest_member(filling, shape, name);
        if (meant)
                violate(filling, &at, "unknown-member", "There is no such member; did you mean \"%s\"?", meant);
        else
                violate(filling, &at, "unknown-member", "There is no such member.");
}

static void refuse_unknown(
        struct filling *filling, const struct place *place, const struct shape *shape, const json_t *tree) {
        json_t *object = (json_t *) tree; /* jansson iterates over nothing const */
        const char *name;
        json_t *value;

        json_object_foreach(object, name, value) {
                if (!is_member(shape, name))
                        refuse_member(filling, place, shape, name);
        }
}

static void fill_record(struct filling *filling, const struct place *place, const struct shape *shape,
        const json_t *tree, void *record) {
        empty_record(shape, record);
        if (!json_is_object(tree)) {
                expect(filling, place, "an object");
                return;
        }
        for (size_t i = 0; i < shape->n_members; i++) {
                const struct place at = { .parent = place, .name = shape->members[i].name };

                fill_member(filling, &at, &shape->members[i], json_object_get(tree, at.name), record);
        }
        refuse_unknown(filling, place, shape, tree);
}

static enum problem fill_all(struct filling *filling, const struct shape *shape, const json_t *tree, void *into) {
        struct arena *arena = filling->arena;
        struct refusal *refusal = filling->refusal;
        const struct place root = { 0 };
        const size_t n_before = refusal->n_violations;

        fill_record(filling, &root, shape, tree, into);
        if (arena->exhausted) {
                /* Some of them may lack their text. */
                refusal->violations = refusal->last_violation = NULL;
                refusal->n_violations = 0;
                return refuse_size(arena, refusal);
        }
        if (refusal->n_violations > n_before)
                return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED,
                        "The body is not valid in %zu places; errors says where and why.",
                        refusal->n_violations - n_before);
        return PROBLEM_NONE;
}

enum problem shape_fill(
        const struct shape *shape, const json_t *tree, struct arena *arena, struct refusal *refusal, void *into) {
        struct filling filling = { .arena = arena, .refusal = refusal };

        return fill_all(&filling, shape, tree, into);
}

/* ---- parsing ---- */

/* What jansson found, in our words: its own may quote the body. */
static const char *fault_sentence(enum json_error_code code) {
        switch (code) {
        case json_error_duplicate_key:
                return "a member occurs twice";
        case json_error_end_of_input_expected:
                return "something follows the value";
        case json_error_invalid_utf8:
                return "this is not valid UTF-8";
        case json_error_numeric_overflow:
                return "a number is too large";
        case json_error_premature_end_of_input:
                return "the body ends too early";
        case json_error_stack_overflow:
                return "the nesting is too deep";
        default:
                return "this is not valid JSON";
        }
}

/* No pointer can name the member, so the sentence says where it stands. */
static enum problem refuse_name(struct arena *arena, struct refusal *refusal, const json_error_t *error) {
        (void) refuse_because(refusal, arena, "#", "nul-not-allowed", "U+0000 in a name, line %d, column %d.",
                error->line, error->column);
        return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The name of a member holds the character U+0000.");
}

static enum problem refuse_parse(struct arena *arena, struct refusal *refusal, const json_error_t *error) {
        /* jansson takes a token it has no memory for as one it does not know; malloc tells the truth. */
        if (errno == ENOMEM)
                return refuse(refusal, arena, PROBLEM_OVERLOADED, "There is no memory left for the body.");
        if (json_error_code(error) == json_error_null_byte_in_key)
                return refuse_name(arena, refusal, error);
        return refuse(refusal, arena, PROBLEM_MALFORMED_JSON, "Line %d, column %d: %s.", error->line, error->column,
                fault_sentence(json_error_code(error)));
}

static json_t *load(const char *body, size_t size, size_t flags, json_error_t *error) {
        errno = 0;
        return json_loadb(body, size, flags, error);
}

/* Where nesting first passes the limit, or NULL. Only brackets outside strings count; whether they match is left to
 * the parser, which this keeps from building a deep tree. */
static const char *find_too_deep(const char *body, size_t size) {
        bool in_text = false;
        int depth = 0;

        for (size_t i = 0; i < size; i++) {
                if (in_text && body[i] == '\\')
                        i++;
                else if (body[i] == '"')
                        in_text = !in_text;
                else if (!in_text && (body[i] == '[' || body[i] == '{'))
                        depth++;
                else if (!in_text && (body[i] == ']' || body[i] == '}'))
                        depth--;
                if (depth > NESTING_MAX)
                        return body + i;
        }
        return NULL;
}

static enum problem refuse_depth(struct arena *arena, struct refusal *refusal, const char *body, const char *too_deep) {
        size_t line = 1, column = 1;

        for (; body < too_deep; body++) {
                column = *body == '\n' ? 1 : column + (((unsigned char) *body & 0xC0) != 0x80);
                line += *body == '\n';
        }
        return refuse(refusal, arena, PROBLEM_MALFORMED_JSON, "Line %zu, column %zu: more than %d levels of nesting.",
                line, column, NESTING_MAX);
}

static enum problem parse(const char *body, size_t size, struct arena *arena, struct refusal *refusal,
        json_t **ret_tree, bool *ret_rounded) {
        const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
        const char *too_deep = NULL;
        json_error_t error;
        json_t *tree = NULL;
        bool rounded;

        if (size == 0)
                return refuse(refusal, arena, PROBLEM_MALFORMED_JSON, "The body is empty.");
        too_deep = find_too_deep(body, size);
        if (too_deep)
                return refuse_depth(arena, refusal, body, too_deep);
        tree = load(body, size, flags, &error);
        /* An integer beyond 64 bits is well formed; read as a double, its member can be named in a violation. */
        rounded = !tree && json_error_code(&error) == json_error_numeric_overflow;
        if (rounded)
                tree = load(body, size, flags | JSON_DECODE_INT_AS_REAL, &error);
        if (!tree)
                return refuse_parse(arena, refusal, &error);
        *ret_tree = tree;
        *ret_rounded = rounded;
        return PROBLEM_NONE;
}

enum problem shape_parse(
        const char *body, size_t size, struct arena *arena, struct refusal *refusal, json_t **ret_tree) {
        bool rounded;

        return parse(body, size, arena, refusal, ret_tree, &rounded);
}

static bool requires_nothing(const struct shape *shape) {
        for (size_t i = 0; i < shape->n_members; i++)
                if (shape->members[i].required)
                        return false;
        return true;
}

enum problem shape_read(const struct shape *shape, const char *body, size_t size, struct arena *arena,
        struct refusal *refusal, void **ret_filled) {
        const bool as_empty_object = size == 0 && requires_nothing(shape);
        struct filling filling = { .arena = arena, .refusal = refusal };
        _cleanup_(tree_cleanup) json_t *tree = NULL;
        enum problem problem;
        void *filled = NULL;

        problem = parse(
                as_empty_object ? "{}" : body, as_empty_object ? 2 : size, arena, refusal, &tree, &filling.rounded);
        if (problem)
                return problem;
        filled = arena_alloc(arena, shape->size);
        if (!filled)
                return refuse_size(arena, refusal);
        problem = fill_all(&filling, shape, tree, filled);
        if (problem)
                return problem;
        *ret_filled = filled;
        return PROBLEM_NONE;
}
