#include "base/writer.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void writer_init(struct writer *writer, struct buffer *buffer) {
        *writer = (struct writer){ .buffer = buffer };
}

/* Room for a value of so many bytes, behind its comma; NULL when there is none. */
static char *value_extend(struct writer *writer, size_t size) {
        char *end = buffer_extend(writer->buffer, writer->comma + size);

        if (end && writer->comma)
                *end++ = ',';
        writer->comma = true;
        return end;
}

static void value_sized(struct writer *writer, const char *json, size_t size) {
        char *end = value_extend(writer, size);

        if (end)
                memcpy(end, json, size);
}

static void open_with(struct writer *writer, const char *bracket) {
        value_sized(writer, bracket, 1);
        writer->comma = false;
}

static void close_with(struct writer *writer, const char *bracket) {
        buffer_append(writer->buffer, bracket, 1);
        writer->comma = true;
}

void write_object_begin(struct writer *writer) {
        open_with(writer, "{");
}

void write_object_end(struct writer *writer) {
        close_with(writer, "}");
}

void write_list_begin(struct writer *writer) {
        open_with(writer, "[");
}

void write_list_end(struct writer *writer) {
        close_with(writer, "]");
}

/* Bytes that need no escape are copied in runs. */
static void append_escaped(struct buffer *buffer, const char *text) {
        char escape[JSON_ESCAPE_SIZE];
        const char *run = text;

        buffer_append(buffer, "\"", 1);
        for (text += text_json_plain(text); *text; text += 1 + text_json_plain(text + 1)) {
                if (!text_json_escape(*text, escape))
                        continue;
                buffer_append(buffer, run, (size_t) (text - run));
                buffer_append_text(buffer, escape);
                run = text + 1;
        }
        buffer_append(buffer, run, (size_t) (text - run));
        buffer_append(buffer, "\"", 1);
}

/* The text in quotes, with a colon behind it when it is a name. Most texts need no escape, so room for name, quotes and
 * colon is made at once. */
static void append_quoted(struct writer *writer, const char *text, bool is_name) {
        const size_t size = text_json_plain(text);
        char *end;

        if (text[size]) {
                if (writer->comma)
                        buffer_append(writer->buffer, ",", 1);
                writer->comma = true;
                append_escaped(writer->buffer, text);
                buffer_append(writer->buffer, ":", is_name);
                return;
        }
        end = value_extend(writer, 1 + size + 1 + is_name);
        if (!end)
                return;
        *end++ = '"';
        memcpy(end, text, size);
        end[size] = '"';
        if (is_name)
                end[size + 1] = ':';
}

void write_name(struct writer *writer, const char *name) {
        append_quoted(writer, name, /* is_name= */ true);
        writer->comma = false;
}

void write_null(struct writer *writer) {
        value_sized(writer, "null", 4);
}

void write_boolean(struct writer *writer, bool value) {
        write_raw(writer, value ? "true" : "false");
}

void write_integer(struct writer *writer, int64_t value) {
        char text[24];
        char *start = text + sizeof(text);
        uint64_t rest = value < 0 ? -(uint64_t) value : (uint64_t) value;

        do {
                *--start = (char) ('0' + rest % 10);
                rest /= 10;
        } while (rest);
        if (value < 0)
                *--start = '-';
        value_sized(writer, start, (size_t) (text + sizeof(text) - start));
}

void write_number(struct writer *writer, double value) {
        /* 15 digits always read back as the decimal they came from, unless the number is subnormal. */
        int precision = isnormal(value) ? 15 : 1;
        char text[32];
        int size;

        if (!isfinite(value)) {
                write_null(writer);
                return;
        }
        if (value == 0)
                value = 0; /* also -0, which JSON reads back as the integer 0 */
        do {
                size = snprintf(text, sizeof(text), "%.*g", precision, value);
                precision++;
        } while (precision <= 17 && strtod(text, NULL) != value);
        value_sized(writer, text, (size_t) size);
}

void write_text(struct writer *writer, const char *value) {
        if (!value) {
                write_null(writer);
                return;
        }
        append_quoted(writer, value, /* is_name= */ false);
}

void write_time(struct writer *writer, timestamp value) {
        char text[TIMESTAMP_TEXT_SIZE];

        if (value == TIMESTAMP_NONE) {
                write_null(writer);
                return;
        }
        timestamp_format(value, text);
        append_quoted(writer, text, /* is_name= */ false);
}

void write_uuid(struct writer *writer, const struct uuid *value) {
        char text[UUID_TEXT_SIZE];

        uuid_format(value, text);
        append_quoted(writer, text, /* is_name= */ false);
}

void write_money(struct writer *writer, struct money value) {
        write_object_begin(writer);
        write_integer_member(writer, "amount", value.amount);
        write_text_member(writer, "currency", value.currency);
        write_object_end(writer);
}

void write_raw(struct writer *writer, const char *json) {
        value_sized(writer, json, strlen(json));
}

void write_text_member(struct writer *writer, const char *name, const char *value) {
        write_name(writer, name);
        write_text(writer, value);
}

void write_integer_member(struct writer *writer, const char *name, int64_t value) {
        write_name(writer, name);
        write_integer(writer, value);
}

void write_boolean_member(struct writer *writer, const char *name, bool value) {
        write_name(writer, name);
        write_boolean(writer, value);
}

void write_number_member(struct writer *writer, const char *name, double value) {
        write_name(writer, name);
        write_number(writer, value);
}

void write_time_member(struct writer *writer, const char *name, timestamp value) {
        write_name(writer, name);
        write_time(writer, value);
}

void write_uuid_member(struct writer *writer, const char *name, const struct uuid *value) {
        write_name(writer, name);
        write_uuid(writer, value);
}

void write_money_member(struct writer *writer, const char *name, struct money value) {
        write_name(writer, name);
        write_money(writer, value);
}

void write_raw_member(struct writer *json, const char *name, const char *raw) {
        write_name(json, name);
        if (raw)
                write_raw(json, raw);
        else
                write_null(json);
}

void write_amount_member(struct writer *writer, const char *name, int64_t amount, const char *currency) {
        struct money money = { .amount = amount };

        for (size_t i = 0; i < sizeof(money.currency) - 1; i++)
                money.currency[i] = currency[i];
        write_money_member(writer, name, money);
}
