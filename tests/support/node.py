"""Programs of tests/node with the npm packages of its lock file."""

import fcntl
import hashlib
import shutil
import subprocess
from functools import lru_cache

from support import ROOT

FOLDER = ROOT / "tests" / "node"
INSTALLED_WITHIN_S, RUN_WITHIN_S = 600, 120


@lru_cache
def installed():
    """A directory with the packages and the programs; npm installs them once for each lock file."""
    lock = (FOLDER / "package-lock.json").read_bytes()
    place = ROOT / "build" / "node" / hashlib.sha256(lock).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    with open(place / ".lock", "w", encoding="utf-8") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        for path in FOLDER.iterdir():
            shutil.copy(path, place / path.name)
        if not (place / "complete").exists():
            done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, capture_output=True, text=True,
                                  timeout=INSTALLED_WITHIN_S, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, done.stdout + done.stderr
            (place / "complete").touch()
    return place


def run(program, text):
    """The standard output of a program that reads the text; it must end well."""
    done = subprocess.run(["node", installed() / program], input=text, capture_output=True, text=True, timeout=RUN_WITHIN_S)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
