/* Charge, payments and refunds of an order. The provider's events are in rules_provider.c. */
#include "orders/orders.h"

#include <inttypes.h>

/* ---- amounts ---- */

int64_t payment_held(const struct payment *payment) {
        return payment->authorized - payment->captured - payment->voided - payment->failed - payment->void_due -
               payment->capture_due;
}

struct order_money order_money(const struct order *order) {
        struct order_money money = { 0 };

        for (size_t i = 0; i < order->n_payments; i++) {
                money.held += payment_held(order->payments[i]);
                money.capture_due += order->payments[i]->capture_due;
                money.paid += order->payments[i]->captured;
        }
        for (size_t i = 0; i < order->n_refunds; i++)
                if (order->refunds[i]->state != REFUND_FAILED)
                        money.refunded += order->refunds[i]->amount;
        return money;
}

int64_t order_charge(const struct order *order) {
        return order->total - order->credited;
}

int64_t order_balance(const struct order *order) {
        const struct order_money money = order_money(order);

        return order_charge(order) - (money.paid - money.refunded);
}

int64_t order_refundable(const struct order *order, enum refund_to to) {
        const struct order_money money = order_money(order);
        const int64_t asked_for = to == REFUND_TO_ORIGINAL ? money.capture_due : 0;
        const int64_t left = money.paid + asked_for - money.refunded;

        return left > 0 ? left : 0;
}

int64_t order_refund_expected(const struct order *order) {
        const int64_t due = order_refundable(order, REFUND_TO_ORIGINAL) - order_charge(order);

        return due > 0 ? due : 0;
}

/* ---- crediting ---- */

/* Returns the part of the amount that did not fit between 0 and the total. */
static int64_t credit(struct order *order, int64_t amount) {
        const int64_t wanted = order->credited + amount;

        order->credited = wanted < 0 ? 0 : amount_smaller(wanted, order->total);
        return wanted - order->credited;
}

int64_t order_credit_units(struct order_line *line, int64_t units) {
        const int64_t share = order_line_value(line, line->cancelled + line->returned, units);

        line->order->adjusted -= credit(line->order, share);
        return share;
}

void order_charge_units(struct order_line *line, int64_t units) {
        line->order->adjusted -= credit(line->order, -order_line_take_back(line, units));
}

void order_credit_shipping(struct order *order) {
        order->adjusted -= credit(order, order->shipping);
}

void order_credit(struct order *order, int64_t amount, int64_t tax) {
        order->adjusted_tax += tax;
        order->adjusted += amount - credit(order, amount);
}

/* ---- paying ---- */

struct payment *order_add_payment(struct order *order, const struct payment_request *request, const char *actor,
        timestamp now, struct arena *arena) {
        const enum funds_state state = request->status < 0 ? FUNDS_PENDING : (enum funds_state) request->status;
        struct payment *payment = arena_new(arena, struct payment);
        struct payment **list = arena_grow(
                arena, order->payments, order->n_payments, &order->payments_capacity, sizeof(struct payment *));

        if (!payment || !list)
                return NULL;
        order->payments = list;
        order->payments[order->n_payments++] = payment;
        *payment = (struct payment){
                .id = uuid_new(),
                .order = order,
                .number = (int64_t) order->n_payments,
                .provider = request->provider,
                .reference = request->reference,
                .state = state,
                .opened = state,
                .amount = request->amount,
                .authorized = state == FUNDS_PENDING ? 0 : request->amount,
                .captured = state == FUNDS_CAPTURED ? request->amount : 0,
                .actor = actor,
                .created_at = now,
                .updated_at = now,
                .version = 1,
                .is_new = true,
        };
        return payment;
}

struct event *payment_tell(
        struct events *events, const struct payment *payment, enum event_type type, int64_t amount, const char *actor) {
        struct event *event = order_tell(events, payment->order, type, actor);
        char id[UUID_TEXT_SIZE];

        event_about(event, SUBJECT_PAYMENT, &payment->id, &payment->version);
        uuid_format(&payment->id, id);
        event_text(event, "payment_id", id);
        event_text(event, "provider", payment->provider);
        event_text(event, "reference", payment->reference);
        event_integer(event, "amount", amount);
        event_text(event, "currency", payment->order->currency);
        return event;
}

