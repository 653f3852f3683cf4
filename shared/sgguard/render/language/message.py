"""What a message says about a decision, in values: no words of any language, no markup.

It is made from the decision's document alone, so that it can be made again at any time. Names and
texts in it come from clouds and callers; whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from sgguard.model.codes import Outcome, Verdict
from sgguard.model.sentence import Named, Sentence
from sgguard.render.said import sentence_of

Json = dict[str, Any]

State = Literal[
    "allowed",
    "blocked",
    "remediable",
    "pending",
    "denied",
    "expired",
    "lapsed",
    "remediated",
    "undone",
    "partly-undone",
    "superseded",
    "halted",
    "unfinished",
    "accepted",
    "restoring",
    "restored",
    "restored-partly",
    "restore-stuck",
]
"""What a reader needs to know first. ``lapsed``: approved, but not begun in time.

The last four are of what was carried out and brought back afterwards, by a decision of its own.
"""

STATES: tuple[State, ...] = State.__args__  # type: ignore[attr-defined]  # of typing.Literal

_OF_VERDICT: Mapping[str, State] = {
    Verdict.ALLOW: "allowed",
    Verdict.BLOCK: "blocked",
    Verdict.REMEDIATE: "remediable",
}
_REFUSED: Mapping[str, State] = {"denied": "denied", "expired": "expired", "approved": "lapsed"}
_EFFECTS = ("block", "warn", "info")


class Why(msgspec.Struct, frozen=True):
    """One reason: its sentence, and the code, group, numbers and names that say it without one.

    Decisions of older versions have no sentence.
    """

    code: str
    effect: str
    about: Named
    rules: int = 0
    holders: tuple[Named, ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()
    unseen: tuple[str, ...] = ()
    after: int | None = None
    ceiling: int | None = None
    sentence: Sentence | None = None


class Change(msgspec.Struct, frozen=True):
    """One step of a plan; ``summary`` is its English sentence, for actions without words here."""

    action: str
    about: Named
    details: Mapping[str, str]
    summary: str
    sentence: Sentence | None = None


class Message(msgspec.Struct, frozen=True):
    """Everything a message can say; what of it is shown depends on the room a channel has.

    ``listed`` are the messages that a digest stands for. ``restore_hash`` stands for what a restore
    would bring back now, until ``restore_until``; empty: nothing is to be brought back.
    """

    decision_id: str
    guard: str
    state: State
    groups: tuple[Named, ...]
    provider: str
    account: str
    region: str
    project: str
    requester: str
    why: tuple[Why, ...]
    changes: tuple[Change, ...]
    vanishing: int
    unseen: int
    blind_spots: int
    decided_at: datetime
    approval_id: str = ""
    facts_hash: str = ""
    expires_at: datetime | None = None
    resolved_by: str = ""
    listed: tuple[Message, ...] = ()
    restore_hash: str = ""
    restore_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether a person can still approve or deny it."""
        return self.state == "pending" and bool(self.approval_id)

    @property
    def is_restorable(self) -> bool:
        """Whether what was carried out can be taken back from its snapshot."""
        return self.state == "remediated" and self.guard in ("delete", "launch")

    @property
    def totals(self) -> tuple[tuple[str, int], ...]:
        """Return how many changes of each action the plan has, in the order of the plan.

        A step of a bind stands for as many changes as it has holders.
        """
        found: dict[str, int] = {}
        for one in self.changes:
            number = one.details.get("holders", "1")
            found[one.action] = found.get(one.action, 0) + int(number)
        return tuple(found.items())


def of_document(document: Json, requester: str = "") -> Message:
    """Return the message of a decision; ``requester`` is kept beside the document."""
    names = _names(document)
    scope = document["target"][0].split(":")
    approval = document["approval"] or {}
    return Message(
        decision_id=document["decision_id"],
        guard=document["guard"],
        state=_state(document),
        groups=_groups(document, names),
        provider=scope[0],
        account=scope[1],
        region=scope[2],
        project=_project(document),
        requester=requester,
        why=tuple(_sorted(_why(one, document, names) for one in document["reasons"])),
        changes=tuple(_change(one, names) for one in document["plan"]),
        vanishing=sum(len(one["vanishing"]) for one in document["consequences"]),
        unseen=len(document["facts"]["unseen"]),
        blind_spots=len(document["facts"]["blind_spots"]),
        decided_at=_time(document["decided_at"]),
        approval_id=approval.get("approval_id", ""),
        facts_hash=approval.get("facts_hash", ""),
        expires_at=_time(approval["expires_at"]) if approval else None,
        resolved_by=approval.get("resolved_by", ""),
    )


