/*
 * shape_fuzz: JSON bodies against a table with a member of every kind.
 *
 * A body that is taken keeps to the table. Written again by our own writer, and with other white space by jansson, it
 * reads the same. A body that is refused is refused for a reason.
 */
#include "fuzz.h"

#include "base/shape.h"
#include "base/text.h"
#include "base/writer.h"

#define BODY_WRITTEN_MAX ((size_t) 512 * 1024)
#define LINES_MAX        4
#define SERIALS_MAX      3

struct line {
        const char *sku;
        int64_t quantity;
        struct money price;
        bool has_price;
        const char **serials;
        size_t n_serials;
};

struct person {
        const char *name;
        timestamp born;
};

struct body {
        bool urgent, has_urgent;
        const char *code;
        duration wait;
        bool has_wait;
        int kind;
        int64_t count;
        bool has_count;
        struct line *lines;
        size_t n_lines;
        struct money total;
        bool has_total;
        double latitude;
        bool has_latitude;
        struct person *person;
        const char *attributes;
        const char *note;
        const char **kinds;
        size_t n_kinds;
        timestamp at;
        struct uuid id;
        bool has_id;
};

static const char *const kinds[] = { "pickup", "ship", NULL };

static const struct shape_member line_members[] = {
        REQUIRED(CODE, struct line, sku),
        REQUIRED(INTEGER, struct line, quantity, BETWEEN(1, 1000)),
        OPTIONAL_FLAGGED(MONEY, struct line, price, BETWEEN(0, 100000)),
        OPTIONAL_CODES(struct line, serials, 0, SERIALS_MAX),
};
static const struct shape line_shape = SHAPE(struct line, line_members);

static const struct shape_member person_members[] = {
        REQUIRED(TEXT, struct person, name, BETWEEN(1, 20)),
        OPTIONAL(TIME, struct person, born),
};
static const struct shape person_shape = SHAPE(struct person, person_members);

static const struct shape_member body_members[] = {
        OPTIONAL(TIME, struct body, at),
        OPTIONAL(RAW, struct body, attributes, BETWEEN(0, 200)),
        OPTIONAL(CODE, struct body, code),
        OPTIONAL_FLAGGED(INTEGER, struct body, count, BETWEEN(INT64_MIN, INT64_MAX)),
        OPTIONAL_FLAGGED(UUID, struct body, id),
        OPTIONAL(ENUM, struct body, kind, .names = kinds),
        COUNTED(TEXTS, false, struct body, kinds, .names = kinds, BETWEEN(0, 2)),
        OPTIONAL_FLAGGED(NUMBER, struct body, latitude, BETWEEN(-90, 90)),
        OPTIONAL_LIST(struct body, lines, &line_shape, 1, LINES_MAX),
        OPTIONAL(TEXT, struct body, note, BETWEEN(2, 40)),
        OPTIONAL(OBJECT, struct body, person, .shape = &person_shape),
        OPTIONAL_FLAGGED(MONEY, struct body, total, BETWEEN(INT64_MIN, INT64_MAX)),
        OPTIONAL_FLAGGED(BOOLEAN, struct body, urgent),
        OPTIONAL_FLAGGED(DURATION, struct body, wait, BETWEEN(MINUTE, DAY)),
};
static const struct shape body_shape = SHAPE(struct body, body_members);

/* ---- the bounds of a body that is taken ---- */

static void money_holds(const struct money *money, int64_t smallest, int64_t largest) {
        require(money->amount >= smallest && money->amount <= largest);
        require(money_in_range(money->amount) && currency_exponent(money->currency) >= 0);
}

static void text_holds(const char *text, size_t shortest, size_t longest) {
        require(text_is_utf8(text, strlen(text)));
        require(text_code_points(text) >= shortest && text_code_points(text) <= longest);
}

static void line_holds(const struct line *line) {
        require(text_is_code(line->sku) && line->quantity >= 1 && line->quantity <= 1000);
        if (line->has_price)
                money_holds(&line->price, 0, 100000);
        require(line->n_serials <= SERIALS_MAX);
        for (size_t i = 0; i < line->n_serials; i++)
                require(text_is_code(line->serials[i]));
}

static void lists_hold(const struct body *body) {
        require(!body->lines || (body->n_lines >= 1 && body->n_lines <= LINES_MAX));
        for (size_t i = 0; i < body->n_lines; i++)
                line_holds(&body->lines[i]);
        require(body->n_kinds <= 2);
        for (size_t i = 0; i < body->n_kinds; i++)
                require(text_equal(body->kinds[i], kinds[0]) || text_equal(body->kinds[i], kinds[1]));
}