struct event *refund_tell(struct events *events, const struct refund *refund, enum event_type type, const char *actor) {
        struct event *event = order_tell(events, refund->order, type, actor);
        char id[UUID_TEXT_SIZE];

        uuid_format(&refund->id, id);
        event_text(event, "refund_id", id);
        if (refund->payment) {
                uuid_format(&refund->payment->id, id);
                event_text(event, "payment_id", id);
        }
        if (!uuid_is_nil(&refund->return_id)) {
                uuid_format(&refund->return_id, id);
                event_text(event, "return_id", id);
        }
        event_text(event, "to", refund_to_texts[refund->to]);
        event_integer(event, "amount", refund->amount);
        event_integer(event, "tax", refund->tax);
        event_text(event, "currency", refund->order->currency);
        return event;
}

/* ---- the order's payment status ---- */

static bool all_are(const struct order *order, enum funds_state state) {
        for (size_t i = 0; i < order->n_payments; i++)
                if (order->payments[i]->state != state)
                        return false;
        return order->n_payments > 0;
}

/* Nothing else counts while payments do not cover the charge: a refund or a void of earlier days says nothing about
 * units that the customer owes now. A cancelled order charges nothing, and an order that costs nothing has nothing to
 * cover. */
static enum payment_status payment_status_of(const struct order *order, const struct order_money *money) {
        const int64_t charge = order_charge(order), asked = money->capture_due + money->held;
        const bool cancelled = order_project(order) == ORDER_CANCELLED;

        if (!cancelled && money->paid - money->refunded + asked < charge)
                return PAYMENT_PENDING;
        if (money->paid && money->refunded)
                return money->refunded < money->paid ? PAYMENT_PARTIALLY_REFUNDED
                       : charge && !cancelled        ? PAYMENT_AUTHORIZED
                                                     : PAYMENT_REFUNDED;
        if ((order->total && all_are(order, FUNDS_VOIDED)) || (cancelled && !money->paid && !money->capture_due))
                return PAYMENT_VOIDED;
        return money->paid >= charge && (money->paid || !asked) ? PAYMENT_CAPTURED : PAYMENT_AUTHORIZED;
}

void order_project_money(struct order *order) {
        const struct order_money money = order_money(order);
        const int64_t balance = order_charge(order) - (money.paid - money.refunded);

        order->paid = money.paid;
        order->refunded = money.refunded;
        order->refund_due = balance < 0 ? -balance : 0;
        order->payment_status = payment_status_of(order, &money);
        if (order->payment_status != PAYMENT_PENDING && order->payment_status != PAYMENT_VOIDED)
                order->payment_due_at = TIMESTAMP_NONE;
}

/* ---- captures ---- */

/* The share of the units that have left, the shipping with the first of them; once all have left, the whole charge. */
static int64_t capture_needed(const struct order *order) {
        const struct order_money money = order_money(order);
        const int64_t owed = order_charge(order) - (money.paid + money.capture_due - money.refunded);
        int64_t left = order->shipping;
        bool any = false;

        if (order_project(order) == ORDER_FULFILLED)
                return owed;
        for (size_t i = 0; i < order->n_lines; i++) {
                any = any || order->lines[i].fulfilled;
                left += order_line_value(&order->lines[i], 0, order->lines[i].fulfilled);
        }
        return any ? amount_smaller(left - money.paid - money.capture_due, owed) : 0;
}

void order_ask_capture(struct order *order, const struct fulfillment *from, struct events *events, const char *actor) {
        int64_t needed = capture_needed(order);

        for (size_t i = 0; i < order->n_payments && needed > 0; i++) {
                struct payment *payment = order->payments[i];
                const int64_t part = amount_smaller(payment_held(payment), needed);
                struct event *event;
                char id[UUID_TEXT_SIZE];

                if (!part)
                        continue;
                payment->capture_due += part;
                payment->changed = true;
                needed -= part;
                event = payment_tell(events, payment, EVENT_PAYMENT_CAPTURE_DUE, part, actor);
                if (!from)
                        continue;
                uuid_format(&from->id, id);
                event_text(event, "of_fulfillment", id);
        }
}

