#include "auth/verdict.h"

enum problem token_verdict_problem(enum token_verdict verdict) {
        static const enum problem problems[] = { [TOKEN_OK] = PROBLEM_NONE,
#define X(name, problem, text) [TOKEN_##name] = PROBLEM_##problem,
                TOKEN_VERDICTS(X)
#undef X
        };

        return problems[verdict];
}

const char *token_verdict_text(enum token_verdict verdict) {
        static const char *const texts[] = { [TOKEN_OK] = "",
#define X(name, problem, text) [TOKEN_##name] = text,
                TOKEN_VERDICTS(X)
#undef X
        };

        return texts[verdict];
}
