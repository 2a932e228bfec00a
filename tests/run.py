#!/usr/bin/python3
"""Build and run the test suites, each on a private PostgreSQL; the last line is 'N passed, N failed'.

  lint      formatting, banned calls, includes, lengths, registered tests, OpenAPI, clang-tidy
  unit      rules, parsers and tables, without a database       ASan, UBSan
  store     load and save of each room on a real PostgreSQL     ASan, UBSan
  fuzz      parsers of requests and files, by libFuzzer         ASan, UBSan
  api       every route over HTTP, checked against OpenAPI      ASan, UBSan
  commands  the operator's commands, imports and files          ASan, UBSan
  race      many clients, several instances                     TSan
  fault     crashes, silent hosts and stops during work         optimised

quick is lint without clang-tidy, and unit: under a minute after the first build.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import ROOT  # noqa: E402
from support.building import Build, BuildFailed  # noqa: E402
from support.patterns import Pattern, PatternError  # noqa: E402
from support.processes import run_session, stop_all  # noqa: E402
from support.results import Result, read_junit  # noqa: E402

# Seconds after which a part of a suite is stuck, far above its usual time.
PART_TIMEOUT_S = 900
# Processes of a suite, each with its own share of the files, PostgreSQL and service. A suite that is not named has one.
PARTS = {"api": 4, "commands": 2, "fuzz": 2, "lint": 2}
FUZZ_FOR_S = 10  # each target, beyond its corpus
# These measure how a busy service behaves, so they run after all others, two at a time.
QUIET = ("race", "fault")
QUIET_AT_A_TIME = 2
QUICK = ("lint", "unit")
SLOW_LINTS = {"tidy"}  # not in `quick`; the second part of lint
SEEN_REPLIES = "seen_replies.json"  # tests/conftest.py leaves it in the directory of each part
CRITERION_TEST_TIMEOUT_S = 60
FAILURES_SHOWN = 20
PASSED_ON = {"HOLDFAST_TEST_INVOICES", "HOLDFAST_TEST_SEED"}  # a file of real invoices; a random walk to repeat
LINES_SHOWN = 60

SANITIZERS = {
    "ASAN_OPTIONS": "log_path={reports}/asan:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "LSAN_OPTIONS": "suppressions={support}/lsan.supp:print_suppressions=0",
    "TSAN_OPTIONS": "log_path={reports}/tsan:suppressions={support}/tsan.supp:second_deadlock_stack=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


class Run:
    """State that all suites of this run share."""

    def __init__(self, options):
        self.pattern = options.k
        self.quick = options.quick
        self.verbose = options.verbose
        self.jobs = max(1, options.j)
        self.build_root = Path(options.build).resolve()
        self.directory = self.build_root / "tests"
        self.builds = {
            "asan": Build(self.build_root / "asan", "-Db_sanitize=address,undefined", "-Dbuildtype=debugoptimized"),
            "tsan": Build(self.build_root / "tsan", "-Db_sanitize=thread", "-Dbuildtype=debugoptimized"),
            "release": Build(self.build_root / "release", "-Dbuildtype=release"),
            "fuzz": Build(self.build_root / "fuzz", "-Dfuzz=true", "-Db_sanitize=address,undefined",
                          "-Dbuildtype=debugoptimized", compiler="clang-14"),
        }
        self.clusters = set()
        self.suites = [Suite(self, name) for name in options.suites]
        self.stream = self.verbose or [len(suite.parts) for suite in self.suites] == [1]


class Suite:
    """One suite: its parts and, when the last of them has ended, their result."""

    def __init__(self, run, name):
        self.run = run
        self.name = name
        self.directory = run.directory / name
        self.result = Result(name)
        n = 1 if run.pattern else PARTS.get(name, 1)  # a second service for a few tests costs more than it saves
        self.parts = [Part(self, number if n > 1 else None, n) for number in range(1, n + 1)]
        self._left = n
        self._begin = None
        self._lock = threading.Lock()

    def prepare(self):
        """Before the first part: an empty directory."""
        with self._lock:
            if self._begin is not None:
                return
            self._begin = time.monotonic()
            for cluster in [self.directory / "cluster", *self.directory.glob("*/cluster")]:
                remove_cluster(cluster)
            shutil.rmtree(self.directory, ignore_errors=True)

    def end(self, part):
        """Take over the result of a part; True when it was the last one."""
        with self._lock:
            self.result.merge(part.result)
            self.result.seconds = time.monotonic() - self._begin
            self._left -= 1
            return self._left == 0


class Part:
    """The work of one process of a suite: a directory for its logs, commands that end with it, a result."""

    def __init__(self, suite, number, n):
        self.suite = suite
        self.run = suite.run
        self.name = suite.name
        self.number = number
        self.n = n
        self.directory = suite.directory / str(number) if number else suite.directory
        self.reports = self.directory / "sanitizers"
        self.log = self.directory / "output.log"
        self.result = Result(self.name)
        self.deadline = None

    def prepare(self):
        self.suite.prepare()
        self.reports.mkdir(parents=True)

    def call(self, command, **variables):
        """Run a command; its exit code, or None when it got stuck.

        Its output goes to the log, or straight to the terminal if only one process runs.
        """
        self.deadline = self.deadline or time.monotonic() + PART_TIMEOUT_S  # building does not count
        with open(self.log, "ab") as log:
            output = None if self.run.stream else log
            try:
                return run_session(command, self.deadline - time.monotonic(), cwd=ROOT, stdout=output, stderr=output,
                                   env=self.environment(variables))[0]
            except subprocess.TimeoutExpired:
                self.result.fail(self.name, f"stuck: {' '.join(map(str, command))}")
                return None

    def environment(self, variables):
        shared = {key: value for key, value in os.environ.items()
                  if key in PASSED_ON or not key.startswith(("HOLDFAST_", "PG", "PYTEST_"))}
        options = {key: value.format(reports=self.reports, support=ROOT / "tests" / "support")
                   for key, value in SANITIZERS.items()}
        return {**shared, **options, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1",
                **{key: str(value) for key, value in variables.items()}}

    def collect_reports(self):
        """A sanitizer's report is a failure, even when the test that caused it ended well."""
        for report in sorted(self.reports.iterdir()):
            self.result.fail(f"sanitizer report {report.name}", report.read_text(errors="replace"))