/* Close a payment without held or requested amounts: it is captured or void. The provider confirms a requested void;
 * where nothing was held, no event follows. */
static void close_payment(struct payment *payment, bool cancelled, struct events *events, const char *actor) {
        const bool waits = payment->state == FUNDS_PENDING && cancelled;
        struct refusal ignored = { 0 };
        struct arena none;

        if (payment->capture_due ||
                !(waits || payment->state == FUNDS_AUTHORIZED || payment->state == FUNDS_PARTIALLY_CAPTURED))
                return;
        arena_init(&none, 0);
        if (!payment_advance(payment, FUNDS_VOID, &none, &ignored) && payment->state == FUNDS_VOIDED &&
                !payment->void_due)
                (void) payment_tell(events, payment, EVENT_PAYMENT_VOIDED, payment->amount, actor);
}

/* The order no longer needs the payment: request a void of the amount that the provider still holds. */
static void payment_release(struct payment *payment, bool cancelled, struct events *events, const char *actor) {
        const int64_t held = payment_held(payment);

        if (held) {
                payment->void_due += held;
                payment->void_asked += held;
                payment->changed = true;
                (void) payment_tell(events, payment, EVENT_PAYMENT_VOID_DUE, held, actor);
        }
        close_payment(payment, cancelled, events, actor);
}

static void tell_refund_due(const struct order *order, int64_t before, struct events *events, const char *actor) {
        struct event *event;

        if (order->refund_due <= before)
                return;
        event = order_tell(events, order, EVENT_REFUND_DUE, actor);
        event_integer(event, "amount", order->refund_due - before);
        event_text(event, "currency", order->currency);
}

static void raise_versions(struct order *order, timestamp now) {
        for (size_t i = 0; i < order->n_payments; i++)
                if (order->payments[i]->changed && !order->payments[i]->is_new) {
                        order->payments[i]->version++;
                        order->payments[i]->updated_at = now;
                }
        for (size_t i = 0; i < order->n_refunds; i++)
                if (order->refunds[i]->changed && !order->refunds[i]->is_new) {
                        order->refunds[i]->version++;
                        order->refunds[i]->updated_at = now;
                }
}

void order_settle_money(struct order *order, struct events *events, const char *actor, timestamp now) {
        const enum order_status status = order_project(order);
        const int64_t due_before = order->refund_due;

        order_ask_capture(order, NULL, events, actor);
        for (size_t i = 0; i < order->n_payments; i++)
                if (status == ORDER_FULFILLED || status == ORDER_CANCELLED)
                        payment_release(order->payments[i], status == ORDER_CANCELLED, events, actor);
        if (status == ORDER_CANCELLED && !order->n_payments && order->payment_status != PAYMENT_VOIDED)
                (void) order_tell(events, order, EVENT_PAYMENT_VOIDED, actor);
        order_project_money(order);
        raise_versions(order, now);
        tell_refund_due(order, due_before, events, actor);
}

/* A payment without an authorization was voided with the order, and can be made again. A released authorization is
 * gone: the order needs another payment. */
static void reopen_payments(struct order *order, struct events *events, const char *actor) {
        struct refusal ignored = { 0 };
        struct arena none;

        arena_init(&none, 0);
        for (size_t i = 0; i < order->n_payments; i++) {
                struct payment *payment = order->payments[i];

                if (payment->authorized || payment->state != FUNDS_VOIDED ||
                        payment_advance(payment, FUNDS_REOPEN, &none, &ignored))
                        continue;
                (void) payment_tell(events, payment, EVENT_PAYMENT_REOPENED, payment->amount, actor);
        }
}

void order_revive(struct order *order, struct events *events, const char *actor) {
        order->adjusted -= credit(order, -order->shipping);
        order->cancel_reason = NULL;
        order->payment_due_at = TIMESTAMP_NONE;
        reopen_payments(order, events, actor);
}

/* ---- refunds ---- */

/* The tax in the first part of the amount due, rounded down: all parts together have all of it. */
static int64_t tax_in(const struct refund_request *request, int64_t amount) {
        if (request->due <= 0 || amount <= 0)
                return 0;
        return amount >= request->due ? request->due_tax
                                      : (int64_t) ((__int128) request->due_tax * amount / request->due);
}

