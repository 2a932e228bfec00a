/* api/asyncapi.yaml, printed from the table of events (AsyncAPI 3.0.0). */
#include "commands/pages.h"

#include "base/text.h"
#include "events/types.h"

#include <string.h>

static const char head[] =
        "# Printed by `holdfast openapi --asyncapi`; change the table in src/events/types.h instead.\n"
        "asyncapi: 3.0.0\n"
        "info:\n"
        "  title: Holdfast events\n"
        "  version: 1.0.0\n"
        "  description: The changes of all documents of a market as CloudEvents 1.0, each document in the order of its versions.\n"
        "  license:\n"
        "    name: Apache-2.0\n"
        "defaultContentType: application/json\n"
        "channels:\n"
        "  events:\n"
        "    address: /v1/events/stream\n"
        "    title: All events\n"
        "    description: Server-sent events; GET /v1/events answers the same page by page.\n"
        "    bindings:\n"
        "      http: {bindingVersion: 0.3.0}\n"
        "    messages:\n";

static const char envelope[] =
        "    Event:\n"
        "      type: object\n"
        "      required: [specversion, id, source, type, time, timestamp, subject, sequence, datacontenttype, data]\n"
        "      properties:\n"
        "        specversion: {const: '1.0'}\n"
        "        id: {type: string, format: uuid}\n"
        "        source: {type: string, format: uri-reference}\n"
        "        type: {type: string}\n"
        "        time: {type: string, format: date-time}\n"
        "        timestamp: {type: string, format: date-time}\n"
        "        subject: {type: string}\n"
        "        sequence: {type: string, pattern: '^[0-9]{20}$', description: Grows in the order of publication over the whole market.}\n"
        "        datacontenttype: {const: application/json}\n"
        "        data: {type: object}\n";

/* The schema of a member in flow style. */
static const char *form_schema(const char *form) {
        static const struct {
                const char *form, *schema;
        } forms[] = {
                { "id", "type: string, format: uuid" },
                { "integer", "type: integer" },
                { "lines", "type: array, items: {type: object}" },
                { "object", "type: object" },
                { "text", "type: string" },
                { "texts", "type: array, items: {type: string}" },
                { "time", "type: string, format: date-time" },
        };

        for (size_t i = 0; i < array_size(forms); i++)
                if (text_equal(forms[i].form, form))
                        return forms[i].schema;
        return "";
}

static void print_member(FILE *out, const char *name, size_t size) {
        for (size_t i = 0; i < event_data_member_count; i++) {
                const struct event_member *member = &event_data_members[i];

                if (strlen(member->name) == size && !strncmp(member->name, name, size))
                        (void) fprintf(out, "                %s: {%s, description: \"%s\"}\n", member->name,
                                form_schema(member->form), member->meaning);
        }
}

/* Members of `data` that every event may have come first. */
static void print_event_schema(FILE *out, const struct event_type_row *row) {
        const char *members = row->members, *member;
        size_t size;

        (void) fprintf(out,
                "    %s:\n"
                "      description: \"%s\"\n"
                "      allOf:\n"
                "        - $ref: '#/components/schemas/Event'\n"
                "        - properties:\n"
                "            type: {const: %s%s}\n"
                "            data:\n"
                "              required: [version]\n"
                "              properties:\n"
                "                version: {type: integer, minimum: 1, description: of the subject}\n"
                "                order_id: {type: string, format: uuid, description: the order that the subject belongs to}\n"
                "                location: {type: string, description: code of the location}\n",
                row->name, row->meaning, event_type_prefix, row->name);
        if (!strstr(row->members, "channel"))
                (void) fputs("                channel: {type: string, description: code of the channel}\n", out);
        while (text_next_part(&members, ' ', &member, &size))
                print_member(out, member, size);
        (void) fputs("              additionalProperties: false\n", out);
}

void page_asyncapi(FILE *out) {
        (void) fputs(head, out);
        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++)
                (void) fprintf(out, "      %s: {$ref: '#/components/messages/%s'}\n", event_types[type].name,
                        event_types[type].name);
        (void) fputs("operations:\n"
                     "  tellEvents:\n"
                     "    action: send\n"
                     "    title: Tell every event\n"
                     "    channel: {$ref: '#/channels/events'}\n"
                     "components:\n"
                     "  messages:\n",
                out);
        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++)
                (void) fprintf(out,
                        "    %s:\n"
                        "      name: %s%s\n"
                        "      description: \"%s\"\n"
                        "      contentType: application/json\n"
                        "      payload: {$ref: '#/components/schemas/%s'}\n",
                        event_types[type].name, event_type_prefix, event_types[type].name, event_types[type].meaning,
                        event_types[type].name);
        (void) fputs("  schemas:\n", out);
        (void) fputs(envelope, out);
        for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++)
                print_event_schema(out, &event_types[type]);
}
