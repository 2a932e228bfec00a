#include "auth/scope.h"

#include <assert.h>
#include <string.h>

static const char *const scope_texts[] = { [SCOPE_NONE] = "",
#define X(name, text) [SCOPE_##name] = text,
        SCOPES(X)
#undef X
};

static_assert(SCOPE_COUNT <= 32, "a scope_set has a bit for every scope");

static scope_set scope_bit(enum scope scope) {
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

        while (*text) {
                const size_t size = strcspn(text, " ");
                const enum scope scope = scope_named(text, size);

                if (scope != SCOPE_NONE)
                        granted |= scope_bit(scope);
                text += size + (text[size] == ' ');
        }
        return granted;
}

bool scope_granted(scope_set granted, enum scope needed) {
        if (needed == SCOPE_NONE)
                return false;
        return granted & (scope_bit(needed) | scope_bit(SCOPE_ADMIN));
}
