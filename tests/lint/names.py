#!/usr/bin/python3
"""Names of functions carry their noun: no static functions of different files have the same name.

A reader who searches for a name finds one function. `names.py` prints the shared names and their files.
"""

import json
import subprocess
import sys
from collections import defaultdict

from sources import ROOT, c_files


def static_functions(files):
    """{name: {file}} of all functions that are local to a file."""
    listed = subprocess.run(
        ["ctags-universal", "--output-format=json", "--fields=+n", "--c-kinds=f", "--languages=C", "-I", "DEFINE_CLEANUP+",
         "-o", "-", "-L", "-"],
        input="\n".join(map(str, files)), capture_output=True, text=True, check=True)
    found = defaultdict(set)
    for line in listed.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("file"):
            found[tag["name"]].add(tag["path"])
    return found


def shared_names():
    files = [path for path in c_files("src") if path.suffix == ".c"]
    return {name: sorted(paths) for name, paths in sorted(static_functions(files).items()) if len(paths) > 1}


def main():
    shared = shared_names()
    for name, paths in shared.items():
        print(f"{name}: {' '.join(path.removeprefix(str(ROOT) + '/') for path in paths)}: add the noun")
    return 1 if shared else 0


if __name__ == "__main__":
    sys.exit(main())
