/*
 * returns: goods that come back, their disposition and their refund.
 *
 * A return (in the trade an RMA, hence `struct rma`) belongs to one order and is guarded by the order's lock: a command
 * that changes it holds the lock of its order, then those of the stock rows. It is loaded with all other returns of the
 * order, since only together they tell how many units can still come back. A line is a number of units of one order
 * line that have gone the same way so far; when some of them part from the others, it is split.
 *
 * Two axes: whether the goods have arrived (`reception`) and whether they are taken back (`acceptance`). Where the
 * units count is their `bucket`, which their `disposition` decides. Money is decided apart from both.
 *
 * A `return_set` lives in the arena of its batch and is shared by all calls of it. Each rule is one command: it refuses
 * before it changes anything, and changes all or nothing.
 */
#pragma once

#include "catalog/catalog.h"
#include "fulfillment/fulfillment.h"
#include "orders/additions.h"

#define RETURN_LINES_MAX       1000 /* of one return, however often its lines are split */
#define RETURN_ITEMS_MAX       200  /* of one request */
#define RETURN_REASON_MAX      200
#define EXCHANGE_LINES_MAX     50  /* of one return */
#define UNEXPECTED_ENTRIES_MAX 100 /* of one return */

enum disposition { DISPOSE_DAMAGED, DISPOSE_DESTROY, DISPOSE_QUARANTINE, DISPOSE_RESTOCK, DISPOSE_VENDOR };

enum reception { RECEPTION_AWAITING, RECEPTION_RECEIVED, RECEPTION_LOST, RECEPTION_CANCELLED };

enum reception_event { RECEPTION_RECEIVE, RECEPTION_LOSE, RECEPTION_CALL_OFF };

enum acceptance { ACCEPTANCE_PENDING, ACCEPTANCE_ACCEPTED, ACCEPTANCE_REJECTED };

enum acceptance_event { ACCEPTANCE_ACCEPT, ACCEPTANCE_REJECT };

/* Where the units count now. */
enum bucket { BUCKET_NONE, BUCKET_SELLABLE, BUCKET_UNSELLABLE, BUCKET_GONE };

enum bucket_event { BUCKET_RESTOCK, BUCKET_SET_ASIDE, BUCKET_TAKE_OUT };

enum return_status { RETURN_AUTHORIZED, RETURN_PARTIALLY_RECEIVED, RETURN_RECEIVED, RETURN_LOST, RETURN_CANCELLED };

extern const struct lifecycle reception_lifecycle, acceptance_lifecycle, bucket_lifecycle;

/* As on the wire and in SQL; NULL-terminated. */
extern const char *const disposition_texts[];
extern const char *const return_status_texts[];

extern const struct enum_column return_status_column;

/* The terms of a line: the policies of product and channel merged. */
struct return_terms {
        int64_t window_days; /* -1: at any time */
        int64_t fee_per_mille;
        bool refunds_shipping; /* when with it everything has come back */
        int64_t refund_per_mille[GOODS_CONDITIONS];
        bool accepted[GOODS_CONDITIONS];
};

struct rma;

struct return_line {
        struct uuid id;
        int64_t number;
        struct rma *rma;
        struct order_line *order_line;
        int64_t quantity;
        const char *reason;
        bool announced; /* false: it only showed when the parcel was opened */
        enum reception reception;
        enum acceptance acceptance;
        int condition;        /* enum goods_condition; -1: not known yet */
        int disposition;      /* enum disposition; -1: not decided yet */
        enum bucket bucket;   /* of all its units */
        const char *location; /* where it was received; NULL: not yet */
        int64_t value;        /* paid for the units; once they are accepted, the members below are set */
        int64_t fee;          /* kept for restocking */
        int64_t refund;       /* of the units */
        int64_t tax;          /* in the refund */
        struct return_terms terms;
        const char *note; /* why it was rejected; may be NULL */
        timestamp received_at;
        bool is_new, changed;
};

