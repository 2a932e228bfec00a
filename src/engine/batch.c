#include "engine/batch.h"

#include "base/log.h"
#include "base/snapshot.h"
#include "base/text.h"
#include "db/session.h"
#include "engine/counters.h"
#include "engine/idempotency.h"
#include "engine/notices.h"
#include "engine/reply.h"
#include "events/events.h"
#include "sql/topics.h"
#include "sql/transaction.h"

#include <poll.h>
#include <string.h>

#define BACKOFF_FIRST            (2 * MILLISECOND)
#define BACKOFF_MAX              (200 * MILLISECOND)

#define SQLSTATE_CHECK_VIOLATION "23514"

bool runner_init(struct runner *runner, const struct database_settings *settings) {
        const struct uuid seed = uuid_random();

        *runner = (struct runner){ .database = database_new(settings) };
        memcpy(&runner->random, seed.bytes, sizeof(runner->random));
        arena_init(&runner->arena, BATCH_MEMORY_MAX);
        return runner->database != NULL;
}

void runner_clear(struct runner *runner) {
        arena_clear(&runner->arena);
        runner->database = database_close(runner->database);
}

static void state_set(struct runner *runner, enum runner_state state) {
        atomic_store_explicit(&runner->state, state, memory_order_relaxed);
}

static void pause_for(duration span) {
        (void) poll(NULL, 0, (int) (span / MILLISECOND) + 1);
}

