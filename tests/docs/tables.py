"""The tables and lists that are made from the code."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sgguard import errors, providers, schemas
from sgguard.model import runbook
from sgguard.model.codes import DELETE_CODES, LAUNCH_CODES, MEANINGS, OUTCOMES, UnseenCode
from sgguard.policy import Policy
from sgguard.render.language.sentence import whole_english
from sgguard.settings import SETTINGS
from sgguard.telemetry import logs
from sgguard.telemetry.registry import METRICS
from sgguard.web import problem
from sgguard.web.runbook import PROBLEMS
from tests.cli.jobs import JOBS
from tests.docs.sections import keeping_last_column, table
from tests.test_layers import ARROWS, WAY
from tests.worlds import world_of

Json = dict[str, Any]


def settings_table() -> str:
    return table(
        "variable | default | what it does",
        ((f"`{s.name}`", f"`{s.default}`" if s.default else "", s.meaning) for s in SETTINGS),
    )


def policy_keys() -> str:
    """Every key of a policy, from its schema, with its default."""
    schema = schemas.load("policy")
    return table("key | default | what it does", _keys(schema, schema, "", Policy()))


def _keys(schema: Json, part: Json, path: str, default: object) -> Iterator[tuple[str, ...]]:
    def resolved(one: Json) -> Json:
        return {**schema["$defs"].get(one.get("$ref", "").rpartition("/")[2], {}), **one}

    for name, raw in part.get("properties", {}).items():
        one, own = resolved(raw), getattr(default, name, None)
        inner = resolved(one.get("items", {})) if "items" in one else one
        if path == "scope." and name in ("delete", "launch", "caps"):
            yield f"`{path}{name}`", "", f"the keys of `{name}` that differ in this scope"
        elif "properties" in inner:
            yield from _keys(schema, inner, f"{path}{name}.", own)
        else:
            means = one.get("description") or ", ".join(one.get("enum", ()))
            if name == "limits":
                means += f": {', '.join(schema['$defs']['ceilings']['properties'])}"
            yield f"`{path}{name}`", "" if own in (None, "", {}) else f"`{_toml(own)}`", means


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def log_fields() -> str:
    """The fields of a log line, and what each means."""
    rows = {**logs.ALWAYS, **{name: logs.FIELDS[name] for name in logs.Fields.__annotations__}}
    return table("field | what it holds", ((f"`{name}`", means) for name, means in rows.items()))


def metrics_table() -> str:
    """Every metric of the registry."""
    rows = (
        (
            f"`{one.name}`",
            one.kind,
            f"`{one.unit}`",
            one.help.rstrip("."),
            ", ".join(f"`{label.name}`" for label in one.labels),
            one.otel,
        )
        for one in METRICS
    )
    return table("metric | kind | unit | what it counts | labels | OpenTelemetry", rows)


def labels_table() -> str:
    """Every label with its closed set of values."""
    labels = {label.name: label for one in METRICS for label in one.labels}
    rows = (
        (f"`{name}`", ", ".join(f"`{value}`" for value in label.values) or "one value")
        for name, label in labels.items()
    )
    return table("label | values", rows)


def reasons_table() -> str:
    guards = (("delete", DELETE_CODES), ("launch", LAUNCH_CODES))
    return table(
        "code | guard | means | what to do",
        (
            (
                f"`{code}`",
                ", ".join(name for name, known in guards if code in known),
                meaning,
                runbook.REASONS[code].do,
            )
            for code, meaning in MEANINGS.items()
        ),
    )


def gaps_table() -> str:
    return table(
        "gap | means, and what to do",
        (
            (f"`{code}`", f"{runbook.GAP_MEANINGS[code]}: {runbook.GAPS[code].do}")
            for code in UnseenCode
        ),
    )


def outcomes_table() -> str:
    return table(
        "outcome | means | what to do",
        ((f"`{one}`", means, runbook.OUTCOMES[one].do) for one, means in OUTCOMES.items()),
    )


def jobs_table() -> str:
    """The jobs of an engineer on call; those without a command say so."""
    rows = ((one.name, str(one.commands or "—"), one.typed) for one in JOBS)
    return table("job | commands | what is typed", rows)


def statuses_table() -> str:
    """One row for every kind of problem that a function responds with."""
    events = (errors.EventError("", status=s) for s in (400, 403, 404, 409, 410, 413, 415, 422))
    clouds = (errors.UnauthenticatedError, errors.ThrottledError, errors.UnreachableError)
    own = (
        *(errors.DeadlineError, errors.SettingsError, errors.BusyError),
        *(errors.HaltedError, errors.StoreError, errors.SgguardError),
        *(errors.UntrustedError, errors.BudgetError, errors.KeysError),
    )
    found = [
        *(problem.of(one) for one in events),
        problem.method_not_allowed("PUT"),
        *(problem.of(kind("tencent", "DescribeSecurityGroups")) for kind in clouds),
        *(problem.of(kind("")) for kind in own),
    ]
    found.sort(key=lambda one: one.status)
    rows = {
        one.document["type"].removeprefix(problem.BASE): (
            str(one.status),
            "no" if one.retry_after_s is None else "yes",
        )
        for one in found
    }
    return table(
        "type | status | Retry-After | means, and what to do",
        ((f"`{slug}`", *row, PROBLEMS[slug]) for slug, row in rows.items()),
    )


def permissions_table(provider: str) -> str:
    """What one cloud is asked, from its probe: the call, its purpose, its permission, the mode."""
    world = world_of(provider)
    probing = providers.probing(provider)
    assert probing is not None
    checks = probing.probe(world.connect(world.emulator())).checks
    return table(
        "call | needed for | what to grant | modes | doctor",
        (
            (
                f"`{one.action}`",
                one.brings
                + (f"; where it is not offered, {one.if_absent}" if one.if_absent else ""),
                one.grant,
                "all" if one.need == "read" else "approve, enforce",
                "no" if one.ask is None else "partly" if one.why_untested else "yes",
            )
            for one in checks
        ),
    )


def blind_spots() -> str:
    """What no call of a cloud's API tells, as the capabilities of each provider state it."""
    spots: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in providers.names():
        world = world_of(name)
        spots[world.connect(world.emulator()).capabilities.blind_spots].append(f"`{name}`")
    return "\n".join(
        f"- {', '.join(who)}: {' '.join(map(whole_english, found))}" for found, who in spots.items()
    )


def imports_table() -> str:
    """Each folder of an event's way or of the package with what it imports, from the layers."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder, known in ARROWS.items():
        found[folder.split(".")[0]] |= {one.split(".")[0] for one in known.split()}
    order = {one: number for number, one in enumerate(WAY)}
    rooms = sorted(found, key=lambda one: (order.get(one, len(order)), one))
    return keeping_last_column(
        "imports",
        "folder | imports | what it does",
        (
            (f"`{room}`", ", ".join(f"`{one}`" for one in sorted(found[room] - {room, "sgguard"})))
            for room in rooms
        ),
    )
