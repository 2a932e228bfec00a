#include "http/router.h"

#include "base/text.h"

#include <string.h>

struct segments {
        const char *at[PATH_SEGMENTS_MAX];
        size_t n;
};

/* Split "/a/b" in place. False for an empty segment or too many: no route has them. */
static bool split(char *path, struct segments *segments) {
        char *segment = path + 1;

        segments->n = 0;
        while (segment) {
                char *slash = strchr(segment, '/');

                if (slash)
                        *slash++ = '\0';
                if (!*segment || segments->n == PATH_SEGMENTS_MAX)
                        return false;
                segments->at[segments->n++] = segment;
                segment = slash;
        }
        return true;
}

/* The end of the template's segment when it fits the text; NULL when not. Most routes differ in the first letter. */
static const char *segment_pass(const char *segment, const char *text) {
        if (*segment == '{')
                return segment + strcspn(segment, "/");
        for (; *text && *text == *segment; text++)
                segment++;
        return *text || (*segment && *segment != '/') ? NULL : segment;
}

/* Whether the template fits the segments, whatever its parameters hold. */
static bool template_fits(const char *template, const struct segments *segments) {
        const char *segment = template + 1;

        for (size_t i = 0; i < segments->n; i++) {
                segment = segment_pass(segment, segments->at[i]);
                if (!segment || (*segment != '/') != (i + 1 == segments->n))
                        return false;
                segment++;
        }
        return true;
}

/* ---- parameters ---- */

static struct route_parameter parameter_named(const char *name, size_t size, size_t segment) {
        static const char id[] = "id";
        const size_t tail = sizeof(id) - 1;
        const bool ends = size >= tail && memcmp(name + size - tail, id, tail) == 0;

        return (struct route_parameter){
                .name = name,
                .size = size,
                .segment = segment,
                .is_id = ends && (size == tail || name[size - tail - 1] == '_'),
        };
}

size_t route_parameters(const struct route *route, struct route_parameter *ret_parameters) {
        size_t n = 0, segment = 0;

        for (const char *at = strchr(route->path, '/'); at; at = strchr(at + 1, '/'), segment++) {
                if (at[1] != '{')
                        continue;
                if (n < PATH_PARAMETERS_MAX)
                        ret_parameters[n] = parameter_named(at + 2, strcspn(at + 2, "}"), segment);
                n++;
        }
        return n;
}

static enum problem parameter_take(const struct route_parameter *parameter, const char *value, struct arena *arena,
        struct refusal *refusal, struct path_parameter *ret_taken) {
        struct path_parameter taken = { .code = parameter->is_id ? NULL : value };

        if (parameter->is_id ? !uuid_parse(value, &taken.id) : !text_is_code(value))
                return refuse(refusal, arena, PROBLEM_INVALID_PARAMETER, "The path parameter %.*s is not a %s.",
                        (int) parameter->size, parameter->name, parameter->is_id ? "UUID" : "valid code");
        *ret_taken = taken;
        return PROBLEM_NONE;
}

static enum problem parameters_take(const struct route *route, const struct segments *segments, struct arena *arena,
        struct refusal *refusal, struct call_path *path) {
        struct route_parameter parameters[PATH_PARAMETERS_MAX];
        const size_t n = route_parameters(route, parameters);
        enum problem p = PROBLEM_NONE;

        for (; path->n < n && path->n < PATH_PARAMETERS_MAX && !p; path->n++) {
                const struct route_parameter *parameter = &parameters[path->n];

                p = parameter_take(parameter, segments->at[parameter->segment], arena, refusal, &path->at[path->n]);
        }
        return p;
}

/* ---- routes ---- */

static const char *allow_text(struct arena *arena, unsigned methods) {
        static const char *const names[] = { "DELETE", "GET, HEAD", "POST", "PUT" };
        struct buffer buffer;

        buffer_init(&buffer, arena, 64);
        for (size_t i = 0; i < array_size(names); i++)
                if (methods & 1u << i)
                        buffer_append_format(&buffer, "%s%s", buffer.size ? ", " : "", names[i]);
        return buffer_text(&buffer);
}

static const struct route *lookup(
        const struct router *router, enum method method, const struct segments *segments, unsigned *ret_methods) {
        const struct route *found = NULL;

        *ret_methods = 0;
        for (size_t i = 0; i < router->n_lists; i++)
                for (size_t j = 0; j < router->lists[i].n; j++) {
                        const struct route *route = &router->lists[i].routes[j];

                        if (!template_fits(route->path, segments))
                                continue;
                        *ret_methods |= 1u << route->method;
                        if (route->method == method && !found)
                                found = route;
                }
        return found;
}

static enum problem segments_decode(struct segments *segments, struct arena *arena, struct refusal *refusal) {
        for (size_t i = 0; i < segments->n; i++)
                if (!text_percent_decode((char *) (uintptr_t) segments->at[i], /* allow_slash= */ false))
                        return refuse(refusal, arena, PROBLEM_MALFORMED_REQUEST,
                                "The path is not valid percent-encoded UTF-8, or hides a slash or NUL.");
        return PROBLEM_NONE;
}

enum problem router_find(const struct router *router, enum method method, const char *target, struct arena *arena,
        struct refusal *refusal, struct routing *ret_routing, const char **ret_allow) {
        struct routing routing = { 0 };
        struct segments segments;
        char *path = arena_text(arena, target);
        unsigned methods = 0;
        enum problem p;

        if (!path || path[0] != '/')
                return refuse(refusal, arena, PROBLEM_MALFORMED_REQUEST, "The request target is not a path.");
        routing.query = strchr(path, '?');
        if (routing.query)
                *routing.query++ = '\0';
        routing.path_text = arena_text(arena, path);
        if (!routing.path_text || !split(path, &segments))
                return refuse(refusal, arena, PROBLEM_NOT_FOUND, "There is no such path.");
        p = segments_decode(&segments, arena, refusal);
        if (p)
                return p;
        routing.route = lookup(router, method, &segments, &methods);
        if (!methods)
                return refuse(refusal, arena, PROBLEM_NOT_FOUND, "There is no such path.");
        if (!routing.route) {
                *ret_allow = allow_text(arena, methods);
                return refuse(refusal, arena, PROBLEM_METHOD_NOT_ALLOWED, "This path allows %s.", *ret_allow);
        }
        p = parameters_take(routing.route, &segments, arena, refusal, &routing.path);
        if (!p)
                *ret_routing = routing;
        return p;
}
