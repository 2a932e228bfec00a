/*
 * events/types: every type of event, listed once.
 *
 * A row gives the enum, the name on the wire, the subject, the members of its data and its meaning. docs/events.md is
 * printed from the list. An event can only be added by its enum, so no other type exists; tests compare every event in
 * their databases with its row. Constant.
 */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/* What an event is about: "orders/ID". Sorted as on the wire. */
enum subject_kind {
        SUBJECT_CHANNEL,
        SUBJECT_FULFILLMENT,
        SUBJECT_INVENTORY,
        SUBJECT_INVENTORY_SETTINGS,
        SUBJECT_LISTING,
        SUBJECT_LOCATION,
        SUBJECT_NOTIFICATION,
        SUBJECT_ORDER,
        SUBJECT_PAYMENT,
        SUBJECT_PRODUCT,
        SUBJECT_RESERVATION,
        SUBJECT_RETURN,
        SUBJECT_WEBHOOK,
        SUBJECT_KIND_COUNT,
};

/* Enum, name, subject, members that every reader may see, members for the timeline alone, meaning. Members are
 * separated by a space and sorted. Those for the timeline alone hold free text, a name, or an amount of detail that a
 * reader takes from the document. Every event of a document has its `version` besides. Sorted by name. */
#define EVENT_TYPES(X)                                                                                                    \
        X(CHANNEL_CHANGED, "channel.changed", CHANNEL, "", "", "The channel changed")                                     \
        X(CHANNEL_CREATED, "channel.created", CHANNEL, "", "", "The channel is new")                                      \
        X(FULFILLMENT_ALLOCATED, "fulfillment.allocated", FULFILLMENT, "", "",                                            \
                "A location got units of an order to prepare")                                                            \
        X(FULFILLMENT_ASSIGNED, "fulfillment.assigned", FULFILLMENT, "", "assignee",                                      \
                "An associate took the fulfillment, or it was taken back")                                                \
        X(FULFILLMENT_CANCELLED, "fulfillment.cancelled", FULFILLMENT, "", "reason",                                      \
                "All units of the fulfillment were cancelled")                                                            \
        X(FULFILLMENT_CODE_REISSUED, "fulfillment.code_reissued", FULFILLMENT, "", "",                                    \
                "The pickup code was replaced by another one")                                                            \
        X(FULFILLMENT_DELIVERED, "fulfillment.delivered", FULFILLMENT, "", "", "The carrier delivered the shipment")      \
        X(FULFILLMENT_EXPIRED, "fulfillment.expired", FULFILLMENT, "lines", "reason",                                     \
                "The customer did not collect the units in time; they went back to stock")                                \
        X(FULFILLMENT_HANDED_OVER, "fulfillment.handed_over", FULFILLMENT, "lines proof waited_s", "reason",              \
                "The customer collected the last units")                                                                  \
        X(FULFILLMENT_HANDOVER_LOCKED, "fulfillment.handover_locked", FULFILLMENT, "", "",                                \
                "Too many wrong pickup codes were entered")                                                               \
        X(FULFILLMENT_HANDOVER_UNLOCKED, "fulfillment.handover_unlocked", FULFILLMENT, "", "",                            \
                "Pickup codes may be entered again")                                                                      \
        X(FULFILLMENT_HOLD_EXTENDED, "fulfillment.hold_extended", FULFILLMENT, "hold_until", "",                          \
                "The location keeps the units longer")                                                                    \
        X(FULFILLMENT_LINK_ISSUED, "fulfillment.link_issued", FULFILLMENT, "", "",                                        \
                "The customer got a link to the fulfillment")                                                             \
        X(FULFILLMENT_PACKED, "fulfillment.packed", FULFILLMENT, "", "", "All units of the shipment are picked")          \
        X(FULFILLMENT_PARTIALLY_HANDED_OVER, "fulfillment.partially_handed_over", FULFILLMENT, "lines proof waited_s",    \
                "", "The customer collected some of the units")                                                           \
        X(FULFILLMENT_PARTIALLY_SHIPPED, "fulfillment.partially_shipped", FULFILLMENT, "lines packages", "",              \
                "Some of the units left by carrier")                                                                      \
        X(FULFILLMENT_PICK_UNDONE, "fulfillment.pick_undone", FULFILLMENT, "lines", "", "Picked units were put back")     \
        X(FULFILLMENT_PICKED, "fulfillment.picked", FULFILLMENT, "lines", "", "Units were taken from the shelf")          \
        X(FULFILLMENT_PICKING, "fulfillment.picking", FULFILLMENT, "", "", "Picking began")                               \
        X(FULFILLMENT_READY, "fulfillment.ready", FULFILLMENT, "hold_until", "", "The customer can collect the units")    \
        X(FULFILLMENT_RECIPIENT_NAMED, "fulfillment.recipient_named", FULFILLMENT, "", "",                                \
                "The alternate pickup person changed")                                                                    \
        X(FULFILLMENT_REINSTATED, "fulfillment.reinstated", FULFILLMENT, "hold_until lines", "",                          \
                "Expired units are held for the customer again")                                                          \
        X(FULFILLMENT_REJECTED, "fulfillment.rejected", FULFILLMENT, "reason", "",                                        \
                "The location cannot prepare the fulfillment")                                                            \
        X(FULFILLMENT_RESOURCED, "fulfillment.resourced", FULFILLMENT, "from lines replaced_by to", "",                   \
                "Another location took over units")                                                                       \
        X(FULFILLMENT_SHIPPED, "fulfillment.shipped", FULFILLMENT, "lines packages", "reason",                            \
                "The last units left by carrier")                                                                         \
        X(FULFILLMENT_SHORT_PICKED, "fulfillment.short_picked", FULFILLMENT, "lines reason", "",                          \
                "The location cannot find units that it should have")                                                     \
        X(FULFILLMENT_STAGED, "fulfillment.staged", FULFILLMENT, "", "staging_location",                                  \
                "The units have another place at the location")                                                           \
        X(FULFILLMENT_UNITS_ADDED, "fulfillment.units_added", FULFILLMENT, "", "",                                        \
                "A change of the order added units to the fulfillment")                                                   \
        X(FULFILLMENT_UNITS_CANCELLED, "fulfillment.units_cancelled", FULFILLMENT, "", "reason",                          \
                "Some units of the fulfillment were cancelled")                                                           \
        X(FULFILLMENT_UPDATED, "fulfillment.updated", FULFILLMENT, "", "",                                                \
                "The document changed together with another one, which other events name")                                \
        X(INVENTORY_CHANGED, "inventory.changed", INVENTORY, "on_hand sku unsellable", "",                                \
                "Units on hand or unsellable units of a product at a location changed; its version counts the movements") \
        X(INVENTORY_SETTINGS_CHANGED, "inventory.settings_changed", INVENTORY_SETTINGS, "", "",                           \
                "The safety stock of a product at a location changed")                                                    \
        X(LISTING_CHANGED, "listing.changed", LISTING, "", "", "The listing of a product in a channel changed")           \
        X(LISTING_CREATED, "listing.created", LISTING, "", "", "The listing of a product in a channel is new")            \
        X(LOCATION_CHANGED, "location.changed", LOCATION, "", "", "The location changed")                                 \
        X(LOCATION_CREATED, "location.created", LOCATION, "", "", "The location is new")                                  \
        X(NOTIFICATION_FAILED, "notification.failed", NOTIFICATION, "kind locale medium", "",                             \
                "A message to the customer cannot be delivered")                                                          \
        X(NOTIFICATION_REQUESTED, "notification.requested", NOTIFICATION, "kind locale medium", "",                       \
                "A text message or a push should be sent to the customer now")                                            \
        X(NOTIFICATION_SENT, "notification.sent", NOTIFICATION, "kind locale medium", "",                                 \
                "The mail server took a message to the customer")                                                         \
        X(ORDER_APPEASED, "order.appeased", ORDER, "amount currency tax", "reason",                                       \
                "The shop refunds more than the value of returned and cancelled units")                                   \
        X(ORDER_CANCELLED, "order.cancelled", ORDER, "", "reason", "All units of the order were cancelled")               \
        X(ORDER_CHANGED, "order.changed", ORDER, "members", "after before reason",                                        \
                "Members of the order changed; `members` names them")                                                     \
        X(ORDER_CREATED, "order.created", ORDER, "channel country currency order_number source total", "",                \
                "The order was placed, or imported with `source` import")                                                 \
        X(ORDER_CUSTOMER_ERASED, "order.customer_erased", ORDER, "cause", "",                                             \
                "The personal data of the order were erased")                                                             \
        X(ORDER_FULFILLED, "order.fulfilled", ORDER, "source", "", "The last units of the order left")                    \
        X(ORDER_LINE_ADDED, "order.line_added", ORDER, "order_line_id quantity sku", "", "The order has another line")    \
        X(ORDER_PARTIALLY_FULFILLED, "order.partially_fulfilled", ORDER, "", "", "Some units of the order left")          \
        X(ORDER_REOPENED, "order.reopened", ORDER, "", "", "A cancelled order has open units again")                      \
        X(ORDER_UNITS_ADDED, "order.units_added", ORDER, "order_line_id quantity sku", "",                                \
                "A line of the order has more units")                                                                     \
        X(ORDER_UNITS_CANCELLED, "order.units_cancelled", ORDER, "amount currency lines shipping tax", "",                \
                "Units of the order were cancelled; the amount credited for them, and the tax in it")                     \
        X(ORDER_UPDATED, "order.updated", ORDER, "", "",                                                                  \
                "The document changed together with another one, which other events name")                                \
        X(PAYMENT_ADDED, "payment.added", PAYMENT, "amount currency payment_id provider", "reference",                    \
                "The order has another payment")                                                                          \
        X(PAYMENT_AUTHORIZED, "payment.authorized", PAYMENT, "amount currency payment_id provider", "reference",          \
                "The provider holds the amount")                                                                          \
        X(PAYMENT_CAPTURE_DUE, "payment.capture_due", PAYMENT, "amount currency of_fulfillment payment_id provider",      \
                "reference", "The provider should capture the amount now")                                                \
        X(PAYMENT_CAPTURED, "payment.captured", PAYMENT, "amount currency payment_id provider", "reference",              \
                "The provider captured the amount")                                                                       \
        X(PAYMENT_EVENT_LATE, "payment.event_late", PAYMENT, "event_id payment_id refund_id type", "",                    \
                "The provider reported an event that a later one overrides; nothing changed")                             \
        X(PAYMENT_FAILED, "payment.failed", PAYMENT, "amount currency payment_id provider", "reference",                  \
                "The provider cannot hold or capture the amount")                                                         \
        X(PAYMENT_REOPENED, "payment.reopened", PAYMENT, "amount currency payment_id provider", "reference",              \
                "A payment that was voided with its order can be made again")                                             \
        X(PAYMENT_UPDATED, "payment.updated", PAYMENT, "", "",                                                            \
                "The document changed together with another one, which other events name")                                \
        X(PAYMENT_VOID_DUE, "payment.void_due", PAYMENT, "amount currency payment_id provider", "reference",              \
                "The provider should release the amount now")                                                             \
        X(PAYMENT_VOIDED, "payment.voided", PAYMENT, "amount currency payment_id provider", "reference",                  \
                "The provider released the amount. Of an order without payments the subject is the order")                \
        X(PICKUP_CUSTOMER_ARRIVED, "pickup.customer_arrived", FULFILLMENT, "eta_minutes", "",                             \
                "The customer is at the location")                                                                        \
        X(PICKUP_CUSTOMER_ON_THE_WAY, "pickup.customer_on_the_way", FULFILLMENT, "eta_minutes", "",                       \
                "The customer is on the way to the location")                                                             \
        X(PICKUP_REMINDER, "pickup.reminder", FULFILLMENT, "hold_until", "",                                              \
                "The customer should be reminded to collect the units")                                                   \
        X(PRODUCT_CHANGED, "product.changed", PRODUCT, "", "", "The product changed")                                     \
        X(PRODUCT_CREATED, "product.created", PRODUCT, "", "", "The product is new")                                      \
        X(REFUND_DUE, "refund.due", ORDER, "amount currency", "", "The shop owes the customer the amount")                \
        X(REFUND_FAILED, "refund.failed", ORDER, "amount currency payment_id refund_id return_id tax to", "reason",       \
                "The provider cannot pay the refund")                                                                     \
        X(REFUND_ISSUED, "refund.issued", ORDER, "amount currency payment_id refund_id return_id tax to", "",             \
                "The provider pays the refund")                                                                           \
        X(REFUND_REQUESTED, "refund.requested", ORDER, "amount currency payment_id refund_id return_id tax to",           \
                "reason", "The provider should pay the refund now")                                                       \
        X(REFUND_SETTLED, "refund.settled", ORDER, "amount currency payment_id refund_id return_id source tax to", "",    \
                "The customer has the refund")                                                                            \
        X(RESERVATION_EXPIRED, "reservation.expired", RESERVATION, "reason", "",                                          \
                "The time of the reservation ended; its units are available again")                                       \
        X(RESERVATION_RELEASED, "reservation.released", RESERVATION, "reason", "",                                        \
                "The units of the reservation are available again")                                                       \
        X(RETURN_AUTHORIZED, "return.authorized", RETURN, "at lines return_id return_number", "overridden_by",            \
                "The customer may return the units")                                                                      \
        X(RETURN_CANCELLED, "return.cancelled", RETURN, "return_id return_number", "reason",                              \
                "The units will not be returned")                                                                         \
        X(RETURN_DISPOSED, "return.disposed", RETURN, "lines return_id return_number", "",                                \
                "The location decided about units that it had set aside")                                                 \
        X(RETURN_EXCHANGED, "return.exchanged", RETURN, "lines_added return_id return_number", "",                        \
                "The customer gets other products for the returned units")                                                \
        X(RETURN_LOST, "return.lost", RETURN, "return_id return_number", "",                                              \
                "Units of the return did not arrive and are no longer expected")                                          \
        X(RETURN_RECEIVED, "return.received", RETURN, "at currency lines refund return_id return_number source tax",      \
                "external_ref", "A location received units of the return")                                                \
        X(RETURN_REFUND_WITHHELD, "return.refund_withheld", RETURN, "amount currency return_id return_number tax",        \
                "reason", "The shop does not refund the amount")                                                          \
        X(RETURN_REFUNDED, "return.refunded", RETURN, "amount currency return_id return_number tax to", "",               \
                "The shop refunds the amount for the returned units")                                                     \
        X(RETURN_UPDATED, "return.updated", RETURN, "", "",                                                               \
                "The document changed together with another one, which other events name")                                \
        X(WEBHOOK_CHANGED, "webhook.changed", WEBHOOK, "", "", "URL, filter or limits of the webhook changed")            \
        X(WEBHOOK_CREATED, "webhook.created", WEBHOOK, "", "", "The webhook is new")                                      \
        X(WEBHOOK_DELETED, "webhook.deleted", WEBHOOK, "", "", "The webhook was deleted")                                 \
        X(WEBHOOK_DELIVERY_FAILED, "webhook.delivery_failed", WEBHOOK, "attempts event_id", "",                           \
                "An event was given up after its last attempt")                                                           \
        X(WEBHOOK_ENDPOINT_DISABLED, "webhook.endpoint_disabled", WEBHOOK, "reason", "",                                  \
                "The webhook gets no more events: it answered 410 (gone), or failed for five days (failing)")             \
        X(WEBHOOK_PAUSED, "webhook.paused", WEBHOOK, "", "", "The webhook was paused")                                    \
        X(WEBHOOK_RESUMED, "webhook.resumed", WEBHOOK, "", "", "The webhook gets events again")                           \
        X(WEBHOOK_SECRET_ROTATED, "webhook.secret_rotated", WEBHOOK, "", "", "The webhook has a new secret")

/* `updated`: readers of the log see every version of a document, also one that no other event tells. */
enum event_type {
#define X(name, text, subject, members, kept, meaning) EVENT_##name,
        EVENT_TYPES(X)
#undef X
                EVENT_TYPE_COUNT,
};

struct event_type_row {
        const char *name;
        enum subject_kind subject;
        const char *members; /* separated by a space */
        const char *kept;    /* the same: for the timeline alone */
        const char *meaning;
};

extern const struct event_type_row event_types[EVENT_TYPE_COUNT];

/* Stands before each type in events that readers get, with its dot; "" at first. Set at the start of the program,
 * before any thread. The database has types without it. */
extern const char *event_type_prefix;

/* The pattern behind the prefix, which clients may leave out. */
const char *event_type_bare(const char *pattern);

extern const char *const subject_kinds[SUBJECT_KIND_COUNT + 1]; /* as on the wire; NULL behind the last */

/* The form of a member in the data of an event: the same in all types that have it. */
struct event_member {
        const char *name;
        const char *form; /* "text", "integer", "id", "time", "texts", "lines" or "object" */
        const char *meaning;
};

extern const struct event_member event_data_members[];
extern const size_t event_data_member_count;
