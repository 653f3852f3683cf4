"""Dashboard and alert rules: each name, label and value in them is one of the registry's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sgguard.telemetry import exposition, registry
from sgguard.telemetry.registry import METRICS, OTHER
from tests.docs import dashboard
from tests.docs.sections import ROOT

FOLDER = ROOT / "deploy" / "observability"
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = json.loads(dashboard.PATH.read_text())["panels"]
QUERIES = [
    *(pytest.param(rule["expr"], id=rule["alert"]) for rule in RULES),
    *(
        pytest.param(target["expr"], id=panel["title"])
        for panel in PANELS
        for target in panel["targets"]
    ),
]
BY_NAME = {metric.name: metric for metric in METRICS}


def series(metric: registry.Metric) -> set[str]:
    ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
    return {f"{metric.name}{end}" for end in ends}


SERIES = {name: metric for metric in METRICS for name in series(metric)}


def faults(query: str) -> Iterator[str]:
    """What a query names that the registry does not have."""
    named = set()
    for name, chosen in re.findall(r"\b(sgguard_\w+)(?:\{([^}]*)\})?", query):
        if name not in SERIES:
            yield f"no series {name}"
            continue
        labels = {label.name: label for label in SERIES[name].labels}
        named |= set(labels)
        for label, is_pattern, values in re.findall(r'(\w+)=(~?)"([^"]*)"', chosen):
            if label not in labels:
                yield f"{name} has no label {label}"
                continue
            for value in values.split("|") if is_pattern else [values]:
                if value not in (*labels[label].values, OTHER, f"${label}"):
                    yield f"{label} is never {value!r}"
    for labels in re.findall(r"\bby \(([^)]*)\)", query):
        wanted = {one.strip() for one in labels.split(",") if one.strip()}
        yield from (f"no label {one}" for one in sorted(wanted - named - {"le"}))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_only_what_is_counted(query):
    assert "sgguard_" in query
    assert not list(faults(query))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sum(rate(sgguard_request_total[5m]))", "no series sgguard_request_total"),
        ("sgguard_request_duration_seconds", "no series sgguard_request_duration_seconds"),
        ('sgguard_runs{stat="stuck"}', "sgguard_runs has no label stat"),
        ('sgguard_runs{state=~"open|stuk"}', "state is never 'stuk'"),
        ("sum by (provder) (rate(sgguard_gaps_total[5m]))", "no label provder"),
    ],
)
def test_a_misspelt_name_is_found(query, told):
    assert list(faults(query)) == [told]


def test_every_metric_is_on_the_dashboard():
    shown = {name for panel in PANELS for one in panel["targets"] for name in names(one["expr"])}
    assert {SERIES[name].name for name in shown} == set(BY_NAME)


def names(query: str) -> list[str]:
    return re.findall(r"\bsgguard_\w+", query)


def test_the_dashboard_is_as_it_is_generated_and_each_panel_has_its_place():
    assert dashboard.PATH.read_text() == dashboard.text(), "run: python -m tests.docs"
    ids = [panel["id"] for panel in PANELS]
    titles = [panel["title"] for panel in PANELS]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    for one in (ids, titles, places):
        assert len(set(one)) == len(one)
    for panel in PANELS:
        shown = re.findall(r"\{\{(\w+)\}\}", panel["targets"][0]["legendFormat"])
        assert set(shown) <= set(re.findall(r"\w+", panel["targets"][0]["expr"]))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    text = (FOLDER / "runbooks.md").read_text()
    headings = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    assert sorted(headings) == sorted(rule["alert"] for rule in RULES)
    for rule in RULES:
        assert rule["annotations"]["runbook_url"].endswith(f"runbooks.md#{rule['alert'].lower()}")
        part = text.split(f"## {rule['alert']}\n\n")[1].split("\n## ")[0]
        assert part.startswith({"page": "Page. ", "ticket": "Ticket. "}[rule["labels"]["severity"]])
        assert "\n1. " in part


def test_every_panel_that_a_runbook_sends_to_exists():
    text = (FOLDER / "runbooks.md").read_text()
    titles = {panel["title"] for panel in PANELS}
    assert set(re.findall(r"panel \*([^*]+)\*", text)) <= titles


def test_every_alert_is_seen_to_fire_and_to_stay_quiet():
    tests = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]
    expected = [f"{rule['alert']} {what}" for rule in RULES for what in ("fires", "stays quiet")]
    assert [one["name"] for one in tests] == expected
    for one in tests:
        (check,) = one["alert_rule_test"]
        assert bool(check["exp_alerts"]) == one["name"].endswith("fires")
        for given in one["input_series"]:
            assert not list(
                faults(re.sub(r',?le="[^"]*"|,?(instance|version)="[^"]*"', "", given["series"]))
            )


# -- with Prometheus's own tool ------------------------------------------------------------


@pytest.fixture(scope="module")
def promtool():
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (on Debian: apt-get install prometheus)")

    def run(*args: str, given: str = "", folder: Path = FOLDER) -> subprocess.CompletedProcess:
        return subprocess.run(
            [found, *args],
            check=False,
            cwd=folder,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_prometheus_accepts_the_rules_and_their_tests_pass(promtool):
    for args in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")):
        done = promtool(*args)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_never_fires_fails_its_test(promtool, tmp_path):
    tests = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())
    tests["tests"] = [one for one in tests["tests"] if one["name"] == "SgguardStoreDown fires"]
    (tmp_path / "alerts.test.yml").write_text(yaml.safe_dump(tests))
    text = (FOLDER / "alerts.yml").read_text()
    (tmp_path / "alerts.yml").write_text(text.replace("sgguard_store_up", "sgguard_stor_up"))
    done = promtool("test", "rules", "alerts.test.yml", folder=tmp_path)
    assert done.returncode != 0
    assert "SgguardStoreDown fires" in done.stdout + done.stderr


def test_prometheus_finds_nothing_to_mend_on_the_page(promtool):
    sink = exposition.Prometheus()
    for metric in METRICS:
        labels = tuple(label.values[0] for label in metric.labels if label.values)
        if metric.kind == "counter":
            sink.add(metric, 1, labels)
        elif metric.kind == "histogram":
            sink.observe(metric, 1, labels)
    readings = [
        (metric, tuple("x" for _ in metric.labels), 1.0)
        for metric in METRICS
        if metric.kind == "gauge"
    ]
    done = promtool("check", "metrics", given=sink.page(readings).decode())
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_an_alert_counts_from_its_first_event_is_there_before_it():
    page = exposition.Prometheus().page(()).decode()
    for metric, label in ((registry.PROBLEMS, "internal"), (registry.GAPS, "no-permission")):
        lines = [line for line in page.splitlines() if line.startswith(f"{metric.name}{{")]
        assert [line for line in lines if f'"{label}"' in line and line.endswith(" 0.0")]
