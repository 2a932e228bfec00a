#include "importing/client.h"

#include "adjustments/commands_import.h"
#include "base/config.h"
#include "db/session.h"
#include "importing/report.h"
#include "orders/commands_import.h"
#include "returns/commands_import.h"

#include <stdio.h>
#include <string.h>

#define CALL_TIME        (60 * SECOND) /* nobody waits for it but the importer */
#define STATEMENT_MS_MAX 60000
#define LOCK_MS_MAX      10000
#define CALLS_MAX        128 /* in one batch */

int importer_open(struct importer *importer, const struct route_list *routes, size_t n_routes) {
        size_t n = n_routes;

        *importer = (struct importer){ .trial = importer->trial,
                .claims = { .subject = "import",
                        .scopes = scope_alone(SCOPE_ADMIN),
                        .all_locations = true,
                        .expires_at = INT64_MAX } };
        memcpy(importer->lists, routes, n_routes * sizeof(*routes));
        importer->lists[n++] = (struct route_list){ order_import_routes, order_import_route_count };
        importer->lists[n++] = (struct route_list){ return_import_routes, return_import_route_count };
        importer->lists[n++] = (struct route_list){ stock_import_routes, stock_import_route_count };
        importer->intake = (struct intake){ .router = { importer->lists, n }, .claims = &importer->claims };
        importer->settings = (struct database_settings){ .url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .name = "holdfast import",
                .plans = PLANS_PINNED,
                .trial = importer->trial,
                .statement_timeout_ms = STATEMENT_MS_MAX,
                .lock_timeout_ms = LOCK_MS_MAX };
        if (!runner_init(&importer->runner, &importer->settings))
                return EXIT_OUR_FAULT;
        if (database_connect(importer->runner.database)) {
                import_complain("the database cannot be used: %s", database_message(importer->runner.database));
                return EXIT_NO_DATABASE;
        }
        importer->runner.connected = true;
        return EXIT_OK;
}

void importer_close(struct importer *importer) {
        runner_clear(&importer->runner);
}

void importer_call(struct importer *importer, struct call *call, const struct import_request *request) {
        const size_t size = request->body ? strlen(request->body) : 0;
        const struct uuid random = uuid_random();
        char length[24], key[UUID_TEXT_SIZE];
        struct request_head head = { .method = request->method,
                .target = request->path,
                .content_type = "application/json",
                .if_match = request->if_match,
                .if_none_match = request->if_none_match,
                .content_length = length,
                .idempotency_key = key };

        (void) snprintf(length, sizeof(length), "%zu", size);
        uuid_format(&random, key);
        if (intake_head(&importer->intake, &head, call))
                (void) !intake_body(call, request->body, size);
}

static int stopped(const struct call *call) {
        _cleanup_(import_json_cleanup) json_t *problem = importer_reply(call);
        char text[IMPORT_PROBLEM_SIZE];

        import_problem_text(problem, NULL, 0, NULL, text, sizeof(text));
        import_complain("the import has stopped: %s", text);
        import_complain("run it again; rows already imported stay as they are");
        return EXIT_NO_DATABASE;
}

/* A call that failed for lack of the database is no fault of any line. */
static int slice_run(struct importer *importer, struct call **slice, size_t n) {
        struct call *calls[CALLS_MAX];

        if (!n)
                return EXIT_OK;
        memcpy(calls, slice, n * sizeof(*calls));
        batch_run(&importer->runner, calls, n);
        for (size_t i = 0; i < n; i++)
                if (slice[i]->reply.status == 503 || slice[i]->reply.status == 504)
                        return stopped(slice[i]);
        return EXIT_OK;
}

int importer_run(struct importer *importer, struct call *calls, size_t n) {
        struct call *slice[CALLS_MAX];
        size_t n_slice = 0;
        int code = EXIT_OK;

        for (size_t i = 0; i < n && !code; i++) {
                if (calls[i].reply.status != 0)
                        continue;
                calls[i].deadline = clock_monotonic() + CALL_TIME;
                slice[n_slice++] = &calls[i];
                if (n_slice < CALLS_MAX && n_slice < calls[i].route->batch)
                        continue;
                code = slice_run(importer, slice, n_slice);
                n_slice = 0;
        }
        return code ? code : slice_run(importer, slice, n_slice);
}

int importer_ask(struct importer *importer, const char *path, const char *thing, json_t **ret_reply) {
        const struct import_request request = { .method = "GET", .path = path };
        struct call call;
        int code;

        importer_call(importer, &call, &request);
        code = importer_run(importer, &call, 1);
        if (!code && call.reply.status == 200) {
                *ret_reply = importer_reply(&call);
        } else if (!code) {
                _cleanup_(import_json_cleanup) json_t *problem = importer_reply(&call);
                char text[IMPORT_PROBLEM_SIZE];

                import_problem_text(problem, NULL, 0, NULL, text, sizeof(text));
                import_complain("%s: %s", thing, text);
                code = EXIT_FAILED;
        }
        call_clear(&call);
        return code;
}

json_t *importer_reply(const struct call *call) {
        json_t *tree = call->reply.body ? json_loadb(call->reply.body, call->reply.body_size, 0, NULL) : NULL;

        return json_is_object(tree) ? tree : (json_decref(tree), json_object());
}