/* splitmix64: good enough to keep conflicting batches from colliding again. */
static uint64_t random_next(struct runner *runner) {
        uint64_t z = runner->random += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static void back_off(struct runner *runner, unsigned attempt) {
        duration span = BACKOFF_FIRST << (attempt < 7 ? attempt : 7);

        if (span > BACKOFF_MAX)
                span = BACKOFF_MAX;
        pause_for((duration) (random_next(runner) % (uint64_t) span));
}

static void answer_all(struct call **calls, size_t n, enum problem problem) {
        for (size_t i = 0; i < n; i++) {
                call_reset(calls[i]);
                reply_plain_problem(calls[i], problem);
        }
}

static void refused_calls_answer(struct batch *batch) {
        for (size_t i = 0; i < batch->n_calls; i++)
                if (batch->calls[i]->refusal.problem)
                        reply_problem(batch->calls[i]);
}

static enum problem batch_load(struct batch *batch, const struct operation *operation) {
        enum problem p = operation->load(batch);

        if (p)
                return p;
        database_ask_clock(batch->database, &batch->now);
        if (!operation->save)
                database_commit(batch->database);
        return batch_trip(batch);
}

static bool is_settled(const struct call *call) {
        return call->reply.status || call->refusal.problem || call->park.key;
}

/* Calls that `look` has answered or parked leave the batch; a read that finds no change costs one statement. */
static enum problem look_first(struct batch *batch, const struct operation *operation) {
        enum problem p;
        size_t n = 0;

        database_begin_nothing(batch->database);
        p = operation->look(batch);
        if (p)
                return p;
        refused_calls_answer(batch);
        for (size_t i = 0; i < batch->n_calls; i++)
                if (!is_settled(batch->calls[i]))
                        batch->calls[n++] = batch->calls[i];
        batch->n_calls = n;
        return PROBLEM_NONE;
}

static enum problem attempt_read(struct batch *batch, const struct operation *operation) {
        enum problem p = operation->look ? look_first(batch, operation) : PROBLEM_NONE;

        if (p || !batch->n_calls)
                return p;
        database_begin_snapshot(batch->database);
        p = batch_load(batch, operation);
        if (!p)
                p = operation->decide(batch);
        if (!p)
                refused_calls_answer(batch);
        return p;
}

/* A record or a running rival answers every call, so nothing is decided or saved. The changes that `load` made must be
 * rolled back too. */
static enum problem leave_without_effect(struct batch *batch, struct idempotency *known) {
        enum problem p;

        database_ask(batch->database, &sql_rollback, NULL, NULL, NULL);
        p = batch_trip(batch);
        if (!p)
                idempotency_finish(known);
        return p;
}

/* The revisions of changed topics are raised last, so that their rows are locked for the commit alone. */
static void changed_topics_raise(struct batch *batch) {
        const struct notes *notes = database_notes(batch->database);
        struct parameters p;
        struct array *topics;

        if (!notes->n)
                return;
        parameters_init(&p, batch->arena);
        topics = parameter_texts(&p);
        for (size_t i = 0; i < notes->n; i++)
                array_text(topics, notes->at[i]);
        database_ask(batch->database, &sql_topics_raise, &p, NULL, NULL);
}

/* Every call leaves with a reply or a refusal; a rule that gives neither is broken. */
static enum problem check_settled(const struct call *call, enum problem p) {
        if (p > PROBLEM_COUNT)
                return p;
        return is_settled(call) && (!p || call->refusal.problem) ? PROBLEM_NONE : FAULT_BROKEN;
}

/* A call that is refused leaves no trace but the one that `refused` makes. */
static enum problem call_change_documents(
        struct batch *batch, const struct operation *operation, struct call *call, struct snapshot *before) {
        enum problem p;

        snapshot_begin(before);
        events_snapshot(before, batch->events);
        operation->documents(batch, call, before);
        if (before->exhausted)
                return FAULT_BUSY;
        p = check_settled(call, operation->change(batch, call));
        if (p)
                return p;
        if (call->refusal.problem)
                snapshot_restore(before);
        if (call->refusal.problem && operation->refused)
                operation->refused(batch, call);
        events_settle(batch->events);
        return PROBLEM_NONE;
}

static enum problem change_all(struct batch *batch, const struct operation *operation) {
        enum problem p = operation->prepare ? operation->prepare(batch) : PROBLEM_NONE;
        struct snapshot before;

        snapshot_init(&before, batch->arena);
        for (size_t i = 0; i < batch->n_calls && !p; i++)
                p = call_change_documents(batch, operation, batch->calls[i], &before);
        return p;
}

static enum problem attempt_write(struct batch *batch, const struct operation *operation, bool keyed, bool retrying) {
        struct idempotency *known = NULL;
        enum problem p = PROBLEM_NONE;

        if (keyed)
                p = idempotency_load(batch, &known);
        if (!p)
                p = batch_load(batch, operation);
        if (!p && keyed)
                p = idempotency_settle(known, batch, retrying);
        if (p)
                return p;
        if (!batch->n_calls)
                return leave_without_effect(batch, known);
        p = change_all(batch, operation);
        if (p)
                return p;
        refused_calls_answer(batch);
        p = operation->save(batch);
        if (!p)
                p = events_save(batch->database, batch->events, batch->now);
        if (p)
                return p;
        if (keyed)
                idempotency_save(batch);
        if (database_notes(batch->database)->exhausted)
                return FAULT_BUSY;
        changed_topics_raise(batch);
        database_commit(batch->database);
        p = batch_trip(batch);
        if (!p)
                notices_tell(database_notes(batch->database), /* events= */ batch->events->first != NULL);
        if (!p && keyed)
                idempotency_finish(known);
        return p;
}

static void stuck_note(struct runner *runner, const struct call *call) {
        const unsigned shard = call_shard(call);

        runner->stuck[shard % STUCK_SHARDS_MAX] = (struct stuck_shard){ shard, clock_monotonic() + STUCK_TIME };
}

static bool may_be_stuck(const struct runner *runner, const struct call *call, timestamp now) {
        const unsigned shard = call_shard(call);
        const struct stuck_shard *stuck = &runner->stuck[shard % STUCK_SHARDS_MAX];

        return stuck->shard == shard && now < stuck->until;
}

/* Move calls of a shard with a stuck row to the end, so that they do not delay the others again. The order of each kind
 * stays. Returns the number of other calls. */
static size_t suspects_last(const struct runner *runner, struct call **calls, size_t n) {
        const timestamp now = clock_monotonic();
        struct call *suspects[BATCH_MAX];
        size_t n_others = 0, n_suspects = 0;

        for (size_t i = 0; i < n; i++)
                if (may_be_stuck(runner, calls[i], now))
                        suspects[n_suspects++] = calls[i];
                else
                        calls[n_others++] = calls[i];
        memcpy(calls + n_others, suspects, n_suspects * sizeof(suspects[0]));
        return n_others;
}

static enum problem attempt(struct runner *runner, struct call **calls, size_t n, timestamp deadline, bool retrying) {
        const struct route *route = calls[0]->route;
        struct events events;
        struct batch batch = {
                .database = runner->database, .arena = &runner->arena, .n_calls = n, .deadline = deadline
        };

        arena_reset(&runner->arena);
        batch.calls = arena_new_array(&runner->arena, struct call *, n);
        if (!batch.calls)
                return FAULT_BUSY;
        memcpy(batch.calls, calls, n * sizeof(struct call *));
        for (size_t i = 0; i < n; i++)
                call_reset(calls[i]);
        if (!route->operation->save)
                return attempt_read(&batch, route->operation);
        events_init(&events, &runner->arena);
        batch.events = &events;
        database_begin(runner->database);
        if (runner->haste)
                database_ask(runner->database, runner->haste == HASTE_GREAT ? &sql_lock_hardly : &sql_lock_briefly,
                        NULL, NULL, NULL);
        return attempt_write(&batch, route->operation, route->key != KEY_UNUSED, retrying);
}

/* Calls past their deadline are answered and leave the batch without being run. */
static size_t drop_late(struct call **calls, size_t n, timestamp *ret_deadline) {
        const timestamp now = clock_monotonic();
        timestamp deadline = now;
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                if (calls[i]->deadline <= now) {
                        answer_all(&calls[i], 1, PROBLEM_TIMEOUT);
                        continue;
                }
                if (calls[i]->deadline > deadline)
                        deadline = calls[i]->deadline;
                calls[kept++] = calls[i];
        }
        *ret_deadline = deadline;
        return kept;
}

