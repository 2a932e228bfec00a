/*
 * http/query: query parameters, checked by the same shapes as bodies.
 *
 * Each member of the shape is a parameter: integers, times and codes are read from their text, lists are separated
 * by commas. Unknown parameters are UNKNOWN_PARAMETER, repeated or invalid ones INVALID_PARAMETER; `errors[]` names
 * them as "#/name".
 */
#pragma once

#include "base/shape.h"

#define QUERY_PARAMETERS_MAX 32

/* `text` is the part behind the "?", still escaped (it is decoded in place), or NULL. A NULL shape takes no parameters.
 */
enum problem query_read(
        const struct shape *shape, char *text, struct arena *arena, struct refusal *refusal, void **ret_filled);
