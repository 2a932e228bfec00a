"""Patterns of tests/run.sh -k."""

import pytest

from support.patterns import Pattern, PatternError

NAMES = ["banned", "format", "language", "length", "tidy"]


def chosen(text):
    return [name for name in NAMES if Pattern(text).matches(name)]


@pytest.mark.parametrize("text, names", [
    ("tidy", ["tidy"]),
    ("an", ["banned", "language"]),
    ("not tidy", ["banned", "format", "language", "length"]),
    ("lang or leng", ["language", "length"]),
    ("an and not ba", ["language"]),
    ("not (an or format)", ["length", "tidy"]),
    ("notidy", []),
])
def test_a_pattern_chooses_the_names_that_fit_it(text, names):
    assert chosen(text) == names


def test_criterion_reads_the_same_pattern_as_a_glob():
    assert Pattern("tidy").glob() == "*tidy*"
    assert Pattern("not tidy").glob() == "!(*tidy*)"
    assert Pattern("a or not b").glob() == "@(*a*|!(*b*))"
    assert Pattern("a and b").glob() == "!(!(*a*)|!(*b*))"


@pytest.mark.parametrize("text", ["not", "a or", "a b", "(a", "and a", "a)"])
def test_a_text_that_is_no_pattern_is_refused(text):
    with pytest.raises(PatternError):
        Pattern(text)
