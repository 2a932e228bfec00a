"""`meson install` puts everything where Debian expects it, and the units are such as systemd takes."""

import os
import re
import shutil
import subprocess

import pytest

from support import ROOT
from support.holdfast import binary

UNITS = ("holdfast.service", "holdfast-audit.service", "holdfast-migrate.service", "holdfast-prune.service")
TIMERS = ("holdfast-audit.timer", "holdfast-prune.timer")
EXPOSURE_MAX = 20  # of 100; systemd calls anything below 20 OK

EXPECTED = {
    "usr/bin/holdfast",
    "usr/sbin/holdfastctl",
    *(f"usr/lib/systemd/system/{name}" for name in UNITS + TIMERS),
    "usr/share/doc/holdfast/copyright",
    "usr/share/doc/holdfast/docs/operations.md",
    "usr/share/doc/holdfast/docs/decisions/0001-one-loop-with-an-external-epoll.md",
    "usr/share/doc/holdfast/deploy/systemd/holdfast.env",
    "usr/share/doc/holdfast/deploy/backup/pgbackrest.conf",
    "usr/share/doc/holdfast/deploy/ha/patroni.yml",
    "usr/share/doc/holdfast/swagger-ui/LICENSE",
    "usr/share/man/man8/holdfast.8",
}


def run(*command, **variables):
    return subprocess.run([str(word) for word in command], env={**os.environ, **variables}, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Everything but the program, which is the one under test: a build directory with another prefix would have to compile it."""
    build = tmp_path_factory.mktemp("build")
    target = tmp_path_factory.mktemp("target")
    done = run("meson", "setup", "--prefix=/usr", "-Dbuildtype=release", build, ROOT)
    assert done.returncode == 0, done.stdout
    shutil.copy(binary(), build / "holdfast")
    done = run("meson", "install", "-C", build, "--no-rebuild", DESTDIR=str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_every_file_is_in_its_place(installed):
    there = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert EXPECTED - there == set()
    assert {path.split("/")[0] for path in there} == {"usr"}, "settings in /etc are the administrator's own"
    assert os.access(installed / "usr/bin/holdfast", os.X_OK) and os.access(installed / "usr/sbin/holdfastctl", os.X_OK)


def test_every_link_of_the_installed_pages_leads_somewhere(installed):
    pages = list((installed / "usr/share/doc/holdfast/docs").rglob("*.md"))
    links = [(page, link.partition("#")[0]) for page in pages for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
             if not re.match(r"[a-z]+:|#", link)]
    assert len(pages) > 10 and len(links) > 10
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_references_to_the_documentation_lead_somewhere(installed):
    for place in ("usr/lib/systemd/system", "usr/share/man/man8", "usr/share/doc/holdfast/docs"):
        for file in (installed / place).glob("*"):
            text = file.read_text() if file.is_file() else ""
            for path in re.findall(r"(?<![\w/])/usr/share/doc/holdfast[\w./-]*\w|(?<=file://)/usr/share/doc/holdfast[\w./-]*\w", text):
                assert (installed / path[1:]).exists(), f"{file.name}: {path}"


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_is_one_that_systemd_takes(installed, name, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    text = (installed / "usr/lib/systemd/system" / name).read_text()
    unit = tmp_path / name
    unit.write_text(text.replace("/usr/bin/holdfast", str(installed / "usr/bin/holdfast")))
    done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.mark.parametrize("name", TIMERS)
def test_each_timer_starts_its_unit_at_a_time_that_comes(installed, name):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    text = (installed / "usr/lib/systemd/system" / name).read_text()
    done = run("systemd-analyze", "calendar", re.search(r"^OnCalendar=(.*)$", text, re.MULTILINE)[1])
    assert done.returncode == 0 and "Next elapse" in done.stdout, done.stderr
    assert name.replace(".timer", ".service") in UNITS


@pytest.mark.parametrize("name", UNITS)
def test_each_unit_is_shut_in(installed, name):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager",
               installed / "usr/lib/systemd/system" / name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_command_by_hand_has_the_settings_of_the_unit():
    unit = (ROOT / "deploy/systemd/holdfast.service").read_text()
    by_hand = (ROOT / "deploy/systemd/holdfastctl").read_text()
    for name in ("EnvironmentFile", "LoadCredential", "DynamicUser", "User", "LimitNOFILE", "UMask"):
        for line in re.findall(rf"^{name}=.*$", unit, re.MULTILINE):
            assert f"--property={line} " in by_hand, line
    for variable in re.findall(r"(HOLDFAST_\w+)=%d", unit):
        assert f"--setenv={variable}=" in by_hand, variable


def test_the_unit_does_not_restart_a_service_that_cannot_start():
    """The codes after which, by docs/operations.md, a restart alone does not help."""
    unit = (ROOT / "deploy/systemd/holdfast.service").read_text()
    assert "RestartPreventExitStatus=2 70 78\n" in unit
    assert "After 2, 70 and 78 a restart alone does not help." in (ROOT / "docs/operations.md").read_text()


def test_the_settings_of_the_example_are_known():
    from_example = re.findall(r"^#?(HOLDFAST_\w+)=", (ROOT / "deploy/systemd/holdfast.env").read_text(), re.MULTILINE)
    known = (ROOT / "docs/configuration.md").read_text()
    assert from_example and all(f"`{name}`" in known for name in from_example)


def test_the_manual_names_every_exit_code():
    manual = (ROOT / "deploy/holdfast.8").read_text()
    header = (ROOT / "src/base/exit_code.h").read_text()
    codes = re.findall(r"EXIT_\w+ = (\d+)", header)
    assert codes and all(re.search(rf"^{code}\t", manual, re.MULTILINE) for code in codes)
