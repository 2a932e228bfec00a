/*
 * exporting/commands: the requests for exports.
 */
#pragma once

#include "engine/call.h"

extern const struct shape export_query_shape;

/* On the loop: the kind exists, takes the options, and the token covers them. */
void export_check(struct call *call);

/* On a download's thread: write all rows of the kind. */
void export_download(struct call *call, struct database *database, struct download *download);