static void body_holds(const struct body *body) {
        require(body->kind >= -1 && body->kind <= 1);
        require(!body->code || text_is_code(body->code));
        require(!body->has_wait || (body->wait >= MINUTE && body->wait <= DAY));
        require(!body->has_latitude || (body->latitude >= -90 && body->latitude <= 90));
        if (body->has_total)
                money_holds(&body->total, -MONEY_MAXIMUM, MONEY_MAXIMUM);
        if (body->note)
                text_holds(body->note, 2, 40);
        if (body->person)
                text_holds(body->person->name, 1, 20);
        require(!body->attributes || (body->attributes[0] == '{' && strlen(body->attributes) <= 200));
        lists_hold(body);
}

/* ---- written again ---- */

static void texts_write(struct writer *w, const char *name, const char *const *texts, size_t n) {
        if (!texts)
                return;
        write_name(w, name);
        write_list_begin(w);
        for (size_t i = 0; i < n; i++)
                write_text(w, texts[i]);
        write_list_end(w);
}

static void lines_write(struct writer *w, const struct body *body) {
        if (!body->lines)
                return;
        write_name(w, "lines");
        write_list_begin(w);
        for (size_t i = 0; i < body->n_lines; i++) {
                const struct line *line = &body->lines[i];

                write_object_begin(w);
                write_text_member(w, "sku", line->sku);
                write_integer_member(w, "quantity", line->quantity);
                if (line->has_price)
                        write_money_member(w, "price", line->price);
                texts_write(w, "serials", line->serials, line->n_serials);
                write_object_end(w);
        }
        write_list_end(w);
}

static void person_write(struct writer *w, const struct person *person) {
        if (!person)
                return;
        write_name(w, "person");
        write_object_begin(w);
        write_text_member(w, "name", person->name);
        write_time_member(w, "born", person->born);
        write_object_end(w);
}

static void told_write(struct writer *w, const struct body *body) {
        char text[DURATION_TEXT_SIZE];

        if (body->has_count)
                write_integer_member(w, "count", body->count);
        if (body->has_id)
                write_uuid_member(w, "id", &body->id);
        if (body->has_latitude)
                write_number_member(w, "latitude", body->latitude);
        if (body->has_total)
                write_money_member(w, "total", body->total);
        if (body->has_urgent)
                write_boolean_member(w, "urgent", body->urgent);
        if (!body->has_wait)
                return;
        duration_format(body->wait, text);
        write_text_member(w, "wait", text);
}

static const char *body_write(struct arena *arena, const struct body *body) {
        struct buffer buffer;
        struct writer w;

        buffer_init(&buffer, arena, BODY_WRITTEN_MAX);
        writer_init(&w, &buffer);
        write_object_begin(&w);
        write_text_member(&w, "kind", body->kind < 0 ? NULL : kinds[body->kind]);
        write_text_member(&w, "code", body->code);
        write_text_member(&w, "note", body->note);
        write_time_member(&w, "at", body->at);
        told_write(&w, body);
        lines_write(&w, body);
        person_write(&w, body->person);
        texts_write(&w, "kinds", body->kinds, body->n_kinds);
        if (body->attributes)
                write_raw_member(&w, "attributes", body->attributes);
        write_object_end(&w);
        require(!buffer.failed);
        return buffer_text(&buffer);
}

/* ---- reading ---- */

static void refusal_says_why(enum problem problem, const struct refusal *refusal) {
        require(refusal->problem == problem && refusal->detail);
        require((problem == PROBLEM_VALIDATION_FAILED) == (refusal->n_violations > 0));
        for (const struct violation *v = refusal->violations; v; v = v->next)
                require(v->pointer[0] == '#' && v->code && v->detail);
}

static const struct body *body_read(struct arena *arena, const char *text, size_t size) {
        struct refusal refusal = { 0 };
        void *filled = NULL;
        const enum problem problem = shape_read(&body_shape, text, size, arena, &refusal, &filled);

        require(!problem == (filled != NULL));
        if (problem)
                refusal_says_why(problem, &refusal);
        return filled;
}

static void reads_as(struct arena *arena, const char *text, const char *expected) {
        const struct body *body = body_read(arena, text, strlen(text));

        require(body);
        require(text_equal(body_write(arena, body), expected));
}

/* White space between the parts of a JSON text means nothing. */
static void reads_the_same_spread_out(struct arena *arena, const char *bytes, size_t size, const char *written) {
        json_t *tree = json_loadb(bytes, size, 0, NULL);
        char *spread = tree ? json_dumps(tree, JSON_INDENT(3) | JSON_ENSURE_ASCII) : NULL;

        if (spread)
                reads_as(arena, spread, written);
        free(spread);
        json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        const struct body *body;
        const char *written;
        struct arena arena;

        arena_init(&arena, FUZZ_MEMORY);
        body = body_read(&arena, (const char *) bytes, size);
        if (body) {
                body_holds(body);
                written = body_write(&arena, body);
                reads_as(&arena, written, written);
                reads_the_same_spread_out(&arena, (const char *) bytes, size, written);
        }
        arena_clear(&arena);
        return 0;
}
