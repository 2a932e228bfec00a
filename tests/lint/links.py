#!/usr/bin/python3
"""A link in a page of ours leads somewhere, the README names every folder, page and test, decisions are numbered through."""

import re

from sources import ROOT, report

LINK = re.compile(r"\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


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
    """Whoever looks for a page, or for a test that takes a command of its own, finds it from the README."""
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


def faults():
    for page in pages():
        yield from link_faults(page)
    yield from map_faults()
    yield from readme_faults()
    yield from number_faults()


if __name__ == "__main__":
    report(faults())
