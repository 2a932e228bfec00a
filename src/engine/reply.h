/*
 * engine/reply: the answer of a call, written into its arena.
 *
 *     struct reply_writer w;
 *     reply_begin(&w, call, 201);
 *     write_text_member(&w.json, "id", id);
 *     reply_end(&w);
 *
 * The body is one JSON object. When it does not fit (REPLY_SIZE_MAX, or the call's memory) the answer becomes a
 * problem. Headers are set on call->reply.
 */
#pragma once

#include "engine/call.h"

#define PROBLEM_TYPE_BASE "https://holdfast.example/problems/"

struct reply_writer {
        struct call *call;
        struct buffer buffer;
        struct writer json;
};

/* Open the object of a reply with this status. */
void reply_begin(struct reply_writer *writer, struct call *call, unsigned status);

/* Close it and make it the reply. */
void reply_end(struct reply_writer *writer);

/* Strong ETag from a version: "17" with its quotes. */
void reply_etag(struct call *call, int64_t version);

/* The same for a body that depends on its reader: `view` tells readers apart, as in "17-2f"; 0: it shows everything.
 * If-None-Match compares the whole tag, If-Match the version alone. */
void reply_etag_of_view(struct call *call, int64_t version, uint64_t view);

/* RFC 9457 problem document for call->refusal, with the headers that belong to it. */
void reply_problem(struct call *call);

/* The same for a problem with its title alone. */
void reply_plain_problem(struct call *call, enum problem problem);

/* A problem as a value within a reply: the refusal of one item of a bulk request. */
void reply_write_problem(struct writer *json, const struct refusal *refusal);