def of_test(channel: str, message_id: str, now: datetime) -> Message:
    """Return the message that tests a channel: it asks nothing, and is about no group."""
    return _bare("test", channel, message_id, now)


def of_digest(listed: Sequence[Message], channel: str, message_id: str, now: datetime) -> Message:
    """Return the message that stands for many others; it asks nothing."""
    return replace(_bare("digest", channel, message_id, now), listed=tuple(listed))


def _bare(guard: str, channel: str, message_id: str, now: datetime) -> Message:
    nothing: tuple[()] = ()
    return Message(
        decision_id=message_id,
        guard=guard,
        state="allowed",
        groups=nothing,
        provider="",
        account="",
        region="",
        project="",
        requester=channel,
        why=nothing,
        changes=nothing,
        vanishing=0,
        unseen=0,
        blind_spots=0,
        decided_at=now,
    )


def _state(document: Json) -> State:
    outcome = document["outcome"]
    if outcome in (Outcome.UNCHANGED, Outcome.LEFT_TO_CALLER):
        return _OF_VERDICT[document["verdict"]]
    if outcome == Outcome.REFUSED:
        return _REFUSED.get((document["approval"] or {}).get("state", ""), "denied")
    state: State = outcome
    return state


def _names(document: Json) -> dict[str, str]:
    """Return the names of groups by their ids, as far as the document has them."""
    facts = document["facts"]
    found = {one["group_id"]: one["group_name"] or "" for one in facts["references"]}
    found.update((one["group_id"], one["name"] or "") for one in facts["groups"])
    return found


def _named(address: str, names: Mapping[str, str]) -> Named:
    thing_id = address.rpartition(":")[2]
    return Named(thing_id, names.get(thing_id, ""))


def _groups(document: Json, names: Mapping[str, str]) -> tuple[Named, ...]:
    """Return what is asked about: the targets; of a launch the groups of its instances."""
    if document["guard"] != "launch":
        return tuple(_named(one, names) for one in document["target"])
    return tuple(Named(g["group_id"], g["name"] or "") for g in document["facts"]["groups"])


def _project(document: Json) -> str:
    """Return the project of the groups, where all are of one."""
    found = {one["project"] for one in document["facts"]["groups"]}
    only = found.pop() if len(found) == 1 else ""
    return only or ""


def _sorted(reasons: Iterable[Why]) -> list[Why]:
    """Put what blocks first, then what warns; of one effect the guard's order stays."""
    return sorted(reasons, key=lambda one: _EFFECTS.index(one.effect))


def _why(reason: Json, document: Json, names: Mapping[str, str]) -> Why:
    target, evidence = reason["target"], reason["evidence"]
    about = [one for one in document["facts"]["references"] if one["target"] == target]
    bound = [one for one in document["facts"]["bindings"] if one["target"] == target]
    listed = [one for one in evidence if one["type"] == "reference"]
    # Evidence is cut at a hundred; where it is all of the facts, those have the rest.
    is_cut = reason["evidence_count"] > len(evidence)
    rules = about if is_cut and listed else listed
    limits = [one for one in evidence if one["type"] == "limit"]
    kinds: dict[str, int] = {}
    shown = [one for one in evidence if one["type"] == "binding"]
    for one in bound if is_cut and shown else shown:
        kinds[one["kind"]] = kinds.get(one["kind"], 0) + one["count"]
    return Why(
        code=reason["code"],
        effect=reason["effect"],
        about=_named(target, names),
        rules=len(rules),
        holders=tuple(
            dict.fromkeys(Named(one["group_id"], one["group_name"] or "") for one in rules)
        ),
        kinds=tuple(sorted(kinds.items())),
        unseen=tuple(one["code"] for one in evidence if one["type"] == "unseen"),
        after=limits[0]["after"] if limits else None,
        ceiling=limits[0]["ceiling"] if limits else None,
        sentence=sentence_of(reason.get("sentence")),
    )


def _change(step: Json, names: Mapping[str, str]) -> Change:
    return Change(
        step["action"],
        _named(step["target"], names),
        dict(step["details"]),
        step["summary"],
        sentence_of(step.get("sentence")),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
