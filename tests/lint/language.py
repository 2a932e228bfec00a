#!/usr/bin/python3
"""Plain language: documents, comments, messages and the API's descriptions can be understood at first reading.

  riddle    a clause with what, who, whoever or whom hides its actor: at most 4 in 1,000 words of a file, 1 in a short one
  phrase    phrases that hide the actor or the thing (PHRASES)
  sentence  a sentence of a document has at most 30 words
  summary   a summary of the API starts with a listed verb and has at most 8 words
  title     the title of a problem has at most 8 words

`language.py FILE...` prints the faults of these files alone. tests/lint/language_debt.json holds how many faults of a kind a
file may still have; `language.py --update` lowers the numbers, never raises one.
"""

import json
import re
import sys
from pathlib import Path

from sources import ROOT

DEBT = ROOT / "tests" / "lint" / "language_debt.json"

RIDDLES_IN_1000_WORDS = 4
SENTENCE_WORDS_MAX = 30
SUMMARY_WORDS_MAX = 8
TITLE_WORDS_MAX = 8

# Verbs that a summary may start with. Sorted.
VERBS = set("""Activate Add Adjust Announce Answer Approve Assign Cancel Change Check Close Commit Complete Count Create Decide Decode
Delete Deliver Erase Explain Export Extend Follow Get Hand Hold Import Issue List Mark Merge Move Open Pause Pick Place Plan Preview
Query Quote Receive Record Refund Register Reinstate Reject Release Replace Report Reserve Resend Restore Resume Return Rotate Scan Search Send
Set Ship Show Split Submit Test Undo Unlock Update Withdraw""".split())

PHRASES = ["be meant", "in the house", "give way", "gives way", "gave way", "is told", "are told", "was told", "were told", "stands in",
           "of its own", "of their own", "somebody", "lets go", "let go", "lets it go", "comes to", "means nothing to",
           "there is that which", "nobody asks"]

