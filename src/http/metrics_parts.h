/*
 * http/metrics_parts: the parts of /metrics. Loop thread.
 */
#pragma once

#include "base/exposition.h"
#include "engine/lanes.h"

void metrics_write_lanes(struct buffer *out, struct lanes *lanes);

/* The process_... figures that every Prometheus client has; read from the kernel, without a wait. */
void metrics_write_process(struct buffer *out);
