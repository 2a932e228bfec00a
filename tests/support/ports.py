"""Free TCP ports on the loopback interface."""

import random
import socket

# Below the range from which the kernel takes ports for outgoing connections, so that a port stays ours between two
# starts of a service; the private clusters take theirs from 20000 on.
FIRST, LAST = 10000, 19999

_given = set()


def free_port():
    """A port nobody listens on, never the same twice in this process."""
    while True:
        port = random.randint(FIRST, LAST)
        if port not in _given and _can_bind(port):
            _given.add(port)
            return port


def _can_bind(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
