#!/usr/bin/python3
"""Links in the pages lead somewhere, the README names every folder, page and test, decisions have consecutive numbers, and
each row of the request's life in docs/architecture.md names a function that its file defines. The files, functions and names of
code that docs/architecture.md and CONTRIBUTING.md have in code marks exist. Texts that a page wants to be found in the log are
texts of the program."""

import re
from pathlib import Path

from sources import ROOT, c_files, code_lines, report

LINK = re.compile(r"\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")
IN_THE_LOG = re.compile(r"`([^`]+)` in the log\b")
LIFE_HEADING = "## The life of POST /v1/orders"
LIFE_ROW = re.compile(r"\| `([\w/.]+)` \| `(\w+)` \| \S.* \|$")
LIFE_ROWS_MIN = 20

# Pages whose code marks name the source: `path`, `path:function`, `name_of_code`. A bare file is one of any folder.
SOURCE_PAGES = ("CONTRIBUTING.md", "docs/architecture.md")
CODE_MARK = re.compile(r"`([^`\n]+)`")
CODE_PATH = re.compile(r"((?:[\w.*-]+/)*[\w.*-]+\.(?:c|h|py|sh|sql|yaml|json|md)|(?:[\w.-]+/)+)(?::(\w+))?")
CODE_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
CODE_FOLDERS = ("src", "sql", "tests")


def pages():
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def headings(page):
    """The anchors that a reader of Markdown gives to headings."""
    found = re.findall(r"^#+ +(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in found}


def link_faults(page):
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        for link in LINK.findall(line):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if ELSEWHERE.match(link):
                continue
            if not target.exists():
                yield page, number, f"{link} is not there"
            elif anchor and anchor not in headings(target):
                yield page, number, f"{link}: there is no such heading"


def map_faults():
    readme = ROOT / "README.md"
    plan = re.search(r"^## Where things are$.*?^```$(.*?)^```$", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    words = set(re.findall(r"[a-z]+", plan[1])) if plan else set()
    folders = {path.name for path in (ROOT / "src").iterdir() if path.is_dir() and any(path.iterdir())}
    for missing in sorted(folders - words):
        yield readme, 1, f"the map does not name src/{missing}"


def readme_faults():
    """The README links every page and names every test that a separate command runs."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    tests = text[text.index("tests/     "):text.index("deploy/    ")]
    for page in sorted((ROOT / "docs").glob("*.md")):
        if f"(docs/{page.name})" not in text:
            yield readme, 1, f"no link leads to docs/{page.name}"
    for script in sorted((ROOT / "tests" / "deploy").glob("*.sh")):
        if not re.search(rf"\b{script.name}\b", tests):
            yield readme, 1, f"the map does not name tests/deploy/{script.name}"


def number_faults():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for place, page in enumerate(pages, start=1):
        if not page.name.startswith(f"{place:04d}-"):
            yield page, 1, f"the number after the one before is {place:04d}"
            return


def defines(path, function):
    """Whether a C file defines the function; a prototype or a call does not count."""
    code = "\n".join(line for _, line in code_lines(path))
    return re.search(rf"^\w[\w *]*\b{function}\([^;{{]*\{{", code, re.MULTILINE) is not None


def life_faults():
    """The table that follows one request through the program: | `file` | `function` | step |."""
    page = ROOT / "docs" / "architecture.md"
    inside, n_rows = False, 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("## "):
            inside = line == LIFE_HEADING
        if not inside or not line.startswith("|") or line.startswith(("| file |", "|---")):
            continue
        row = LIFE_ROW.match(line)
        if not row:
            yield page, number, "a row names a file, a function and a step"
            continue
        n_rows += 1
        path = ROOT / "src" / row[1]
        if not path.is_file():
            yield page, number, f"src/{row[1]} does not exist"
        elif not defines(path, row[2]):
            yield page, number, f"src/{row[1]} does not define {row[2]}"
    if n_rows < LIFE_ROWS_MIN:
        yield page, 1, f"the section {LIFE_HEADING!r} has {n_rows} rows, fewer than {LIFE_ROWS_MIN}"


def files_of(mark):
    """The files or folders that a code mark may mean: from the root, below src/, or, without a folder, anywhere in the source."""
    mark = mark.rstrip("/")
    found = [path for root in (ROOT, ROOT / "src") for path in root.glob(mark)]
    if not found and "/" not in mark:
        found = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob(mark)]
    return found


def mark_faults():
    words = set()
    for folder in CODE_FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".c", ".h", ".sql", ".py") and path != Path(__file__).resolve():
                words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    for page in (ROOT / name for name in SOURCE_PAGES):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            for mark in CODE_MARK.findall(line):
                fault = mark_fault(mark, words)
                if fault:
                    yield page, number, fault


def mark_fault(mark, words):
    named = CODE_PATH.fullmatch(mark)
    if not named:
        return f"no source has the name {mark}" if CODE_NAME.fullmatch(mark) and mark not in words else None
    files = files_of(named[1])
    if not files and not named[1].startswith("build/"):  # made by a build
        return f"{named[1]} does not exist"
    if named[2] and not any(path.is_file() and defines(path, named[2]) for path in files):
        return f"{named[1]} does not define {named[2]}"
    return None


def log_faults():
    """A message or member that a page wants to be found in the log is one that the program writes."""
    written = "\n".join(path.read_text(encoding="utf-8") for path in c_files("src"))
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in IN_THE_LOG.finditer(text.replace("\n", " ")):
            if f'"{found[1]}"' not in written:
                yield page, text.count("\n", 0, found.start()) + 1, f"the log never has {found[1]!r}"


def faults():
    for page in pages():
        yield from link_faults(page)
    yield from map_faults()
    yield from readme_faults()
    yield from number_faults()
    yield from life_faults()
    yield from mark_faults()
    yield from log_faults()


if __name__ == "__main__":
    report(faults())
