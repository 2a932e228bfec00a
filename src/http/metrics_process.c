#include "http/metrics_parts.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STAT_SIZE_MAX 2048 /* proc(5): one line of numbers, and a name of 16 bytes */
#define STAT_FIELD_START                                                                                               \
        22 /* starttime, in ticks since boot; fields count from 1, the name in brackets is the second */
#define STAT_FIELD_VSIZE 23
#define STAT_FIELD_RSS   24

static size_t proc_file_read(const char *path, char *text, size_t size) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = -1;

        if (fd >= 0) {
                n = read(fd, text, size - 1);
                (void) close(fd);
        }
        text[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t) n : 0;
}

/* A number of /proc/self/stat, counted behind the name, which may hold blanks and brackets itself. */
static double stat_field(const char *stat, int field) {
        const char *at = strrchr(stat, ')');

        for (int i = 2; at && i < field; i++)
                at = strchr(at + 1, ' ');
        return at ? strtod(at + 1, NULL) : 0;
}

static double booted_at(void) {
        static char text[64 * 1024]; /* the line of interrupts comes first and is long */
        const char *line;

        if (!proc_file_read("/proc/stat", text, sizeof(text)))
                return 0;
        line = strstr(text, "\nbtime ");
        return line ? strtod(line + strlen("\nbtime "), NULL) : 0;
}

/* It never changes, so it is computed once. */
static double started_at(const char *stat) {
        static double found;
        const double ticks = (double) sysconf(_SC_CLK_TCK);

        if (found <= 0)
                found = booted_at() + stat_field(stat, STAT_FIELD_START) / ticks;
        return found;
}

static double descriptors_open(void) {
        DIR *directory = opendir("/proc/self/fd");
        double n = -1; /* the directory stream itself */

        if (!directory)
                return 0;
        for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
                n += entry->d_name[0] != '.';
        (void) closedir(directory);
        return n;
}

static double cpu_seconds(void) {
        struct rusage usage = { 0 };

        (void) getrusage(RUSAGE_SELF, &usage);
        return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / SECOND;
}

void metrics_write_process(struct buffer *out) {
        struct rlimit limit = { 0 };
        char stat[STAT_SIZE_MAX];

        (void) proc_file_read("/proc/self/stat", stat, sizeof(stat));
        (void) getrlimit(RLIMIT_NOFILE, &limit);
        exposition_head(out, "process_cpu_seconds_total", "counter", "Time on a processor, user and system");
        exposition_number(out, "process_cpu_seconds_total", "", cpu_seconds());
        exposition_gauge(out, "process_max_fds", "Descriptors that may be open", (double) limit.rlim_cur);
        exposition_gauge(out, "process_open_fds", "Descriptors that are open", descriptors_open());
        exposition_gauge(out, "process_resident_memory_bytes", "Memory that is resident",
                stat_field(stat, STAT_FIELD_RSS) * (double) sysconf(_SC_PAGESIZE));
        exposition_gauge(out, "process_start_time_seconds", "When it started, as Unix time", started_at(stat));
        exposition_gauge(out, "process_virtual_memory_bytes", "Address space", stat_field(stat, STAT_FIELD_VSIZE));
}
