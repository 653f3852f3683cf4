"""One answer of the demonstration: as a line to read, and compared with what was expected."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sgguard.emulator.scenario import ScenarioEvent
from sgguard.render.wording import short_ids

Json = dict[str, Any]
Paint = Callable[[str, str], str]

_CARRYING = ("block", "warn")
_ID_COLUMNS = 20
_HEAD_COLUMNS = 9 + 1 + 11 + 1 + 25 + 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What one event was answered with: the HTTP status, and a decision or problem details."""

    event: ScenarioEvent
    status: int
    document: Json


def differences(answer: Answer) -> Iterator[str]:
    """Yield, in words, everything in which an answer differs from what its event expects."""
    expect, document = answer.event.expect, answer.document
    if answer.status != expect.status:
        yield f"HTTP status {answer.status} instead of {expect.status}: {document.get('detail')}"
        return
    if answer.status != httpx.codes.OK:
        return
    if document["verdict"] != expect.verdict:
        yield f"verdict {document['verdict']} instead of {expect.verdict}"
    if document["outcome"] != expect.outcome:
        yield f"outcome {document['outcome']} instead of {expect.outcome}: {document['note']}"
    said = {reason["code"] for reason in document["reasons"]}
    if missing := set(expect.reasons) - said:
        yield f"reason missing: {', '.join(sorted(missing))}"
    carrying = {r["code"] for r in document["reasons"] if r["effect"] in _CARRYING}
    if extra := carrying - set(expect.reasons):
        yield f"reason not expected: {', '.join(sorted(extra))}"
    order = [_group_id(s["target"]) for s in document["plan"] if s["action"] == "delete"]
    if expect.order and order != expect.order:
        yield f"order {order} instead of {expect.order}"


def line(answer: Answer, paint: Paint, width: int | None = None) -> str:
    """Return one event as one line: verdict, cloud, group or instance, and why.

    With ``width`` (the columns of a terminal) the words are wrapped and set below each other.
    """
    document, data = answer.document, answer.event.data
    if answer.status != httpx.codes.OK:
        problems = "; ".join(p["problem"] for p in document.get("problems", ()))
        verdict, words = "refused", problems or str(document.get("detail"))
    else:
        verdict, words = document["verdict"], _words(document)
    if width is not None and width >= 2 * _HEAD_COLUMNS:
        words = textwrap.fill(
            words, width - _HEAD_COLUMNS - 1, break_long_words=False, break_on_hyphens=False
        )
        words = textwrap.indent(words, " " * _HEAD_COLUMNS).lstrip()
    painted = paint(f"{verdict:<9}", verdict)
    return f"{painted} {_cloud(data):<11} {_subject(document, data):<25} {words}"


def _words(document: Json) -> str:
    """Return why, and what may be done: what carries the verdict, else what explains it.

    A message calls things by id and name; here, where ids are made up, the name alone reads best,
    and for the one group the line is about, "it".
    """
    reasons: list[Json] = document["reasons"]
    carrying = [r for r in reasons if r["effect"] in _CARRYING]
    telling = [r for r in reasons if r["code"] != "free"]
    words = " ".join(dict.fromkeys(str(r["message"]) for r in carrying or telling or reasons))
    if len(plan := document["plan"]) > 1:
        steps = (f"{number}. {step['summary']}" for number, step in enumerate(plan, start=1))
        words = f"{words} Plan: {'; '.join(steps)}."
    if document["outcome"] == "remediated":
        words = f"{words} Done, and kept in the journal."
    groups = document["facts"]["groups"]
    its_id = groups[0]["group_id"] if document["guard"] == "delete" and len(groups) == 1 else ""
    for thing_id, name in _names(document["facts"]):
        shown = "it" if thing_id == its_id else name
        either = "|".join(map(re.escape, (thing_id, short_ids(thing_id))))
        words = re.sub(rf"({either}) \([^)]*\)", shown, words)
        words = re.sub(rf"(?<=from |..to ){re.escape(thing_id)}\b", shown, words)
    return short_ids(re.sub(r"(^|\. )it ", r"\1It ", words))


def _names(facts: Json) -> Iterator[tuple[str, str]]:
    """Yield id and name of everything in the facts that has both."""
    things = [(g["group_id"], g["name"]) for g in facts["groups"]]
    things += [(r["group_id"], r["group_name"]) for r in facts["references"]]
    things += [(b["holder_id"], b["name"]) for b in facts["bindings"]]
    if facts["instance"]:
        things.append((facts["instance"]["instance_id"], facts["instance"]["name"]))
    yield from ((thing_id, name) for thing_id, name in things if thing_id and name)


def _cloud(data: Mapping[str, Any]) -> str:
    first = data.get("target") or data.get("provider") or data.get("targets", ["?"])[0]
    return str(first).partition(":")[0] if ":" in str(first) or "provider" in data else "?"


def _subject(document: Json, data: Mapping[str, Any]) -> str:
    """Return what was asked about: groups by name, an instance, or so many planned instances."""
    facts = document.get("facts", {})
    if "instance_id" in data:
        return str((facts.get("instance") or {}).get("name") or data["instance_id"])
    names = {g["group_id"]: g["name"] for g in facts.get("groups", ())}
    groups = data.get("groups") or map(_group_id, data.get("targets", [data.get("target", "?")]))
    labels = ", ".join(names.get(group) or _short(group) for group in groups)
    return f"{data.get('count', 1)} x {labels}" if "groups" in data else labels


def _short(group_id: str) -> str:
    return group_id if len(group_id) <= _ID_COLUMNS else f"{group_id[:8]}…{group_id[-4:]}"


def _group_id(address: str) -> str:
    return address.rpartition(":")[2]
