/*
 * target_fuzz: request targets, path and query.
 *
 * A route that is found fits the path; its codes are codes, whatever was escaped. Escaping one more character changes
 * neither the route nor what is read. A query that is taken keeps to its shape.
 */
#include "fuzz.h"

#include "base/text.h"
#include "http/query.h"
#include "http/router.h"

#define TARGET_TRIED_MAX ((size_t) 2048)

struct filter {
        bool open, has_open;
        const char *code;
        int64_t limit;
        bool has_limit;
        const char *q;
        double radius;
        bool has_radius;
        timestamp since;
        const char *const *status;
        size_t n_status;
        const char *const *skus;
        size_t n_skus;
};

static const char *const statuses[] = { "ready", "arrived", NULL };
static const struct shape_member members[] = {
        OPTIONAL_FLAGGED(BOOLEAN, struct filter, open),
        OPTIONAL(CODE, struct filter, code),
        OPTIONAL_FLAGGED(INTEGER, struct filter, limit, BETWEEN(1, 200)),
        OPTIONAL(TEXT, struct filter, q, BETWEEN(1, 20)),
        OPTIONAL_FLAGGED(NUMBER, struct filter, radius, BETWEEN(0, 100)),
        OPTIONAL(TIME, struct filter, since),
        COUNTED(TEXTS, false, struct filter, status, .names = statuses, BETWEEN(1, 2)),
        OPTIONAL_CODES(struct filter, skus, 1, 3),
};
static const struct shape shape = SHAPE(struct filter, members);

static const struct route routes[] = {
        { .method = METHOD_GET, .path = "/v1/things", .query = &shape },
        { .method = METHOD_GET, .path = "/v1/things/{id}" },
        { .method = METHOD_GET, .path = "/v1/things/{id}/parts/{sku}" },
        { .method = METHOD_GET, .path = "/v1/places/{code}", .query = &shape },
        { .method = METHOD_GET, .path = "/v1/places/{code}/stock/{sku}" },
        { .method = METHOD_GET, .path = "/v1/places/{code}/things/{id}" },
        { .method = METHOD_GET, .path = "/v1/things/{id}/copies/{copy_id}" },
        { .method = METHOD_GET, .path = "/v1/places/nearest" },
        { .method = METHOD_POST, .path = "/v1/places/{code}/counts" },
};
static const struct route_list list = { routes, array_size(routes) };
static const struct router router = { &list, 1 };

struct outcome {
        enum problem problem, query_problem;
        struct routing routing;
        const struct filter *filter;
};

static struct outcome outcome_of(struct arena *arena, const char *target) {
        struct outcome outcome = { 0 };
        struct refusal refusal = { 0 };
        const char *allow = NULL;
        void *filled = NULL;

        outcome.problem = router_find(&router, METHOD_GET, target, arena, &refusal, &outcome.routing, &allow);
        require((outcome.problem == PROBLEM_METHOD_NOT_ALLOWED) == (allow != NULL));
        require(outcome.problem == refusal.problem);
        if (outcome.problem)
                return outcome;
        outcome.query_problem =
                query_read(outcome.routing.route->query, outcome.routing.query, arena, &refusal, &filled);
        require(outcome.query_problem == refusal.problem);
        outcome.filter = filled;
        return outcome;
}

/* By the letter of base/text.h, not by its code. */
static bool has_only_letters_of_codes(const char *code) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:+@-";
        const size_t size = strlen(code);

        return size >= 1 && size <= CODE_SIZE_MAX && strspn(code, letters) >= 1 && strspn(code, all) == size;
}

/* By the route's text: a handler finds an id at the place of each name that ends in "id}", and a code at all others. */
static void path_fits(const struct routing *routing) {
        const struct call call = { .path = routing->path };
        size_t place = 0;

        require(routing->path_text[0] == '/' && !strchr(routing->path_text, '?'));
        for (const char *at = strchr(routing->route->path, '{'); at; at = strchr(at + 1, '{'), place++) {
                const char *end = strchr(at, '}');

                if (end[-2] == 'i' && end[-1] == 'd')
                        require(call_id(&call, place) && !call_code(&call, place));
                else
                        require(!call_id(&call, place) && has_only_letters_of_codes(call_code(&call, place)));
        }
        require(!call_id(&call, place) && !call_code(&call, place));
}

static void same_parameter(const struct path_parameter *a, const struct path_parameter *b) {
        require(uuid_equal(&a->id, &b->id) && text_equal(a->code, b->code));
}

static void query_fits(const struct filter *filter) {
        require(!filter->has_limit || (filter->limit >= 1 && filter->limit <= 200));
        require(!filter->has_radius || (filter->radius >= 0 && filter->radius <= 100));
        require(!filter->code || has_only_letters_of_codes(filter->code));
        require(!filter->q || (text_is_utf8(filter->q, strlen(filter->q)) && text_code_points(filter->q) <= 20));
        require(filter->n_status <= 2 && filter->n_skus <= 3);
        for (size_t i = 0; i < filter->n_skus; i++)
                require(has_only_letters_of_codes(filter->skus[i]));
        for (size_t i = 0; i < filter->n_status; i++)
                require(text_equal(filter->status[i], "ready") || text_equal(filter->status[i], "arrived"));
}

static bool is_plain(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The target with every letter and digit escaped that does not follow a percent sign: those may be part of an escape.
 */
static const char *escaped(struct arena *arena, const char *target) {
        const char *percent = NULL;
        struct buffer text;

        buffer_init(&text, arena, 3 * TARGET_TRIED_MAX + 1);
        for (const char *c = target; *c; c++) {
                percent = *c == '%' ? c : percent;
                if (is_plain(*c) && !(percent && c - percent <= 2))
                        buffer_append_format(&text, "%%%02x", (unsigned) (unsigned char) *c);
                else
                        buffer_append(&text, c, 1);
        }
        require(!text.failed);
        return buffer_text(&text);
}

static void same_filter(const struct filter *a, const struct filter *b) {
        require(a->has_limit == b->has_limit && a->limit == b->limit && a->has_open == b->has_open &&
                a->open == b->open);
        require(text_equal(a->code, b->code) && text_equal(a->q, b->q) && a->since == b->since);
        require(a->n_status == b->n_status && a->n_skus == b->n_skus && a->has_radius == b->has_radius);
}

static void same_outcome(const struct outcome *a, const struct outcome *b) {
        require(a->problem == b->problem && a->query_problem == b->query_problem);
        if (a->problem)
                return;
        require(a->routing.route == b->routing.route);
        require(a->routing.path.n == b->routing.path.n);
        for (size_t i = 0; i < PATH_PARAMETERS_MAX; i++)
                same_parameter(&a->routing.path.at[i], &b->routing.path.at[i]);
        if (a->filter)
                same_filter(a->filter, b->filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        struct arena arena;
        struct outcome plain, other;
        const char *target;

        arena_init(&arena, FUZZ_MEMORY);
        target = arena_text_sized(&arena, (const char *) bytes, size < TARGET_TRIED_MAX ? size : TARGET_TRIED_MAX);
        require(target);
        plain = outcome_of(&arena, target);
        if (!plain.problem)
                path_fits(&plain.routing);
        if (plain.filter)
                query_fits(plain.filter);
        other = outcome_of(&arena, escaped(&arena, target));
        same_outcome(&plain, &other);
        arena_clear(&arena);
        return 0;
}
