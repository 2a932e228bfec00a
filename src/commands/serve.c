#include "commands/commands.h"
#include "commands/jobs.h"
#include "commands/supervisor.h"

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "db/schema.h"
#include "db/session.h"
#include "engine/notices.h"
#include "http/documents.h"
#include "http/health.h"
#include "http/metrics_page.h"
#include "http/server.h"
#include "notifications/mailer.h"
#include "version.h"
#include "webhooks/deliverer.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define START_TIMEOUT_MS 5000

/* The parts that `serve` owns, in the order of their start. */
struct service {
        struct token_source *keys;
        struct token_cache *cache;
        struct token_gate gate;
        uint64_t readings_before; /* readings of keys when SIGHUP arrived */
        struct quota *quota;      /* NULL: no limit */
        struct server *server;
        struct lanes *lanes;
        struct downloads *downloads;
        struct health *health;
        struct job_list job_lists[JOB_LISTS_MAX];
        struct jobs *jobs;
};

static struct service service;

static bool keys_ready(void) {
        return token_source_ready(service.keys);
}

static bool is_draining(void) {
        return server_is_draining(service.server);
}

static void on_hangup(void) {
        service.readings_before = token_source_counts(service.keys).readings;
        supervisor_reloading(clock_monotonic());
        token_source_refresh(service.keys);
}

static void on_tick(void) {
        supervisor_tick(health_is_ready(),
                config_text(CONFIG_JWT_SECRET) || token_source_counts(service.keys).readings > service.readings_before,
                clock_monotonic());
}

/* The loop reads signals from a descriptor, so every thread blocks them. */
static void signals_block(void) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGHUP);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        (void) signal(SIGPIPE, SIG_IGN);
}

static int complain_of_keys(const char *reason) {
        (void) fprintf(stderr,
                "holdfast: bad configuration: tokens: %s (one of HOLDFAST_JWT_SECRET, HOLDFAST_JWT_JWKS_FILE and"
                " HOLDFAST_JWT_JWKS_URL)\n",
                reason);
        return EXIT_BAD_CONFIG;
}

static int check_config(void) {
        const char *complaint = command_config_complaint();
        enum log_level level = LOG_LEVEL_INFO;

        for (size_t i = 0; config_unknown(i); i++)
                (void) fprintf(stderr, "holdfast: unknown setting %.*s, ignored\n",
                        (int) strcspn(config_unknown(i), "="), config_unknown(i));
        if (complaint) {
                (void) fprintf(stderr, "holdfast: bad configuration: %s\n", complaint);
                return EXIT_BAD_CONFIG;
        }
        if (log_level_named(config_text(CONFIG_LOG_LEVEL), &level))
                log_set_level(level);
        return EXIT_OK;
}

/* A schema on which this program may not work ends the start. A database that is not reachable now does not: the
 * service waits for it. */
static int serve_check_schema(void) {
        const char *schema = config_text(CONFIG_SCHEMA);
        const struct database_settings settings = { .url = config_text(CONFIG_DATABASE_URL),
                .schema = schema,
                .name = "holdfast start",
                .plans = PLANS_FREE,
                .statement_timeout_ms = START_TIMEOUT_MS,
                .lock_timeout_ms = START_TIMEOUT_MS,
                .unprepared = true };
        _cleanup_(database_close_cleanup) struct database *database = database_new(&settings);
        char explanation[SCHEMA_EXPLANATION_SIZE];
        struct schema_state state;

        if (!database)
                return EXIT_OUR_FAULT;
        if (database_connect(database) ||
                schema_look(database, schema, clock_monotonic() + START_TIMEOUT_MS * MILLISECOND, &state)) {
                log_event(LOG_LEVEL_WARNING, "database not reachable yet", LOG_TEXT, "reason",
                        database_message(database), LOG_END);
                return EXIT_OK;
        }
        if (schema_fits(&state))
                return EXIT_OK;
        schema_explain(schema, &state, explanation);
        (void) fprintf(stderr, "holdfast: %s\n", explanation);
        return EXIT_FAILED;
}

