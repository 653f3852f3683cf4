"""Recorded facts judged again: the verdict of a policy on them, without a cloud.

A record holds the facts a guard was given once. A case names a record and what a policy is
expected to make of it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import msgspec

from sgguard import schemas
from sgguard.errors import InputError, Problem, StoreError
from sgguard.guards import delete, launch
from sgguard.model.codes import DELETE_CODES, LAUNCH_CODES, Mode
from sgguard.model.decision import Judgement
from sgguard.model.facts import DeleteFacts, Facts, LaunchFacts
from sgguard.policy import Guard, Policy, governing, mode_of
from sgguard.render.language.refusal import texts_of
from sgguard.render.language.sentence import whole_english
from sgguard.store import codec

FORMAT = "sgguard.facts.v1"
_CAPABILITIES = "traits"
"""The key of the capabilities in a record: it is older than the name in the code."""

_KINDS: dict[str, type[DeleteFacts | LaunchFacts]] = {
    "delete": DeleteFacts,
    "launch": LaunchFacts,
}


class Case(msgspec.Struct, frozen=True):
    """What is expected of a policy: the verdict, and reasons and mode where they are given."""

    name: str
    facts_path: Path
    verdict: str
    reasons: tuple[str, ...] | None = None
    mode: str | None = None


class Cases(msgspec.Struct, frozen=True):
    """The cases of one file; ``policy_path`` and ``now`` are None where it names none."""

    cases: tuple[Case, ...]
    policy_path: str | None = None
    now: datetime | None = None


class CaseResult(msgspec.Struct, frozen=True):
    """The result of a case; ``differences`` has a line for each expectation that failed."""

    case: Case
    judgement: Judgement
    differences: tuple[str, ...]


def record(facts: Facts) -> str:
    """Return facts as a document that :func:`replay` reads."""
    kind = "launch" if isinstance(facts, LaunchFacts) else "delete"
    recorded = json.loads(codec.dump(facts))
    recorded[_CAPABILITIES] = recorded.pop("capabilities")
    document = {"format": FORMAT, "kind": kind, "facts": recorded}
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def replay(path: Path) -> Facts:
    """Read recorded facts.

    Raises:
        InputError: the file cannot be read, or is no record.
    """
    document = _json(path)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: no record (expected what sgguard check --record writes)")
    kind = _KINDS.get(str(document.get("kind")))
    if kind is None:
        raise InputError(f"{path}: kind is unknown (expected delete or launch)")
    recorded = document.get("facts")
    if isinstance(recorded, dict) and _CAPABILITIES in recorded:
        recorded = dict(recorded)
        recorded["capabilities"] = recorded.pop(_CAPABILITIES)
    try:
        return codec.load(kind, json.dumps(recorded))
    except StoreError as error:
        raise InputError(f"{path}: {error}") from error


def read_cases(path: Path) -> Cases:
    """Read a file of cases: TOML, or JSON where its name ends so. One case needs no list.

    Raises:
        InputError: the file cannot be read or used; names file, path inside it and what is right.
    """
    document = _json(path) if path.suffix.lower() == ".json" else _toml(path)
    if isinstance(document, dict) and "case" not in document and "facts" in document:
        around = {key: document[key] for key in ("policy", "now") if key in document}
        rest = {key: value for key, value in document.items() if key not in around}
        document = {**around, "case": [rest]}
    found = schemas.problems("policy_case", document)
    if found:
        raise InputError(f"{path}: " + "; ".join(map(_broken, found)))
    policy = document.get("policy")
    return Cases(
        cases=tuple(_case(path, number, one) for number, one in enumerate(document["case"])),
        policy_path=None if policy is None else str(path.parent / policy),
        now=_noon(path, document["now"]) if "now" in document else None,
    )


def _broken(problem: Problem) -> str:
    where = problem.path.strip("/").replace("/", ".") or "the file"
    found, right = map(whole_english, texts_of(problem))
    return f"{where} {found} (expected {right})"


def judge(facts: Facts, policy: Policy, now: datetime) -> tuple[Judgement, Mode]:
    """Return the judgement of the policy on facts, and its mode for all their groups."""
    if isinstance(facts, LaunchFacts):
        judgement = launch.judge(facts, policy, now)
    else:
        judgement = delete.judge(facts, policy, now)
    guard: Guard = "launch" if isinstance(facts, LaunchFacts) else "delete"
    return judgement, mode_of(governing.governing(policy, facts, judgement), guard)


def run(case: Case, policy: Policy, now: datetime) -> CaseResult:
    """Judge the facts of a case and compare.

    Raises:
        InputError: the record cannot be read.
    """
    judgement, mode = judge(replay(case.facts_path), policy, now)
    return CaseResult(case, judgement, tuple(_differences(case, judgement, mode)))


def _differences(case: Case, judgement: Judgement, mode: Mode) -> Sequence[str]:
    differences = []
    if judgement.verdict.value != case.verdict:
        differences.append(f"verdict is {judgement.verdict.value}, expected {case.verdict}")
    if case.reasons is not None:
        full = {f"{one.code}:{one.effect}" for one in judgement.reasons}
        bare = {one.code for one in judgement.reasons}
        wanted = {one.partition(":")[0] for one in case.reasons}
        lost = sorted(one for one in case.reasons if one not in full | bare)
        more = sorted(bare - wanted)
        differences += [f"reason {one} is not there" for one in lost]
        differences += [f"reason {one} is there as well" for one in more]
    if case.mode is not None and mode.value != case.mode:
        differences.append(f"mode is {mode.value}, expected {case.mode}")
    return differences


def _case(path: Path, number: int, entry: dict[str, Any]) -> Case:
    known = {*DELETE_CODES, *LAUNCH_CODES}
    reasons = entry.get("reasons")
    for one in reasons or ():
        if one.partition(":")[0] not in known:
            raise InputError(f"{path}: case.{number}.reasons has {one}, which no guard gives")
    return Case(
        name=entry.get("name", entry["facts"]),
        facts_path=path.parent / entry["facts"],
        verdict=entry["verdict"],
        reasons=None if reasons is None else tuple(reasons),
        mode=entry.get("mode"),
    )


def _noon(path: Path, text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(12), UTC)
    except ValueError as error:
        raise InputError(f"{path}: now is no day (expected a day such as 2027-03-31)") from error


def _toml(path: Path) -> Any:
    try:
        document = tomllib.loads(_text(path))
    except ValueError as error:
        raise InputError(f"{path}: is not valid TOML: {error}") from error
    if isinstance(document.get("now"), date):
        document["now"] = document["now"].isoformat()
    return document


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        remedy = "check the name, and that this user may read it"
        raise InputError(f"{path}: cannot be read: {error.strerror}: {remedy}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from error
