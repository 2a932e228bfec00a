#include "base/shape_filling.h"
#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define POINTER_SIZE_MAX ((size_t) 1024)

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

static const char *pointer_to(struct filling *filling, const struct place *place) {
        struct buffer pointer;

        buffer_init(&pointer, filling->arena, POINTER_SIZE_MAX);
        buffer_append_text(&pointer, "#");
        append_place(&pointer, place);
        return buffer_text(&pointer);
}

void filling_violate(struct filling *filling, const struct place *place, const char *code, const char *format, ...) {
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

void filling_expect(struct filling *filling, const struct place *place, const char *what) {
        filling_violate(filling, place, "wrong-type", "This must be %s.", what);
}

void filling_out_of_range(struct filling *filling, const struct place *place, const struct shape_member *member) {
        filling_violate(filling, place, "out-of-range", "This must be from %" PRId64 " to %" PRId64 ".",
                member->minimum, member->maximum);
}

const char *filling_expect_text(struct filling *filling, const struct place *place, const json_t *value) {
        if (!json_is_string(value)) {
                filling_expect(filling, place, "text");
                return NULL;
        }
        if (memchr(json_string_value(value), '\0', json_string_length(value))) {
                filling_violate(filling, place, "nul-not-allowed", "The character U+0000 cannot be stored.");
                return NULL;
        }
        return json_string_value(value);
}
