#include "catalog/upkeep.h"

const char *const capability_names[] = { "curbside", "pickup", "returns", "ship", NULL };
const char *const channel_kinds[] = { "app", "call_center", "kiosk", "marketplace", "pos", "social", "web", NULL };
const char *const location_kinds[] = { "store", "warehouse", NULL };
