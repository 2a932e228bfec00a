/* A reply too long for memory on the wire: its thread is asked for one part after another, as the client reads them. */
#include "http/server_internal.h"

#include "base/text.h"
#include "engine/reply.h"

#define PARTS_AHEAD 2 /* that wait for the socket while the thread writes the next one */

static struct server *download_server(const struct exchange *exchange) {
        return exchange->listener->server;
}

enum MHD_Result download_enter(struct exchange *exchange) {
        struct call *call = &exchange->call;

        if (text_equal(exchange->method, MHD_HTTP_METHOD_HEAD))
                return stream_queue(exchange);
        exchange->stage = STAGE_LANE;
        peer_enter(download_server(exchange), peer_of(exchange->connection), PHASE_RUN);
        MHD_suspend_connection(exchange->connection);
        exchange->asking = downloads_begin(download_server(exchange)->downloads, call);
        if (!exchange->asking)
                exchange_resume(exchange, STAGE_ANSWERED);
        return MHD_YES;
}

/* While a part is out the client has the time of a whole reply again. */
void download_go_on(struct exchange *exchange) {
        struct stream *stream = exchange->stream;

        if (!stream || !exchange->connection)
                return;
        peer_enter(download_server(exchange), peer_of(exchange->connection), PHASE_SEND);
        if (exchange->asking || exchange->call.download.last || stream->n_parts >= PARTS_AHEAD)
                return;
        exchange->asking = true;
        downloads_next(&exchange->call, /* ends= */ stream->ended);
}

static void download_end(struct exchange *exchange) {
        exchange->stream->cut = exchange->call.download.cut;
        stream_end(exchange);
}

static void download_feed(struct exchange *exchange) {
        struct shared_text *part = exchange->call.reply.shared;

        exchange->call.reply.shared = NULL;
        if (part)
                stream_part_add(exchange, part);
        if (exchange->call.download.last)
                download_end(exchange);
        else
                download_go_on(exchange);
}

/* The first part goes out with the headers, which are made of the call's reply. */
static void download_begin(struct exchange *exchange) {
        struct call *call = &exchange->call;
        struct shared_text *part = call->reply.shared;

        call->reply.shared = NULL;
        if (call->reply.status >= 400) {
                exchange_resume(exchange, STAGE_ANSWERED);
                return;
        }
        if (!stream_begin(exchange)) {
                shared_text_drop(part);
                exchange_resume(exchange, STAGE_GONE);
                return;
        }
        if (part)
                stream_part_add(exchange, part);
        if (call->download.last)
                download_end(exchange);
        exchange_resume(exchange, STAGE_STREAM);
}

void download_back(struct exchange *exchange) {
        struct call *call = &exchange->call;

        exchange->asking = false;
        if (exchange->connection && exchange->stream)
                download_feed(exchange);
        else if (exchange->connection)
                download_begin(exchange);
        else if (call->download.last)
                exchange_free(exchange);
        else {
                shared_text_drop(call->reply.shared);
                call->reply.shared = NULL;
                exchange->asking = true;
                downloads_next(call, /* ends= */ true);
        }
}

bool download_leave(struct exchange *exchange) {
        struct call *call = &exchange->call;

        if (!download_server(exchange)->downloads || (call->download.last && !exchange->asking))
                return !exchange->asking;
        if (exchange->asking)
                downloads_end(call);
        else
                downloads_next(call, /* ends= */ true);
        exchange->asking = true;
        return false;
}
