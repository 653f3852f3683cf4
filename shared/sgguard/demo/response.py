"""One response of the demonstration: as a line to read, and compared with what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import msgspec

from sgguard.emulator.scenario import ScenarioEvent
from sgguard.render.wording import columns, count, one_line, pad, short_ids, wrapped

Json = dict[str, Any]
Paint = Callable[[str, str], str]

_WEIGHTY = ("block", "warn")
_ID_COLUMNS = 20
_VERDICT_COLUMNS, _SUBJECT_COLUMNS = 9, 25
_PLAN_MIN = 2


class Response(msgspec.Struct, frozen=True):
    """The response to one event: the HTTP status, and a decision or problem details."""

    event: ScenarioEvent
    status: int
    document: Json


_SAME = {"left-to-caller": "unchanged"}


def differences(response: Response) -> Iterator[str]:
    """Yield a message for everything in which a response differs from what its event expects."""
    expect, document = response.event.expect, response.document
    if response.status != expect.status:
        yield f"HTTP status {response.status} instead of {expect.status}: {document.get('detail')}"
        return
    if response.status != httpx.codes.OK:
        return
    if document["verdict"] != expect.verdict:
        yield f"verdict {document['verdict']} instead of {expect.verdict}"
    # Nothing was done either way: an allowed delete is left to its caller.
    outcome = document["outcome"]
    if expect.outcome not in (outcome, _SAME.get(outcome)):
        yield f"outcome {document['outcome']} instead of {expect.outcome}: {document['note']}"
    codes = {reason["code"] for reason in document["reasons"]}
    if missing := set(expect.reasons) - codes:
        yield f"reason missing: {', '.join(sorted(missing))}"
    weighty = {reason["code"] for reason in _weighty(document)}
    if extra := weighty - set(expect.reasons):
        yield f"reason not expected: {', '.join(sorted(extra))}"
    order = [_group_id(s["target"]) for s in document["plan"] if s["action"] == "delete"]
    if expect.order and order != expect.order:
        yield f"order {order} instead of {expect.order}"


def line(response: Response, paint: Paint, width: int) -> str:
    """Return one event on one line: verdict, cloud, group or instance, and the main reason.

    The reason is cut between words so that the line has at most ``width`` columns; escape codes
    are not counted.
    """
    document, data = response.document, response.event.data
    if response.status != httpx.codes.OK:
        problems = "; ".join(p["problem"] for p in document.get("problems", ()))
        verdict, reason, tail = "refused", problems or str(document.get("detail")), ""
    else:
        verdict, reason, tail = document["verdict"], _main_reason(document), _rest(document)
    subject = one_line(_subject(document, data), _SUBJECT_COLUMNS)
    head = f"{_cloud(data):<11} {pad(subject, _SUBJECT_COLUMNS)} "
    room = max(width - _VERDICT_COLUMNS - 1 - columns(head) - columns(tail), 1)
    painted = paint(f"{verdict:<{_VERDICT_COLUMNS}}", verdict)
    words = _cut(reason, room)
    return f"{painted} {head}{words.removesuffix('.') if tail else words}{tail}"


def _cut(words: str, width: int) -> str:
    """Return as many whole sentences as fit; of a long first one the words, with an ellipsis."""
    if columns(words) <= width:
        return words
    sentences = words.split(". ")
    for number in range(len(sentences) - 1, 0, -1):
        if columns(shorter := ". ".join(sentences[:number]) + ".") <= width:
            return shorter
    return f"{next(wrapped(words, width - 2)).rstrip(',;:.')} …"


def _rest(document: Json) -> str:
    """Return what a decision has beside its main reason: codes of others, or the plan's length."""
    if document["verdict"] == "block":
        codes = dict.fromkeys(reason["code"] for reason in _weighty(document))
        others = ", ".join(list(codes)[1:])
        return f" (also {others})" if others else ""
    steps = len(document["plan"])
    if steps < _PLAN_MIN:
        return ""
    return f" ({count(steps, 'step')}{', done' if document['outcome'] == 'remediated' else ''})"


def _main_reason(document: Json) -> str:
    """Return the first reason that blocks, else the first that warns, else one that explains.

    A message has things by id and name; here, where ids are made up, the name alone reads best,
    and "it" for the one group that the line is about.
    """
    reasons: list[Json] = document["reasons"]
    explaining = [r for r in reasons if r["code"] != "free"]
    words = str((_weighty(document) or explaining or reasons)[0]["message"])
    groups = document["facts"]["groups"]
    its_id = groups[0]["group_id"] if document["guard"] == "delete" and len(groups) == 1 else ""
    for thing_id, name in _names(document["facts"]):
        shown = "it" if thing_id == its_id else name
        either = "|".join(map(re.escape, (thing_id, short_ids(thing_id))))
        words = re.sub(rf"({either}) \([^)]*\)", shown, words)
        words = re.sub(rf"(?<=from |..to ){re.escape(thing_id)}\b", shown, words)
    return short_ids(re.sub(r"(^|\. )it ", r"\1It ", words))


def _weighty(document: Json) -> list[Json]:
    """Return the reasons that block, then those that warn."""
    return [r for effect in _WEIGHTY for r in document["reasons"] if r["effect"] == effect]


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
    """Return what the event is about: groups by name, an instance, or so many planned instances."""
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