# The suites

def lint_scripts(part):
    """The scripts of a part, sorted: with a pattern those whose names fit it."""
    found = sorted(path for path in (ROOT / "tests" / "lint").iterdir() if os.access(path, os.X_OK) and path.is_file())
    if part.run.pattern:
        return [path for path in found if part.run.pattern.matches(path.stem)]
    slow = part.number == 2
    return [path for path in found if (path.stem in SLOW_LINTS) == slow and not (slow and part.run.quick)]


def run_lint(part):
    asan = part.run.builds["asan"]
    for script in lint_scripts(part):
        if script.stem == "tidy":
            asan.build("all")  # generated headers and the list of commands
        start = part.log.stat().st_size if part.log.exists() else 0
        if part.call([script], BUILD_DIRECTORY=asan.directory) == 0:
            part.result.passed += 1
        else:
            part.result.fail(script.stem, tail_of(part.log, start))


def run_unit(part):
    """One program a room. With a pattern, those it is found in: the name of the room, or of a file of its tests."""
    asan = part.run.builds["asan"]
    for name, program in asan.test_programs("unit", part.run.pattern):
        run_criterion(part, program, "--jobs=2", whole=part.run.pattern and name == part.run.pattern.text)


def run_store(part):
    """Each program in its own database, copied from a migrated one."""
    from support.cluster import Cluster
    asan = part.run.builds["asan"]
    programs = asan.test_programs("store", part.run.pattern)
    if not programs:
        return
    asan.build("holdfast")
    cluster = Cluster(part.directory / "cluster")
    part.run.clusters.add(cluster.directory)
    cluster.start()
    try:
        migrated = {"HOLDFAST_DATABASE_URL": cluster.url(), "HOLDFAST_SCHEMA": "holdfast"}
        if part.call([asan.directory / "holdfast", "migrate"], **migrated) != 0:
            part.result.fail("migrate", tail_of(part.log))
            return
        for _, program in programs:
            run_criterion(part, program, "--jobs=1", HOLDFAST_SCHEMA="holdfast",
                          HOLDFAST_DATABASE_URL=cluster.create_database("holdfast"))
    finally:
        cluster.remove()


def run_criterion(part, program, *arguments, whole=False, **variables):
    report = part.directory / f"{program.name}.xml"
    filters = ["--filter", part.run.pattern.glob()] if part.run.pattern and not whole else []
    code = part.call([program, f"--xml={report}", f"--timeout={CRITERION_TEST_TIMEOUT_S}", "--short-filename",
                      *arguments, *filters], **variables)
    result = read_junit(report, prefix=program.name)
    if result and filters:
        result.skip_reasons.clear()  # criterion counts what the filter left out
    part.result.add(result, finished_well=code == 0, what=program.name, output=lambda: tail_of(part.log))


