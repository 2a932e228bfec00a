#include "importing/mapping.h"

#include "base/text.h"
#include "importing/formats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAP_FILE_SIZE_MAX ((size_t) 1024 * 1024)
#define MEMORY_MAX        ((size_t) 16 * 1024 * 1024)

static bool refuse(char *reason, const char *option, const char *fault) {
        char text[IMPORT_REASON_SIZE];

        (void) snprintf(text, sizeof(text), "%s", fault);
        (void) snprintf(reason, IMPORT_REASON_SIZE, "%.200s: %.800s", option, text);
        return false;
}

/* The whole file; NULL with a reason. */
static const char *map_file_read(struct arena *arena, const char *path, char *reason) {
        char *text = arena_alloc(arena, MAP_FILE_SIZE_MAX + 1);
        const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
        size_t size = 0;
        ssize_t n = 1;

        while (text && descriptor >= 0 && n > 0 && size < MAP_FILE_SIZE_MAX) {
                n = read(descriptor, text + size, MAP_FILE_SIZE_MAX - size);
                size += n > 0 ? (size_t) n : 0;
        }
        if (descriptor < 0 || n < 0)
                (void) refuse(reason, path, strerror(errno));
        else if (n > 0 || !text_is_utf8(text, size))
                (void) refuse(reason, path, "it is no map: a text in UTF-8 of 1 MiB at most");
        if (descriptor >= 0)
                (void) close(descriptor);
        return text && descriptor >= 0 && n == 0 && text_is_utf8(text, size) ? text : NULL;
}

/* What the options add to a map. */
static bool options_add(struct import_map *map, const struct mapping_options *options, char *reason) {
        char fault[IMPORT_REASON_SIZE];

        for (size_t i = 0; i < options->n_maps; i++)
                if (!import_map_add_pairs(map, options->maps[i], fault))
                        return refuse(reason, "--map", fault);
        for (size_t i = 0; i < options->n_sets; i++)
                if (!import_map_set(map, options->sets[i], fault))
                        return refuse(reason, "--set", fault);
        return true;
}

static struct import_map *map_new(struct mapping *mapping, const struct import_columns *columns, const char *text,
        const struct mapping_options *options, const char *name, char *reason) {
        struct import_map *map = arena_new(&mapping->arena, struct import_map);
        char fault[IMPORT_REASON_SIZE];

        if (!map) {
                (void) refuse(reason, name, "there is no memory left");
                return NULL;
        }
        import_map_init(map, &mapping->arena, columns);
        if (text && !import_map_add_lines(map, text, fault)) {
                (void) refuse(reason, name, fault);
                return NULL;
        }
        return options_add(map, options, reason) ? map : NULL;
}

/* The sections of a text that are of the kind. */
static bool sections_add(struct mapping *mapping, const char *text, const char *kind,
        const struct import_columns *columns, const struct mapping_options *options, char *reason) {
        const char *name, *section_kind, *section;

        while (import_map_section(&mapping->arena, &text, &name, &section_kind, &section)) {
                struct import_map *map;

                if (!section)
                        return refuse(reason, "--from", "there is no memory left");
                if (!text_equal(section_kind, kind))
                        continue;
                if (mapping->n_formats == MAPPING_MAPS_MAX)
                        return refuse(reason, name, "there are more than 32 formats");
                map = map_new(mapping, columns, section, options, name, reason);
                if (!map)
                        return false;
                map->format = name;
                mapping->formats[mapping->n_formats++] = map;
        }
        return true;
}

static bool formats_add(struct mapping *mapping, const struct mapping_options *options, const char *kind,
        const struct import_columns *columns, char *reason) {
        for (size_t i = 0; i < import_format_count; i++)
                if ((!options->format || text_equal(options->format, import_formats[i].name)) &&
                        !sections_add(mapping, import_formats[i].text, kind, columns, options, reason))
                        return false;
        return true;
}

static bool map_file_add(struct mapping *mapping, const struct mapping_options *options, const char *kind,
        const struct import_columns *columns, char *reason) {
        const char *text = map_file_read(&mapping->arena, options->file, reason), *begin = text, *name, *of, *section;

        if (!text)
                return false;
        if (!import_map_section(&mapping->arena, &begin, &name, &of, &section)) {
                mapping->plain = map_new(mapping, columns, text, options, options->file, reason);
                return mapping->plain;
        }
        mapping->must_fit = true;
        return sections_add(mapping, text, kind, columns, options, reason);
}

static bool format_is_known(const char *name) {
        for (size_t i = 0; i < import_format_count; i++)
                if (text_equal(name, import_formats[i].name))
                        return true;
        return false;
}

bool mapping_make(struct mapping *mapping, const struct mapping_options *options, const char *kind,
        const struct import_columns *columns, char *reason) {
        *mapping = (struct mapping){ .must_fit = options->format };
        arena_init(&mapping->arena, MEMORY_MAX);
        if (options->format && options->file)
                return refuse(reason, "--from", "take either --from or --map-file");
        if (options->format && !format_is_known(options->format))
                return refuse(reason, "--from", "there is no such format; the formats are " IMPORT_FORMAT_NAMES);
        if (options->file) {
                if (!map_file_add(mapping, options, kind, columns, reason))
                        return false;
        } else if ((options->format || !options->n_maps) && !formats_add(mapping, options, kind, columns, reason)) {
                return false;
        }
        if (mapping->must_fit && !mapping->n_formats)
                return refuse(reason, options->format ? options->format : options->file, "it has no map for this kind");
        if (options->format || options->file || (!options->n_maps && !options->n_sets))
                return true;
        mapping->plain = map_new(mapping, columns, NULL, options, "--map", reason);
        return mapping->plain;
}

static bool format_fault(const struct mapping *mapping, char *reason) {
        size_t n = (size_t) snprintf(reason, IMPORT_FAULT_SIZE,
                "the header line is not that of %s; it needs the columns", mapping->formats[0]->format);

        for (size_t i = 0; i < mapping->n_formats; i++)
                for (size_t j = 0; j < mapping->formats[i]->has.n && n < IMPORT_FAULT_SIZE; j++)
                        n += (size_t) snprintf(reason + n, IMPORT_FAULT_SIZE - n, "%s \"%.64s\"",
                                j   ? ","
                                : i ? ", or"
                                    : "",
                                mapping->formats[i]->has.at[j]);
        return false;
}

bool mapping_choose(const struct mapping *mapping, const struct import_header *header, bool is_complete,
        const struct import_map **ret_map, char *reason) {
        *ret_map = mapping->plain;
        if (is_complete && !mapping->must_fit)
                return true;
        for (size_t i = 0; i < mapping->n_formats; i++)
                if (import_map_fits(mapping->formats[i], header)) {
                        *ret_map = mapping->formats[i];
                        return true;
                }
        return !mapping->must_fit || format_fault(mapping, reason);
}

void mapping_clear(struct mapping *mapping) {
        arena_clear(&mapping->arena);
        *mapping = (struct mapping){ 0 };
}
