"""Importing as an operator would: a file, the command, its output."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass

from support import ROOT
from support.holdfast import binary

WITHIN_S = 300

# A process begins with the peak of the one it was forked from, so a small one has to stand between it and the tests.
PEAK = """if True:
    import resource, subprocess, sys
    code = subprocess.call(sys.argv[1:])
    print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    sys.exit(code)
"""

OK, SOME_REFUSED, WRONG_USAGE, NO_DATABASE, BAD_CONFIG = 0, 1, 2, 69, 78


@dataclass
class Outcome:
    """The report of an import: its sums by name ({"taken": 3}), its named lines ({line: reason}): the lines it
    refused, those that match nothing, and those that match in part."""

    code: int
    stdout: str
    stderr: str

    def __post_init__(self):
        self.sums = {name.strip(): int(n) for name, n in re.findall(r"^ *([a-z -]+?) +(\d+)$", self.stdout, re.MULTILINE)}
        self.refusals = {int(line): reason for line, reason in re.findall(r"^\S+:(\d+): (.*)$", self.stderr, re.MULTILINE)}

    def __getitem__(self, name):
        return self.sums.get(name, 0)

    @property
    def lines(self):
        """(taken, unchanged, refused)"""
        assert self["lines read"] == self["taken"] + self["unchanged"] + self["refused"] + self["unmatched"], self.stdout
        named = self["refused"] + self["unmatched"] + self["partly matched"] + self["without hours"]
        assert len(self.refusals) == named, f"not every line that is to be named is\n{self.stdout}{self.stderr}"
        return self["taken"], self["unchanged"], self["refused"]


class Importer:
    """Runs `holdfast import` against the database of an instance; files are written to `directory`."""

    def __init__(self, service, directory):
        self.service = service
        self.directory = directory

    def write(self, name, *lines, encoding="utf-8"):
        path = self.directory / name
        path.write_bytes("".join(line + "\n" for line in lines).encode(encoding))
        return path

    def command(self, kind, path, *options):
        return [str(binary()), "import", kind, *map(str, options), str(path)]

    def run(self, kind, path, *options, expect=None, through=(), **variables):
        """Import a file; `variables` are added to the environment, `through` is a command that runs the command."""
        done = subprocess.run([*through, *self.command(kind, path, *options)],
                              env={**self.service.environment(), **variables}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=WITHIN_S)
        outcome = Outcome(done.returncode, done.stdout, done.stderr)
        assert expect is None or outcome.code == expect, f"ended with {outcome.code}\n{outcome.stdout}{outcome.stderr}"
        return outcome

    def measure(self, *arguments, **options):
        """As run; the outcome tells the peak of its memory, too: outcome["peak"] in KiB."""
        return self.run(*arguments, through=(sys.executable, "-c", PEAK), **options)


def real_invoices():
    """The file of real invoices: HOLDFAST_TEST_INVOICES, or one in a folder beside the project; else None."""
    named = os.environ.get("HOLDFAST_TEST_INVOICES")
    if named:
        return named
    for parent in list(ROOT.parents)[:2]:
        found = sorted(parent.glob("*/data/online-retail/invoices.csv"))
        if found:
            return found[0]
    return None
