#!/usr/bin/python3
"""The build of the image has every file that it reads. Compose passes on every setting that is not its own. Dockerfile and compose.yaml name the version that meson.build has, images by fixed tags, and nothing that older tools
do not read: the classic builder, and docker-compose 1.29."""

import re

import yaml
from sources import ROOT, report

DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
CONFIGURATION = ROOT / "docs" / "configuration.md"
OF_THE_IMAGE = {"HOLDFAST_LISTEN", "HOLDFAST_JWT_JWKS_FILE"}  # its ENV; a file that is not in it


def lines_of(path):
    return enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)


def project_version():
    return re.search(r"^  version: '([^']+)'", (ROOT / "meson.build").read_text(encoding="utf-8"), re.MULTILINE)[1]


def dockerfile_faults(version):
    text = DOCKERFILE.read_text(encoding="utf-8")
    if f'ARG VERSION="{version}"\n' not in text:
        yield DOCKERFILE, 1, f"the image is not of version {version}"
    for number, line in lines_of(DOCKERFILE):
        if re.match(r"\s*RUN\s+--|.*<<", line) or line.startswith("# syntax"):
            yield DOCKERFILE, number, "the classic builder does not read this"


def context_faults():
    """A file that the build reads, and that Docker does not send to it. Files of deploy/ are installed on machines, not in the image."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = tuple(line[1:] for line in ignored if line.startswith("!"))
    for number, line in lines_of(ROOT / "meson.build"):
        for path in re.findall(r"'(\w[\w./-]*/[\w./-]+)'", line):
            if (ROOT / path).exists() and not path.startswith("deploy/") and not any(path == each or path.startswith(f"{each}/") for each in sent):
                yield ROOT / "meson.build", number, f"{path} is not sent to the build of the image by .dockerignore"


def compose_faults(version):
    composed = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    for name in {"name", "version"} & composed.keys():
        yield COMPOSE, 1, f"top-level {name}"
    for name, service in composed["services"].items():
        tag = service["image"].rpartition(":")[2]
        if not re.match(r"v?\d", tag):
            yield COMPOSE, 1, f"{name}: {service['image']} names no version"
        if service["image"].startswith("holdfast:") and tag != version:
            yield COMPOSE, 1, f"{name}: the image is not of version {version}"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield COMPOSE, 1, f"{name}: {port} is published beyond this machine"
        if not service.get("read_only") or service.get("cap_drop") != ["ALL"]:
            yield COMPOSE, 1, f"{name}: may write to its files, or keeps capabilities"


def setting_faults():
    """A setting that Compose does not pass on has no effect there, without any message."""
    known = set(re.findall(r"^\| `(HOLDFAST_\w+)`", CONFIGURATION.read_text(encoding="utf-8"), re.MULTILINE))
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    for name in ("holdfast", "holdfast-second"):
        passed = {variable.removesuffix("_FILE") for variable in services[name]["environment"]}
        for missing in sorted(known - passed - OF_THE_IMAGE):
            yield COMPOSE, 1, f"{name} is not told {missing}"
        for unknown in sorted(passed - known):
            yield COMPOSE, 1, f"{name} is told {unknown}, which docs/configuration.md does not know"


def script_faults(version):
    for path in (ROOT / "tests" / "deploy" / "run.sh", DOCKERFILE):
        for number, line in lines_of(path):
            for found in re.finditer(r"holdfast:(\d[\w.]*)", line):
                if found[1] != version:
                    yield path, number, f"names version {found[1]}, not {version}"


if __name__ == "__main__":
    report([*dockerfile_faults(project_version()), *context_faults(), *setting_faults(), *compose_faults(project_version()), *script_faults(project_version())])
