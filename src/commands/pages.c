#include "commands/pages.h"

#include "base/config.h"
#include "base/problem.h"
#include "base/text.h"
#include "events/types.h"
#include "notifications/data.h"
#include "notifications/messages.h"
#include "orders/orders.h"
#include "reservations/reservations.h"
#include "returns/returns.h"
#include "webhooks/webhooks.h"

#include <inttypes.h>
#include <string.h>

static const char printed_by[] = "<!-- Printed by `holdfast %s`; change the table in %s instead. -->\n\n";

/* ---- configuration ---- */

/* What a value looks like, for a human. */
static void print_form(FILE *out, enum setting setting) {
        char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE];

        switch (setting_kind(setting)) {
        case SETTING_ADDRESS:
                (void) fputs("address:port", out);
                return;
        case SETTING_BOOLEAN:
                (void) fputs("1 or 0", out);
                return;
        case SETTING_CURRENCY:
                (void) fputs("ISO 4217 currency", out);
                return;
        case SETTING_DOMAIN:
                (void) fputs("reverse domain name", out);
                return;
        case SETTING_DURATION:
                duration_format(setting_minimum(setting), from);
                duration_format(setting_maximum(setting), to);
                (void) fprintf(out, "ISO 8601 duration, %s to %s", from, to);
                return;
        case SETTING_INTEGER:
                (void) fprintf(out, "%" PRId64 " to %" PRId64, setting_minimum(setting), setting_maximum(setting));
                return;
        case SETTING_NETWORKS:
                (void) fputs("addresses and networks", out);
                return;
        case SETTING_SECRET:
                (void) fputs("secret", out);
                return;
        case SETTING_SWITCH:
                (void) fputs("on or off", out);
                return;
        case SETTING_TEXT:
                (void) fputs("text", out);
                return;
        }
}

void page_configuration(FILE *out) {
        (void) fputs("# Configuration\n\n", out);
        (void) fprintf(out, printed_by, "config --markdown", "src/base/config.h");
        (void) fputs(
                "Settings come from the environment. A command reads them once at its start; an empty value counts as "
                "not set.\nA file may hold a secret instead: `HOLDFAST_X_FILE` names it, and a newline at its end "
                "does not count. Setting\nboth is refused, and so is a file that is empty or cannot be read. "
                "`holdfast config` shows the values in force;\n`holdfast doctor` tests them.\n\n"
                "| variable | form | default | meaning |\n|---|---|---|---|\n",
                out);
        for (enum setting setting = 0; setting < SETTING_COUNT; setting++) {
                const char *initial = setting_default(setting);

                (void) fprintf(out, "| `%s`%s | ", setting_variable(setting),
                        setting_kind(setting) == SETTING_SECRET ? ", `_FILE`" : "");
                print_form(out, setting);
                (void) fprintf(out, *initial ? " | `%s`" : " | %s", *initial ? initial : "(none)");
                (void) fprintf(out, " | %s |\n", setting_help(setting));
        }
}

/* ---- events ---- */

/* The names of a list, each as code. */
static void print_event_members(FILE *out, const char *list) {
        const char *rest = list, *member;
        size_t size;

        while (text_next_part(&rest, ' ', &member, &size))
                (void) fprintf(out, "%s`%.*s`", member == list ? "" : " ", (int) size, member);
}

void page_events(FILE *out) {
        (void) fputs("# Events\n\n", out);
        (void) fprintf(out, printed_by, "openapi --events", "src/events/types.h");
        (void) fputs(
                "Each change of a document is written as an event in the transaction of the change. Its subject is the "
                "document, as in\n`orders/ID`. `data` has `version`, the version of that document, and these members. "
                "Members in the last column contain free\ntext or names; only the timeline of an order and the stream of "
                "a location show them.\n\nEvents of one document come in the order of its versions, and no version is "
                "left out. Where a document changes together\nwith another one, and no event names that, a type `updated` "
                "has its new version. Timelines do not show these. A reservation\nhas an event only at its end. Orders and "
                "returns that are imported have events of the whole alone.\n\n"
                "| type | subject | meaning | members | of the timeline alone |\n|---|---|---|---|---|\n",
                out);
        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++) {
                const struct event_type_row *row = &event_types[type];

                (void) fprintf(out, "| `%s` | %s | %s | ", row->name, subject_kinds[row->subject], row->meaning);
                print_event_members(out, row->members);
                (void) fputs(" | ", out);
                print_event_members(out, row->kept);
                (void) fputs(" |\n", out);
        }
        (void) fputs(
                "\n## Members\n\nA member has the same form in all types. It is absent where it does not apply.\n\n"
                "| member | form | meaning |\n|---|---|---|\n",
                out);
        for (size_t i = 0; i < event_data_member_count; i++)
                (void) fprintf(out, "| `%s` | %s | %s |\n", event_data_members[i].name, event_data_members[i].form,
                        event_data_members[i].meaning);
}

