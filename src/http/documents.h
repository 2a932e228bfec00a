/*
 * http/documents: the API's description, /openapi.json, and the page that shows it, /docs.
 *
 * The documents are part of the program (api/embed.py); nothing is read at run time. An asset's name contains its
 * digest, so clients may keep it for ever. Any thread.
 */
#pragma once

#include "http/router.h"

struct document {
        const char *name; /* last part of its address */
        const char *content_type;
        const char *content_encoding; /* "gzip", or NULL */
        const char *etag;
        const char *bytes;
        size_t size;
};

extern const struct document openapi_document, docs_page, docs_assets[];
extern const size_t docs_asset_count;

/* The open routes that serve them; /docs only `with_docs`. */
struct route_list document_routes(bool with_docs);
