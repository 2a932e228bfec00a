#!/usr/bin/python3
"""Read a mail from standard input with Python's parser and print its parts as JSON, the QR code of its picture decoded."""

import email
import email.header
import email.policy
import email.utils
import json
import struct
import sys
import zlib

from pyzbar import pyzbar


def grey(png):
    """(bytes, width, height) of a PNG with one bit a dot and without filters; every checksum is compared."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        data, crc = png[at + 8:at + 8 + size], png[at + 8 + size:at + 12 + size]
        assert struct.unpack(">I", crc)[0] == zlib.crc32(kind + data), kind
        chunks[kind] = data
        at += 12 + size
    width, height, depth = struct.unpack(">IIB", chunks[b"IHDR"][:9])
    assert depth == 1 and at == len(png) and b"IEND" in chunks
    rows, step = zlib.decompress(chunks[b"IDAT"]), 1 + (width + 7) // 8
    assert len(rows) == step * height and not any(rows[::step])
    dots = [255 if rows[y * step + 1 + x // 8] >> (7 - x % 8) & 1 else 0 for y in range(height) for x in range(width)]
    return bytes(dots), width, height


def tree(part):
    if part.is_multipart():
        return {part.get_content_type(): [tree(inner) for inner in part.iter_parts()]}
    return part.get_content_type()


def mailboxes(raw, name):
    """[name, address] of each, by the older parser: the newer one of Python 3.11 keeps the blank between encoded words (RFC 2047, 6.2)."""
    value = email.message_from_bytes(raw)[name].replace("\r\n", "")
    return [[str(email.header.make_header(email.header.decode_header(shown))), address]
            for shown, address in email.utils.getaddresses([value])]


def main():
    raw = sys.stdin.buffer.read()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    texts = {part.get_content_subtype(): part.get_content().replace("\r\n", "\n") for part in parts if part.get_content_maintype() == "text"}
    pictures = [part for part in parts if part.get_content_maintype() == "image"]
    print(json.dumps({
        "fields": [[name, str(value)] for name, value in mail.items()],
        "from": mailboxes(raw, "From"),
        "to": mailboxes(raw, "To"),
        "recipients": [one.addr_spec for one in mail["To"].addresses],
        "date": mail["Date"].datetime.isoformat(),
        "tree": tree(mail),
        "plain": texts.get("plain"),
        "html": texts.get("html"),
        "pictures": [part["Content-ID"] for part in pictures],
        "codes": [found.data.decode() for part in pictures for found in pyzbar.decode(grey(part.get_content()))],
        "defects": [repr(fault) for part in mail.walk() for fault in part.defects] + [
            repr(fault) for value in mail.values() for fault in value.defects],
        "longest": max(len(line) for line in raw.split(b"\r\n")),
        "bare": raw.replace(b"\r\n", b"").count(b"\r") + raw.replace(b"\r\n", b"").count(b"\n"),
        "ascii": raw.isascii(),
    }))


main()
