/* Calls between their lane and their answer: once, or again after each change that they wait for. */
#include "http/server_internal.h"

#include "base/log.h"
#include "base/text.h"
#include "db/notes.h"
#include "engine/notices.h"
#include "engine/reply.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define HANGUPS_AT_ONCE 64
#define ASK_AGAIN       (1 * SECOND) /* when the lane was full */

/* Changed topics from other threads, until the loop takes them. */
struct told {
        pthread_mutex_t mutex;
        struct notes topics;
};

static struct exchange *exchange_of(struct call *call) {
        return (struct exchange *) (void *) call;
}

static struct server *waiting_server(const struct exchange *exchange) {
        return exchange->listener->server;
}

/* ---- changes from other threads ---- */

void server_wake(void *context, const char *topic) {
        struct server *server = context;
        const uint64_t one = 1;

        (void) pthread_mutex_lock(&server->told->mutex);
        notes_add(&server->told->topics, topic);
        (void) pthread_mutex_unlock(&server->told->mutex);
        (void) !write(server->wake, &one, sizeof(one));
}

size_t server_waiting(const struct server *server) {
        return parking_count(server->parking);
}

void waiting_told(struct server *server) {
        struct notes topics;

        (void) pthread_mutex_lock(&server->told->mutex);
        topics = server->told->topics;
        server->told->topics = (struct notes){ 0 };
        (void) pthread_mutex_unlock(&server->told->mutex);
        for (size_t i = 0; i < topics.n; i++)
                parking_wake(server->parking, topics.at[i]);
        notes_free(&topics);
}

/* ---- clients that hang up while their call is parked ---- */

void waiting_watch_hangup(struct exchange *exchange, bool watched) {
        struct server *server = waiting_server(exchange);
        struct epoll_event event = { .events = EPOLLRDHUP, .data.ptr = exchange };

        if (exchange->hangup_is_watched == watched || !exchange->connection)
                return;
        exchange->hangup_is_watched = watched;
        (void) epoll_ctl(server->hangups, watched ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                peer_of(exchange->connection)->socket, &event);
}

static void take_leave(struct exchange *exchange) {
        waiting_watch_hangup(exchange, false);
        if (exchange->stream) {
                stream_end(exchange);
                return;
        }
        parking_leave(waiting_server(exchange)->parking, &exchange->spot);
        exchange_resume(exchange, STAGE_GONE);
}

void waiting_hangups(struct server *server) {
        struct epoll_event events[HANGUPS_AT_ONCE];
        const int n = epoll_wait(server->hangups, events, HANGUPS_AT_ONCE, 0);

        for (int i = 0; i < n; i++)
                take_leave(events[i].data.ptr);
}

/* ---- asking ---- */

/* A call that comes back while the process shuts down asks for the last time with the next tick. */
static void exchange_park(struct exchange *exchange, timestamp until) {
        struct call *call = &exchange->call;

        if (waiting_server(exchange)->draining)
                call->may_wait = false;
        if (exchange->stream && !exchange->behind)
                until = exchange->stream->heartbeat_at;
        if (!exchange->stream && call->may_wait && exchange->wait_until < until)
                until = exchange->wait_until;
        if (!call->may_wait)
                until = 0;
        if (!exchange->stream)
                waiting_watch_hangup(exchange, true);
        parking_wait(waiting_server(exchange)->parking, &exchange->spot, until);
}

/* A stream continues when its call is answered. A failed call asks again a little later; after a full part it asks with
 * the next tick, because there may be more. The first part is sent with the headers before the call may ask again:
 * until then the loop owns the reply. */
static void go_on(struct exchange *exchange) {
        struct call *call = &exchange->call;
        const bool first = !exchange->stream, answered = call->reply.status == 200;
        const timestamp now = clock_monotonic();

        exchange->behind = !answered || call->park.until <= now;
        if (!answered)
                call->park.until = now + ASK_AGAIN;
        if (answered)
                stream_feed(exchange);
        if (!first)
                waiting_go_on(exchange);
}

void waiting_go_on(struct exchange *exchange) {
        exchange->call.reply.status = 0;
        exchange_park(exchange, exchange->call.park.until);
}

static void answer(struct exchange *exchange) {
        const struct call *call = &exchange->call;
        const bool is_stream = call->route && call->route->stream && call->reply.status == 200;

        if (exchange->stream || (is_stream && !text_equal(exchange->method, MHD_HTTP_METHOD_HEAD))) {
                go_on(exchange);
                return;
        }
        parking_leave(waiting_server(exchange)->parking, &exchange->spot);
        exchange_resume(exchange, is_stream ? STAGE_STREAM : STAGE_ANSWERED);
}

static void exchange_ask(struct exchange *exchange) {
        struct call *call = &exchange->call;

        call->deadline = clock_monotonic() + waiting_server(exchange)->settings.call_timeout;
        exchange->asking = true;
        if (lanes_push(waiting_server(exchange)->lanes, call))
                return;
        if (call->park.key)
                call->park.until = clock_monotonic() + ASK_AGAIN;
        else
                reply_plain_problem(call, PROBLEM_OVERLOADED);
        waiting_back(call);
}

