"""Builds by meson and ninja, each once a run, whichever suite asks first."""

import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

from support import ROOT
from support.processes import run_session

TIMEOUT_S = 1200
LINES_SHOWN = 60


class BuildFailed(Exception):
    pass


class Build:
    def __init__(self, directory, *options, compiler=None):
        self.directory = directory
        self.options = options
        self.compiler = compiler
        self._lock = threading.Lock()
        self._built = set()
        self._configured = False
        self._failure = None

    def build(self, *targets):
        """Bring targets up to date; BuildFailed with what the compiler said."""
        with self._lock:
            wanted = [target for target in targets if target not in self._built]
            if not wanted:
                return
            if self._failure:
                raise BuildFailed(self._failure)
            self._configure()
            self._run("ninja", "-C", self.directory, *wanted)
            self._built.update(wanted)

    def test_programs(self, suite, pattern=None):
        """The C test programs of a suite, built: (name, path).

        With a pattern only those whose name, or the name of one of their sources, fits it, if there are such:
        else it may be in the name of any test, so all.
        """
        self.build("build.ninja")  # the list may have changed
        programs = [(test["name"], Path(test["cmd"][0])) for test in self._introspect("--tests")
                    if any(name.split(":")[-1] == suite for name in test["suite"])]
        if pattern:
            sources = self._sources()
            programs = [(name, path) for name, path in programs
                        if pattern.matches(name) or any(map(pattern.matches, sources[path]))] or programs
        self.build(*(str(path.relative_to(self.directory)) for _, path in programs))
        return programs

    def _sources(self):
        """Of each program the names of its tests: its source files without "_test.c" or "_fuzz.c", helpers left out."""
        return {Path(target["filename"][0]): [found[1] for group in target["target_sources"] for source in group["sources"]
                                              if (found := re.fullmatch("(.*)_(?:test|fuzz).c", Path(source).name))]
                for target in self._introspect("--targets") if target["type"] == "executable"}

    def _introspect(self, what):
        return json.loads(self._run("meson", "introspect", what, self.directory))

    def _configure(self):
        if self._configured:
            return
        if not (self.directory / "build.ninja").exists():
            shutil.rmtree(self.directory, ignore_errors=True)
            choice = ["env", f"CC={self.compiler}"] if self.compiler else []
            self._run(*choice, "meson", "setup", *self.options, self.directory, ROOT)
        self._configured = True

    def _run(self, *command):
        code, output = run_session(command, TIMEOUT_S, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if code != 0:
            self._failure = "\n".join([" ".join(map(str, command))] + _errors_first(output.splitlines()))
            raise BuildFailed(self._failure)
        return output


def _errors_first(lines):
    """From the first failed command on, where the cause stands."""
    first = next((n for n, line in enumerate(lines) if line.startswith("FAILED:") or "ERROR:" in line), 0)
    return lines[first:first + LINES_SHOWN]
