/*
 * events/arguments: the arguments that the rules of a command share.
 */
#pragma once

#include "events/events.h"

struct stock; /* inventory/inventory.h */

struct command {
        const char *actor;
        timestamp now;
        struct events *events;
        struct arena *arena;     /* for new records and for the texts of a refusal */
        struct refusal *refusal; /* NULL: for rules that refuse nothing */
        struct stock *stock;     /* NULL: for rules that move none */
};