def run_fuzz(part):
    """Each target: its corpus, then a search for more. An input that breaks it is kept, beyond the next run."""
    build = part.run.builds["fuzz"]
    crashes = build.directory / "crashes"
    for name, program in build.test_programs("fuzz", part.run.pattern)[(part.number or 1) - 1::part.n]:
        crashes.mkdir(exist_ok=True)
        found = part.directory / name
        found.mkdir()
        corpus = ROOT / "tests" / "fuzz" / "corpus" / name
        run_target(part, f"{name}: corpus", program, crashes, "-runs=0", corpus)
        run_target(part, f"{name}: search", program, crashes, f"-max_total_time={FUZZ_FOR_S}", found, corpus)


def written(folder):
    """Its files, each with the time at which it was written."""
    return {(path, path.stat().st_mtime_ns) for path in folder.iterdir()}


def run_target(part, what, program, crashes, *arguments):
    start = part.log.stat().st_size if part.log.exists() else 0
    before = written(crashes)
    command = [program, "-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={crashes}/{program.name}-"]
    # Reports go to the log, beside the path of the input that caused them.
    code = part.call([*command, *arguments], ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1",
                     LSAN_OPTIONS=SANITIZERS["LSAN_OPTIONS"].format(support=ROOT / "tests" / "support"))
    if code == 0:
        part.result.passed += 1
        return
    again = [f"once more: {program} {path}" for path, _ in sorted(written(crashes) - before)]
    part.result.fail(what, "\n".join([*again, tail_of(part.log, start)]))


def share(files, number, n):
    """The files of one of n processes, always the same: the largest first, each to the share that is smallest so far."""
    files = sorted(files)
    shares = [[] for _ in range(n)]
    for file in sorted(files, key=lambda path: -path.stat().st_size):
        min(shares, key=lambda taken: sum(path.stat().st_size for path in taken)).append(file)
    return sorted(shares[number - 1 if number else 0])


def run_pytest(part):
    built = part.run.builds[BUILD_OF[part.name]]
    files = share((ROOT / "tests" / part.name).glob("test_*.py"), part.number, part.n)
    if not files:
        return
    built.build("holdfast")
    part.run.clusters.add(part.directory / "cluster")
    report = part.directory / "report.xml"
    filters = ["-k", part.run.pattern.text] if part.run.pattern else []
    try:
        code = part.call(
            ["/usr/bin/python3", "-B", "-m", "pytest", "-c", "tests/pytest.ini", "-p", "pytest_timeout",
             "-p", "no:cacheprovider", "--durations=5", "-rs", f"--junitxml={report}", *filters, *files],
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", HOLDFAST_BINARY=built.directory / "holdfast",
            HOLDFAST_TEST_DIRECTORY=part.directory)
        part.result.add(read_junit(report), finished_well=code == 0 or (code == 5 and filters), what="pytest",
                        output=lambda: tail_of(part.log))
    finally:
        remove_cluster(part.directory / "cluster")


# The builds of suites that run the service, and of those that have test programs in C.
BUILD_OF = {"api": "asan", "commands": "asan", "fault": "release", "race": "tsan"}
PROGRAMS_OF = {"unit": "asan", "store": "asan", "fuzz": "fuzz"}

# In the order in which they start: the longest first, the slowest builds late.
SUITES = {
    "api": run_pytest,
    "commands": run_pytest,
    "lint": run_lint,
    "unit": run_unit,
    "store": run_store,
    "fuzz": run_fuzz,
    "race": run_pytest,
    "fault": run_pytest,
}


def run_part(part):
    """Run it; its suite when this was the last of its parts, else None."""
    try:
        part.prepare()
        SUITES[part.name](part)
        part.collect_reports()
    except BuildFailed as error:
        part.result.fail("build", str(error))
    except Exception as error:  # whatever it is, the other parts go on and the count is honest
        part.result.fail(part.name, f"{type(error).__name__}: {error}")
    return part.suite if part.suite.end(part) else None


def build_ahead(run):
    """Build for one suite after the other while others run already. A suite whose build fails reports it."""
    for suite in run.suites:
        with contextlib.suppress(BuildFailed):
            if suite.name in BUILD_OF:
                run.builds[BUILD_OF[suite.name]].build("holdfast")
            elif suite.name in PROGRAMS_OF:
                run.builds[PROGRAMS_OF[suite.name]].test_programs(suite.name, run.pattern)


# Documented replies

