#!/usr/bin/python3 -B
"""A mail server for trials: it keeps each mail as a file, and sends none on.

usage: deploy/mails.py PORT DIRECTORY

It listens on 127.0.0.1 and writes each mail to DIRECTORY/NUMBER.eml, from 0001 on. It speaks as much SMTP (RFC 5321) as
a sender of plain mails needs: no TLS, no passwords.
"""

import asyncio
import sys
from pathlib import Path

LINE_MAX = 64 * 1024
MAIL_MAX = 10 * 1024 * 1024
SILENCE_S = 300


class Mailbox:
    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.n = max((int(file.stem) for file in directory.glob("[0-9]*.eml")), default=0)

    def keep(self, content):
        self.n += 1
        unfinished = self.directory / f"{self.n:04}.part"
        unfinished.write_bytes(content)
        unfinished.rename(self.directory / f"{self.n:04}.eml")


async def line_of(reader):
    return await asyncio.wait_for(reader.readline(), SILENCE_S)


async def content_of(reader):
    """Up to the line with a dot; None when the sender is gone, or the mail is too long."""
    lines, size = [], 0
    while True:
        line = await line_of(reader)
        size += len(line)
        if not line or size > MAIL_MAX:
            return None
        if line in (b".\r\n", b".\n"):
            return b"".join(lines)
        lines.append(line[1:] if line.startswith(b".") else line)


async def converse(reader, writer, mailbox):
    def say(text):
        writer.write(text.encode() + b"\r\n")

    say("220 mail catcher of Holdfast")
    while line := await line_of(reader):
        verb = line[:4].upper()
        if verb == b"DATA":
            say("354 End with a dot")
            content = await content_of(reader)
            if content is None:
                return
            mailbox.keep(content)
            say("250 2.0.0 Kept")
        elif verb == b"QUIT":
            say("221 2.0.0 Bye")
            return
        else:
            say("250 2.0.0 Ok" if verb in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP") else "502 5.5.1 Unknown command")
        await writer.drain()


async def serve(port, directory):
    mailbox = Mailbox(directory)

    async def connected(reader, writer):
        try:
            await converse(reader, writer, mailbox)
            await writer.drain()
        except (asyncio.TimeoutError, OSError, ValueError):
            pass  # a sender that is gone, silent or too long is no fault of the catcher
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=LINE_MAX)
    async with server:
        await server.serve_forever()


def main():
    if len(sys.argv) != 3 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    try:
        asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
