#include "http/documents.h"

#include "base/text.h"
#include "engine/reply.h"

#define FOR_EVER "public, max-age=31536000, immutable"
#define ASK_ANEW "no-cache"

/* Only the files of the page; its script sets styles. */
#define DOCS_POLICY                                                                                                    \
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "              \
        "base-uri 'none'; frame-ancestors 'none'"

static void answer_with(struct call *call, const struct document *document, const char *cache_control) {
        call->reply = (struct reply){
                .status = 200,
                .body = document->bytes,
                .body_size = document->size,
                .content_type = document->content_type,
                .content_encoding = document->content_encoding,
                .etag = document->etag,
                .cache_control = cache_control,
        };
}

static void openapi_answer(struct call *call) {
        answer_with(call, &openapi_document, ASK_ANEW);
}

static void docs_answer(struct call *call) {
        answer_with(call, &docs_page, ASK_ANEW);
        call->reply.content_security_policy = DOCS_POLICY;
}

static void asset_answer(struct call *call) {
        for (size_t i = 0; i < docs_asset_count; i++)
                if (text_equal(call_code(call, 0), docs_assets[i].name)) {
                        answer_with(call, &docs_assets[i], FOR_EVER);
                        return;
                }
        reply_plain_problem(call, PROBLEM_NOT_FOUND);
}

static const struct route routes[] = {
        { METHOD_GET, "/openapi.json", .answer = openapi_answer, .open = true },
        { METHOD_GET, "/docs", .answer = docs_answer, .open = true },
        { METHOD_GET, "/docs/{asset}", .answer = asset_answer, .open = true },
};

struct route_list document_routes(bool with_docs) {
        return (struct route_list){ routes, with_docs ? array_size(routes) : 1 };
}