/* ---- notifications ---- */

static const char notifications_text[] =
        "A message to a customer has a kind, a medium (`email` or `sms`) and a locale. Its text comes from a template. The "
        "program has templates\nin English and German for every kind. `PUT "
        "/v1/notification-templates/{kind}/{medium}/{locale}` replaces one for the whole market,\n`DELETE` restores it, "
        "and `POST .../preview` shows the message about an order.\n\n"
        "A channel whose `notifications` name a sender and kinds of messages writes to its customers.\n\n"
        "## Templates\n\n"
        "A template is [Mustache](https://mustache.github.io/mustache.5.html): `{{name}}` writes a value. A section "
        "`{{#name}}...{{/name}}` is repeated for each\nelement of a list, and shown once for another value; "
        "`{{^name}}...{{/name}}` is shown if there is no value. `{{! ... }}` is a comment.\nIn a list, a name means that "
        "of the element: `{{#order.lines}}{{quantity}} x {{title}}{{/order.lines}}`.\nIn `html`, values are escaped; "
        "`{{{name}}}` is not. Partials and lambdas are refused, and so is a template that does not parse.\nThe HTML of the "
        "program's ready template names a picture of the pickup code as `cid:pickup-code`; a mail without it shows the code as "
        "text.\n\n";

static const char sending_text[] =
        "\n## Sending\n\n"
        "A job follows the log of events. Each event of a kind that the channel lists makes one message. Event, kind and "
        "medium are unique,\nhowever often a client repeats a request, and however many instances run. Nothing is sent "
        "about imported documents, and about events that\nare older than three days.\n\n"
        "E-mails leave by the mail server `HOLDFAST_SMTP_URL`; without one there are none. They go to `customer.email` of "
        "the order, if it is a plain\naddress: ASCII, without quotes. Their language is the channel's `locale`: the "
        "template of the locale, else that of its language, else English.\nFor a customer with a phone number, or a "
        "`customer_id`, the event `notification.requested` asks others to send a text message (`sms`) or a `push`.\nThat "
        "event names no person: its reader takes the number from the order, and the text from a preview.\n\n"
        "If the server refuses a mail for now (4xx) or does not answer, the service tries again: after about 30 s, 2 min, "
        "10 min and 30 min,\nthen 1, 2, 4, 8, 12 and 24 h. There are eleven attempts at most, all within three days. "
        "While the server cannot be reached, no attempt is counted.\nA refusal for good (5xx) ends the message as "
        "`failed`, with the event `notification.failed`. `HOLDFAST_SMTP_TIMEOUT` limits each attempt.\n\n"
        "Delivery is at least once. The program may die after the server took a mail and before that is recorded. Then "
        "another instance\nsends it again when the lease ends, two minutes later, with the same Message-ID.\n\n"
        "`ready` and `reminder` are `skipped` if the location no longer holds the units, or if the customer has them and the "
        "message is ten minutes old.\nReminders wait from 21:00 to 8:00 on the clock of the location. All kinds are about "
        "an order of the customer, so a mail has no link to\nunsubscribe; promotions are none of these kinds.\n\n"
        "`GET /v1/orders/{id}/notifications` lists the messages about an order with the last answer of the server; `POST` "
        "sends one once more, also\nto another address. They are kept for `HOLDFAST_RETENTION_NOTIFICATIONS`. `holdfast "
        "customer erase` deletes the addresses, and waiting messages\nare not sent.\n";

/* The events that cause the kind. */
static void print_causes(FILE *out, enum notification_kind kind) {
        const char *before = ": ";
        enum notification_kind caused;

        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++)
                if (message_kind_of(event_types[type].name, &caused) && caused == kind) {
                        (void) fprintf(out, "%s`%s`", before, event_types[type].name);
                        before = ", ";
                }
        (void) fputs(*before == ':' ? ": by request alone\n" : "\n", out);
}

void page_notifications(FILE *out) {
        (void) fputs("# Notifications\n\n", out);
        (void) fprintf(out, printed_by, "openapi --notifications", "src/notifications/rules_data.c");
        (void) fputs(notifications_text, out);
        (void) fprintf(out,
                "| limit | value |\n|---|---|\n| subject, text, HTML of a template | %d, %d, %d characters |\n| tags and "
                "pieces of text | %zu |\n| sections inside each other | %d |\n| rendered subject, text, HTML | %zu, %zu, "
                "%zu bytes |\n\n",
                TEMPLATE_SUBJECT_MAX, TEMPLATE_TEXT_MAX, TEMPLATE_HTML_MAX, MUSTACHE_NODES_MAX, MUSTACHE_DEPTH_MAX,
                RENDERED_SUBJECT_MAX, RENDERED_TEXT_MAX, RENDERED_HTML_MAX);
        (void) fputs("## Kinds\n\nEach kind with the events that cause its messages.\n\n", out);
        for (enum notification_kind kind = 0; kind < NOTIFY_KIND_COUNT; kind++) {
                (void) fprintf(out, "- `%s`", notification_kind_texts[kind]);
                print_causes(out, kind);
        }
        (void) fputs(
                "\n## Names\n\nAmounts and times are text, written as in English or German; other locales get `19.99 EUR` "
                "and `2026-11-21 11:15`.\nTimes are in the zone of the location. A name without a value is absent, so its "
                "section is not shown.\n\n| name | meaning | example |\n|---|---|---|\n",
                out);
        for (size_t i = 0; i < data_member_count; i++)
                (void) fprintf(out, "| `%s` | %s | %s |\n", data_members[i].name, data_members[i].meaning,
                        data_members[i].example);
        (void) fputs(sending_text, out);
}

