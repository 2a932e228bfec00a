#!/usr/bin/python3
"""Files of one folder do not use each other in circles, but for those that are one module (ALLOWED)."""

import json
import re
import subprocess
from collections import defaultdict

from sources import ROOT, c_files, code_lines, report

SOURCE = ROOT / "src"

# Files that may use each other, and why.
ALLOWED = [
    {"base/shape.c", "base/shape_kinds.c"},  # a recursive parser
    # One module with one internal header (http/server_internal.h).
    {"http/server.c", "http/server_download.c", "http/server_exchange.c", "http/server_peers.c", "http/server_stream.c", "http/server_waiting.c"},
]

# Circles that stand and are to be cut: this list only gets shorter.
OWED = []

# A name, unless it is a member (after . or ->).
NAME = re.compile(r"(?<![.\w>])(?<!struct )(?<!enum )([a-z]\w+_\w+)\b(?!\s*=)")


def definitions():
    """name -> path of each function and variable that is not static, and path -> names of those that are."""
    files = {str(path): path for path in c_files("src") if path.suffix == ".c"}
    listed = subprocess.run(
        ["ctags-universal", "--output-format=json", "--fields=+f", "--extras=+q", "--c-kinds=fv", "--languages=C", "-o", "-", "-L", "-"],
        input="\n".join(files), capture_output=True, text=True, check=True)
    found, static = {}, defaultdict(set)
    for line in listed.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("file"):
            static[files[tag["path"]]].add(tag["name"])
        else:
            found[tag["name"]] = files[tag["path"]]
    return found, static


def uses_by_file(defined, static):
    """path -> paths of its folder whose functions and tables it uses, with the line of the first use."""
    uses = defaultdict(dict)
    for path in c_files("src"):
        if path.suffix != ".c":
            continue
        for number, line in code_lines(path):
            for name in NAME.findall(line):
                target = defined.get(name)
                if target and target != path and name not in static[path] and target.parent == path.parent:
                    uses[path].setdefault(target, (number, name))
    return uses


def circles(uses):
    """Strongly connected sets of more than one file (Tarjan)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for target in uses.get(node, {}):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in on_stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            members = set()
            while True:
                member = stack.pop()
                on_stack.discard(member)
                members.add(member)
                if member == node:
                    break
            if len(members) > 1:
                found.append(members)

    for node in sorted(uses):
        if node not in index:
            visit(node)
    return found


def faults():
    uses = uses_by_file(*definitions())
    for members in circles(uses):
        names = {str(path.relative_to(SOURCE)) for path in members}
        if any(names <= allowed for allowed in ALLOWED + OWED):
            continue
        for path in sorted(members):
            for target, (number, name) in sorted(uses[path].items()):
                if target in members:
                    yield path, number, f"uses {name} of {target.name}, which leads back ({', '.join(sorted(names))})"


if __name__ == "__main__":
    report(faults())
