#include "exporting/kinds.h"

#include "base/text.h"
#include "sql/exporting.h"

#define OF_ORDERS (EXPORT_TIME | EXPORT_LOCATION | EXPORT_CHANNEL)

const struct export_kind export_kinds[] = {
        { "events", &sql_export_events, OF_ORDERS },
        { "journal", &sql_export_journal, EXPORT_TIME | EXPORT_CHANNEL | EXPORT_MARKET },
        { "ledger", &sql_export_ledger, EXPORT_TIME | EXPORT_LOCATION },
        { "listings", &sql_export_listings, EXPORT_CHANNEL },
        { "locations", &sql_export_locations, EXPORT_LOCATION },
        { "order-lines", &sql_export_order_lines, OF_ORDERS },
        { "orders", &sql_export_orders, OF_ORDERS },
        { "payments", &sql_export_payments, OF_ORDERS },
        { "products", &sql_export_products, 0 },
        { "refunds", &sql_export_refunds, OF_ORDERS },
        { "returns", &sql_export_returns, OF_ORDERS },
        { "stock", &sql_export_stock, EXPORT_LOCATION },
};
const size_t export_kind_count = array_size(export_kinds);

const struct export_kind *export_kind_named(const char *name) {
        for (size_t i = 0; i < export_kind_count; i++)
                if (text_equal(export_kinds[i].name, name))
                        return &export_kinds[i];
        return NULL;
}
