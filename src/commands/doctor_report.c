#include "commands/doctor.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned n_failed;

void doctor_say(enum verdict verdict, const char *check, const char *remedy, const char *format, ...) {
        static const char *const words[] = { "ok", "warn", "fail" };
        va_list arguments;

        n_failed += verdict == VERDICT_FAIL;
        (void) printf("%-5s %-14s ", words[verdict], check);
        va_start(arguments, format);
        (void) vprintf(format, arguments);
        va_end(arguments);
        if (verdict != VERDICT_OK)
                (void) printf("; %s", remedy);
        (void) printf("\n");
}

unsigned doctor_failures(void) {
        return n_failed;
}
