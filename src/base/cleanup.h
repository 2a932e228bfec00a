/*
 * base/cleanup: visible ownership, results that callers must check.
 *
 * A variable marked `_cleanup_(f)` is handed to f by address when it goes out of scope. Handing the value on is
 * visible: `*ret_x = take(x);` leaves NULL behind, so that the clean-up finds nothing to do.
 */
#pragma once

#include <stdlib.h>

#define _cleanup_(f)  __attribute__((cleanup(f)))
#define must_check    __attribute__((warn_unused_result))

#define array_size(a) (sizeof(a) / sizeof((a)[0]))

/* The value of a pointer variable, which is NULL afterwards. */
#define take(pointer)                                                                                                  \
        ({                                                                                                             \
                __typeof__(pointer) taken_ = (pointer);                                                                \
                (pointer) = NULL;                                                                                      \
                taken_;                                                                                                \
        })

/* Define `name_cleanup(type **)` for `_cleanup_`, from a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, name, destructor)                                                                         \
        static inline void name(type **pointer) {                                                                      \
                if (*pointer)                                                                                          \
                        destructor(*pointer);                                                                          \
        }

static inline void cleanup_free_(void *pointer) {
        free(*(void **) pointer);
}

#define _cleanup_free_ _cleanup_(cleanup_free_)