/* Each worker logs two lines for an outage, however often it tries to connect. */
static void log_change(struct runner *runner, bool away) {
        if (away && !runner->away)
                log_event(LOG_LEVEL_WARNING, "database connection lost", LOG_TEXT, "reason",
                        database_message(runner->database), LOG_END);
        if (!away && runner->away)
                log_event(LOG_LEVEL_INFO, "database connection restored", LOG_TEXT, "host",
                        database_host(runner->database), LOG_END);
        runner->away = away;
}

/* Make the connection usable. A batch that was never sent fails at once; one whose outcome is unknown waits a while for
 * the database, because only the records tell whether it was committed. */
static enum problem connection_mend(struct runner *runner, bool outcome_unknown, timestamp deadline) {
        timestamp patience = clock_monotonic() + RECONNECT_PATIENCE;

        if (patience > deadline)
                patience = deadline;
        for (;;) {
                enum problem p = FAULT_LOST;

                if (clock_monotonic() >= runner->connect_not_before)
                        p = database_connect(runner->database);
                runner->connected = p == PROBLEM_NONE;
                state_set(runner, p ? RUNNER_AWAY : RUNNER_BUSY);
                log_change(runner, /* away= */ p != PROBLEM_NONE);
                if (!p)
                        return PROBLEM_NONE;
                if (clock_monotonic() >= runner->connect_not_before)
                        runner->connect_not_before = clock_monotonic() + RECONNECT_PAUSE;
                if (!outcome_unknown || clock_monotonic() >= patience)
                        return p;
                pause_for(RECONNECT_PAUSE);
        }
}

/* A failed transaction releases its locks at once. A lost connection is made anew when it is needed; calls past their
 * deadline are answered first. */
static void connection_settle(struct runner *runner, enum problem fault) {
        runner->connected = false;
        if (fault == FAULT_LOST)
                runner->counts.reconnects++;
        else
                (void) connection_mend(runner, /* outcome_unknown= */ false, /* deadline= */ 0);
}

static void count_fault(const struct runner *runner, enum problem fault) {
        static const struct {
                enum problem fault;
                enum counter counter;
        } counted[] = {
                { FAULT_BROKEN, COUNTER_DB_FAULTS_BROKEN },
                { FAULT_BUSY, COUNTER_DB_FAULTS_BUSY },
                { FAULT_CONFLICT, COUNTER_DB_FAULTS_CONFLICT },
                { FAULT_LOST, COUNTER_DB_FAULTS_LOST },
                { FAULT_POISON, COUNTER_DB_FAULTS_POISON },
                { FAULT_RIVAL, COUNTER_DB_FAULTS_RIVAL },
                { FAULT_STUCK, COUNTER_DB_FAULTS_STUCK },
        };

        for (size_t i = 0; i < array_size(counted); i++)
                if (counted[i].fault == fault)
                        counter_add(counted[i].counter, 1);
        if (fault == FAULT_POISON && text_equal(database_sqlstate(runner->database), SQLSTATE_CHECK_VIOLATION))
                counter_add(COUNTER_GUARD_VIOLATIONS, 1);
}

