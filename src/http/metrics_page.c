#include "http/metrics_page.h"

#include "engine/counters.h"
#include "engine/notices.h"
#include "http/health.h"
#include "http/metrics_parts.h"
#include "http/request_times.h"
#include "http/server.h"
#include "version.h"

#define EXPOSITION_MAX ((size_t) 4 * 1024 * 1024)

static struct lanes *shown_lanes;
static const struct server *shown_server;

void metrics_page_set_lanes(struct lanes *lanes) {
        shown_lanes = lanes;
}

void metrics_page_set_server(const struct server *server) {
        shown_server = server;
}

static void write_server(struct buffer *out) {
        exposition_gauge(out, "holdfast_http_connections", "Connections of clients, idle ones among them",
                (double) server_connections(shown_server));
        exposition_gauge(out, "holdfast_sse_clients", "Clients that read a stream of events",
                (double) server_streams(shown_server));
        exposition_gauge(
                out, "holdfast_downloads", "Exports that clients read", (double) server_downloads(shown_server));
        exposition_gauge(out, "holdfast_waiting_requests", "Long polls and streams that wait for something to change",
                (double) server_waiting(shown_server));
}

static void write_notices(struct buffer *out) {
        static const char name[] = "holdfast_notices_total", published[] = "holdfast_stream_events_published_total";
        const struct notices_figures notices = notices_figures();

        exposition_head(out, name, "counter", "Changes told between instances, and those found without being told");
        exposition_integer(out, name, "result=\"missed\"", (int64_t) notices.missed);
        exposition_integer(out, name, "result=\"received\"", (int64_t) notices.received);
        exposition_integer(out, name, "result=\"sent\"", (int64_t) notices.sent);
        exposition_head(out, published, "counter", "Events given a place in a stream by this instance");
        exposition_integer(out, published, "", (int64_t) notices.published);
}

void metrics_page_answer(struct call *call) {
        struct buffer out;

        buffer_init(&out, &call->arena, EXPOSITION_MAX);
        exposition_head(&out, "holdfast_build_info", "gauge", "What is running");
        exposition_integer(
                &out, "holdfast_build_info", "version=\"" HOLDFAST_VERSION "\",commit=\"" HOLDFAST_COMMIT "\"", 1);
        exposition_gauge(&out, "holdfast_ready", "1 while /readyz says so", health_is_ready());
        metrics_write_process(&out);
        request_times_write(&out);
        counters_write(&out);
        if (shown_lanes)
                metrics_write_lanes(&out, shown_lanes);
        if (shown_server)
                write_server(&out);
        write_notices(&out);
        gauges_write(&out);
        call->reply = (struct reply){
                .status = 200,
                .body = buffer_text(&out),
                .body_size = out.size,
                .content_type = "text/plain; version=0.0.4; charset=utf-8",
        };
}