static int keys_start(void) {
        const struct token_source_settings settings = {
                .secret = config_text(CONFIG_JWT_SECRET),
                .jwks_file = config_text(CONFIG_JWT_JWKS_FILE),
                .jwks_url = config_text(CONFIG_JWT_JWKS_URL),
        };
        const char *reason = NULL;

        if (token_source_start(&settings, &service.keys, &reason))
                return complain_of_keys(reason);
        if (token_cache_new(TOKEN_CACHE_ENTRIES_MAX, &service.cache))
                return EXIT_OUR_FAULT;
        service.gate = (struct token_gate){ .source = service.keys,
                .cache = service.cache,
                .policy = { .issuer = config_text(CONFIG_JWT_ISSUER), .audience = config_text(CONFIG_JWT_AUDIENCE) } };
        if (settings.secret)
                log_event(LOG_LEVEL_WARNING,
                        "DEVELOPMENT MODE: every owner of HOLDFAST_JWT_SECRET can issue tokens for any subject",
                        LOG_END);
        return EXIT_OK;
}

/* The API's routes: all rooms, the documents, and without an admin listener its routes as well. */
static struct router api_router(void) {
        static struct route_list lists[ROUTE_LISTS_MAX];
        size_t n = room_routes(lists);

        lists[n++] = document_routes(config_integer(CONFIG_DOCS));
        if (!config_text(CONFIG_ADMIN_LISTEN))
                lists[n++] = health_routes();
        return (struct router){ lists, n };
}

static struct router admin_router(void) {
        static struct route_list list;

        list = health_routes();
        return (struct router){ &list, 1 };
}

static int quota_start(void) {
        const int64_t limit = config_integer(CONFIG_RATE_LIMIT);

        service.quota = limit ? quota_new(limit) : NULL;
        return limit && !service.quota ? EXIT_OUR_FAULT : EXIT_OK;
}

static int server_start(void) {
        struct server_settings settings = {
                .api = { config_text(CONFIG_LISTEN),
                        { .router = api_router(), .gate = &service.gate, .quota = service.quota } },
                .admin = { config_text(CONFIG_ADMIN_LISTEN), { .router = admin_router() } },
                .cors_origins = config_text(CONFIG_CORS_ORIGINS),
                .call_timeout = config_integer(CONFIG_CALL_TIMEOUT),
                .request_timeout = config_integer(CONFIG_REQUEST_TIMEOUT),
                .drain_grace = config_integer(CONFIG_DRAIN_GRACE),
                .on_hangup = on_hangup,
                .on_drain = supervisor_stopping,
                .on_tick = on_tick,
        };

        if (!networks_parse(config_text(CONFIG_TRUSTED_PROXIES), &settings.api.intake.trusted))
                return EXIT_BAD_CONFIG;
        return server_new(&settings, &service.server) ? EXIT_OK : EXIT_BAD_CONFIG;
}

/* A topic has changed. Any thread. */
static void topic_woken(void *context, const char *topic) {
        server_wake(context, topic);
        deliverer_wake(topic);
}

static bool webhooks_start(void) {
        const struct deliverer_settings settings = { .database_url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .allowed_networks = config_text(CONFIG_WEBHOOK_ALLOW_CIDRS),
                .sealing_key = config_text(CONFIG_WEBHOOK_SEALING_KEY),
                .sealing_key_previous = config_text(CONFIG_WEBHOOK_SEALING_KEY_PREVIOUS) };

        return deliverer_start(&settings);
}

/* Without a mail server there are no e-mails. */
static bool mails_start(void) {
        const struct smtp_server server = command_smtp_server();
        const struct mailer_settings settings = { .database_url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .pickup_secret = config_text(CONFIG_PICKUP_SECRET),
                .server = &server };

        return !server.url || !config_integer(CONFIG_SWEEPER) || mailer_start(&settings);
}

