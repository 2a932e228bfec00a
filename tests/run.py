#!/usr/bin/python3
"""Build and run the test suites, each on a private PostgreSQL; the last line is 'N passed, N failed'.

  lint      formatting, banned calls, includes, lengths, registered tests, OpenAPI, clang-tidy
  unit      rules, parsers and tables, without a database       ASan, UBSan
  store     load and save of each room on a real PostgreSQL     ASan, UBSan
  api       every route over HTTP, checked against OpenAPI      ASan, UBSan
  commands  what an operator has: commands, imports, files      ASan, UBSan
  race      many clients, several instances                     TSan
  fault     crashes, silence and stops in the middle of work    optimised
"""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support import ROOT  # noqa: E402
from support.building import Build, BuildFailed  # noqa: E402
from support.processes import run_session, stop_all  # noqa: E402
from support.results import Result, read_junit  # noqa: E402

# Seconds after which a suite is stuck, far above what it takes.
SUITE_TIMEOUT_S = {"lint": 900, "unit": 900, "store": 600, "api": 900, "commands": 900, "race": 900, "fault": 900}
CRITERION_TEST_TIMEOUT_S = 60
FAILURES_SHOWN = 20
PASSED_ON = {"HOLDFAST_TEST_INVOICES"}  # a file of real invoices
LINES_SHOWN = 60