/* `before`: sum of the earlier refunds of the same request. */
static struct refund *refund_add(struct order *order, struct payment *payment, int64_t before, int64_t amount,
        const struct refund_request *request, const char *actor, timestamp now, struct arena *arena) {
        struct refund *refund = arena_new(arena, struct refund);
        struct refund **list =
                arena_grow(arena, order->refunds, order->n_refunds, &order->refunds_capacity, sizeof(struct refund *));

        if (!refund || !list)
                return NULL;
        order->refunds = list;
        order->refunds[order->n_refunds++] = refund;
        *refund = (struct refund){
                .id = uuid_new(),
                .order = order,
                .payment = payment,
                .return_id = request->return_id,
                .number = (int64_t) order->n_refunds,
                .amount = amount,
                .tax = tax_in(request, before + amount) - tax_in(request, before),
                .to = request->to,
                .reason = request->reason,
                .actor = actor,
                .created_at = now,
                .updated_at = now,
                .version = 1,
                .is_new = true,
        };
        if (payment) {
                payment->refunded += amount;
                payment->changed = true;
        }
        return refund;
}

/* Store credit needs no provider: the refund is settled at once. */
static enum problem refund_to_store_credit(struct order *order, const struct refund_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal) {
        struct refund *refund = refund_add(order, NULL, 0, request->amount, request, actor, now, arena);
        enum problem p = refund ? PROBLEM_NONE : FAULT_BUSY;

        if (!p)
                p = refund_advance(refund, REFUND_SETTLE, arena, refusal);
        if (!p)
                (void) refund_tell(events, refund, EVENT_REFUND_SETTLED, actor);
        return p;
}

/* Refund to each payment up to its captured amount (`asked_for`: also its requested captures). *left: the rest. */
static enum problem refund_to_payments(struct order *order, const struct refund_request *request, bool asked_for,
        int64_t *left, const char *actor, struct events *events, timestamp now, struct arena *arena) {
        for (size_t i = 0; i < order->n_payments && *left; i++) {
                struct payment *payment = order->payments[i];
                const int64_t room = payment->captured + (asked_for ? payment->capture_due : 0) - payment->refunded;
                struct refund *refund;

                if (room <= 0)
                        continue;
                refund = refund_add(order, payment, request->amount - *left, amount_smaller(room, *left), request,
                        actor, now, arena);
                if (!refund)
                        return FAULT_BUSY;
                *left -= refund->amount;
                event_text(refund_tell(events, refund, EVENT_REFUND_REQUESTED, actor), "reason", request->reason);
        }
        return PROBLEM_NONE;
}

static enum problem refuse_over(int64_t most, struct arena *arena, struct refusal *refusal, const char *detail) {
        refuse_beyond(refusal, arena, "#/amount", "over-refund", most, "%" PRId64 " can be refunded.", most);
        return refuse(refusal, arena, PROBLEM_OVER_REFUND, "%s", detail);
}

/* Each of the parts may need two refunds for each payment. */
static enum problem check_refund(const struct order *order, const struct refund_request *request, size_t n_parts,
        struct arena *arena, struct refusal *refusal) {
        const int64_t most = order_refundable(order, request->to);

        if (request->amount > most)
                return refuse_over(most, arena, refusal, "The refund exceeds the refundable amount.");
        if (order->n_refunds + n_parts * 2 * order->n_payments <= ORDER_REFUNDS_MAX)
                return PROBLEM_NONE;
        (void) refuse_because(refusal, arena, "#", "too-many", "An order has %d refunds at most.", ORDER_REFUNDS_MAX);
        return refuse(refusal, arena, PROBLEM_TOO_MANY, "The order has no room for more refunds.");
}

enum problem order_refund(struct order *order, const struct refund_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal) {
        int64_t left = request->amount;
        enum problem p = check_refund(order, request, /* n_parts= */ 1, arena, refusal);

        if (p)
                return p;
        if (request->to == REFUND_TO_STORE_CREDIT)
                return refund_to_store_credit(order, request, actor, events, now, arena, refusal);
        p = refund_to_payments(order, request, /* asked_for= */ false, &left, actor, events, now, arena);
        return p ? p : refund_to_payments(order, request, /* asked_for= */ true, &left, actor, events, now, arena);
}