/* ---- lifecycles ---- */

/* In the order in which a shopper meets them. */
static const struct lifecycle *const lifecycles[] = {
        &reservation_lifecycle,
        &pickup_lifecycle,
        &shipping_lifecycle,
        &check_in_lifecycle,
        &payment_lifecycle,
        &refund_lifecycle,
        &reception_lifecycle,
        &acceptance_lifecycle,
        &bucket_lifecycle,
        &webhook_lifecycle,
};

/* `is_left` and `is_entered` tell where a life ends; it begins where its table does. */
static bool is_left(const struct lifecycle *lifecycle, int state) {
        for (size_t i = 0; i < lifecycle->n_transitions; i++)
                if (lifecycle->transitions[i].from == state && lifecycle->transitions[i].to != state)
                        return true;
        return false;
}

static bool is_entered(const struct lifecycle *lifecycle, int state) {
        for (size_t i = 0; i < lifecycle->n_transitions; i++)
                if (lifecycle->transitions[i].to == state && lifecycle->transitions[i].from != state)
                        return true;
        return false;
}

static void print_diagram(FILE *out, const struct lifecycle *lifecycle) {
        (void) fputs("```mermaid\nstateDiagram-v2\n", out);
        (void) fprintf(out, "    [*] --> %s\n", lifecycle->states[lifecycle->transitions[0].from]);
        for (size_t i = 0; i < lifecycle->n_transitions; i++) {
                const struct transition *step = &lifecycle->transitions[i];

                (void) fprintf(out, "    %s --> %s: %s\n", lifecycle->states[step->from], lifecycle->states[step->to],
                        lifecycle->events[step->event]);
        }
        for (size_t i = 0; i < lifecycle->n_states; i++)
                if (is_entered(lifecycle, (int) i) && !is_left(lifecycle, (int) i))
                        (void) fprintf(out, "    %s --> [*]\n", lifecycle->states[i]);
        (void) fputs("```\n\n", out);
}

static void print_transitions(FILE *out, const struct lifecycle *lifecycle) {
        (void) fputs("| from | event | to | when |\n|---|---|---|---|\n", out);
        for (size_t i = 0; i < lifecycle->n_transitions; i++) {
                const struct transition *step = &lifecycle->transitions[i];

                (void) fprintf(out, "| %s | %s | %s | %s |\n", lifecycle->states[step->from],
                        lifecycle->events[step->event], lifecycle->states[step->to], step->comment);
        }
}

void page_lifecycles(FILE *out) {
        (void) fputs("# Lifecycles\n\n", out);
        (void) fprintf(out, printed_by, "openapi --lifecycles", "its room under src/");
        (void) fputs(
                "A state changes only along these lines; every other attempt gets 409 `invalid-transition`. "
                "The status of an order\nhas no lifecycle: the service computes it from the quantities of its lines.\n",
                out);
        for (size_t i = 0; i < array_size(lifecycles); i++) {
                (void) fprintf(out, "\n## The life of a %s\n\n", lifecycles[i]->name);
                print_diagram(out, lifecycles[i]);
                print_transitions(out, lifecycles[i]);
        }
}

/* ---- problems ---- */

void page_problems(FILE *out) {
        (void) fputs("# Problems\n\n", out);
        (void) fprintf(out, printed_by, "openapi --problems", "src/base/problem.h");
        (void) fputs("Every refusal is `application/problem+json` (RFC 9457). Clients switch on `code`; "
                     "`type` ends with it.\n\n| status | code | title |\n|---|---|---|\n",
                out);
        for (enum problem problem = PROBLEM_NONE + 1; problem < PROBLEM_COUNT; problem++)
                (void) fprintf(out, "| %u | `%s` | %s |\n", problem_status(problem), problem_slug(problem),
                        problem_title(problem));
        (void) fputs(
                "\n## Entries of `errors`\n\nAn entry has a `pointer` to the place in the request, a `code` and a `detail`. "
                "More codes may follow.\n\n| code | fault |\n|---|---|\n",
                out);
#define X(code, fault) (void) fputs("| `" code "` | " fault " |\n", out);
        VIOLATIONS(X)
#undef X
}