def check_replies(run):
    """Every documented reply of a single route was seen by a test; None unless the whole api suite ran well."""
    api = next((suite for suite in run.suites if suite.name == "api"), None)
    if run.pattern or not api or api.result.failed:
        return None
    from support.client import contract
    seen = set()
    for part in (part for suite in run.suites for part in suite.parts):
        with contextlib.suppress(FileNotFoundError):
            seen.update(tuple(pair) for pair in json.loads((part.directory / SEEN_REPLIES).read_text()))
    unseen = [f"{name} {status}" for name, status in contract().own_replies() if (name, status) not in seen]
    (run.directory / "unseen_replies.txt").write_text("".join(line + "\n" for line in unseen))
    result = Result("replies")
    if unseen:
        result.fail("documented, and seen by no test", "\n".join(unseen))
    else:
        result.passed = 1
    return result


# Ends

def remove_cluster(directory):
    if directory.exists():
        subprocess.run([str(ROOT / "deploy" / "cluster.sh"), "remove", str(directory)], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, check=False)


def tail_of(log, start=0):
    if not log.exists():
        return ""
    lines = log.read_bytes()[start:].decode(errors="replace").splitlines()
    return "\n".join(lines[-LINES_SHOWN:])


# Output

def show(result, logs):
    print(f"{result.name:<10}{result.summary():<48}{result.seconds:7.1f} s", flush=True)
    for reason in result.skip_reasons:
        print(f"       skipped: {reason}")
    for name, text in result.failures[:FAILURES_SHOWN]:
        print(f"\n   FAILED {result.name}: {name}")
        for line in text.strip().splitlines()[:LINES_SHOWN]:
            print(f"       {line}")
    if len(result.failures) > FAILURES_SHOWN:
        print(f"\n   and {len(result.failures) - FAILURES_SHOWN} more failures")
    if result.failures:
        print(f"\n   logs: {logs}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/run.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples: tests/run.sh quick, tests/run.sh unit api -k reservation")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="suites to run (default: all); or quick")
    parser.add_argument("-k", metavar="PATTERN", help="only tests whose names fit PATTERN: parts of names with or, and, not")
    parser.add_argument("-j", metavar="N", type=int, default=(os.cpu_count() or 1) + 2,
                        help="processes at a time (default: two more than cores, because tests mostly wait)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show all output at once; the default for a single SUITE")
    parser.add_argument("--build", metavar="DIR", default=str(ROOT / "build"), help="build directory (default: build)")
    options = parser.parse_args()
    options.quick = options.suites == ["quick"]
    if options.quick:
        options.suites = list(QUICK)
    unknown = [name for name in options.suites if name not in SUITES]
    if unknown:
        parser.error(f"no suite {' '.join(unknown)}; there are {' '.join(SUITES)}")
    options.suites = [name for name in SUITES if name in options.suites] or list(SUITES)
    try:
        options.k = Pattern(options.k) if options.k else None
    except PatternError as error:
        parser.error(str(error))
    return options


def only_run_in(directory):
    """One run at a time in a build directory; the lock ends with the process."""
    directory.mkdir(parents=True, exist_ok=True)
    lock = open(directory / ".lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another run in {directory}", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def on_signals(handler):
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def interrupted(number, _):
    raise KeyboardInterrupt(signal.Signals(number).name)


def work(run):
    """Pairs of (parts at a time, parts): first most suites, then those that need a quiet machine."""
    loud = [part for suite in run.suites if suite.name not in QUIET for part in suite.parts]
    quiet = [part for suite in run.suites if suite.name in QUIET for part in suite.parts]
    yield run.jobs, loud
    yield min(run.jobs, QUIET_AT_A_TIME), quiet


def run_all(run):
    """Every part; each suite is shown as it ends. The result of all."""
    total = Result("all")
    builder = ThreadPoolExecutor(1)
    builder.submit(build_ahead, run)
    for at_a_time, parts in work(run):
        pool = ThreadPoolExecutor(at_a_time)
        try:
            for done in as_completed([pool.submit(run_part, part) for part in parts]):
                suite = done.result()
                if suite:
                    show(suite.result, suite.directory)
                    total.merge(suite.result)
        except KeyboardInterrupt:
            on_signals(signal.SIG_IGN)
            stop_all()
            pool.shutdown(cancel_futures=True)
            raise
    replies = check_replies(run)
    if replies:
        show(replies, run.directory)
        total.merge(replies)
    return total


def main():
    options = arguments()
    on_signals(interrupted)
    run = Run(options)
    lock = only_run_in(run.directory)
    try:
        total = run_all(run)
    except KeyboardInterrupt as reason:
        on_signals(signal.SIG_IGN)
        print(f"\ninterrupted ({reason}), cleaning up", flush=True)
        for directory in run.clusters:
            remove_cluster(directory)
        return 130
    finally:
        lock.close()
    print(f"\n{total.line()}", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
