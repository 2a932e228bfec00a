#include "exporting/kinds.h"

#include "base/text.h"
#include "sql/exporting.h"

const struct export_kind export_kinds[] = {
        { "locations", &sql_export_locations, EXPORT_LOCATION },
        { "products", &sql_export_products, 0 },
        { "stock", &sql_export_stock, EXPORT_LOCATION },
};
const size_t export_kind_count = array_size(export_kinds);

const struct export_kind *export_kind_named(const char *name) {
        for (size_t i = 0; i < export_kind_count; i++)
                if (text_equal(export_kinds[i].name, name))
                        return &export_kinds[i];
        return NULL;
}
