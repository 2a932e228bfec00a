"""Commands in separate sessions, so that nothing they start outlives them."""

import os
import signal
import subprocess
import threading
import time

TERMINATE_WITHIN_S = 10
POLL_EVERY_S = 0.05

_running = set()
_stopping = threading.Event()


class Stopped(Exception):
    """The run is being ended: nothing new starts."""


def run_session(command, timeout, **options):
    """Run a command to its end; (exit code, output if it is a pipe). subprocess.TimeoutExpired when it takes longer."""
    if _stopping.is_set():
        raise Stopped
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, start_new_session=True, **options)
    _running.add(child)
    try:
        output, _ = child.communicate(timeout=max(1.0, timeout))
        return child.returncode, output
    finally:
        end_session(child)
        _running.discard(child)


def stop_all():
    """End the running commands; a later start raises Stopped."""
    _stopping.set()
    for child in list(_running):
        end_session(child)


def end_session(child):
    """First asked, then killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _lives(child):
            return
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + TERMINATE_WITHIN_S
        while time.monotonic() < end and _lives(child):
            time.sleep(POLL_EVERY_S)


def _lives(child):
    child.poll()
    try:
        os.killpg(child.pid, 0)
        return True
    except ProcessLookupError:
        return False
