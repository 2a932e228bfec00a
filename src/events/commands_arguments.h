/*
 * events/commands_arguments: the arguments that a call hands to the rules.
 */
#pragma once

#include "engine/call.h"
#include "events/arguments.h"

/* The command of a call: without stock, and with the arena of the call for its new records and texts. The actor of a
 * customer's link is "customer". */
struct command call_command(const struct batch *batch, struct call *call);
