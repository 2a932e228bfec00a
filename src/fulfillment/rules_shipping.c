/* Shipping: parcels leave with a carrier. */
#include "fulfillment/leaving.h"

#include "base/text.h"
#include "base/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PACKAGES_SIZE_MAX ((size_t) 4 * 1024 * 1024)

static void write_package(struct writer *json, const struct package *package, timestamp now) {
        write_object_begin(json);
        write_text_member(json, "carrier", package->carrier);
        write_text_member(json, "tracking_number", package->tracking_number);
        write_time_member(json, "shipped_at", now);
        if (package->n_lines)
                write_line_units(json, package->lines, package->n_lines);
        write_object_end(json);
}

/* The list of packages so far with further ones at its end; NULL without memory. */
static const char *packages_text(
        const char *before, const struct package *packages, size_t n_packages, const struct command *command) {
        const char *end = strrchr(before, ']');
        const size_t kept = end ? (size_t) (end - before) : 0;
        struct buffer buffer;
        struct writer json;

        buffer_init(&buffer, command->arena, PACKAGES_SIZE_MAX);
        writer_init(&json, &buffer);
        if (kept)
                buffer_append(&buffer, before, kept);
        else
                buffer_append_text(&buffer, "[");
        json.comma = strchr(before, '{') != NULL;
        for (size_t i = 0; i < n_packages; i++)
                write_package(&json, &packages[i], command->now);
        buffer_append_text(&buffer, "]");
        return buffer.failed ? NULL : buffer_text(&buffer);
}

/* A package has a tracking number, and nothing of ours has such a member but a package. */
static size_t packages_count(const char *packages) {
        size_t n = 0;

        for (const char *at = packages; (at = strstr(at, "\"shipped_at\":")) != NULL; at++)
                n++;
        return n;
}

static bool has_left(const json_t *kept, const struct package *package) {
        for (size_t i = 0; i < json_array_size(kept); i++)
                if (text_equal(json_member_text(json_array_get(kept, i), "carrier"), package->carrier) &&
                        text_equal(
                                json_member_text(json_array_get(kept, i), "tracking_number"), package->tracking_number))
                        return true;
        return false;
}

/* Whether each of them is among those that have left. */
static bool have_left(const struct fulfillment *fulfillment, const struct package *packages, size_t n_packages) {
        _cleanup_(json_tree_cleanup) json_t *kept = json_loads(fulfillment->packages, 0, NULL);

        for (size_t i = 0; i < n_packages; i++)
                if (!has_left(kept, &packages[i]))
                        return false;
        return true;
}

static enum problem check_packages(const struct fulfillment *fulfillment, const struct package *packages,
        size_t n_packages, const struct command *command, struct departure *departure) {
        enum problem p = fulfillment_allows(fulfillment, FULFILLMENT_SHIP, command);
        bool the_rest = false;

        if (p)
                return p;
        if (packages_count(fulfillment->packages) + n_packages > PACKAGES_MAX) {
                (void) refuse_because(command->refusal, command->arena, "#/packages", "too-many",
                        "A fulfillment has %d packages at most.", PACKAGES_MAX);
                return refuse(command->refusal, command->arena, PROBLEM_VALIDATION_FAILED,
                        "The fulfillment has too many packages; see `errors`.");
        }
        for (size_t i = 0; i < n_packages; i++) {
                char at[64];

                (void) snprintf(at, sizeof(at), "#/packages/%zu/lines", i);
                for (size_t j = 0; j < packages[i].n_lines; j++)
                        departure_add(departure, fulfillment, &packages[i].lines[j], at, j, command);
                the_rest = the_rest || !packages[i].n_lines;
        }
        p = departure_check(departure, fulfillment, command);
        if (!p && the_rest)
                departure_rest(departure, fulfillment);
        return p;
}

enum problem fulfillment_ship(struct fulfillment *fulfillment, const struct package *packages, size_t n_packages,
        const struct command *command) {
        struct event *told = NULL;
        struct departure departure = { 0 };
        const char *text;
        enum problem p;

        if (fulfillment->status == FULFILLMENT_SHIPPED)
                return fulfillment_repeat(fulfillment, have_left(fulfillment, packages, n_packages), command);
        p = check_packages(fulfillment, packages, n_packages, command, &departure);
        if (p)
                return p;
        text = packages_text(fulfillment->packages, packages, n_packages, command);
        if (!text)
                return refuse(command->refusal, command->arena, PROBLEM_CONTENT_TOO_LARGE,
                        "The fulfillment has no room for the text of these packages.");
        p = departure_leave(fulfillment, &departure, FULFILLMENT_SHIP, EVENT_FULFILLMENT_SHIPPED,
                EVENT_FULFILLMENT_PARTIALLY_SHIPPED, command, &told);
        if (p)
                return p;
        event_integer(told, "packages", (int64_t) n_packages);
        fulfillment->packages = text;
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}

enum problem fulfillment_deliver(struct fulfillment *fulfillment, const struct command *command) {
        enum problem p;

        if (fulfillment->status == FULFILLMENT_DELIVERED)
                return fulfillment_repeat(fulfillment, /* same= */ true, command);
        p = fulfillment_advance(fulfillment, FULFILLMENT_DELIVER, command->arena, command->refusal);
        if (p)
                return p;
        (void) fulfillment_tell(fulfillment, EVENT_FULFILLMENT_DELIVERED, command);
        order_settle(fulfillment->order, command);
        return PROBLEM_NONE;
}
