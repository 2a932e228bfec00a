/*
 * engine/idempotency: one effect per key.
 *
 * A record's key is the first 16 bytes of SHA-256 over subject, method, path and Idempotency-Key; its fingerprint is
 * SHA-256 over method, path, query and body. Record and effect commit together. Within its transaction a call holds an
 * advisory lock on its key. The same key elsewhere is answered "in progress" and does not run twice.
 *
 * The body of a reply that shows a secret (route->seals) is sealed in its record, by a digest that only the client's
 * Idempotency-Key gives. The database has nothing that opens it.
 */
#pragma once

#include "engine/call.h"

struct idempotency;

/* Check and unquote an Idempotency-Key header: 1 to 255 visible ASCII characters, bare or as a quoted structured
 * string. */
must_check bool idempotency_key_parse(const char *header, struct arena *arena, const char **ret_key);

/* Give the call the key `key` of its subject, or a random one for NULL. `path` is the path without the query. */
void idempotency_key_set(struct call *call, const char *path, const char *key);
void idempotency_fingerprint_set(struct call *call, const char *target, const void *body, size_t body_size);

/* Queue: lock the keys of all calls of the batch, then look for their records. Sets what is known at the trip. */
enum problem idempotency_load(struct batch *batch, struct idempotency **ret_known);

/* Answer the calls that a record, a twin in this batch or a running rival already decides, and keep the others in the
 * batch. FAULT_CONFLICT when a key is held while `retrying` after a lost connection: the old session still runs. */
enum problem idempotency_settle(struct idempotency *known, struct batch *batch, bool retrying);

/* Queue: store the replies of the batch's calls that may be replayed (2xx, and 4xx decided by the business). */
void idempotency_save(struct batch *batch);

/* After the commit: give the twins of this batch the replies of their firsts. */
void idempotency_finish(struct idempotency *known);
