#include "commands/shapes.h"

#include "commands/commands.h"

#define OUTPUT_MAX ((size_t) 1024 * 1024)

static const char *const kind_texts[] = {
        [SHAPE_BOOLEAN] = "boolean",
        [SHAPE_CODE] = "code",
        [SHAPE_DURATION] = "duration",
        [SHAPE_ENUM] = "enum",
        [SHAPE_INTEGER] = "integer",
        [SHAPE_LIST] = "list",
        [SHAPE_MONEY] = "money",
        [SHAPE_NUMBER] = "number",
        [SHAPE_OBJECT] = "object",
        [SHAPE_RAW] = "raw",
        [SHAPE_TEXT] = "text",
        [SHAPE_TEXTS] = "texts",
        [SHAPE_TEXT_LIST] = "text_list",
        [SHAPE_TIME] = "time",
        [SHAPE_UUID] = "uuid",
};

static void write_shape(struct writer *json, const struct shape *shape);

static void write_names(struct writer *json, const char *const *names) {
        write_name(json, "names");
        write_list_begin(json);
        for (size_t i = 0; names[i]; i++)
                write_text(json, names[i]);
        write_list_end(json);
}

static void write_member(struct writer *json, const struct shape_member *member) {
        write_object_begin(json);
        write_text_member(json, "name", member->name);
        write_text_member(json, "kind", kind_texts[member->kind]);
        write_boolean_member(json, "required", member->required);
        write_integer_member(json, "minimum", member->minimum);
        write_integer_member(json, "maximum", member->maximum);
        if (member->names)
                write_names(json, member->names);
        if (member->shape) {
                write_name(json, "shape");
                write_shape(json, member->shape);
        }
        write_object_end(json);
}

static void write_shape(struct writer *json, const struct shape *shape) {
        if (!shape) {
                write_null(json);
                return;
        }
        write_list_begin(json);
        for (size_t i = 0; i < shape->n_members; i++)
                write_member(json, &shape->members[i]);
        write_list_end(json);
}

static void write_path(struct writer *json, const struct route *route) {
        struct route_parameter parameters[PATH_PARAMETERS_MAX];
        const size_t n = route_parameters(route, parameters);

        write_list_begin(json);
        for (size_t i = 0; i < n && i < PATH_PARAMETERS_MAX; i++) {
                write_object_begin(json);
                write_name(json, "name");
                buffer_append_format(json->buffer, "\"%.*s\"", (int) parameters[i].size, parameters[i].name);
                json->comma = true;
                write_text_member(json, "kind", kind_texts[parameters[i].is_id ? SHAPE_UUID : SHAPE_CODE]);
                write_object_end(json);
        }
        write_list_end(json);
}

static void write_route(struct writer *json, const struct route *route) {
        write_object_begin(json);
        write_text_member(json, "method", method_text(route->method));
        write_text_member(json, "path", route->path);
        write_name(json, "parameters");
        write_path(json, route);
        write_name(json, "body");
        write_shape(json, route->body);
        write_name(json, "query");
        write_shape(json, route->query);
        write_object_end(json);
}

void shapes_print(FILE *out) {
        struct route_list lists[ROUTE_LISTS_MAX];
        const size_t n = all_routes(lists);
        struct arena arena;
        struct buffer buffer;
        struct writer json;

        arena_init(&arena, 4 * OUTPUT_MAX);
        buffer_init(&buffer, &arena, OUTPUT_MAX);
        writer_init(&json, &buffer);
        write_list_begin(&json);
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < lists[i].n; j++)
                        write_route(&json, &lists[i].routes[j]);
        write_list_end(&json);
        (void) fprintf(out, "%s\n", buffer_text(&buffer));
        arena_clear(&arena);
}
