#include "auth/gate.h"

enum token_verdict token_gate_check(struct token_gate *gate, const char *token, timestamp now, struct arena *arena,
        struct token_claims *ret_claims) {
        _cleanup_(token_keys_cleanup) struct token_keys *keys = token_source_keys(gate->source);
        const uint64_t generation = token_keys_generation(keys);
        const struct token_digest digest = token_digest(token);
        enum token_verdict verdict;

        if (token_cache_find(gate->cache, &digest, generation, now, arena, ret_claims))
                return TOKEN_OK;
        verdict = token_verify(keys, &gate->policy, token, now, arena, ret_claims);
        if (verdict == TOKEN_OK)
                token_cache_keep(gate->cache, &digest, generation, now, ret_claims);
        if (verdict == TOKEN_UNKNOWN_KEY)
                (void) token_source_unknown_key(gate->source, clock_monotonic());
        return verdict;
}
