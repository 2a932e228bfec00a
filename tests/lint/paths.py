#!/usr/bin/python3
"""The project names no place that exists on one machine only: a home, a workplace, a folder beside the clone."""

import re
import subprocess

from sources import ROOT, report

# Put together from parts, so that this file does not name them either.
PLACES = ["/" + "work/", "/" + "home/", "/" + "root/", "shared" + "/", r"\.\./\.\./\.\./" + r"\.\."]
PATTERN = re.compile(r"(?<![\w$.{}*-])(?:%s)" % "|".join(PLACES))

# Paths inside a container image, and documents of others.
ALLOWED = {"LICENSE"}


def own_files():
    """Tracked and new files, without what git ignores."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:  # an export without history
        return [path for path in ROOT.rglob("*") if path.is_file() and "build" not in path.relative_to(ROOT).parts]
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def faults():
    for path in own_files():
        if path.name in ALLOWED:
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, start=1):
            found = PATTERN.search(line)
            if found:
                yield path, number, f"names {found[0]}"


if __name__ == "__main__":
    report(faults())
