#include "db/parameters.h"

#include "db/types.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#define ARRAY_HEADER_SIZE ((size_t) 20)
#define EMPTY_ARRAY_SIZE  ((size_t) 12) /* no dimensions */
#define PATTERN_SIZE_MAX  ((size_t) 4096)

void parameters_init(struct parameters *parameters, struct arena *arena) {
        *parameters = (struct parameters){ .arena = arena };
}

static int parameter_next(struct parameters *parameters) {
        if (parameters->n == PARAMETERS_MAX) {
                parameters->failed = true;
                return PARAMETERS_MAX - 1;
        }
        return parameters->n++;
}

static void parameter_bytes(struct parameters *parameters, const void *bytes, size_t size) {
        const int i = parameter_next(parameters);

        parameters->values[i] = arena_copy(parameters->arena, bytes, size);
        parameters->sizes[i] = (int) size;
        if (!parameters->values[i])
                parameters->failed = true;
}

void parameter_null(struct parameters *parameters) {
        parameters->values[parameter_next(parameters)] = NULL;
}

void parameter_text(struct parameters *parameters, const char *text) {
        const int i = parameter_next(parameters);

        parameters->values[i] = text;
        parameters->sizes[i] = text ? (int) strlen(text) : 0;
}

/* The special characters of `like` are escaped. */
void parameter_pattern(struct parameters *parameters, const char *words) {
        struct buffer pattern;

        if (!words) {
                parameter_null(parameters);
                return;
        }
        buffer_init(&pattern, parameters->arena, PATTERN_SIZE_MAX);
        buffer_append_text(&pattern, "%");
        for (const char *c = words; *c; c++) {
                if (strchr("%_\\", *c))
                        buffer_append_text(&pattern, "\\");
                buffer_append(&pattern, c, 1);
        }
        buffer_append_text(&pattern, "%");
        parameters->failed = parameters->failed || pattern.failed;
        parameter_text(parameters, buffer_text(&pattern));
}

void parameter_integer(struct parameters *parameters, int64_t value) {
        const uint64_t wire = htobe64((uint64_t) value);

        parameter_bytes(parameters, &wire, sizeof(wire));
}

void parameter_boolean(struct parameters *parameters, bool value) {
        const uint8_t wire = value;

        parameter_bytes(parameters, &wire, sizeof(wire));
}

static uint64_t number_wire(double value) {
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        return htobe64(bits);
}

void parameter_number(struct parameters *parameters, double value) {
        const uint64_t wire = number_wire(value);

        parameter_bytes(parameters, &wire, sizeof(wire));
}

void parameter_uuid(struct parameters *parameters, const struct uuid *uuid) {
        if (uuid)
                parameter_bytes(parameters, uuid->bytes, sizeof(uuid->bytes));
        else
                parameter_null(parameters);
}

void parameter_time(struct parameters *parameters, timestamp instant) {
        if (instant == TIMESTAMP_NONE)
                parameter_null(parameters);
        else
                parameter_integer(parameters, instant - POSTGRES_EPOCH);
}

static char *jsonb_wire(struct arena *arena, const char *json) {
        return arena_format(arena, "%c%s", JSONB_VERSION, json);
}

void parameter_jsonb(struct parameters *parameters, const char *json) {
        char *wire = json ? jsonb_wire(parameters->arena, json) : NULL;

        if (json && !wire)
                parameters->failed = true;
        parameter_text(parameters, wire);
}

static struct array *array_begin(struct parameters *parameters, uint32_t element) {
        static const char placeholder[ARRAY_HEADER_SIZE];
        static _Thread_local struct array scratch;
        struct array *array = arena_new(parameters->arena, struct array);

        if (!array) {
                parameters->failed = true;
                array = &scratch;
        }
        *array = (struct array){ .element = element, .index = parameter_next(parameters) };
        buffer_init(&array->bytes, parameters->arena, PARAMETER_BYTES_MAX);
        buffer_append(&array->bytes, placeholder, sizeof(placeholder));
        if (!parameters->failed)
                parameters->arrays[array->index] = array;
        return array;
}

