#include "commands/supervisor.h"

#include "base/text.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_SIZE 256

enum word {
        WORD_NONE,
        WORD_READY,
        WORD_WAITING, /* not, or no longer, ready */
        WORD_STOPPING,
};

static const char *const words[] = {
        [WORD_READY] = "READY=1\nSTATUS=Serving.",
        [WORD_WAITING] = "STATUS=Not ready: see /readyz.",
        [WORD_STOPPING] = "STOPPING=1\nSTATUS=Finishing running requests.",
};

static struct {
        int socket; /* 0: no service manager */
        struct sockaddr_un address;
        socklen_t size;
        enum word told;
        bool reloading, stopping;
        duration pet_every; /* 0: there is no watchdog */
        timestamp pet_at;
} supervisor;

static bool supervisor_send(const char *message) {
        return sendto(supervisor.socket, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL,
                       (const struct sockaddr *) &supervisor.address, supervisor.size) >= 0;
}

/* A path, or the name of an abstract socket behind an "@". */
static bool address_read(const char *name) {
        const size_t length = strlen(name);

        if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof(supervisor.address.sun_path))
                return false;
        supervisor.address.sun_family = AF_UNIX;
        memcpy(supervisor.address.sun_path, name, length + 1);
        if (name[0] == '@')
                supervisor.address.sun_path[0] = '\0';
        supervisor.size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
        return true;
}

static bool variable_number_read(const char *variable, int64_t *ret_number) {
        const char *text = getenv(variable);

        return text && text_to_integer(text, 1, INT64_MAX, ret_number);
}

/* Half the manager's time limit; 0 when it watches another process. */
static duration watchdog_read(void) {
        int64_t us = 0, pid = 0;

        if (!variable_number_read("WATCHDOG_USEC", &us))
                return 0;
        if (getenv("WATCHDOG_PID") && (!variable_number_read("WATCHDOG_PID", &pid) || pid != getpid()))
                return 0;
        return us / 2;
}

void supervisor_open(void) {
        const char *name = getenv("NOTIFY_SOCKET");
        int fd;

        memset(&supervisor, 0, sizeof(supervisor));
        if (!name || !address_read(name))
                return;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        supervisor.socket = fd > 0 ? fd : 0;
        supervisor.pet_every = watchdog_read();
}

static void supervisor_state_send(enum word word) {
        if (supervisor.told != word && supervisor_send(words[word]))
                supervisor.told = word;
}

void supervisor_tick(bool ready, bool reloaded, timestamp now) {
        if (!supervisor.socket)
                return;
        if (supervisor.reloading && reloaded) {
                supervisor.reloading = false;
                supervisor.told = WORD_NONE; /* the manager expects the state again */
        }
        if (supervisor.stopping)
                supervisor_state_send(WORD_STOPPING);
        else if (!supervisor.reloading)
                supervisor_state_send(ready ? WORD_READY : WORD_WAITING);
        if (supervisor.pet_every && now >= supervisor.pet_at && supervisor_send("WATCHDOG=1"))
                supervisor.pet_at = now + supervisor.pet_every;
}

void supervisor_reloading(timestamp now) {
        char message[MESSAGE_SIZE];

        if (!supervisor.socket || supervisor.stopping)
                return;
        (void) snprintf(
                message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=Reading keys again.", now);
        supervisor.reloading = supervisor_send(message);
}

void supervisor_stopping(void) {
        supervisor.stopping = true;
        if (supervisor.socket)
                supervisor_state_send(WORD_STOPPING);
}

void supervisor_close(void) {
        if (supervisor.socket)
                (void) close(supervisor.socket);
        supervisor.socket = 0;
}
