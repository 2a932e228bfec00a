/*
 * csv_fuzz: files as any program may write them.
 *
 * Every byte belongs to exactly one record or one faulty line. A file that arrives in pieces reads as the whole file
 * does. Fields that are written again, all quoted, read the same.
 */
#include "fuzz.h"

#include "base/csv.h"

#define SIZE_MAX_TRIED ((size_t) 1024) /* finding a record piece by piece takes quadratic time */

/* As the importer does it: ask with what has arrived, one byte more each time, until it is enough. */
static enum csv_outcome find_in_pieces(const char *bytes, size_t size, struct csv_span *ret_span) {
        for (size_t arrived = 1; arrived < size; arrived++) {
                const enum csv_outcome outcome = csv_find(bytes, arrived, /* last= */ false, ',', ret_span);

                if (outcome != CSV_INCOMPLETE)
                        return outcome;
        }
        return csv_find(bytes, size, /* last= */ true, ',', ret_span);
}

static void quote(struct arena *arena, char *const *fields, size_t n, char **ret_text, size_t *ret_size) {
        size_t room = 2, size = 0;
        char *text;

        for (size_t i = 0; i < n; i++)
                room += 2 * strlen(fields[i]) + 3;
        text = arena_alloc(arena, room);
        require(text);
        for (size_t i = 0; i < n; i++) {
                text[size++] = '"';
                for (const char *c = fields[i]; *c; c++) {
                        if (*c == '"')
                                text[size++] = '"';
                        text[size++] = *c;
                }
                text[size++] = '"';
                text[size++] = i + 1 < n ? ',' : '\n';
        }
        *ret_text = text;
        *ret_size = size;
}

static void fields_read_the_same_again(struct arena *arena, const char *record, const struct csv_span *span) {
        char *fields[CSV_FIELDS_MAX], *again[CSV_FIELDS_MAX];
        char *bytes = arena_text_sized(arena, record, span->size), *text = NULL;
        struct csv_span second;
        size_t n, size = 0;

        require(bytes);
        n = csv_split(bytes, span->text_size, ',', fields);
        require(n >= 1 && n <= CSV_FIELDS_MAX);
        quote(arena, fields, n, &text, &size);
        require(csv_find(text, size, /* last= */ true, ',', &second) == CSV_RECORD);
        require(second.size == size && second.text_size == size - 1);
        bytes = arena_text_sized(arena, text, size);
        require(bytes && csv_split(bytes, second.text_size, ',', again) == n);
        for (size_t i = 0; i < n; i++)
                require(strcmp(fields[i], again[i]) == 0);
}

static size_t lines_of(const char *bytes, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += bytes[i] == '\n' || i + 1 == size;
        return n;
}

static size_t take_record(struct arena *arena, const char *bytes, size_t size) {
        struct csv_span span = { 0 }, in_pieces = { 0 };
        const enum csv_outcome outcome = csv_find(bytes, size, /* last= */ true, ',', &span);

        require(outcome != CSV_INCOMPLETE);
        require(span.size >= 1 && span.size <= size && span.text_size <= span.size);
        require(span.lines == lines_of(bytes, span.size));
        require(outcome == CSV_RECORD || span.lines == 1);
        require(find_in_pieces(bytes, size, &in_pieces) == outcome);
        require(memcmp(&span, &in_pieces, sizeof(span)) == 0);
        if (outcome == CSV_RECORD)
                fields_read_the_same_again(arena, bytes, &span);
        return span.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const size_t tried = size < SIZE_MAX_TRIED ? size : SIZE_MAX_TRIED;
        struct arena arena;

        arena_init(&arena, FUZZ_MEMORY);
        for (size_t at = 0; at < tried;)
                at += take_record(&arena, (const char *) bytes + at, tried - at);
        arena_clear(&arena);
        return 0;
}