RIDDLE = re.compile(r"\b(what|who|whoever|whom)\b", re.IGNORECASE)
PHRASE = re.compile(r"\b(" + "|".join(re.escape(phrase) for phrase in PHRASES) + r")\b", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")


class Text:
    """The prose of a file: pieces of (line, text)."""

    def __init__(self, path, pieces):
        self.path = path
        self.pieces = list(pieces)

    def words(self):
        return sum(len(WORD.findall(text)) for _, text in self.pieces)


# ---- prose out of each kind of file ----

FENCE = re.compile(r"^\s*```")
INLINE_CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def markdown_paragraphs(text):
    """(line, paragraph): code is left out, a table cell or a list item is a paragraph."""
    lines, start, fenced = [], 0, False

    def flush():
        nonlocal lines
        if lines:
            yield start, " ".join(lines)
        lines = []

    for number, line in enumerate(text.splitlines(), start=1):
        if FENCE.match(line):
            yield from flush()
            fenced = not fenced
            continue
        if fenced or re.match(r"^( {4}|\t)", line) and not lines:
            continue
        plain = LINK.sub(r"\1", INLINE_CODE.sub("Code", line)).strip()
        if plain.startswith("|"):
            yield from flush()
            for cell in plain.strip("|").split("|"):
                yield number, cell.strip()
            continue
        if not plain or plain.startswith("#") or re.match(r"^([-*+]|\d+\.)\s", plain):
            yield from flush()
        if not plain:
            continue
        if not lines:
            start = number
        lines.append(re.sub(r"^(#+|[-*+]|\d+\.)\s+", "", plain))
        if plain.startswith("#"):
            yield from flush()
    yield from flush()


C_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
C_TEXT = re.compile(r'"((?:\\.|[^"\\\n])*)"')


def c_prose(text):
    """Comments, and texts that are sentences: three words or more."""
    for found in C_COMMENT.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, re.sub(r"(?m)^\s*(/\*|\*/|\*|//)|\*/$", " ", found[0])
    without = C_COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for number, line in enumerate(without.splitlines(), start=1):
        if line.lstrip().startswith("#include"):
            continue
        for found in C_TEXT.finditer(line):
            if len(re.findall(r"[A-Za-z]+ ", found[1])) >= 2:
                yield number, found[1]


def marked_prose(mark):
    """Comments of a line that begins with `mark`."""
    def prose(text):
        for number, line in enumerate(text.splitlines(), start=1):
            found = re.match(r"\s*" + mark + r"+(?!!)\s?(.*)", line)
            if found:
                yield number, found[1]
    return prose


def python_prose(text):
    for number, line in enumerate(text.splitlines(), start=1):
        found = re.match(r"\s*#(?!!)\s?(.*)", line) or re.match(r'\s*"""(.*?)("""|$)', line)
        if found:
            yield number, found[1]
        named = re.match(r"def (test_\w+)", line)
        if named:
            yield number, named[1].replace("_", " ")


def yaml_prose(text):
    """Summaries, descriptions and titles, folded lines included."""
    inside = None
    for number, line in enumerate(text.splitlines(), start=1):
        indent = len(line) - len(line.lstrip())
        if inside is not None and line.strip() and indent <= inside:
            inside = None
        found = re.match(r"\s*-?\s*(summary|description|title): ?(.*)", line)
        if inside is not None:
            yield number, line.strip()
        elif found:
            yield number, re.sub(r"^[>|][-+]?$", "", found[2])
            inside = indent
        elif line.lstrip().startswith("#"):
            yield number, line.strip("# ")


KINDS = [
    ("*.md", lambda text: markdown_paragraphs(text)),
    ("src/**/*.[ch]", c_prose),
    ("tests/**/*.[ch]", c_prose),
    ("sql/**/*.sql", marked_prose("--")),
    ("tests/**/*.py", python_prose),
    ("deploy/**/*.py", python_prose),
    ("deploy/**/*.sh", marked_prose("#")),
    ("tests/**/*.sh", marked_prose("#")),
    ("deploy/**/*.yaml", marked_prose("#")),
    ("deploy/**/*.cfg", marked_prose("#")),
    ("deploy/**/*.env", marked_prose("#")),
    ("api/**/*.yaml", yaml_prose),
    ("src/importing/formats/*.map", marked_prose("#")),
    ("meson.build", marked_prose("#")),
    ("Dockerfile", marked_prose("#")),
    ("docs/**/*.md", lambda text: markdown_paragraphs(text)),
]
LEFT_OUT = {"tests/lint/language.py", "api/swagger-ui/README.md"}

# The text of a migration is part of its recorded digest, so one that databases have run cannot be reworded.
LAST_FROZEN_MIGRATION = "sql/migrations/0014"


def is_frozen(name):
    return name.startswith("sql/migrations/") and name[:len(LAST_FROZEN_MIGRATION)] <= LAST_FROZEN_MIGRATION


def texts():
    seen = set()
    for pattern, prose in KINDS:
        for path in sorted(ROOT.glob(pattern)):
            name = str(path.relative_to(ROOT))
            if name in seen or name in LEFT_OUT or is_frozen(name) or name.startswith("build/") or not path.is_file():
                continue
            seen.add(name)
            yield name, Text(path, prose(path.read_text(encoding="utf-8")))


# ---- faults ----

def riddles(name, text):
    found = [(line, f"riddle: {match[0]!r} in {piece.strip()[:90]!r}") for line, piece in text.pieces
             for match in RIDDLE.finditer(piece)]
    return found if len(found) > max(1, RIDDLES_IN_1000_WORDS * text.words() // 1000) else []


def phrases(name, text):
    return [(line, f"phrase: {match[0]!r} in {piece.strip()[:90]!r}") for line, piece in text.pieces
            for match in PHRASE.finditer(piece)]


def sentences(name, text):
    if not name.endswith(".md"):
        return []
    faults = []
    for line, paragraph in text.pieces:
        for sentence in re.split(r"(?<=[.!?:])\s+(?=[A-Z`(\[*])", paragraph):
            n = len(WORD.findall(sentence))
            if n > SENTENCE_WORDS_MAX:
                faults.append((line, f"sentence: {n} words: {sentence[:90]!r}"))
    return faults


SUMMARY = re.compile(r"^      summary: (.*)$", re.MULTILINE)


def summaries(name, text):
    if not name.startswith("api/"):
        return []
    content = text.path.read_text(encoding="utf-8")
    faults = []
    for found in SUMMARY.finditer(content):
        words = found[1].strip("\"'").split()
        if words[0] not in VERBS or len(words) > SUMMARY_WORDS_MAX:
            faults.append((content.count("\n", 0, found.start()) + 1, f"summary: {found[1]!r}"))
    return faults


TITLE = re.compile(r'X\(\w+, \d{3}, "[a-z-]+",\s*(?:\\\s*)?"([^"]*)"\)')


def titles(name, text):
    if name != "src/base/problem.h":
        return []
    content = text.path.read_text(encoding="utf-8")
    return [(content.count("\n", 0, found.start(1)) + 1, f"title: {found[1]!r}") for found in TITLE.finditer(content)
            if len(found[1].split()) > TITLE_WORDS_MAX]


RULES = {"phrase": phrases, "riddle": riddles, "sentence": sentences, "summary": summaries, "title": titles}


def faults_by_file():
    return {name: {rule: find(name, text) for rule, find in RULES.items()} for name, text in texts()}


def debt_of(faults):
    counted = {name: {rule: len(found) for rule, found in rules.items() if found} for name, rules in faults.items()}
    return {name: rules for name, rules in sorted(counted.items()) if rules}


def compare(faults, debt):
    ok = True
    for name, rules in faults.items():
        for rule, found in rules.items():
            allowed = debt.get(name, {}).get(rule, 0)
            if len(found) > allowed:
                ok = False
                for line, fault in found:
                    print(f"{name}:{line}: {fault}")
    return ok


def show(faults, files):
    """Print the faults of these files alone."""
    read = True
    for path in map(Path, files):
        name = str(path.resolve().relative_to(ROOT)) if path.resolve().is_relative_to(ROOT) else str(path)
        if name not in faults:
            read = False
            print(f"{path}: no file that this lint reads (KINDS, LEFT_OUT in {Path(__file__).name})", file=sys.stderr)
        for line, fault in (found for rule in faults.get(name, {}).values() for found in rule):
            print(f"{name}:{line}: {fault}")
    return 0 if read else 2


def main(arguments):
    faults = faults_by_file()
    if arguments == ["--update"]:
        before = json.loads(DEBT.read_text()) if DEBT.exists() else None
        now = debt_of(faults)
        if before is not None:
            now = {name: {rule: min(n, before[name][rule]) for rule, n in rules.items() if rule in before.get(name, {})}
                   for name, rules in now.items()}
            now = {name: rules for name, rules in now.items() if rules}
        DEBT.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")
        return 0
    if arguments:
        return show(faults, arguments)
    debt = json.loads(DEBT.read_text()) if DEBT.exists() else {}
    return 0 if compare(faults, debt) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
