"""The Grafana dashboard: rows of panels, each with what it asks Prometheus."""

from __future__ import annotations

import json
from typing import Any

from tests.docs.sections import ROOT

PATH = ROOT / "deploy" / "observability" / "grafana-dashboard.json"

Json = dict[str, Any]

_OF = 'provider=~"$provider"'
_WIDTH, _HEIGHT, _COLUMNS = 8, 7, 24


def _quantile(share: float, by: str, name: str, of: str = "") -> str:
    chosen = f"{{{of}}}" if of else ""
    rate = f"rate({name}_bucket{chosen}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({by}, le) ({rate}))"


PANELS: tuple[tuple[str, str, str, str, str], ...] = (
    # title, kind, unit, query, legend
    ("Stuck plans", "stat", "none", 'max(sgguard_runs{state="stuck"})', ""),
    ("Changes halted", "stat", "none", "max(sgguard_changes_halted)", ""),
    ("Store readable", "stat", "none", "min(sgguard_store_up)", ""),
    (
        "Decisions",
        "timeseries",
        "cps",
        f"sum by (verdict) (rate(sgguard_decisions_total{{{_OF}}}[$__rate_interval]))",
        "{{verdict}}",
    ),
    (
        "Reasons",
        "timeseries",
        "cps",
        f"topk(10, sum by (code) (rate(sgguard_reasons_total{{{_OF}}}[$__rate_interval])))",
        "{{code}}",
    ),
    (
        "Gaps in the facts",
        "timeseries",
        "cps",
        f"sum by (provider, gap) (rate(sgguard_gaps_total{{{_OF}}}[$__rate_interval]))",
        "{{provider}} {{gap}}",
    ),
    (
        "Time of a decision (p99)",
        "timeseries",
        "s",
        _quantile(0.99, "provider", "sgguard_decision_duration_seconds", _OF),
        "{{provider}}",
    ),
    (
        "Requests",
        "timeseries",
        "reqps",
        "sum by (function, status) (rate(sgguard_requests_total[$__rate_interval]))",
        "{{function}} {{status}}",
    ),
    (
        "Time of a request (p99)",
        "timeseries",
        "s",
        _quantile(0.99, "function", "sgguard_request_duration_seconds"),
        "{{function}}",
    ),
    (
        "Problems",
        "timeseries",
        "cps",
        "sum by (problem) (rate(sgguard_problems_total[$__rate_interval]))",
        "{{problem}}",
    ),
    (
        "Calls to clouds",
        "timeseries",
        "cps",
        f"sum by (provider, result) (rate(sgguard_cloud_calls_total{{{_OF}}}[$__rate_interval]))",
        "{{provider}} {{result}}",
    ),
    (
        "Time of a call (p95)",
        "timeseries",
        "s",
        _quantile(0.95, "provider", "sgguard_cloud_call_duration_seconds", _OF),
        "{{provider}}",
    ),
    (
        "Repeated reads",
        "timeseries",
        "cps",
        f"sum by (provider) (rate(sgguard_cloud_retries_total{{{_OF}}}[$__rate_interval]))",
        "{{provider}}",
    ),
    (
        "Plans by their end",
        "timeseries",
        "none",
        f"sum by (outcome) (increase(sgguard_plans_total{{{_OF}}}[1h]))",
        "{{outcome}}",
    ),
    ("Oldest open plan", "timeseries", "s", "max(sgguard_oldest_run_seconds)", "oldest"),
    (
        "Cold starts",
        "timeseries",
        "none",
        "sum by (function) (increase(sgguard_cold_starts_total[1h]))",
        "{{function}}",
    ),
    (
        "Destinations that take nothing",
        "timeseries",
        "none",
        "max by (kind) (sgguard_failing_destinations)",
        "{{kind}}",
    ),
    ("Notices nobody delivers", "timeseries", "none", "max(sgguard_late_notices)", "late"),
    ("Versions", "timeseries", "none", "count by (version) (sgguard_info)", "{{version}}"),
)


def document() -> Json:
    """The dashboard as Grafana imports it; the source of data is chosen there."""
    return {
        "title": "sgguard",
        "uid": "sgguard",
        "tags": ["sgguard"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_source(), _provider()]},
        "panels": [_panel(number, one) for number, one in enumerate(PANELS)],
    }


def text() -> str:
    return json.dumps(document(), indent=2) + "\n"


def write() -> None:
    PATH.write_text(text(), encoding="utf-8")


def _source() -> Json:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _provider() -> Json:
    query = "label_values(sgguard_decisions_total, provider)"
    return {
        "name": "provider",
        "label": "Cloud",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "definition": query,
        "query": {"query": query, "refId": "provider"},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(number: int, panel: tuple[str, str, str, str, str]) -> Json:
    title, kind, unit, query, legend = panel
    per_row = _COLUMNS // _WIDTH
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "id": number + 1,
        "title": title,
        "type": kind,
        "datasource": source,
        "gridPos": {
            "h": _HEIGHT,
            "w": _WIDTH,
            "x": number % per_row * _WIDTH,
            "y": number // per_row * _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "datasource": source, "expr": query, "legendFormat": legend}],
    }
