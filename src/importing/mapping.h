/*
 * importing/mapping: the maps of an import, by its options and by the formats that come with the program.
 */
#pragma once

#include "importing/map.h"

#define MAPPING_OPTIONS_MAX 32
#define MAPPING_MAPS_MAX    32

/* The options that name maps, as given. */
struct mapping_options {
        const char *maps[MAPPING_OPTIONS_MAX], *sets[MAPPING_OPTIONS_MAX];
        size_t n_maps, n_sets;
        const char *file;   /* --map-file; NULL: none */
        const char *format; /* --from; NULL: by the header */
};

/* `plain` is the caller's own map, and `formats` are those that the header may prove. */
struct mapping {
        struct arena arena;
        struct import_map *plain; /* NULL: the columns are those of the kind */
        struct import_map *formats[MAPPING_MAPS_MAX];
        size_t n_formats;
        bool must_fit; /* the caller named the format */
};

/* False with a reason of IMPORT_REASON_SIZE that names the option. The mapping is cleared in both cases. */
bool mapping_make(struct mapping *mapping, const struct mapping_options *options, const char *kind,
        const struct import_columns *columns, char *reason);

/* The map for the header: the caller's, or that of the format it proves. False with a fault of IMPORT_FAULT_SIZE: it
 * does not prove the format that was named. *ret_map may be NULL. */
bool mapping_choose(const struct mapping *mapping, const struct import_header *header, bool is_complete,
        const struct import_map **ret_map, char *reason);

void mapping_clear(struct mapping *mapping);
