#!/usr/bin/python3
"""No function is longer than 60 lines (tables may be)."""

import json
import subprocess

from sources import c_files, report

MAXIMUM = 60


def faults():
    files = {str(path): path for path in c_files("src", "tests")}
    if not files:
        return
    listed = subprocess.run(
        ["ctags-universal", "--output-format=json", "--fields=+ne", "--c-kinds=f", "--languages=C", "-I", "Test+,TestSuite+",
         "-o", "-", "-L", "-"],
        input="\n".join(files), capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        tag = json.loads(line)
        length = tag.get("end", tag["line"]) - tag["line"] + 1
        if length > MAXIMUM:
            yield files[tag["path"]], tag["line"], f"{tag['name']} has {length} lines, more than {MAXIMUM}"


if __name__ == "__main__":
    report(faults())
