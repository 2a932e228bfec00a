#include "auth/scope.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

static const char *const scope_texts[] = { [SCOPE_NONE] = "",
#define X(name, text) [SCOPE_##name] = text,
        SCOPES(X)
#undef X
};

static_assert(
        SCOPES_MAX == 8 * sizeof(scope_set) && SCOPE_COUNT <= SCOPES_MAX, "a scope_set has a bit for every scope");

scope_set scope_alone(enum scope scope) {
        return (scope_set) 1 << scope;
}

const char *scope_text(enum scope scope) {
        return scope_texts[scope];
}

enum scope scope_named(const char *text, size_t size) {
        for (enum scope scope = SCOPE_NONE + 1; scope < SCOPE_COUNT; scope++)
                if (strlen(scope_texts[scope]) == size && memcmp(scope_texts[scope], text, size) == 0)
                        return scope;
        return SCOPE_NONE;
}

scope_set scopes_parse(const char *text) {
        scope_set granted = 0;
        const char *name;
        size_t size;

        while (text_next_part(&text, ' ', &name, &size)) {
                const enum scope scope = scope_named(name, size);

                if (scope != SCOPE_NONE)
                        granted |= scope_alone(scope);
        }
        return granted;
}

bool scope_granted(scope_set granted, enum scope needed) {
        if (needed == SCOPE_NONE)
                return false;
        return granted & (scope_alone(needed) | scope_alone(SCOPE_ADMIN));
}
