#include "importing/known_codes.h"

#include "base/text.h"

#include <stdio.h>

#define PATH_SIZE 128

static int code_ask(struct import_catalog *catalog, struct importer *importer, const char *sku) {
        char path[PATH_SIZE];
        const struct import_request request = { .method = "GET", .path = path };
        struct call call;
        size_t before;
        int code;

        (void) snprintf(path, sizeof(path), "/v1/products/%s", sku);
        importer_call(importer, &call, &request);
        code = importer_run(importer, &call, 1);
        if (!code && !import_seen(call.reply.status == 200 ? &catalog->there : &catalog->missing, sku, "", 1, &before))
                code = EXIT_OUR_FAULT;
        call_clear(&call);
        return code;
}

int import_catalog_has(struct import_catalog *catalog, struct importer *importer, const char *sku, bool *ret_has) {
        int code = EXIT_OK;

        if (text_is_code(sku) && !import_has_seen(&catalog->there, sku, "") &&
                !import_has_seen(&catalog->missing, sku, ""))
                code = code_ask(catalog, importer, sku);
        *ret_has = import_has_seen(&catalog->there, sku, "");
        return code;
}

void import_catalog_clear(struct import_catalog *catalog) {
        import_seen_clear(&catalog->there);
        import_seen_clear(&catalog->missing);
}
