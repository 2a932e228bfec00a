/* Missing units as needs, and the plan of their new locations as fulfillments. Pure but for the new ids. */
#include "fulfillment/resourcing.h"

#include <jansson.h>

bool short_reason_resources(enum short_reason reason) {
        return reason != SHORT_CUSTOMER_REQUEST;
}

/* ---- missing units ---- */

static size_t allocations_count(const struct order_line *line) {
        size_t n = 0;

        for (const struct fulfillment_line *at = line->allocations; at; at = at->older)
                n++;
        return n;
}

/* Locations that rejected a part of the order, or fell short of the line. */
static enum problem need_exclude(struct sourcing_need *need, const struct order_line *line, struct arena *arena) {
        const struct order *order = line->order;
        const char **codes = arena_new_array(arena, const char *, order->n_fulfillments + allocations_count(line));

        if (!codes)
                return FAULT_BUSY;
        need->excluded = codes;
        for (size_t i = 0; i < order->n_fulfillments; i++)
                if (order->fulfillments[i]->status == FULFILLMENT_REJECTED)
                        codes[need->n_excluded++] = order->fulfillments[i]->location;
        for (const struct fulfillment_line *at = line->allocations; at; at = at->older)
                if (at->shorted)
                        codes[need->n_excluded++] = at->fulfillment->location;
        return PROBLEM_NONE;
}

static enum problem shortage_add(
        struct shortage *shortage, struct fulfillment_line *line, int64_t quantity, struct arena *arena) {
        const size_t n = shortage->n++;

        shortage->lines[n] = line;
        shortage->needs[n] =
                (struct sourcing_need){ .sku = line->order_line->sku, .quantity = quantity, .left = quantity };
        return need_exclude(&shortage->needs[n], line->order_line, arena);
}

static enum problem shortage_of_all(
        const struct fulfillment *fulfillment, struct arena *arena, struct shortage *shortage) {
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < fulfillment->n_lines && !p; i++) {
                const int64_t open = fulfillment_line_open(&fulfillment->lines[i]);

                if (open)
                        p = shortage_add(shortage, &fulfillment->lines[i], open, arena);
        }
        return p;
}

static enum problem shortage_of_lines(const struct fulfillment *fulfillment, const struct line_units *lines,
        size_t n_lines, struct arena *arena, struct shortage *shortage) {
        enum problem p = PROBLEM_NONE;

        for (size_t i = 0; i < n_lines && !p; i++) {
                struct fulfillment_line *line = fulfillment_line_find(fulfillment, &lines[i].order_line_id);

                if (!line || lines[i].quantity > fulfillment_line_remaining(line)) {
                        shortage->n = 0;
                        break;
                }
                p = shortage_add(shortage, line, lines[i].quantity, arena);
        }
        return p;
}

enum problem shortage_find(const struct fulfillment *fulfillment, const struct line_units *lines, size_t n_lines,
        struct arena *arena, struct shortage *ret_shortage) {
        const size_t room = lines ? n_lines : fulfillment->n_lines;
        struct shortage shortage = { 0 };
        enum problem p;

        shortage.lines = arena_new_array(arena, struct fulfillment_line *, room);
        shortage.needs = arena_new_array(arena, struct sourcing_need, room);
        if (!shortage.lines || !shortage.needs)
                return FAULT_BUSY;
        p = lines ? shortage_of_lines(fulfillment, lines, n_lines, arena, &shortage)
                  : shortage_of_all(fulfillment, arena, &shortage);
        if (!p)
                *ret_shortage = shortage;
        return p;
}

/* ---- the search ---- */

static struct position address_position(const char *address) {
        json_t *tree = address ? json_loads(address, 0, NULL) : NULL;
        const json_t *latitude = json_object_get(tree, "latitude"), *longitude = json_object_get(tree, "longitude");
        const struct position position = {
                .known = json_is_number(latitude) && json_is_number(longitude),
                .latitude = json_number_value(latitude),
                .longitude = json_number_value(longitude),
        };

        json_decref(tree);
        return position;
}

struct sourcing_search shortage_search(const struct fulfillment *fulfillment, int64_t radius_km) {
        const bool ships = fulfillment->method == BY_SHIPPING;

        return (struct sourcing_search){
                .capability = (enum capability) fulfillment_capability(fulfillment->method),
                .place = address_position(ships ? fulfillment->order->ship_to : NULL),
                .near = fulfillment->location,
                .elsewhere = true,
                .radius_km = ships ? 0 : radius_km,
        };
}

enum problem shortage_source(const struct shortage *shortage, struct sourcing_search *search,
        const struct command *command, struct sourcing_plan *ret_plan) {
        *ret_plan = (struct sourcing_plan){ 0 };
        if (!search || !shortage->n)
                return PROBLEM_NONE;
        return sourcing_confirm(search, shortage->needs, shortage->n, command->stock, command->now, ret_plan);
}

/* ---- taking over ---- */

static bool is_candidate_repeated(const struct sourcing_plan *plan, size_t place) {
        for (size_t i = 0; i < place; i++)
                if (plan->parts[i].candidate == plan->parts[place].candidate)
                        return true;
        return false;
}

static void tell_resourced(
        const struct fulfillment *from, const struct fulfillment *to, const struct command *command) {
        struct event *event = fulfillment_tell(from, EVENT_FULFILLMENT_RESOURCED, command);
        struct line_units lines[ORDER_LINES_MAX];
        char id[UUID_TEXT_SIZE];

        uuid_format(&to->id, id);
        for (size_t i = 0; i < to->n_lines; i++)
                lines[i] = (struct line_units){ to->lines[i].order_line->id, to->lines[i].quantity };
        event_text(event, "from", from->location);
        event_text(event, "to", to->location);
        event_text(event, "replaced_by", id);
        event_lines(event, lines, to->n_lines);
        (void) fulfillment_tell(to, EVENT_FULFILLMENT_ALLOCATED, command);
}

/* A candidate supplies one part of a need at most. */
static void take_lines_over(struct fulfillment *to, const struct shortage *shortage, const struct sourcing_plan *plan,
        const struct candidate *of) {
        for (size_t i = 0; i < plan->n_parts; i++) {
                const struct sourcing_part *part = &plan->parts[i];
                struct fulfillment_line *line = &to->lines[to->n_lines];

                if (part->candidate != of)
                        continue;
                *line = (struct fulfillment_line){ .fulfillment = to, .stock = part->row, .quantity = part->quantity };
                order_line_allocate(shortage->lines[part->need]->order_line, line);
                to->n_lines++;
        }
}

enum problem shortage_take_over(struct fulfillment *from, const struct shortage *shortage,
        const struct sourcing_plan *plan, const struct command *command) {
        struct arena *arena = command->stock->arena;

        for (size_t i = 0; i < plan->n_parts; i++) {
                const struct candidate *candidate = plan->parts[i].candidate;
                struct fulfillment *to;

                if (is_candidate_repeated(plan, i))
                        continue;
                to = order_add_fulfillment(
                        from->order, from->method, candidate->code, candidate->promised_at, command->now, arena);
                if (!to)
                        return FAULT_BUSY;
                to->replaces = from->id;
                to->recipient = from->recipient;
                to->lines = arena_new_array(arena, struct fulfillment_line, plan->n_parts - i);
                if (!to->lines)
                        return FAULT_BUSY;
                take_lines_over(to, shortage, plan, candidate);
                tell_resourced(from, to, command);
        }
        return PROBLEM_NONE;
}
