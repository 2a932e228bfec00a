/* Server-sent events on the wire: a reply without an end, sent part by part, its connection suspended in between. */
#include "http/server_internal.h"

#include <string.h>
#include <sys/types.h>

#define HEARTBEAT_EVERY (15 * SECOND) /* WHATWG HTML, section 9.2.7 */
#define STREAM_TIME_MAX (10 * MINUTE) /* then the client reconnects, perhaps to another instance */
#define STREAM_JITTER   (1 * MINUTE)  /* so that not all clients reconnect at once */

static const char heartbeat[] = ":\n\n";

static struct server *streaming_server(const struct exchange *exchange) {
        return exchange->listener->server;
}

struct stream *stream_free(struct stream *stream) {
        for (size_t i = 0; stream && i < stream->n_parts; i++)
                shared_text_drop(stream->parts[i]);
        free(stream);
        return NULL;
}

/* `exp` is wall time. */
static timestamp token_end(const struct call *call, timestamp now) {
        return now + (call->claims->expires_at - clock_wall());
}

/* The end is seen at a heartbeat. */
static void next_heartbeat(struct stream *stream, timestamp now) {
        stream->heartbeat_at = now + HEARTBEAT_EVERY;
        if (stream->end_at < stream->heartbeat_at)
                stream->heartbeat_at = stream->end_at;
}

bool stream_begin(struct exchange *exchange) {
        const timestamp now = clock_monotonic();
        struct stream *stream = calloc(1, sizeof(*stream));

        if (!stream)
                return false;
        stream->end_at = now + STREAM_TIME_MAX + uuid_place(&exchange->call.request_id) * STREAM_JITTER / UINT16_MAX;
        if (token_end(&exchange->call, now) < stream->end_at)
                stream->end_at = token_end(&exchange->call, now);
        next_heartbeat(stream, now);
        exchange->stream = stream;
        streaming_server(exchange)->n_streams += !exchange->call.route->download;
        return true;
}

/* ---- writing to the socket ---- */

static void part_done(struct stream *stream) {
        shared_text_drop(stream->parts[0]);
        memmove(stream->parts, stream->parts + 1, --stream->n_parts * sizeof(stream->parts[0]));
        stream->sent = 0;
}

/* No code reads from the socket while the connection is suspended, so it is watched for a hang-up. */
static void dry_up(struct exchange *exchange) {
        exchange->stream->dry = true;
        peer_enter(streaming_server(exchange), peer_of(exchange->connection), PHASE_RUN);
        waiting_watch_hangup(exchange, true);
        MHD_suspend_connection(exchange->connection);
}

static void flow(struct exchange *exchange) {
        if (!exchange->stream->dry)
                return;
        exchange->stream->dry = false;
        waiting_watch_hangup(exchange, false);
        peer_enter(streaming_server(exchange), peer_of(exchange->connection), PHASE_SEND);
        MHD_resume_connection(exchange->connection);
}

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size) {
        struct exchange *exchange = context;
        struct stream *stream = exchange->stream;
        const struct shared_text *part = stream->n_parts ? stream->parts[0] : NULL;
        size_t n;

        (void) position;
        if (!part && stream->ended)
                return stream->cut ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
        if (!part) {
                dry_up(exchange);
                return 0;
        }
        n = part->size - stream->sent;
        if (n > size)
                n = size;
        memcpy(buffer, part->bytes + stream->sent, n);
        stream->sent += n;
        if (stream->sent == part->size) {
                part_done(stream);
                if (exchange->call.route->download)
                        download_go_on(exchange);
        }
        return (ssize_t) n;
}

/* The head of a stream for HEAD. libmicrohttpd 0.9.75 sends the last chunk behind the head of a chunked reply even
 * then, where the client reads it as its next reply. With this flag it closes the connection instead. */
static bool has_head_only(struct MHD_Response *response) {
        return MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END) == MHD_YES;
}

enum MHD_Result stream_queue(struct exchange *exchange) {
        struct MHD_Response *response =
                MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, exchange, NULL);
        enum MHD_Result queued = MHD_NO;

        if (!response)
                return MHD_NO;
        exchange->call.reply.status = MHD_HTTP_OK;
        exchange_headers_add(response, exchange);
        (void) MHD_add_response_header(response, "Content-Type",
                exchange->call.reply.content_type ? exchange->call.reply.content_type : "text/event-stream");
        (void) MHD_add_response_header(response, "X-Accel-Buffering", "no");
        if (exchange->stream || has_head_only(response))
                queued = MHD_queue_response(exchange->connection, MHD_HTTP_OK, response);
        MHD_destroy_response(response);
        exchange->stage = STAGE_SENT;
        peer_enter(streaming_server(exchange), peer_of(exchange->connection), PHASE_SEND);
        exchange_note_answer(exchange);
        if (exchange->call.route->download)
                download_go_on(exchange);
        else if (exchange->stream)
                waiting_go_on(exchange);
        return queued;
}

/* ---- parts to send ---- */

void stream_part_add(struct exchange *exchange, struct shared_text *part) {
        struct stream *stream = exchange->stream;

        if (stream->n_parts == STREAM_PARTS_MAX) { /* the client reconnects and resumes after its last event */
                shared_text_drop(part);
                stream->ended = true;
        } else
                stream->parts[stream->n_parts++] = part;
        flow(exchange);
}

void stream_feed(struct exchange *exchange) {
        struct shared_text *part = exchange->call.reply.shared;
        const bool first = !exchange->stream;

        exchange->call.reply.shared = NULL;
        if (first && !stream_begin(exchange)) {
                shared_text_drop(part);
                exchange_resume(exchange, STAGE_GONE);
                return;
        }
        if (part)
                stream_part_add(exchange, part);
        if (first)
                exchange_resume(exchange, STAGE_STREAM);
}

void stream_end(struct exchange *exchange) {
        exchange->stream->ended = true;
        flow(exchange);
}

bool stream_tick(struct exchange *exchange, timestamp now) {
        struct stream *stream = exchange->stream;
        struct shared_text *part;

        if (now >= stream->end_at || !exchange->call.may_wait) {
                stream_end(exchange);
                return false;
        }
        if (now < stream->heartbeat_at)
                return true;
        next_heartbeat(stream, now);
        part = shared_text_new(sizeof(heartbeat) - 1);
        if (part && !stream->n_parts) {
                memcpy(part->bytes, heartbeat, part->size);
                stream_part_add(exchange, part);
        } else
                shared_text_drop(part);
        return true;
}
