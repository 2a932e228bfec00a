#include "base/problem.h"

#include <stdio.h>

#define POINTER_SIZE 128 /* of a member of a list */

static const struct problem_entry {
        unsigned status;
        const char *slug, *title;
} problems[PROBLEM_COUNT] = { [PROBLEM_NONE] = { 200, "none", "No problem" },
#define X(name, status, slug, title) [PROBLEM_##name] = { status, slug, title },
        PROBLEMS(X)
#undef X
};

enum problem problem_published(enum problem problem) {
        switch (problem) {
        case FAULT_LOST:
                return PROBLEM_DATABASE_UNAVAILABLE;
        case FAULT_BUSY:
        case FAULT_CONFLICT:
        case FAULT_RIVAL:
        case FAULT_STALE:
        case FAULT_STUCK:
                return PROBLEM_OVERLOADED;
        case FAULT_BROKEN:
        case FAULT_POISON:
                return PROBLEM_INTERNAL;
        default:
                return problem < PROBLEM_COUNT ? problem : PROBLEM_INTERNAL;
        }
}

unsigned problem_status(enum problem problem) {
        return problems[problem_published(problem)].status;
}

const char *problem_slug(enum problem problem) {
        return problems[problem_published(problem)].slug;
}

const char *problem_title(enum problem problem) {
        return problems[problem_published(problem)].title;
}

static const char *format_detail(struct arena *arena, const char *format, va_list arguments) {
        char sentence[512];

        (void) vsnprintf(sentence, sizeof(sentence), format, arguments);
        return arena_text(arena, sentence);
}

enum problem refuse(struct refusal *refusal, struct arena *arena, enum problem problem, const char *format, ...) {
        va_list arguments;

        if (refusal->problem)
                return refusal->problem;
        va_start(arguments, format);
        refusal->problem = problem;
        refusal->detail = format_detail(arena, format, arguments);
        va_end(arguments);
        return problem;
}

static struct violation *violation_add(struct refusal *refusal, struct arena *arena, const char *pointer,
        const char *code, const char *format, va_list arguments) {
        struct violation *violation = NULL;

        refusal->n_violations++;
        if (refusal->n_violations > VIOLATIONS_MAX)
                return NULL;
        violation = arena_new(arena, struct violation);
        if (!violation)
                return NULL;
        violation->pointer = arena_text(arena, pointer);
        violation->code = code;
        violation->detail = format_detail(arena, format, arguments);
        if (refusal->last_violation)
                refusal->last_violation->next = violation;
        else
                refusal->violations = violation;
        refusal->last_violation = violation;
        return violation;
}

struct violation *refuse_because(
        struct refusal *refusal, struct arena *arena, const char *pointer, const char *code, const char *format, ...) {
        struct violation *violation;
        va_list arguments;

        va_start(arguments, format);
        violation = violation_add(refusal, arena, pointer, code, format, arguments);
        va_end(arguments);
        return violation;
}

static void violation_limit(struct violation *violation, int64_t available) {
        if (!violation)
                return;
        violation->available = available;
        violation->has_available = true;
}

void refuse_beyond(struct refusal *refusal, struct arena *arena, const char *pointer, const char *code,
        int64_t available, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        violation_limit(violation_add(refusal, arena, pointer, code, format, arguments), available);
        va_end(arguments);
}

static struct violation *violation_add_at(struct refusal *refusal, struct arena *arena, const char *list, size_t index,
        const char *member, const char *code, const char *format, va_list arguments) {
        char pointer[POINTER_SIZE];

        (void) snprintf(pointer, sizeof(pointer), "%s/%zu%s%s", list, index, member ? "/" : "", member ? member : "");
        return violation_add(refusal, arena, pointer, code, format, arguments);
}

void violation_at(struct refusal *refusal, struct arena *arena, const char *list, size_t index, const char *member,
        const char *code, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) violation_add_at(refusal, arena, list, index, member, code, format, arguments);
        va_end(arguments);
}

void violation_beyond(struct refusal *refusal, struct arena *arena, const char *list, size_t index, const char *member,
        const char *code, int64_t available, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        violation_limit(violation_add_at(refusal, arena, list, index, member, code, format, arguments), available);
        va_end(arguments);
}
