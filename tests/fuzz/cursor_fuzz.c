/*
 * cursor_fuzz: cursors of strangers, and cursors of ours under targets of strangers.
 *
 * Lines: a target, a cursor, and the two parts of the place to go on after. No cursor is taken that this list has not
 * sealed. What is sealed opens again with the same parts, under the target that the Link header names as well, and
 * under no other list.
 */
#include "fuzz.h"

#include "base/text.h"
#include "engine/cursor.h"

#define PARTS 2

static const struct cursor_key key = { .bytes = "a key of thirty-two bytes, or so", .known = true };

struct list {
        struct call call;
        struct page_query query;
        struct page page;
};

static bool list_open(struct list *list, const char *target, const char *cursor) {
        call_init(&list->call, NULL);
        list->query = (struct page_query){ .cursor = cursor };
        list->call.query = &list->query;
        list->call.target = target;
        return page_begin(&list->page, &list->call, &key, PARTS);
}

static bool opens(const char *target, const char *cursor, const char *const *parts) {
        struct list list;
        const bool open = list_open(&list, target, cursor);

        for (size_t i = 0; open && parts && i < PARTS; i++)
                require(strcmp(list.page.after[i], parts[i]) == 0);
        require(open || list.call.refusal.problem == PROBLEM_INVALID_CURSOR);
        call_clear(&list.call);
        return open;
}

/* The target between the angle brackets of a Link header. */
static char *link_target(struct arena *arena, const char *link) {
        const char *end = link ? strchr(link, '>') : NULL;

        require(end && link[0] == '<');
        return arena_text_sized(arena, link + 1, (size_t) (end - link) - 1);
}

/* How many parameters are named cursor, however that is escaped. */
static size_t cursors_of(struct arena *arena, const char *target) {
        size_t n = 0;

        for (const char *c = strchr(target, '?'); c; c = strchr(c + 1, '&')) {
                char *name = arena_text_sized(arena, c + 1, strcspn(c + 1, "=&"));

                require(name);
                n += text_percent_decode(name, /* allow_slash= */ true) && text_equal(name, "cursor");
        }
        return n;
}

static void sealed_opens_here_only(
        struct arena *arena, const char *target, const char *cursor, const char *const *parts) {
        require(opens(target, cursor, parts));
        require(!opens(arena_format(arena, "%s%cone=more", target, strchr(target, '?') ? '&' : '?'), cursor, NULL));
        require(!opens(arena_format(arena, "/other%s", target), cursor, NULL));
}

static void seal(struct arena *arena, const char *target, const char *const *parts) {
        struct list list;
        struct reply_writer w;
        char *cursor, *next;

        require(list_open(&list, target, NULL));
        reply_begin(&w, &list.call, 200);
        page_end(&w, &list.page, parts);
        reply_end(&w);
        if (list.call.reply.status == 200) {
                next = link_target(arena, list.call.reply.link);
                cursor = strstr(list.call.reply.body, "\":\"");
                require(next && cursor);
                cursor = arena_text_sized(arena, cursor + 3, strcspn(cursor + 3, "\""));
                sealed_opens_here_only(arena, target, cursor, parts);
                require(cursors_of(arena, next) == 1);
                require(opens(next, cursor, parts));
        }
        call_clear(&list.call);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        struct arena arena;
        struct fuzz_lines in;
        const char *target, *parts[PARTS];

        arena_init(&arena, FUZZ_MEMORY);
        fuzz_lines_split(&arena, bytes, size, &in);
        target = arena_format(&arena, "/%s", in.at[0]);
        parts[0] = in.at[2] ? in.at[2] : "";
        parts[1] = in.at[3] ? in.at[3] : "";
        if (in.at[1])
                require(!opens(target, in.at[1], NULL));
        seal(&arena, target, parts);
        arena_clear(&arena);
        return 0;
}