static int workers_start(void) {
        const unsigned writers = (unsigned) config_integer(CONFIG_WRITE_WORKERS);
        const unsigned readers = (unsigned) config_integer(CONFIG_READ_WORKERS);
        const struct lanes_settings lanes = {
                .database_url = config_text(CONFIG_DATABASE_URL),
                .read_url = config_text(CONFIG_DATABASE_READ_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .queue_max = (size_t) config_integer(CONFIG_LANE_QUEUE),
                .workers = { [LANE_LIST] = 1, [LANE_READ] = readers, [LANE_CATALOG] = 1, [LANE_WRITE] = writers },
                .done = server_answered,
                .context = service.server,
        };
        const struct health_settings health = { .database_url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .keys_ready = keys_ready,
                .is_draining = is_draining };
        const struct notices_settings notices = { .database_url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .wake = topic_woken,
                .context = service.server };
        const struct jobs_settings jobs = { .database_url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .lists = service.job_lists,
                .n_lists = all_jobs(service.job_lists) };

        const struct downloads_settings downloads = { .database_url = config_text(CONFIG_DATABASE_URL),
                .schema = config_text(CONFIG_SCHEMA),
                .done = server_answered,
                .context = service.server };

        if (!notices_start(&notices))
                return EXIT_OUR_FAULT;
        service.downloads = downloads_start(&downloads);
        if (!service.downloads)
                return EXIT_OUR_FAULT;
        server_set_downloads(service.server, service.downloads);
        service.lanes = lanes_start(&lanes);
        service.health = service.lanes ? health_start(&health) : NULL;
        if (!service.health)
                return EXIT_OUR_FAULT;
        if (config_integer(CONFIG_SWEEPER))
                service.jobs = jobs_start(&jobs);
        if (config_integer(CONFIG_SWEEPER) && !service.jobs)
                return EXIT_OUR_FAULT;
        if (config_integer(CONFIG_SWEEPER) && !webhooks_start())
                return EXIT_OUR_FAULT;
        if (!mails_start())
                return EXIT_OUR_FAULT;
        server_set_lanes(service.server, service.lanes);
        metrics_page_set_lanes(service.lanes);
        metrics_page_set_server(service.server);
        return EXIT_OK;
}

static void service_stop(void) {
        service.jobs = jobs_stop(service.jobs);
        mailer_stop();
        service.health = health_stop(service.health);
        service.lanes = lanes_stop(service.lanes);
        service.downloads = downloads_stop(service.downloads);
        if (service.server)
                server_set_downloads(service.server, NULL);
        notices_stop();
        deliverer_stop();
        if (service.server)
                service.server = server_free(service.server);
        service.quota = quota_free(service.quota);
        if (service.keys)
                service.keys = token_source_stop(service.keys);
        if (service.cache)
                service.cache = token_cache_free(service.cache);
}

int command_serve(int argc, char **argv) {
        int code;

        if (!command_takes_nothing(argc, argv))
                return EXIT_WRONG_USAGE;
        code = command_config();
        if (!code)
                code = check_config();
        if (code)
                return code;
        json_object_seed(0);
        signals_block();
        code = serve_check_schema();
        if (code)
                return code;
        code = keys_start();
        if (!code)
                code = quota_start();
        if (!code)
                code = server_start();
        if (!code)
                code = workers_start();
        if (!code) {
                log_event(LOG_LEVEL_INFO, "serving", LOG_TEXT, "version", HOLDFAST_VERSION, LOG_TEXT, "address",
                        config_text(CONFIG_LISTEN), LOG_TEXT, "admin", config_text(CONFIG_ADMIN_LISTEN), LOG_END);
                supervisor_open();
                server_run(service.server);
                supervisor_close();
                log_event(LOG_LEVEL_INFO, "stopped", LOG_END);
        }
        service_stop();
        return code;
}
