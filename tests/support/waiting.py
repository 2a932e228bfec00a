"""Waiting for something to become true, and doing many things at once."""

import threading
import time

POLL_EVERY_S = 0.02


def eventually(question, within=10.0, what=None):
    """The first truthy answer of `question()`; AssertionError when there is none within so many seconds.

    An AssertionError of the question counts as "not yet" and is shown when time is up.
    """
    end = time.monotonic() + within
    last = None
    while True:
        try:
            answer = question()
            if answer:
                return answer
            last = f"the last answer was {answer!r}"
        except AssertionError as error:
            last = str(error)
        if time.monotonic() >= end:
            raise AssertionError(f"not within {within} s: {what or question}; {last}")
        time.sleep(POLL_EVERY_S)


def together(actions):
    """Run every action in a separate thread, all released at one moment; their results in order.

    Raises what the first failing action raised, once all have ended.
    """
    actions = list(actions)
    gate = threading.Barrier(len(actions))
    results = [None] * len(actions)
    errors = []

    def run(index, action):
        try:
            gate.wait()
            results[index] = action()
        except BaseException as error:  # noqa: handed to the caller's thread below
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