/* ---- refunds for returns ---- */

int64_t order_refunded_for(const struct order *order, const struct uuid *return_id) {
        int64_t sum = 0;

        for (size_t i = 0; i < order->n_refunds; i++)
                if (order->refunds[i]->state != REFUND_FAILED && uuid_equal(&order->refunds[i]->return_id, return_id))
                        sum += order->refunds[i]->amount;
        return sum;
}

int64_t order_refunded_tax_for(const struct order *order, const struct uuid *return_id) {
        int64_t sum = 0;

        for (size_t i = 0; i < order->n_refunds; i++)
                if (order->refunds[i]->state != REFUND_FAILED && uuid_equal(&order->refunds[i]->return_id, return_id))
                        sum += order->refunds[i]->tax;
        return sum;
}

/* The tax in an appeasement: in proportion to the charge that is left. */
static int64_t tax_beyond(const struct order *order, int64_t amount) {
        const int64_t charge = order_charge(order), tax = order->tax - order_credited_tax(order);

        if (amount <= 0 || charge <= 0)
                return 0;
        return amount >= charge ? tax : (int64_t) ((__int128) tax * amount / charge);
}

/* The amount that a refund without a return pays: cancelled units and appeasements. */
static void rest_due(const struct order *order, int64_t beyond, struct refund_request *rest) {
        const struct uuid none = { { 0 } };

        rest->return_id = none;
        rest->due = order->credited - order_refunded_for(order, &none) + beyond;
        rest->due_tax = order_credited_tax(order) - order_refunded_tax_for(order, &none) + tax_beyond(order, beyond);
        for (size_t i = 0; i < order->n_claims; i++) {
                rest->due -= order->claims[i].amount;
                rest->due_tax -= order->claims[i].tax;
        }
        if (rest->due_tax < 0)
                rest->due_tax = 0;
}

/* The undecided part of a claim; 0 of other returns than the named one. */
static int64_t claim_left(
        const struct order *order, const struct return_claim *claim, const struct refund_request *request) {
        const int64_t left = claim->amount - order_refunded_for(order, &claim->return_id);

        if (!uuid_is_nil(&request->return_id) && !uuid_equal(&request->return_id, &claim->return_id))
                return 0;
        return left > 0 ? left : 0;
}

static const struct return_claim *claim_find(const struct order *order, const struct uuid *return_id) {
        for (size_t i = 0; i < order->n_claims; i++)
                if (uuid_equal(&order->claims[i].return_id, return_id))
                        return &order->claims[i];
        return NULL;
}

/* One part for each return that the amount pays, the oldest first, each up to its amount due; and one for the rest. */
static size_t parts_of(const struct order *order, const struct refund_request *request, struct refund_request *parts) {
        const int64_t expected = order_refund_expected(order);
        int64_t left = request->amount, due = expected;
        size_t n = 0;

        for (size_t i = 0; i < order->n_claims; i++) {
                const int64_t amount =
                        amount_smaller(claim_left(order, &order->claims[i], request), amount_smaller(left, due));

                if (!amount)
                        continue;
                parts[n] = *request;
                parts[n].return_id = order->claims[i].return_id;
                parts[n].due = claim_left(order, &order->claims[i], request);
                parts[n].due_tax = order->claims[i].tax - order_refunded_tax_for(order, &order->claims[i].return_id);
                parts[n++].amount = amount;
                left -= amount;
                due -= amount;
        }
        if (!left)
                return n;
        parts[n] = *request;
        rest_due(order, request->amount > expected ? request->amount - expected : 0, &parts[n]);
        parts[n++].amount = left;
        return n;
}

static enum problem refund_in_parts(struct order *order, const struct refund_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal) {
        struct refund_request *parts = arena_new_array(arena, struct refund_request, order->n_claims + 1);
        const size_t n = parts ? parts_of(order, request, parts) : 0;
        enum problem p = parts ? check_refund(order, request, n, arena, refusal) : FAULT_BUSY;

        for (size_t i = 0; i < n && !p; i++)
                p = order_refund(order, &parts[i], actor, events, now, arena, refusal);
        return p;
}

