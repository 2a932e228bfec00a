"""Shared parts of the checks: finding files, reading C without its comments, reporting."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def c_files(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.[ch]"))


def code_lines(path):
    """(number, line) of a C file with comments and the insides of literals blanked."""
    blanked = _COMMENT_OR_TEXT.sub(_blank, path.read_text(encoding="utf-8"))
    return enumerate(blanked.split("\n"), start=1)


def _blank(found):
    text = found[0]
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    return text[0] + " " * (len(text) - 2) + text[-1]


def report(faults):
    """Print "path:line: fault" for each fault (path, line, text) and exit: 1 when there is one."""
    faults = list(faults)
    for path, line, text in faults:
        print(f"{path.relative_to(ROOT)}:{line}: {text}")
    sys.exit(1 if faults else 0)
