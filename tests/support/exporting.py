"""Exporting as an operator would: the command, its output, its message."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

from support.holdfast import binary
from support.importing import PEAK

WITHIN_S = 300

OK, INCOMPLETE, WRONG_USAGE, NO_DATABASE, BAD_CONFIG = 0, 1, 2, 69, 78


@dataclass
class Export:
    code: int
    bytes: bytes
    stderr: str

    @property
    def text(self):
        return self.bytes.decode()

    @property
    def header(self):
        return next(csv.reader(io.StringIO(self.text, newline="")))

    @property
    def rows(self):
        """The rows of CSV as dicts of texts, an empty cell as ''."""
        return list(csv.DictReader(io.StringIO(self.text, newline="")))

    @property
    def objects(self):
        """The rows of JSON lines."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def named_rows(self):
        """How many rows the message tells of, and the moment it names."""
        found = re.search(r"(\d+) rows of \S+ as of (\S+)$", self.stderr.strip())
        assert found, self.stderr
        return int(found[1]), found[2]


class Exporter:
    """Runs `holdfast export` against the database of an instance."""

    def __init__(self, service):
        self.service = service

    def command(self, kind, *options):
        return [str(binary()), "export", *([kind] if kind else []), *map(str, options)]

    def start(self, kind, *options, **popen):
        return subprocess.Popen(self.command(kind, *options), env=self.service.environment(),
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen})

    def run(self, kind, *options, expect=OK, through=(), **variables):
        done = subprocess.run([*through, *self.command(kind, *options)], env={**self.service.environment(), **variables},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN_S)
        made = Export(done.returncode, done.stdout, done.stderr.decode())
        assert expect is None or made.code == expect, f"ended with {made.code}\n{made.stderr}"
        return made

    def measure(self, kind, *options, path):
        """The peak of its memory in KiB while it writes to a file."""
        with open(path, "wb") as out:
            # An instrumented build must not keep freed rows. The line with the peak goes behind the rows.
            options_of_build = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
            subprocess.run([sys.executable, "-c", PEAK, *self.command(kind, *options)],
                           env={**self.service.environment(), "ASAN_OPTIONS": options_of_build},
                           stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, check=True, timeout=WITHIN_S)
        with open(path, "rb") as written:
            written.seek(-40, 2)
            return int(re.search(rb"peak (\d+)", written.read())[1])