/* Without an amount: the refund due, or the refundable amount of the return now. */
static enum problem amount_decide(
        const struct order *order, struct refund_request *request, struct arena *arena, struct refusal *refusal) {
        const int64_t balance = order_balance(order);
        const struct return_claim *claim = claim_find(order, &request->return_id);
        int64_t most;

        if (uuid_is_nil(&request->return_id)) {
                if (!request->amount && balance < 0)
                        request->amount = -balance;
                return request->amount ? PROBLEM_NONE
                                       : refuse_over(order_refundable(order, request->to), arena, refusal,
                                                 "No refund is due; name an amount to refund more.");
        }
        if (!claim) {
                (void) refuse_because(refusal, arena, "#/return_id", "unknown-return", "The order has no such return.");
                return refuse(refusal, arena, PROBLEM_VALIDATION_FAILED, "The return does not belong to the order.");
        }
        most = amount_smaller(claim_left(order, claim, request),
                amount_smaller(order_refund_expected(order), order_refundable(order, request->to)));
        if (!request->amount)
                request->amount = most;
        return request->amount && request->amount <= most
                       ? PROBLEM_NONE
                       : refuse_over(most, arena, refusal, "The refund exceeds the refundable amount of the return.");
}

enum problem order_give_back(struct order *order, const struct refund_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal) {
        const int64_t expected = order_refund_expected(order);
        struct refund_request whole = *request;
        enum problem p = amount_decide(order, &whole, arena, refusal);

        if (!p)
                p = refund_in_parts(order, &whole, actor, events, now, arena, refusal);
        if (p)
                return p;
        if (whole.amount > expected) {
                const int64_t beyond = whole.amount - expected, tax = tax_beyond(order, beyond);
                struct event *event = order_tell(events, order, EVENT_ORDER_APPEASED, actor);

                order_credit(order, beyond, tax);
                event_integer(event, "amount", beyond);
                event_integer(event, "tax", tax);
                event_text(event, "currency", order->currency);
                event_text(event, "reason", request->reason);
        }
        order_settle(order, events, actor, now);
        return PROBLEM_NONE;
}

/* ---- a further payment ---- */

static int64_t not_secured(const struct order *order) {
        const struct order_money money = order_money(order);
        const int64_t owed = order_charge(order) - (money.paid + money.capture_due + money.held - money.refunded);

        return owed > 0 ? owed : 0;
}

static void tell_paid(const struct payment *payment, struct events *events, const char *actor) {
        (void) payment_tell(events, payment, EVENT_PAYMENT_ADDED, payment->amount, actor);
        if (payment->state == FUNDS_AUTHORIZED)
                (void) payment_tell(events, payment, EVENT_PAYMENT_AUTHORIZED, payment->amount, actor);
        if (payment->state == FUNDS_CAPTURED)
                (void) payment_tell(events, payment, EVENT_PAYMENT_CAPTURED, payment->amount, actor);
}

enum problem order_pay(struct order *order, const struct payment_request *request, const char *actor,
        struct events *events, timestamp now, struct arena *arena, struct refusal *refusal,
        struct payment **ret_payment) {
        const int64_t owed = not_secured(order);
        struct payment_request whole = *request;

        if (!whole.has_amount)
                whole.amount = owed;
        if (!owed || whole.amount > owed) {
                refuse_beyond(refusal, arena, "#/amount", "over-payment", owed,
                        "%" PRId64 " of the order are neither paid nor held.", owed);
                return refuse(refusal, arena, PROBLEM_OVER_PAYMENT,
                        "%" PRId64 " of the order are neither paid nor held.", owed);
        }
        if (order->n_payments >= ORDER_PAYMENTS_MAX) {
                (void) refuse_because(
                        refusal, arena, "#", "too-many", "An order has %d payments at most.", ORDER_PAYMENTS_MAX);
                return refuse(refusal, arena, PROBLEM_TOO_MANY, "The order has no room for more payments.");
        }
        *ret_payment = order_add_payment(order, &whole, actor, now, arena);
        if (!*ret_payment)
                return FAULT_BUSY;
        tell_paid(*ret_payment, events, actor);
        order_settle(order, events, actor, now);
        return PROBLEM_NONE;
}
