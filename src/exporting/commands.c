#include "exporting/commands.h"

#include "base/log.h"
#include "engine/downloads.h"
#include "engine/reply.h"
#include "exporting/export.h"

static const char *const format_names[] = { [COPY_CSV] = "csv", [COPY_JSONL] = "jsonl", NULL };
static const char *const content_types[] = {
        [COPY_CSV] = "text/csv; charset=utf-8; header=present", [COPY_JSONL] = "application/jsonl"
};

struct export_query {
        const char *channel, *location;
        int format;
        timestamp since, until;
        bool has_format;
};

static const struct shape_member query_members[] = {
        OPTIONAL(CODE, struct export_query, channel),
        OPTIONAL_FLAGGED(ENUM, struct export_query, format, .names = format_names),
        OPTIONAL(CODE, struct export_query, location),
        OPTIONAL(TIME, struct export_query, since),
        OPTIONAL(TIME, struct export_query, until),
};
const struct shape export_query_shape = SHAPE(struct export_query, query_members);

/* A token that is bound to locations or to a channel sees only those, where rows belong to any. */
static struct export_options options_of(const struct call *call) {
        const struct export_query *query = call->query;
        const struct token_claims *claims = call->claims;
        struct export_options options = { .kind = export_kind_named(call_code(call, 0)),
                .format = query->has_format ? (enum copy_format) query->format : COPY_CSV,
                .since = query->since,
                .until = query->until,
                .channel = query->channel,
                .all_locations = true };

        if (query->location) {
                options.locations = &query->location;
                options.n_locations = 1;
                options.all_locations = false;
        } else if (!claims->all_locations && options.kind && options.kind->takes & EXPORT_LOCATION) {
                options.locations = claims->locations;
                options.n_locations = claims->n_locations;
                options.all_locations = false;
        }
        if (!options.channel && options.kind && options.kind->takes & EXPORT_CHANNEL)
                options.channel = claims->channel;
        return options;
}

void export_check(struct call *call) {
        const struct export_query *query = call->query;
        const struct export_options options = options_of(call);
        const char *fault = options.kind ? export_options_fault(&options) : NULL;

        if (!options.kind)
                call_refuse_unknown(call, "export", call_code(call, 0));
        else if (fault)
                call_refuse(call, PROBLEM_INVALID_PARAMETER, "The parameters do not fit: %s.", fault);
        else if (options.kind->takes & EXPORT_MARKET && !call->claims->all_locations)
                call_refuse(call, PROBLEM_STORE_NOT_ALLOWED, "A %s has the sums of all locations.", options.kind->name);
        else if (!query->location || call_may_act_at(call, query->location))
                (void) (query->channel && call_may_act_for(call, query->channel));
        call->reply.content_type = content_types[options.format];
}

static bool export_row_take(const char *row, size_t size, void *into) {
        return download_write(into, row, size);
}

static bool export_ends(void *into) {
        return download_ends(into);
}

static void export_finish(
        struct call *call, struct database *database, enum problem p, const struct export_outcome *outcome) {
        if (*outcome->unknown_location)
                call_refuse_unknown(call, "location", outcome->unknown_location);
        else if (*outcome->unknown_channel)
                call_refuse_unknown(call, "channel", outcome->unknown_channel);
        else if (p || !outcome->whole)
                call_refuse(call, p ? problem_published(p) : PROBLEM_TIMEOUT, "The export is not complete.");
        if (call->refusal.problem)
                reply_problem(call);
        if (p)
                log_event(LOG_LEVEL_WARNING, "export failed", LOG_TEXT, "kind", call_code(call, 0), LOG_TEXT,
                        "sqlstate", database_sqlstate(database), LOG_TEXT, "reason", database_message(database),
                        LOG_END);
}

void export_download(struct call *call, struct database *database, struct download *download) {
        const struct export_options options = options_of(call);
        const struct copy_reader reader = { export_row_take, export_ends, download };
        struct export_outcome outcome;

        call->reply = (struct reply){ .status = 200, .content_type = content_types[options.format] };
        export_finish(call, database, export_run(database, &options, &reader, &outcome), &outcome);
}
