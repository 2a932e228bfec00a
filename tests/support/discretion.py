"""Texts that no log may contain: gathered from all that the tests of a run send and get, looked for in every log at its end.

Secrets of the settings, tokens, pickup codes, customers' links, and names, addresses, mail and phone of people.
"""

import json
import re
from collections import defaultdict

SHORTEST = 3  # shorter words are no name that could be told from chance

WORD = re.compile("[A-Za-z0-9]+")

# Objects about people, and the members that identify them; elsewhere a name is that of a product or a place.
PEOPLE = {"customer", "recipient", "ship_to", "collector", "collectors", "pickup_person", "vehicle"}
PERSONAL = {"name", "email", "phone", "line1", "line2", "city", "postal_code", "plate"}
# Wherever they stand.
PRIVATE = {"pickup_code", "customer_name", "token"}
# Members of a log line that are made by the program out of nothing, or by a client for tracing.
MEANINGLESS = {"time", "trace_id", "request_id"}


class Discretion:
    def __init__(self):
        self.told = {}  # what must stay secret -> what it is
        self.logs = set()

    # Gathering

    def keep(self, secret, what):
        if isinstance(secret, str) and len(secret) >= SHORTEST:
            self.told.setdefault(secret, what)

    def keep_settings(self, settings):
        for name, value in settings.items():
            if "SECRET" in name and not name.endswith("_FILE"):
                self.keep(value, f"the setting {name}")

    def keep_body(self, content):
        """Keep such texts of a request or a reply; a body that is not JSON has none."""
        try:
            self._keep_from(json.loads(content), about_people=False)
        except (ValueError, RecursionError):
            pass

    def watch(self, *paths):
        self.logs.update(paths)

    def _keep_from(self, node, about_people):
        if isinstance(node, list):
            for item in node:
                self._keep_from(item, about_people)
        if not isinstance(node, dict):
            return
        for name, value in node.items():
            if name in PRIVATE or about_people and name in PERSONAL:
                self.keep(value, f"the member {name}")
            if name == "proof" and isinstance(value, dict) and value.get("method") == "code":
                self.keep(value.get("value"), "a pickup code")
            self._keep_from(value, about_people or name in PEOPLE)

    # Judging

    def leaks(self):
        """(file, kind of secret, the text that contains it), each text once."""
        said = {}
        for path in self.logs:
            if path.exists():
                for text in texts_of(path):
                    said.setdefault(text, path)
        texts_with = defaultdict(set)
        for text in said:
            for word in WORD.findall(text):
                texts_with[word].add(text)
        for secret, what in self.told.items():
            # A text that mentions the secret has its first word as a whole word. With no word in it, any text may.
            first = WORD.search(secret)
            for text in texts_with.get(first[0], ()) if first else said:
                if mentions(text, secret):
                    yield said[text], what, text

    def assert_kept(self):
        leaks = sorted(self.leaks(), key=str)
        assert not leaks, "logs tell what they must not:\n" + "\n".join(
            f"  {path.name} tells {what}: {text[:300]}" for path, what, text in leaks[:20])


def texts_of(path):
    """Every text of a log, of a line that is not JSON the line."""
    for line in path.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            yield line
            continue
        if not isinstance(event, dict):
            yield line
            continue
        yield from (value for name, value in event.items() if isinstance(value, str) and name not in MEANINGLESS)


def mentions(text, secret):
    """As a separate word: Ada is not in Adalbert."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])", text) is not None


discretion = Discretion()