struct rma {
        struct uuid id;
        const char *number;
        struct order *order;
        const char *location; /* where it is expected, or was brought */
        enum return_status status;
        bool by_post, overridden;
        int64_t shipping;       /* of the order: given back, since with this return all of it came back */
        int64_t shipping_tax;   /* in it */
        int64_t withheld;       /* part of the refund that was decided not to be paid */
        int64_t withheld_tax;   /* in it */
        const char *refund_to;  /* the last decision; NULL: not decided yet */
        const char *exchange;   /* JSON list, or NULL */
        const char *unexpected; /* JSON list: goods that came with it and are not of the order */
        const char *cancel_reason, *actor, *moved_by;
        int64_t version;
        timestamp created_at, updated_at;
        struct return_line **lines;
        size_t n_lines, lines_capacity;
        bool is_new, changed;
        bool is_awaited; /* counted in the order's returns_awaited */
        /* For rma_follow: its version when it was last seen, or as it was read, and the mark of the order then. */
        bool is_seen;
        int64_t seen_version;
        uint64_t mark;
};

struct return_set {
        struct arena *arena;
        struct rma **rows;
        size_t n_rows, capacity;
        bool exhausted;
};

/* Keep all returns of an order with their lines as they are. */
void returns_snapshot(struct snapshot *snapshot, struct return_set *set, const struct order *order);

/* ---- days since units left ---- */

/* On which day the units of a fulfillment were with the customer, and which day it is, both as a location counts them:
 * days since 1970-01-01. */
struct left_day {
        struct uuid order_id, fulfillment_id;
        const char *location;
        int64_t left, today;
};

struct left_days {
        struct arena *arena;
        const struct left_day *rows;
        size_t n_rows;
};

/* ---- pure rules: states ---- */

/* The only places where a state changes. INVALID_TRANSITION names the current one. */
enum problem reception_advance(
        struct return_line *line, enum reception_event event, struct arena *arena, struct refusal *refusal);
enum problem acceptance_advance(
        struct return_line *line, enum acceptance_event event, struct arena *arena, struct refusal *refusal);
enum problem bucket_advance(
        struct return_line *line, enum bucket_event event, struct arena *arena, struct refusal *refusal);

/* The disposition of goods in this condition unless the request names another. */
enum disposition disposition_of(enum goods_condition condition);

/* ---- pure rules: policy ---- */

/* Rules that refuse a line; a bit each. The texts are codes of violations. */
enum return_rule {
        RULE_CONDITION, /* goods in this condition are not taken back */
        RULE_NOT_RETURNABLE,
        RULE_OVER_RETURN, /* no supervisor can change it */
        RULE_WINDOW,
        RULE_COUNT,
};
extern const char *const return_rule_texts[];

struct return_terms return_terms_of(const struct return_policy *channel, const struct return_policy *product);

/* The refund of some units that were paid with `paid`: less for their condition, less the fee. */
struct worth {
        int64_t value, fee;
        struct taxed refund;
};
struct worth return_worth(const struct return_terms *terms, enum goods_condition condition, struct taxed paid);

/* Units of an order line that are on their way back, and those that can still be returned. */
int64_t order_line_awaited(const struct return_set *set, const struct order_line *line);
int64_t order_line_returnable(const struct return_set *set, const struct order_line *line);

/* ---- pure rules: commands ---- */

struct return_item {
        struct uuid order_line_id;
        int64_t quantity;
        const char *reason;
        int condition;   /* enum goods_condition; -1: the goods are not here yet */
        int disposition; /* enum disposition; -1: as the condition says */
};

/* The result of the check of one item. */
struct verdict {
        struct order_line *line;
        unsigned refused; /* by which rules */
        int64_t returnable;
        struct return_terms terms;
        struct worth worth; /* expected, while the goods are not here */
        int64_t paid_tax;   /* in the value paid for the units */
};

struct return_request {
        struct order *order;
        const char *location;
        const struct return_item *items;
        size_t n_items;
        bool by_post, override;
        struct addition *additions; /* the exchange: goods that the customer gets instead; NULL: none */
        size_t n_additions;
        const struct tax_body *exchange_tax; /* of all additions; NULL: as in the units that they replace */
        struct return_set *set;
        const struct catalog_set *catalog; /* the channel, the products of the lines, the location */
        const struct left_days *days;
};

