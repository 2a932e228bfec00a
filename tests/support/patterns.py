"""Patterns of -k: parts of names, joined by `or`, `and`, `not` and parentheses as pytest reads them."""

import re


class PatternError(ValueError):
    """The text is no pattern."""


class Pattern:
    """Such as `not tidy`, or `cancel and not refund`."""

    def __init__(self, text):
        self.text = text
        self._tokens = re.findall(r"[()]|[^\s()]+", text)
        self._tree = self._any()
        if self._tokens:
            raise PatternError(f"-k {text!r}: {self._tokens[0]!r} follows without `or` or `and`")

    def matches(self, name):
        return _holds(self._tree, name)

    def glob(self):
        """The same as a pattern of Criterion, an extended glob."""
        return _glob(self._tree)

    def _next(self, *wanted):
        return self._tokens.pop(0) if self._tokens and (not wanted or self._tokens[0] in wanted) else None

    def _any(self):
        parts = [self._all()]
        while self._next("or"):
            parts.append(self._all())
        return ("or", *parts) if len(parts) > 1 else parts[0]

    def _all(self):
        parts = [self._one()]
        while self._next("and"):
            parts.append(self._one())
        return ("and", *parts) if len(parts) > 1 else parts[0]

    def _one(self):
        if self._next("not"):
            return ("not", self._one())
        if self._next("("):
            inner = self._any()
            if not self._next(")"):
                raise PatternError(f"-k {self.text!r}: a parenthesis is open")
            return inner
        word = self._next()
        if word is None or word in ("and", "or", ")"):
            raise PatternError(f"-k {self.text!r}: {word or 'the end'} stands where a name is expected")
        return word


def _holds(tree, name):
    if isinstance(tree, str):
        return tree in name
    kind, *parts = tree
    found = [_holds(part, name) for part in parts]
    return not found[0] if kind == "not" else all(found) if kind == "and" else any(found)


def _glob(tree):
    if isinstance(tree, str):
        return f"*{tree}*"
    kind, *parts = tree
    if kind == "and":  # a glob has no "and"
        return f"!({'|'.join(f'!({_glob(part)})' for part in parts)})"
    return f"{'!' if kind == 'not' else '@'}({'|'.join(map(_glob, parts))})"
