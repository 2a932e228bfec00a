/*
 * commands/pages: pages of docs/ printed from the tables of the program, as Markdown.
 *
 * The files in docs/ are what these functions print; a test compares them.
 */
#pragma once

#include <stdio.h>

void page_configuration(FILE *out); /* docs/configuration.md */
void page_asyncapi(FILE *out);      /* api/asyncapi.yaml */
void page_events(FILE *out);        /* docs/events.md */
void page_notifications(FILE *out); /* docs/notifications.md */
void page_lifecycles(FILE *out);    /* docs/lifecycles.md */
void page_problems(FILE *out);      /* docs/problems.md */