/* Check each item against the policy; changes nothing. VALIDATION_FAILED names items that contradict themselves or name
 * an unknown line. `verdicts` has n_items. */
enum problem return_judge(
        const struct return_request *request, struct verdict *verdicts, const struct command *command);

/* The refunds that a quote states are those that the return would credit: lower the refund of each item that would be
 * taken back to the amount that is left, and return the refund of the shipping. After return_quote_exchange. */
struct taxed return_quote_credits(const struct return_request *request, struct verdict *verdicts);

/* Authorise a return; lines whose goods are here are received and accepted at once. OVER_RETURN with each line and its
 * returnable units; RETURN_REFUSED with each rule of the policy that a line breaks. FAULT_BUSY without memory. */
enum problem return_authorize(
        const struct return_request *request, const struct command *command, struct rma **ret_rma);

enum arrival_acceptance { ARRIVAL_ACCEPTED, ARRIVAL_REJECTED };

/* The facts that the additions are checked against; violations go to the call's refusal. */
struct offer_context return_offer_context(const struct return_request *request, const struct command *command);

/* Price an exchange by the catalogue: prices and titles into `lines`, discount and tax into the additions.
 * VALIDATION_FAILED when it is not for sale, or the tax does not fit. */
enum problem return_quote_exchange(const struct return_request *request, const struct verdict *verdicts,
        struct order_line *lines, const struct command *command);

/* Check and price an exchange: VALIDATION_FAILED, TOO_MANY, INSUFFICIENT_STOCK. Changes nothing but the additions. */
enum problem return_check_exchange(
        const struct return_request *request, const struct verdict *verdicts, const struct command *command);

/* Add it to the order, reserved; it cannot be refused any more. Every pointer to a line of the order but those of the
 * set's returns is void after it. */
enum problem return_make_exchange(const struct return_request *request, struct rma *rma, const struct command *command);

/* Units that arrived: of a line of the return, of a line of the order, or of a product. */
struct arrival {
        struct uuid id, order_line_id;
        bool has_id, has_order_line_id;
        const char *sku;
        int64_t quantity;
        int condition, disposition; /* -1: not given */
        int acceptance;             /* enum arrival_acceptance; -1: not given, that is accepted */
        const char *reason;         /* why they are rejected, or came unannounced; may be NULL */
};

struct return_reception {
        struct rma *rma;
        const char *location;
        const struct arrival *arrivals; /* NULL: all that is awaited, in a sellable condition */
        size_t n_arrivals;
        bool override;
        struct return_set *set;
        const struct catalog_set *catalog;
        const struct left_days *days;
};

/* Receive the units that arrived. Units that were not announced join the return when they are returnable; goods that
 * are not of the order are noted. Refusals as above. */
enum problem return_receive(const struct return_reception *reception, const struct command *command);

/* Units of awaited lines: by a line of the return, of the order, or a product. */
struct awaited_units {
        struct uuid id, order_line_id;
        bool has_id, has_order_line_id;
        const char *sku;
        int64_t quantity;
};

/* Mark awaited units as lost with their parcel. NULL: all awaited units. */
enum problem return_lose(
        struct rma *rma, const struct awaited_units *units, size_t n_units, const struct command *command);

/* Cancel the return: units that have not arrived are not expected any more. */
enum problem return_cancel(struct rma *rma, const char *reason, const struct command *command);

struct move {
        struct uuid id; /* of a line of the return */
        int64_t quantity;
        bool has_quantity; /* else all of its units */
};

/* Units that were set aside go on: back on the shelf, to another disposition, or out of the stock. */
enum problem return_dispose(struct rma *rma, enum disposition disposition, const struct move *moves, size_t n_moves,
        const struct command *command);

enum refund_choice { CHOICE_NONE, CHOICE_ORIGINAL, CHOICE_STORE_CREDIT };

/* As on the wire and in SQL; NULL-terminated. */
extern const char *const refund_choice_texts[];

struct return_refund {
        int to; /* enum refund_choice */
        struct money amount;
        bool has_amount;    /* else all that can be refunded now */
        const char *reason; /* may be NULL */
};

