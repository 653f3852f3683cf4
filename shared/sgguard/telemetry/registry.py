"""Every metric there is: its name, kind, unit, what it counts, and the labels it may have.

Code counts with these values alone, and documents, dashboard and alert rules are compared with
them. A label has a closed set of values, so that no series is made of what somebody sends; tests
compare the sets with the enums and errors of the package. What is not in its set is ``other``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sgguard import clouds

Kind = Literal["counter", "histogram", "gauge"]

OTHER = "other"
"""The value of a label that was given something outside its set."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Label(msgspec.Struct, frozen=True):
    """One label and its closed set of values."""

    name: str
    values: tuple[str, ...]

    def value(self, given: str) -> str:
        """Return the value as it may be counted."""
        return given if given in self.values else OTHER


class Metric(msgspec.Struct, frozen=True):
    """One metric. ``name`` is Prometheus's, ``otel`` OpenTelemetry's; ``unit`` is UCUM's.

    ``buckets`` are upper bounds in the unit, of a histogram alone.
    """

    name: str
    otel: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()

    def values(self, given: dict[str, str]) -> tuple[str, ...]:
        """Return the labels' values in their order; a label that is not given is empty."""
        return tuple(
            label.value(given[label.name]) if label.name in given else "" for label in self.labels
        )


FUNCTION = Label(
    "function",
    ("approval", "bind_request", "chat", "cloud_event", "delete_request", "instance_launch"),
)
PROVIDER = Label("provider", clouds.names())
GUARD = Label("guard", ("delete", "launch"))
MODE = Label("mode", ("observe", "approve", "enforce"))
VERDICT = Label("verdict", ("allow", "block", "remediate"))
OUTCOME = Label(
    "outcome",
    (
        *("unchanged", "left-to-caller", "remediated", "undone", "partly-undone", "pending"),
        *("refused", "superseded", "halted", "unfinished", "accepted"),
    ),
)
CODE = Label(
    "code",
    (
        *("free", "referenced", "referenced-will-cascade", "referenced-within-set", "bound"),
        *("default-group", "cloud-managed", "protected", "not-found", "group-malformed"),
        *("facts-incomplete", "cap-exceeded", "replacement-unusable", "within-limits"),
        *("default-group-applies", "groups-per-instance-exceeded"),
        *("instances-per-group-exceeded", "limit-near", "rules-without-effect"),
        *("group-not-found", "group-other-network", "group-other-project", "group-kinds-mixed"),
        *("project-limit-exceeded", "instance-not-found", "instance-refuses-binding"),
        *("group-forbidden", "baseline-missing"),
    ),
)
GAP = Label(
    "gap",
    (
        *("no-permission", "unknown-shape", "record-ceiling", "other-project", "cross-account"),
        *("not-told", "api-absent", "out-of-time"),
    ),
)
STATUS = Label(
    "status",
    (
        *("200", "204", "400", "401", "403", "404", "405", "409", "410", "413", "415", "422"),
        *("429", "500", "503"),
    ),
)
PROBLEM = Label(
    "problem",
    (
        *("answered", "budget", "busy", "cloud-unavailable", "credentials", "deadline", "halted"),
        *("internal", "invalid-event", "keys", "method-not-allowed", "not-permitted"),
        *("not-possible", "over", "settings", "store", "throttled", "too-large", "unknown"),
        *("unknown-format", "untrusted"),
    ),
)
RESULT = Label(
    "result",
    (
        *("ok", "paced", "deadline", "settings", "unreachable", "throttled", "unavailable"),
        *("unauthenticated", "forbidden", "invalid-request", "api-absent", "not-found", "in-use"),
        *("limit", "conflict", "unknown-shape", "garbled"),
    ),
)
STATE = Label("state", ("open", "stuck"))
KIND = Label("kind", ("approve", "bind", "callback", "chat"))

