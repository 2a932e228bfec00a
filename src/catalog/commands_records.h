/*
 * catalog/commands_records: GET and PUT of one record, written once for all kinds of records.
 *
 * A room describes a kind by a `struct record_kind`. The two rows of its routes name the description as `.kind`, beside
 * the operations `record_show_operation` and `record_put_operation`. A PUT replaces the whole record: it answers 201
 * for a new one and 200 for one that existed, compares If-Match and If-None-Match with the version, and keeps the
 * version of an equal record.
 */
#pragma once

#include "catalog/records.h"
#include "engine/call.h"
#include "engine/reply.h"
#include "events/events.h"

/* Each record is a struct that begins with a struct record. */
struct record_kind {
        const char *name; /* in the detail of a 404 */
        size_t size;      /* of its struct */
        size_t code;      /* offset of the text that names it in its list */
        bool has_events;  /* a PUT that changes the record adds one of them: */
        enum event_type created, changed;

        /* Make batch->work and queue: the records that the calls name, locked for a PUT. May trip. */
        enum problem (*load)(struct batch *batch, bool locked);
        enum problem (*save)(struct batch *batch);

        /* The record that the call names, whether it exists or not. */
        struct record *(*find)(const struct batch *batch, const struct call *call);

        /* May be NULL. Whether the records exist that this one belongs to; refuses when not. */
        bool (*has_parents)(struct call *call, const struct record *record);

        /* Pure: take the body into the record. `ret_same`: it was equal. False, and the record unchanged, after a
         * refusal. */
        bool (*merge)(const struct batch *batch, struct call *call, struct record *record, bool *ret_same);

        bool (*is_visible)(const struct call *call);                            /* may be NULL: every bearer sees it */
        void (*refuse_unknown)(struct call *call, const struct record *record); /* NULL: "There is no <name> <code>." */
        void (*write)(struct writer *json, const struct record *record);        /* members, into an open object */
        void (*tag)(struct call *call, const struct record *record);            /* NULL: the ETag is the version */
};

extern const struct operation record_put_operation, record_show_operation;

/* ---- for the kinds of the catalogue ---- */

/* The work of one batch. */
struct catalog_work {
        struct catalog_set set;
        struct zones zones;
};

/* The first part of .load: `want` names the record of one call. FAULT_BUSY when the arena is exhausted. */
must_check enum problem catalog_work_load(
        struct batch *batch, bool locked, void (*want)(struct catalog_set *set, const struct call *call));

/* .save of each kind. */
enum problem catalog_work_save(struct batch *batch);

extern const struct record_kind channel_record, listing_record, location_record, product_record;