static void log_fault(const struct runner *runner, const struct route *route, enum problem fault) {
        if (fault == FAULT_STALE) /* requested by the program, not a fault of the database; counted as a retry */
                return;
        log_event(fault == FAULT_BROKEN || fault == FAULT_POISON ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
                "transaction failed", LOG_TEXT, "route", route->path, LOG_TEXT, "sqlstate",
                database_sqlstate(runner->database), LOG_TEXT, "reason", database_message(runner->database), LOG_END);
}

enum batch_remedy batch_remedy_for(enum problem fault, unsigned attempts, bool rival_seen, size_t n) {
        const enum batch_remedy last = n > 1 ? REMEDY_HALVES : REMEDY_GIVE_UP;

        switch (fault) {
        case FAULT_CONFLICT:
        case FAULT_LOST:
        case FAULT_STALE:
                return attempts < BATCH_ATTEMPTS_MAX ? REMEDY_RUN_AGAIN : last;
        case FAULT_RIVAL:
                return rival_seen ? last : REMEDY_RUN_AGAIN;
        case FAULT_BUSY:
                return REMEDY_GIVE_UP;
        default:
                return last;
        }
}

static void calls_run(struct runner *runner, struct call **calls, size_t n, bool lost);

/* After a lock timeout, the halves wait only briefly for their locks, so that the calls with a stuck row are found
 * before the deadline of the others. */
static void run_halves(struct runner *runner, struct call **calls, size_t n, enum problem fault, bool lost) {
        const enum haste before = runner->haste;

        runner->counts.splits++;
        if (fault == FAULT_STUCK)
                runner->haste = HASTE_GREAT;
        calls_run(runner, calls, n / 2, lost);
        calls_run(runner, calls + n / 2, n - n / 2, lost);
        runner->haste = before;
}

/* `lost`: an earlier attempt has an unknown outcome. */
static void calls_run(struct runner *runner, struct call **calls, size_t n, bool lost) {
        bool rival_seen = false;
        enum problem p = PROBLEM_NONE;
        timestamp deadline = 0;

        for (unsigned attempts = 0;; attempts++) {
                enum batch_remedy remedy;

                n = drop_late(calls, n, &deadline);
                if (!n)
                        return;
                p = runner->connected ? PROBLEM_NONE : connection_mend(runner, lost, deadline);
                if (p)
                        break;
                p = attempt(runner, calls, n, deadline, lost);
                counters_batch_end(/* committed= */ !p);
                if (!p)
                        return;
                log_fault(runner, calls[0]->route, p);
                count_fault(runner, p);
                remedy = batch_remedy_for(p, attempts, rival_seen, n);
                rival_seen = rival_seen || p == FAULT_RIVAL;
                lost = lost || p == FAULT_LOST;
                connection_settle(runner, p);
                if (remedy == REMEDY_HALVES) {
                        run_halves(runner, calls, n, p, lost);
                        return;
                }
                if (remedy == REMEDY_GIVE_UP)
                        break;
                runner->counts.retries++;
                back_off(runner, attempts);
        }
        if (p == FAULT_STUCK)
                stuck_note(runner, calls[0]);
        answer_all(calls, n, p);
}

void runner_connect(struct runner *runner) {
        (void) connection_mend(runner, /* outcome_unknown= */ false, /* deadline= */ 0);
        state_set(runner, runner->connected ? RUNNER_IDLE : RUNNER_AWAY);
}

static void run_all(struct runner *runner, struct call **calls, size_t n) {
        const size_t n_others = suspects_last(runner, calls, n);

        if (n_others)
                calls_run(runner, calls, n_others, /* lost= */ false);
        if (n_others == n)
                return;
        runner->haste = HASTE_SOME;
        calls_run(runner, calls + n_others, n - n_others, /* lost= */ false);
        runner->haste = HASTE_NONE;
}

void batch_run(struct runner *runner, struct call **calls, size_t n) {
        for (size_t i = 0; i < n; i++)
                call_keep(calls[i]);
        runner->counts.batches++;
        runner->counts.calls += n;
        if (runner->connected)
                state_set(runner, RUNNER_BUSY);
        run_all(runner, calls, n);
        state_set(runner, runner->connected ? RUNNER_IDLE : RUNNER_AWAY);
}