struct array *parameter_texts(struct parameters *parameters) {
        return array_begin(parameters, TYPE_TEXT);
}

struct array *parameter_integers(struct parameters *parameters) {
        return array_begin(parameters, TYPE_BIGINT);
}

struct array *parameter_booleans(struct parameters *parameters) {
        return array_begin(parameters, TYPE_BOOLEAN);
}

struct array *parameter_numbers(struct parameters *parameters) {
        return array_begin(parameters, TYPE_DOUBLE);
}

struct array *parameter_uuids(struct parameters *parameters) {
        return array_begin(parameters, TYPE_UUID);
}

struct array *parameter_times(struct parameters *parameters) {
        return array_begin(parameters, TYPE_TIMESTAMPTZ);
}

struct array *parameter_byteas(struct parameters *parameters) {
        return array_begin(parameters, TYPE_BYTEA);
}

struct array *parameter_jsonbs(struct parameters *parameters) {
        return array_begin(parameters, TYPE_JSONB);
}

static void append_size(struct array *array, uint32_t size) {
        const uint32_t wire = htonl(size);

        buffer_append(&array->bytes, (const char *) &wire, sizeof(wire));
}

void array_bytes(struct array *array, const void *bytes, size_t size) {
        if (!bytes) {
                array_null(array);
                return;
        }
        array->n++;
        append_size(array, (uint32_t) size);
        buffer_append(&array->bytes, bytes, size);
}

void array_null(struct array *array) {
        array->n++;
        array->has_null = true;
        append_size(array, UINT32_MAX);
}

void array_text(struct array *array, const char *text) {
        array_bytes(array, text, text ? strlen(text) : 0);
}

void parameter_text_list(struct parameters *parameters, const char *const *texts, size_t n) {
        struct array *array = parameter_texts(parameters);

        for (size_t i = 0; i < n; i++)
                array_text(array, texts[i]);
}

void parameter_text_filter(struct parameters *parameters, const char *const *texts, size_t n, bool given) {
        if (given)
                parameter_text_list(parameters, texts, n);
        else
                parameter_null(parameters);
}

void array_integer(struct array *array, int64_t value) {
        const uint64_t wire = htobe64((uint64_t) value);

        array_bytes(array, &wire, sizeof(wire));
}

void array_boolean(struct array *array, bool value) {
        const uint8_t wire = value;

        array_bytes(array, &wire, sizeof(wire));
}

void array_number(struct array *array, double value) {
        const uint64_t wire = number_wire(value);

        array_bytes(array, &wire, sizeof(wire));
}

void array_uuid(struct array *array, const struct uuid *uuid) {
        array_bytes(array, uuid, sizeof(uuid->bytes));
}

void array_time(struct array *array, timestamp instant) {
        if (instant == TIMESTAMP_NONE)
                array_null(array);
        else
                array_integer(array, instant - POSTGRES_EPOCH);
}

void array_jsonb(struct array *array, const char *json) {
        char *wire = json ? jsonb_wire(array->bytes.arena, json) : NULL;

        if (json && !wire)
                array->bytes.failed = true;
        else
                array_text(array, wire);
}

static void array_header(struct array *array) {
        const uint32_t header[] = { htonl(1), htonl(array->has_null), htonl(array->element), htonl((uint32_t) array->n),
                htonl(1) };
        const uint32_t empty[] = { 0, 0, htonl(array->element) };

        if (array->n)
                memcpy(array->bytes.bytes, header, sizeof(header));
        else
                memcpy(array->bytes.bytes, empty, sizeof(empty));
}

bool parameters_finish(struct parameters *parameters) {
        for (int i = 0; i < parameters->n && !parameters->failed; i++) {
                struct array *array = parameters->arrays[i];

                if (!array)
                        continue;
                if (array->bytes.failed) {
                        parameters->failed = true;
                        break;
                }
                array_header(array);
                parameters->values[i] = array->bytes.bytes;
                parameters->sizes[i] = (int) (array->n ? array->bytes.size : EMPTY_ARRAY_SIZE);
        }
        return !parameters->failed && !parameters->unbound;
}
