#include "http/quota.h"

#include "base/digest.h"

#include <string.h>

#define WAYS         8 /* entries among which one is forgotten */
#define SETS         (QUOTA_SUBJECTS_MAX / WAYS)
#define NAME_SIZE    16
#define COST         10 /* of a request, so that a tenth is a whole number */
#define COST_OF_SAME 1  /* of a request answered 304 */

struct entry {
        uint8_t name[NAME_SIZE]; /* of the digest of the subject */
        timestamp begin;         /* of its window */
        int64_t used;            /* 0: free */
};

struct quota {
        int64_t limit;
        struct entry entries[SETS][WAYS];
};

struct quota *quota_new(int64_t limit) {
        struct quota *quota = calloc(1, sizeof(*quota));

        if (quota)
                quota->limit = limit;
        return quota;
}

struct quota *quota_free(struct quota *quota) {
        free(quota);
        return NULL;
}

int64_t quota_limit(const struct quota *quota) {
        return quota->limit;
}

static void subject_name(const char *subject, uint8_t *ret_name) {
        const struct digest_part part = digest_text(subject);
        uint8_t digest[DIGEST_SIZE];

        digest_parts(&part, 1, digest);
        memcpy(ret_name, digest, NAME_SIZE);
}

static struct entry *set_of(struct quota *quota, const uint8_t *name) {
        uint32_t number;

        memcpy(&number, name, sizeof(number));
        return quota->entries[number % SETS];
}

static struct entry *quota_entry_find(struct quota *quota, const uint8_t *name) {
        struct entry *set = set_of(quota, name);

        for (size_t i = 0; i < WAYS; i++)
                if (set[i].used && memcmp(set[i].name, name, NAME_SIZE) == 0)
                        return &set[i];
        return NULL;
}

/* A free place, else that of the subject whose window began first. */
static struct entry *entry_new(struct quota *quota, const uint8_t *name) {
        struct entry *set = set_of(quota, name);
        struct entry *oldest = set;

        for (size_t i = 0; i < WAYS; i++) {
                if (!set[i].used) {
                        oldest = &set[i];
                        break;
                }
                if (set[i].begin < oldest->begin)
                        oldest = &set[i];
        }
        memcpy(oldest->name, name, NAME_SIZE);
        return oldest;
}

/* NULL: no request of it in the current window. */
static struct entry *entry_in_window(struct quota *quota, const uint8_t *name, timestamp now) {
        struct entry *entry = quota_entry_find(quota, name);

        return entry && now - entry->begin < QUOTA_WINDOW ? entry : NULL;
}

static struct quota_state state_of(const struct quota *quota, const struct entry *entry, timestamp now) {
        return (struct quota_state){
                .remaining = (quota->limit * COST - entry->used) / COST,
                .reset_s = (unsigned) ((entry->begin + QUOTA_WINDOW - now + SECOND - 1) / SECOND),
        };
}

bool quota_take(struct quota *quota, const char *subject, timestamp now, struct quota_state *ret_state) {
        uint8_t name[NAME_SIZE];
        struct entry *entry;
        bool allowed;

        subject_name(subject, name);
        entry = quota_entry_find(quota, name);
        if (!entry || now - entry->begin >= QUOTA_WINDOW) {
                if (!entry)
                        entry = entry_new(quota, name);
                entry->begin = now;
                entry->used = 0;
        }
        allowed = entry->used + COST <= quota->limit * COST;
        if (allowed)
                entry->used += COST;
        *ret_state = state_of(quota, entry, now);
        return allowed;
}

bool quota_is_spent(struct quota *quota, const char *subject, timestamp now, struct quota_state *ret_state) {
        uint8_t name[NAME_SIZE];
        const struct entry *entry;

        subject_name(subject, name);
        entry = entry_in_window(quota, name, now);
        if (!entry || entry->used + COST <= quota->limit * COST)
                return false;
        *ret_state = state_of(quota, entry, now);
        return true;
}

void quota_give_back(struct quota *quota, const char *subject, timestamp now) {
        uint8_t name[NAME_SIZE];
        struct entry *entry;

        subject_name(subject, name);
        entry = entry_in_window(quota, name, now);
        if (entry && entry->used >= COST)
                entry->used -= COST - COST_OF_SAME;
}