/* Followers of an asking call are asking, too; a call past its time is answered with the state it finds. */
static void prepare(struct exchange *exchange, timestamp now) {
        waiting_watch_hangup(exchange, exchange->stream && exchange->stream->dry);
        exchange->asking = true;
        if (!exchange->stream && now >= exchange->wait_until)
                exchange->call.may_wait = false;
}

static void tick_one(struct exchange *exchange, timestamp now) {
        if (stream_tick(exchange, now))
                exchange_park(exchange, exchange->stream->heartbeat_at);
}

/* A stream woken by the clock alone sends its heartbeat; any other call asks its lane. */
static void ask_or_tick(void *context, struct spot *spot) {
        struct exchange *exchange = exchange_of(spot->call);
        const bool tick = exchange->stream && !exchange->behind && (!spot->woken || !spot->call->may_wait);
        const timestamp now = clock_monotonic();
        struct spot *next;

        (void) context;
        for (struct spot *each = spot->followers; each; each = next) {
                next = each->after;
                if (tick)
                        each->after = NULL;
                if (tick)
                        tick_one(exchange_of(each->call), now);
                else
                        prepare(exchange_of(each->call), now);
        }
        if (tick) {
                spot->followers = NULL;
                tick_one(exchange, now);
                return;
        }
        prepare(exchange, now);
        exchange_ask(exchange);
}

void waiting_begin(struct exchange *exchange) {
        struct call *call = &exchange->call;
        struct server *server = waiting_server(exchange);

        if (call->may_wait) {
                const char *topic = call->route->topic(call);

                exchange->wait_until = clock_monotonic() + call->wait_s * SECOND;
                call->may_wait = !server->draining;
                if (!topic || parking_enter(server->parking, &exchange->spot, call, topic) == PARKING_FULL) {
                        call->refusal.retry_after_s = 1;
                        call_refuse(call, PROBLEM_QUOTA_EXCEEDED, "%d requests of one subject may wait at a time.",
                                PARKED_PER_SUBJECT_MAX);
                        reply_problem(call);
                        answer(exchange);
                        return;
                }
        }
        exchange_ask(exchange);
}

/* ---- coming back ---- */

/* Give a follower the reply of its leader. */
static void leader_reply_copy(struct call *leader, struct call *call) {
        const struct reply *reply = &leader->reply;

        call->park.until = leader->park.until;
        call->read_up_to = leader->read_up_to;
        if (reply->status >= 400)
                reply_plain_problem(call, leader->refusal.problem ? leader->refusal.problem : PROBLEM_OVERLOADED);
        else if (reply->status && !call_share_reply(leader, call))
                reply_plain_problem(call, PROBLEM_OVERLOADED);
}

static void back_one(struct exchange *exchange) {
        exchange->asking = false;
        if (!exchange->connection) { /* a stream whose client has left */
                parking_leave(waiting_server(exchange)->parking, &exchange->spot);
                exchange_free(exchange);
                return;
        }
        if (exchange->call.park.key && !exchange->call.reply.status) {
                exchange->behind = exchange->stream; /* its lane was full: it has not read the change that woke it */
                exchange_park(exchange, exchange->call.park.until);
        } else
                answer(exchange);
}

void waiting_back(struct call *call) {
        struct exchange *exchange = exchange_of(call);
        struct spot *followers = exchange->spot.followers, *next;

        if (call->download.thread) {
                download_back(exchange);
                return;
        }
        exchange->spot.followers = NULL;
        for (struct spot *spot = followers; spot; spot = spot->after)
                leader_reply_copy(call, spot->call);
        back_one(exchange);
        for (struct spot *spot = followers; spot; spot = next) {
                next = spot->after;
                spot->after = NULL;
                back_one(exchange_of(spot->call));
        }
}

bool waiting_end(struct exchange *exchange) {
        waiting_watch_hangup(exchange, false);
        exchange->connection = NULL;
        if (exchange->call.download.thread)
                return download_leave(exchange);
        if (exchange->asking)
                return false;
        parking_leave(waiting_server(exchange)->parking, &exchange->spot);
        return true;
}

/* ---- time ---- */

void waiting_expire(struct server *server) {
        parking_expire(server->parking, clock_monotonic());
}

void waiting_drain(struct server *server) {
        parking_wake_all(server->parking);
}

bool waiting_start(struct server *server) {
        const struct parking_settings settings = {
                .ask = ask_or_tick, .watch = notices_watch, .unwatch = notices_unwatch, .context = server
        };

        server->told = calloc(1, sizeof(*server->told));
        server->parking = parking_new(&settings);
        if (!server->told || !server->parking)
                return false;
        (void) pthread_mutex_init(&server->told->mutex, NULL);
        return true;
}

void waiting_stop(struct server *server) {
        server->parking = parking_free(server->parking);
        if (!server->told)
                return;
        notes_free(&server->told->topics);
        (void) pthread_mutex_destroy(&server->told->mutex);
        free(server->told);
        server->told = NULL;
}