SANITIZERS = {
    "ASAN_OPTIONS": "log_path={reports}/asan:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "LSAN_OPTIONS": "suppressions={support}/lsan.supp:print_suppressions=0",
    "TSAN_OPTIONS": "log_path={reports}/tsan:suppressions={support}/tsan.supp:second_deadlock_stack=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


class Run:
    """What all suites of this run share."""

    def __init__(self, options):
        self.pattern = options.k
        self.stream = options.verbose or len(options.suites) == 1
        self.build_root = Path(options.build).resolve()
        self.directory = self.build_root / "tests"
        self.builds = {
            "asan": Build(self.build_root / "asan", "-Db_sanitize=address,undefined", "-Dbuildtype=debugoptimized"),
            "tsan": Build(self.build_root / "tsan", "-Db_sanitize=thread", "-Dbuildtype=debugoptimized"),
            "release": Build(self.build_root / "release", "-Dbuildtype=release"),
        }
        self.clusters = set()


class Suite:
    """The work of one suite: a directory for its logs, commands that end with it, a result."""

    def __init__(self, run, name):
        self.run = run
        self.name = name
        self.directory = run.directory / name
        self.reports = self.directory / "sanitizers"
        self.log = self.directory / "output.log"
        self.result = Result(name)
        self.deadline = time.monotonic() + SUITE_TIMEOUT_S[name]

    def prepare(self):
        remove_cluster(self.directory / "cluster")
        shutil.rmtree(self.directory, ignore_errors=True)
        self.reports.mkdir(parents=True)

    def call(self, command, **variables):
        """Run a command; its exit code, or None when it got stuck.

        What it prints goes to the log, or straight to the terminal when only one suite runs.
        """
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

def run_lint(suite):
    asan = suite.run.builds["asan"]
    scripts = sorted(path for path in (ROOT / "tests" / "lint").iterdir() if os.access(path, os.X_OK) and path.is_file())
    for script in scripts:
        if suite.run.pattern and suite.run.pattern not in script.stem:
            continue
        if script.stem == "tidy":
            asan.build("all")  # generated headers and the list of commands
        start = suite.log.stat().st_size if suite.log.exists() else 0
        if suite.call([script], BUILD_DIRECTORY=asan.directory) == 0:
            suite.result.passed += 1
        else:
            suite.result.fail(script.stem, tail_of(suite.log, start))


def run_unit(suite):
    asan = suite.run.builds["asan"]
    for _, program in asan.test_programs("unit"):
        run_criterion(suite, program, "--jobs=2")


def run_store(suite):
    """Each program in a database of its own, copied from a migrated one."""
    from support.cluster import Cluster
    asan = suite.run.builds["asan"]
    programs = asan.test_programs("store")
    if not programs:
        return
    asan.build("holdfast")
    cluster = Cluster(suite.directory / "cluster")
    suite.run.clusters.add(cluster.directory)
    cluster.start()
    try:
        migrated = {"HOLDFAST_DATABASE_URL": cluster.url(), "HOLDFAST_SCHEMA": "holdfast"}
        if suite.call([asan.directory / "holdfast", "migrate"], **migrated) != 0:
            suite.result.fail("migrate", tail_of(suite.log))
            return
        for _, program in programs:
            run_criterion(suite, program, "--jobs=1", HOLDFAST_SCHEMA="holdfast",
                          HOLDFAST_DATABASE_URL=cluster.create_database("holdfast"))
    finally:
        cluster.remove()


def run_criterion(suite, program, *arguments, **variables):
    report = suite.directory / f"{program.name}.xml"
    filters = ["--filter", f"*{suite.run.pattern}*"] if suite.run.pattern else []
    code = suite.call([program, f"--xml={report}", f"--timeout={CRITERION_TEST_TIMEOUT_S}", "--short-filename",
                       *arguments, *filters], **variables)
    result = read_junit(report, prefix=program.name)
    if result and filters:
        result.skip_reasons.clear()  # criterion counts what the filter left out
    suite.result.add(result, finished_well=code == 0, what=program.name, output=lambda: tail_of(suite.log))


def pytest_suite(build):
    def run(suite):
        built = suite.run.builds[build]
        folder = ROOT / "tests" / suite.name
        if not list(folder.glob("test_*.py")):
            return
        built.build("holdfast")
        suite.run.clusters.add(suite.directory / "cluster")
        report = suite.directory / "report.xml"
        filters = ["-k", suite.run.pattern] if suite.run.pattern else []
        try:
            code = suite.call(
                ["/usr/bin/python3", "-B", "-m", "pytest", "-c", "tests/pytest.ini", "-p", "pytest_timeout",
                 "-p", "no:cacheprovider", "--durations=5", "-rs", f"--junitxml={report}", *filters, folder],
                PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", HOLDFAST_BINARY=built.directory / "holdfast",
                HOLDFAST_TEST_DIRECTORY=suite.directory)
            suite.result.add(read_junit(report), finished_well=code == 0 or (code == 5 and filters), what="pytest",
                             output=lambda: tail_of(suite.log))
        finally:
            remove_cluster(suite.directory / "cluster")
    return run


# In the order in which they start: the longest first, and what takes longest to build late.
SUITES = {
    "api": pytest_suite("asan"),
    "commands": pytest_suite("asan"),
    "lint": run_lint,
    "unit": run_unit,
    "store": run_store,
    "fault": pytest_suite("release"),
    "race": pytest_suite("tsan"),
}


def run_suite(run, name):
    suite = Suite(run, name)
    begin = time.monotonic()
    try:
        suite.prepare()
        SUITES[name](suite)
        suite.collect_reports()
    except BuildFailed as error:
        suite.result.fail("build", str(error))
    except Exception as error:  # whatever it is, the other suites go on and the count is honest
        suite.result.fail(name, f"{type(error).__name__}: {error}")
    suite.result.seconds = time.monotonic() - begin
    return suite


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


# What is printed

def show(suite):
    result = suite.result
    print(f"{suite.name:<10}{result.summary():<48}{result.seconds:7.1f} s", flush=True)
    for reason in result.skip_reasons:
        print(f"       skipped: {reason}")
    for name, text in result.failures[:FAILURES_SHOWN]:
        print(f"\n   FAILED {suite.name}: {name}")
        for line in text.strip().splitlines()[:LINES_SHOWN]:
            print(f"       {line}")
    if len(result.failures) > FAILURES_SHOWN:
        print(f"\n   and {len(result.failures) - FAILURES_SHOWN} more failures")
    if result.failures:
        print(f"\n   logs: {suite.directory}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/run.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: tests/run.sh unit api -k reservation")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="all when none is named")
    parser.add_argument("-k", metavar="PATTERN", help="only tests whose name contains it (pytest: an expression)")
    parser.add_argument("-j", metavar="N", type=int, default=2, help="suites at a time (default 2)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show all output as it comes; so does a single SUITE")
    parser.add_argument("--build", metavar="DIR", default=str(ROOT / "build"), help="where to build (default build)")
    options = parser.parse_args()
    unknown = [name for name in options.suites if name not in SUITES]
    if unknown:
        parser.error(f"no suite {' '.join(unknown)}; there are {' '.join(SUITES)}")
    options.suites = [name for name in SUITES if name in options.suites] or list(SUITES)
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


def main():
    options = arguments()
    on_signals(interrupted)
    run = Run(options)
    lock = only_run_in(run.directory)
    suites = []
    pool = ThreadPoolExecutor(max(1, options.j))
    try:
        for done in as_completed([pool.submit(run_suite, run, name) for name in options.suites]):
            suites.append(done.result())
            show(suites[-1])
    except KeyboardInterrupt as reason:
        on_signals(signal.SIG_IGN)
        print(f"\ninterrupted ({reason}), cleaning up", flush=True)
        stop_all()
        pool.shutdown(cancel_futures=True)
        for directory in run.clusters:
            remove_cluster(directory)
        return 130
    finally:
        lock.close()
    total = Result("all")
    for suite in suites:
        total.merge(suite.result)
    print(f"\n{total.line()}", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
