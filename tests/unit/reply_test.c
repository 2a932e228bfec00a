#include "engine/reply.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

static struct call call;

static void begin(void) {
        call_init(&call, NULL);
        call.request_id = uuid_new();
}

static void end(void) {
        call_clear(&call);
}

TestSuite(reply, .init = begin, .fini = end);

static json_t *body(void) {
        json_t *tree = json_loadb(call.reply.body, call.reply.body_size, JSON_REJECT_DUPLICATES, NULL);

        cr_assert_not_null(tree, "%s", call.reply.body);
        return tree;
}

static const char *text_at(const json_t *tree, const char *name) {
        return json_string_value(json_object_get(tree, name));
}

Test(reply, a_body_is_one_object_in_the_memory_of_the_call) {
        struct reply_writer w;
        json_t *tree;

        reply_begin(&w, &call, 201);
        write_text_member(&w.json, "name", "a\"b");
        write_integer_member(&w.json, "n", 7);
        reply_end(&w);
        reply_etag(&call, 17);
        cr_assert_eq(call.reply.status, 201);
        cr_assert_str_eq(call.reply.body, "{\"name\":\"a\\\"b\",\"n\":7}");
        cr_assert_eq(call.reply.body_size, strlen(call.reply.body));
        cr_assert_str_eq(call.reply.etag, "\"17\"");
        tree = body();
        cr_assert_str_eq(text_at(tree, "name"), "a\"b");
        json_decref(tree);
}

Test(reply, one_that_does_not_fit_becomes_a_problem) {
        struct reply_writer w;
        char text[4096];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        reply_begin(&w, &call, 200);
        for (size_t size = 0; size <= REPLY_SIZE_MAX; size += sizeof(text))
                write_text_member(&w.json, "x", text);
        reply_end(&w);
        cr_assert_eq(call.reply.status, problem_status(PROBLEM_CONTENT_TOO_LARGE));
        json_decref(body());
}

Test(reply, a_problem_says_all_that_is_known) {
        json_t *tree, *first;
        struct violation *violation;

        memcpy(call.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736", TRACE_ID_SIZE);
        call_refuse(&call, PROBLEM_INSUFFICIENT_STOCK, "Only %d left.", 1);
        call.refusal.current_status = "active";
        call.refusal.link = "/v1/orders/1";
        violation = refuse_because(&call.refusal, &call.arena, "#/lines/0", "insufficient-stock", "1 available");
        violation->available = 1;
        violation->has_available = true;
        reply_problem(&call);
        cr_assert_eq(call.reply.status, 409);
        cr_assert_str_eq(call.reply.link, "</v1/orders/1>; rel=\"related\"");
        tree = body();
        cr_assert_str_eq(text_at(tree, "code"), "insufficient-stock");
        cr_assert_str_eq(text_at(tree, "title"), problem_title(PROBLEM_INSUFFICIENT_STOCK));
        cr_assert_str_eq(text_at(tree, "detail"), "Only 1 left.");
        cr_assert_str_eq(text_at(tree, "current_status"), "active");
        cr_assert_str_eq(text_at(tree, "existing"), "/v1/orders/1");
        cr_assert_str_eq(text_at(tree, "trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
        cr_assert_eq(strncmp(text_at(tree, "type"), "https://", 8), 0);
        cr_assert_eq(strncmp(text_at(tree, "instance"), "urn:uuid:", 9), 0);
        cr_assert_eq(json_integer_value(json_object_get(tree, "status")), 409);
        first = json_array_get(json_object_get(tree, "errors"), 0);
        cr_assert_str_eq(text_at(first, "pointer"), "#/lines/0");
        cr_assert_eq(json_integer_value(json_object_get(first, "available")), 1);
        json_decref(tree);
}

Test(reply, a_fault_of_the_database_never_shows_its_name) {
        const enum problem faults[] = { FAULT_BROKEN, FAULT_BUSY, FAULT_CONFLICT, FAULT_LOST, FAULT_POISON, FAULT_RIVAL,
                FAULT_STALE, FAULT_STUCK };

        for (size_t i = 0; i < array_size(faults); i++) {
                json_t *tree;

                reply_plain_problem(&call, faults[i]);
                cr_assert(call.reply.status == 500 || call.reply.status == 503);
                cr_assert_eq(call.reply.retry_after_s != 0, call.reply.status == 503);
                tree = body();
                cr_assert_null(json_object_get(tree, "detail"));
                json_decref(tree);
        }
}

Test(reply, a_refused_client_learns_when_to_retry) {
        reply_plain_problem(&call, PROBLEM_IDEMPOTENCY_IN_PROGRESS);
        cr_assert_eq(call.reply.retry_after_s, 1);
        reply_plain_problem(&call, PROBLEM_UNAUTHENTICATED);
        cr_assert_str_eq(call.reply.www_authenticate, "Bearer error=\"invalid_token\"");
        call_reset(&call);
        call.refusal.scope = "orders:read";
        call_refuse(&call, PROBLEM_INSUFFICIENT_SCOPE, "No.");
        reply_problem(&call);
        cr_assert_str_eq(call.reply.www_authenticate, "Bearer error=\"insufficient_scope\", scope=\"orders:read\"");
        call_reset(&call);
        call.refusal.version = 9;
        call_refuse(&call, PROBLEM_PRECONDITION_FAILED, "No.");
        reply_problem(&call);
        cr_assert_str_eq(call.reply.etag, "\"9\"");
}

Test(reply, headers_of_the_success_do_not_stay_with_a_problem) {
        struct reply_writer w;

        reply_begin(&w, &call, 201);
        reply_end(&w);
        reply_etag(&call, 1);
        call.reply.location = "/v1/things/1";
        call_refuse(&call, PROBLEM_NOT_FOUND, "No.");
        reply_problem(&call);
        cr_assert_null(call.reply.location);
        cr_assert_null(call.reply.etag);
}

Test(reply, the_longest_list_of_violations_still_fits) {
        char text[512];
        json_t *tree;

        memset(text, '\1', sizeof(text) - 1); /* six characters each once escaped */
        text[sizeof(text) - 1] = '\0';
        call_refuse(&call, PROBLEM_VALIDATION_FAILED, "%s", text);
        for (size_t i = 0; i < VIOLATIONS_MAX + 10; i++)
                (void) refuse_because(&call.refusal, &call.arena, text, "required", "%s", text);
        reply_problem(&call);
        tree = body();
        cr_assert_eq(json_array_size(json_object_get(tree, "errors")), VIOLATIONS_MAX);
        json_decref(tree);
}
