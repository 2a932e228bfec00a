#include "exporting/commands.h"

const struct route export_routes[] = {
        { METHOD_GET, "/v1/exports/{kind}", SCOPE_EXPORTS_READ, .query = &export_query_shape, .check = export_check,
                .download = export_download },
};
const size_t export_route_count = array_size(export_routes);