REQUESTS = Metric(
    "sgguard_requests_total",
    "faas.invocations",
    "counter",
    "{invocation}",
    "HTTP requests that a function answered.",
    (FUNCTION, STATUS),
)
REQUEST_SECONDS = Metric(
    "sgguard_request_duration_seconds",
    "faas.invoke_duration",
    "histogram",
    "s",
    "Time from the start of a request to its answer.",
    (FUNCTION,),
    _SECONDS,
)
COLD_STARTS = Metric(
    "sgguard_cold_starts_total",
    "faas.coldstarts",
    "counter",
    "{coldstart}",
    "Processes that answered their first request.",
    (FUNCTION,),
)
PROBLEMS = Metric(
    "sgguard_problems_total",
    "sgguard.problems",
    "counter",
    "{problem}",
    "Events and requests that were not decided, by the type of the problem.",
    (PROBLEM,),
)
DECISIONS = Metric(
    "sgguard_decisions_total",
    "sgguard.decisions",
    "counter",
    "{decision}",
    "Decisions, as they were judged.",
    (GUARD, PROVIDER, MODE, VERDICT),
)
DECISION_SECONDS = Metric(
    "sgguard_decision_duration_seconds",
    "sgguard.decision.duration",
    "histogram",
    "s",
    "Time from the first read of a decision to its verdict.",
    (GUARD, PROVIDER),
    _SECONDS,
)
REASONS = Metric(
    "sgguard_reasons_total",
    "sgguard.reasons",
    "counter",
    "{reason}",
    "Reasons of decisions, each code once for a decision.",
    (PROVIDER, CODE),
)
GAPS = Metric(
    "sgguard_gaps_total",
    "sgguard.gaps",
    "counter",
    "{gap}",
    "Gaps in the facts of decisions, each code once for a decision.",
    (PROVIDER, GAP),
)
PLANS = Metric(
    "sgguard_plans_total",
    "sgguard.plans",
    "counter",
    "{plan}",
    "Plans that were carried out, by how they ended.",
    (PROVIDER, OUTCOME),
)
CLOUD_CALLS = Metric(
    "sgguard_cloud_calls_total",
    "sgguard.cloud.calls",
    "counter",
    "{call}",
    "Calls to a cloud, each attempt by itself; paced: not sent, the API's rate was used up.",
    (PROVIDER, RESULT),
)
CLOUD_CALL_SECONDS = Metric(
    "sgguard_cloud_call_duration_seconds",
    "sgguard.cloud.call.duration",
    "histogram",
    "s",
    "Time of one call to a cloud, with its wait for the API's rate.",
    (PROVIDER,),
    _SECONDS,
)
CLOUD_RETRIES = Metric(
    "sgguard_cloud_retries_total",
    "sgguard.cloud.retries",
    "counter",
    "{retry}",
    "Reads of a cloud that were sent once more.",
    (PROVIDER,),
)
INFO = Metric(
    "sgguard_info",
    "sgguard.info",
    "gauge",
    "1",
    "Always 1; its label names the version of sgguard.",
    (Label("version", ()),),
)
HALTED = Metric(
    "sgguard_changes_halted",
    "sgguard.changes.halted",
    "gauge",
    "1",
    "1 while `sgguard halt` stops all changes, else 0.",
)
RUNS = Metric(
    "sgguard_runs",
    "sgguard.runs",
    "gauge",
    "{run}",
    "Plans that were begun and are not at their end; a stuck one needs a person.",
    (STATE,),
)
OLDEST_RUN_SECONDS = Metric(
    "sgguard_oldest_run_seconds",
    "sgguard.oldest_run",
    "gauge",
    "s",
    "Age of the oldest plan that is not at its end; 0 where there is none.",
)
STORE_UP = Metric(
    "sgguard_store_up",
    "sgguard.store.up",
    "gauge",
    "1",
    "1 where the store could be read for this answer, 0 where it could not.",
)
FAILING_DESTINATIONS = Metric(
    "sgguard_failing_destinations",
    "sgguard.outbox.failing_destinations",
    "gauge",
    "{destination}",
    "Destinations of the outbox, such as chat channels, whose last delivery failed.",
    (KIND,),
)
LATE_NOTICES = Metric(
    "sgguard_late_notices",
    "sgguard.outbox.late_notices",
    "gauge",
    "{notice}",
    "Notices that are due for more than five minutes and not delivered.",
)

METRICS = (
    *(REQUESTS, REQUEST_SECONDS, COLD_STARTS, PROBLEMS, DECISIONS, DECISION_SECONDS, REASONS),
    *(GAPS, PLANS, CLOUD_CALLS, CLOUD_CALL_SECONDS, CLOUD_RETRIES),
    *(INFO, HALTED, RUNS, OLDEST_RUN_SECONDS, FAILING_DESTINATIONS, LATE_NOTICES, STORE_UP),
)
"""Every metric; the table in deploy/observability/README.md is made from it."""

OF_STORE = (*(HALTED, RUNS, OLDEST_RUN_SECONDS, FAILING_DESTINATIONS, LATE_NOTICES, STORE_UP),)
"""Those that are read from the store when Prometheus asks, by whichever process answers."""
