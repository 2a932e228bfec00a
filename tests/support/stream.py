"""A reader of server-sent events."""

import json
import socket


class Stream:
    """The stream at a path, read block by block."""

    def __init__(self, service, path, last=None, **claims):
        token = service.client(**claims).token
        self.socket = socket.create_connection(service.address, timeout=60)
        header = "" if last is None else f"Last-Event-ID: {last}\r\n"
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                             f"{header}Authorization: Bearer {token}\r\n\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.text = b""

    def block(self):
        """The next block; None at the end of the stream."""
        while b"\n\n" not in self.text:
            size = int(self.file.readline() or b"0", 16)
            chunk = self.file.read(size)
            self.file.readline()
            if not size:
                return None
            self.text += chunk
        block, _, self.text = self.text.partition(b"\n\n")
        return block.decode()

    def event(self):
        """(id, type, data) of the next event."""
        while (block := self.block()) is not None:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in fields:
                return fields["id"], fields["event"], json.loads(fields["data"])
        return None

    def close(self):
        self.file.close()
        self.socket.close()
