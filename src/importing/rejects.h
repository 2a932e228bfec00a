/*
 * importing/rejects: refused rows, kept until the end, then written as a file that can be mended and imported.
 *
 * Reasons wait in a temporary file; memory grows by 16 bytes a refused row. The file of rejects has the header and the
 * rows as they were, and two more columns, which an import passes over. It is UTF-8; other encodings are converted, and
 * a byte order mark says so.
 */
#pragma once

#include "importing/file.h"

#include <stdio.h>

struct import_reject {
        uint64_t line;
        uint64_t offset; /* of the reason in the temporary file */
};

struct import_rejects {
        FILE *reasons, *out;
        struct import_reject *at;
        size_t n, capacity;
        bool failed;
};

/* Open both files. False with a reason of IMPORT_REASON_SIZE. */
bool import_rejects_open(struct import_rejects *rejects, const char *path, char *reason);

void import_rejects_add(struct import_rejects *rejects, size_t line, const char *reason);

/* Read the file that was imported again, and write its refused rows. False with a reason. */
bool import_rejects_write(struct import_rejects *rejects, const struct import_file *imported, char *reason);

void import_rejects_close(struct import_rejects *rejects);