/* Decide the money of the accepted lines. OVER_REFUND: more than the refund of the lines, less the amounts decided
 * before, or more than the order owes the customer. `none` withholds the amount that is not decided yet: the customer
 * owes it again. */
enum problem return_decide_refund(struct rma *rma, const struct return_refund *request, const struct command *command);

/* The refund of its accepted lines, with the shipping. */
int64_t rma_refund(const struct rma *rma);

/* The tax in it. */
int64_t rma_tax(const struct rma *rma);

/* Of it: the amount in refunds that have not failed, and the amount that is refundable now. */
int64_t rma_refunded(const struct rma *rma);
int64_t rma_refundable(const struct rma *rma);

/* ---- functions that the rules share ---- */

/* Whether a request means the line: by its id, else (NULL) by its order line, else (NULL) by SKU. */
bool return_line_is(
        const struct return_line *line, const struct uuid *id, const struct uuid *order_line_id, const char *sku);

/* A line of n units that goes on apart from `line`, with its share of the money; NULL without memory. */
struct return_line *return_line_split(struct return_line *line, int64_t quantity, struct arena *arena);

/* A new line at the end of the return; NULL without memory. */
struct return_line *return_line_new(struct rma *rma, struct order_line *order_line, int64_t quantity,
        const char *reason, const struct return_terms *terms, struct arena *arena);

/* Whether there can be a stock row for the goods. */
bool return_can_shelve(const struct command *command, const char *location, const char *sku);

/* Why stock moves: because of this return. */
struct stock_cause return_cause(const struct rma *rma, const char *reason, const struct command *command);

/* The shipping goes back with the return that leaves nothing with the customer, when the policy of its lines says so.
 */
void return_grant_shipping(struct rma *rma, const struct return_set *set);

/* Name a member of a line of the request that is at fault. */
void return_name_fault(
        const struct command *command, size_t i, const char *member, const char *code, const char *detail);

/* Why a line of the request is refused: the rules it breaks but the one about numbers; too many units. */
void return_name_rules(const struct command *command, size_t i, unsigned rules);
void return_name_over(const struct command *command, size_t i, int64_t returnable);
enum problem return_refuse_over(const struct command *command);

/* TOO_MANY: the return has no room for more lines, or notes, than `most`. */
enum problem return_refuse_full(const struct command *command, const char *pointer, int64_t most, const char *things);
enum problem return_refuse_unknown_product(const struct command *command, size_t i);

/* The rules that an order line breaks when it comes back in this condition, and its terms. */
unsigned return_rules_broken(const struct order_line *line, enum goods_condition condition, const char *location,
        const struct catalog_set *catalog, const struct left_days *days, struct return_terms *ret_terms);

/* The lines into an event. */
void rma_tell_lines(struct event *event, struct return_line *const *lines, size_t n);

/* The goods are here and taken back: the units are returned, worth something, and shelved. */
void return_line_accept(struct return_line *line, const struct command *command);

/* A return shows figures of its order: when these have changed since it was last seen, and its version has not, raise
 * it. Before its version is compared or told, and before it is saved. `events` is NULL when nothing is saved. */
void rma_follow(struct rma *rma, struct events *events);

/* Goods of it are on their way back. */
bool return_is_awaited(enum return_status status);

/* At the end of each command that changed anything, before its order settles: project the status, and count the return
 * in the order's `returns_awaited` while its goods are awaited. */
void rma_settle(struct rma *rma, const struct command *command);

/* An event of the return; the caller may add data. */
struct event *rma_tell(const struct rma *rma, enum event_type type, const struct command *command);

/* ---- load and save ---- */

void returns_init(struct return_set *set, struct arena *arena);

/* Queue: read all returns of the orders in `orders` that are wanted by id, once those are locked or read. */
enum problem returns_read(struct database *database, struct return_set *set, struct order_set *orders);

struct rma *rma_find(const struct return_set *set, const struct uuid *id);

/* Queue: insert new returns and lines, and update changed ones. */
enum problem returns_save(struct database *database, const struct return_set *set, struct events *events);

/* ---- replies ---- */

struct writer;

/* A return as clients see it: the members of an open object. */
void rma_write(struct writer *json, const struct rma *rma);
