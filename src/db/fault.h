/*
 * db/fault: the fault of a batch by its SQLSTATE (PostgreSQL 15, appendix A).
 */
#pragma once

#include "base/problem.h"

/* The fault for five characters of SQLSTATE; NULL or "" (nothing came back) is FAULT_LOST. */
enum problem fault_of_sqlstate(const char *sqlstate);
