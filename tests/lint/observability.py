#!/usr/bin/python3
"""Alarms and dashboard: Prometheus takes them, they ask for the metrics that docs/operations.md lists, and each alarm names its remedy."""

import json
import re
import subprocess
import tempfile

import yaml

from sources import ROOT, report

FOLDER = ROOT / "deploy" / "observability"
ALERTS = FOLDER / "alerts.yml"
ALERTS_TEST = FOLDER / "alerts_test.yml"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "holdfast.json"
GUIDE = ROOT / "docs" / "operations.md"

SEVERITIES = {"page", "ticket"}
PANELS_MAX = 26
GRID_WIDTH = 24
METRIC = re.compile(r"\b((?:holdfast|process|node)_[a-z_]+)\b")
OF_OTHERS = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}


def promtool_faults():
    for words in (["check", "config", FOLDER / "prometheus.yml"], ["check", "rules", ALERTS], ["test", "rules", ALERTS_TEST]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True)
        if done.returncode != 0:
            yield words[-1], 1, f"promtool {words[0]} {words[1]}: {done.stdout.strip()} {done.stderr.strip()}"


def documented():
    """The api suite compares these tables with the program's metrics."""
    cells = re.findall(r"^\| (`(?:holdfast|process)_[^|]*)\|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}


def unknown_metrics(expression, known):
    for name in METRIC.findall(re.sub(r'"[^"]*"', "", expression)):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        if not {name, base} & known:
            yield name


def alert_faults(known):
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    tested = {case["alertname"] for test in yaml.safe_load(ALERTS_TEST.read_text())["tests"]
              for case in test["alert_rule_test"] if case["exp_alerts"]}
    headings = set(re.findall(r"^### (Holdfast\w+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    for rule in rules:
        name, notes = rule["alert"], rule["annotations"]
        if rule["labels"]["severity"] not in SEVERITIES:
            yield ALERTS, 1, f"{name}: severity is one of {', '.join(sorted(SEVERITIES))}"
        if not notes.get("summary"):
            yield ALERTS, 1, f"{name} has no summary"
        if notes.get("runbook") != f"docs/operations.md#{name.lower()}" or name not in headings:
            yield ALERTS, 1, f"{name} has no section in docs/operations.md that its runbook leads to"
        if name not in tested:
            yield ALERTS_TEST, 1, f"{name} is never raised"
        for metric in unknown_metrics(rule["expr"], known | OF_OTHERS):
            yield ALERTS, 1, f"{name} asks for {metric}, which docs/operations.md does not list"
    for heading in sorted(headings - {rule["alert"] for rule in rules}):
        yield GUIDE, 1, f"there is no alarm {heading}"


def overlap(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


def query_faults(panels):
    """The query of a panel, written as a rule, so that promtool reads it."""
    rules = [{"record": "asked", "labels": {"panel": panel["title"]},
              "expr": target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")}
             for panel in panels for target in panel["targets"]]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
    if done.returncode != 0:
        yield DASHBOARD, 1, f"promtool cannot read a query: {done.stderr.strip()}"


def panel_faults(panel, known):
    title = panel["title"]
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield f"{title} has no unit"
    if not panel.get("description"):
        yield f"{title} has no description"
    if panel["datasource"]["uid"] != "${datasource}":
        yield f"{title} asks another source than the one chosen"
    for target in panel["targets"]:
        for metric in unknown_metrics(target["expr"], known):
            yield f"{title} asks for {metric}, which docs/operations.md does not list"


def dashboard_faults(known):
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    everything = dashboard["panels"]
    panels = [panel for panel in everything if panel["type"] != "row"]
    if len({panel["id"] for panel in everything}) != len(everything):
        yield DASHBOARD, 1, "two panels have the same id"
    if len(panels) > PANELS_MAX:
        yield DASHBOARD, 1, f"{len(panels)} panels: nobody looks at so many"
    for n, panel in enumerate(everything):
        place = panel["gridPos"]
        if place["x"] + place["w"] > GRID_WIDTH or any(overlap(place, other["gridPos"]) for other in everything[:n]):
            yield DASHBOARD, 1, f"{panel['title']} lies over its neighbour"
    yield from query_faults(panels)
    for panel in panels:
        yield from ((DASHBOARD, 1, fault) for fault in panel_faults(panel, known))


if __name__ == "__main__":
    names = documented()
    report([*promtool_faults(), *alert_faults(names), *dashboard_faults(names)])
