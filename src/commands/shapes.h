/*
 * commands/shapes: what the routes accept, as JSON, so that a test can compare it with api/openapi.
 *
 *     [{"method","path","body":SHAPE|null,"query":SHAPE|null}]
 *     SHAPE: [{"name","kind","required","minimum","maximum","names"?:[...],"shape"?:SHAPE}]
 */
#pragma once

#include <stdio.h>

void shapes_print(FILE *out);
