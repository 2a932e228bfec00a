/*
 * commands/shapes: the shapes of all routes as JSON, so that a test can compare them with api/openapi.
 *
 *     [{"method","path","body":SHAPE|null,"query":SHAPE|null}]
 *     SHAPE: [{"name","kind","required","minimum","maximum","names"?:[...],"shape"?:SHAPE}]
 */
#pragma once

#include <stdio.h>

void shapes_print(FILE *out);
