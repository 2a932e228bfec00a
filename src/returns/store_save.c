#include "db/connection.h"
#include "returns/columns.h"
#include "returns/returns.h"
#include "sql/returns.h"

#define TERMS_SIZE_MAX ((size_t) 2048)

static void headers_write(struct database *database, const struct return_set *set) {
        struct records inserted, updated;

        records_begin(&inserted, set->arena, &sql_returns_insert, &return_columns);
        records_begin(&updated, set->arena, &sql_returns_update, &return_columns);
        for (size_t i = 0; i < set->n_rows; i++) {
                if (set->rows[i]->is_new)
                        records_add(&inserted, set->rows[i]);
                else if (set->rows[i]->changed)
                        records_add(&updated, set->rows[i]);
        }
        records_ask(&inserted, database);
        records_ask(&updated, database);
}

static void write_conditions(struct writer *json, const struct return_terms *terms) {
        write_name(json, "conditions");
        write_object_begin(json);
        for (unsigned i = 0; i < GOODS_CONDITIONS; i++) {
                write_name(json, goods_condition_texts[i]);
                write_object_begin(json);
                write_boolean_member(json, "accepted", terms->accepted[i]);
                write_integer_member(json, "refund_per_mille", terms->refund_per_mille[i]);
                write_object_end(json);
        }
        write_object_end(json);
}

/* NULL: it did not fit. */
static const char *terms_text(const struct return_terms *terms, struct arena *arena) {
        struct buffer text;
        struct writer json;

        buffer_init(&text, arena, TERMS_SIZE_MAX);
        writer_init(&json, &text);
        write_object_begin(&json);
        write_conditions(&json, terms);
        write_text_member(&json, "refund_shipping",
                refund_shipping_texts[terms->refunds_shipping ? REFUND_SHIPPING_FULL_RETURN : REFUND_SHIPPING_NEVER]);
        write_integer_member(&json, "restocking_fee_per_mille", terms->fee_per_mille);
        if (terms->window_days >= 0)
                write_integer_member(&json, "window_days", terms->window_days);
        write_object_end(&json);
        return text.failed ? NULL : buffer_text(&text);
}

static void lines_write(struct database *database, const struct return_set *set) {
        struct records inserted, updated;

        records_begin(&inserted, set->arena, &sql_return_lines_insert, &return_line_columns);
        records_begin(&updated, set->arena, &sql_return_lines_update, &return_line_columns);
        for (size_t i = 0; i < set->n_rows; i++)
                for (size_t j = 0; j < set->rows[i]->n_lines; j++) {
                        const struct return_line *line = set->rows[i]->lines[j];

                        if (line->is_new || line->changed)
                                records_add(line->is_new ? &inserted : &updated,
                                        &(struct return_line_row){
                                                .line = *line, .terms = terms_text(&line->terms, set->arena) });
                }
        records_ask(&inserted, database);
        records_ask(&updated, database);
}

enum problem returns_save(struct database *database, const struct return_set *set, struct events *events) {
        if (set->exhausted || set->arena->exhausted)
                return FAULT_BUSY;
        for (size_t i = 0; i < set->n_rows; i++)
                rma_follow(set->rows[i], events);
        headers_write(database, set);
        lines_write(database, set);
        return PROBLEM_NONE;
}
