"""A message in words: a title, and lines of a label and a text, cut with counts where needed.

:data:`DETAILS` are the ways to say it, from the fullest to the shortest; a channel takes the first
that fits its limits. Every line says how much of its subject it leaves out. Nothing here is
markup: a channel escapes whole lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from sgguard.render.language.message import Change, Message, Why
from sgguard.render.language.sentence import in_words, knows
from sgguard.render.language.words import Words, fitted, name, plain, within

_TITLE_MAX = 100
_ANY = "any"
_SHORT_ID = 8


class Detail(msgspec.Struct, frozen=True):
    """How much of each list is shown, and the columns of a line."""

    groups: int
    reasons: int
    holders: int
    steps: int
    width: int


EVERYTHING = Detail(groups=10_000, reasons=10_000, holders=10_000, steps=10_000, width=10_000)
DETAILS = (
    Detail(groups=5, reasons=3, holders=5, steps=5, width=200),
    Detail(groups=3, reasons=3, holders=3, steps=3, width=160),
    Detail(groups=2, reasons=2, holders=2, steps=2, width=120),
    Detail(groups=1, reasons=1, holders=1, steps=0, width=80),
)


class Line(msgspec.Struct, frozen=True):
    """One line of a message; ``key`` names what it says, for channels that place lines."""

    key: str
    label: str
    text: str


class Text(msgspec.Struct, frozen=True):
    """A message in words. Its lines are plain text of one line each."""

    title: str
    lines: tuple[Line, ...]

    def line(self, key: str) -> str:
        """Return the text of the first line of this key; empty where there is none."""
        return next((one.text for one in self.lines if one.key == key), "")

    def joined(self, words: Words) -> tuple[str, ...]:
        """Return each line with its label."""
        return tuple(words.say("line", label=one.label, text=one.text) for one in self.lines)


def compose(
    message: Message, words: Words, detail: Detail, link: str = "", *, has_button: bool = True
) -> Text:
    """Return the message in words. ``link`` leads to the whole of it; empty: the command does.

    Without a button an open request says how else it is answered.
    """
    if message.guard == "test":
        said = words.say("test.message", channel=plain(message.requester))
        return Text(words.say("test.title"), (Line("verdict", words.say("label.test"), said),))
    if message.guard == "digest":
        return digest(message, words, detail)
    lines = (
        Line(key, words.say(label, **values), text)
        for key, label, values, text in _lines(message, words, detail, link)
        if text
    )
    given = tuple(lines)
    if message.is_open and not has_button:
        how = words.say("answer.command", approval=f"{message.approval_id[:_SHORT_ID]}…")
        given = (*given, Line("answer", words.say("label.answer"), how))
    return Text(title(message, words), given)


def digest(message: Message, words: Words, detail: Detail) -> Text:
    """Return a digest in words: how many of each state, and the first of each by name."""
    states: dict[str, list[str]] = {}
    for one in message.listed:
        states.setdefault(one.state, []).append(what(one, words))
    lines = [Line("verdict", words.say("label.digest"), words.say("digest.why"))]
    for state, said in states.items():
        listed = fitted(partial(words.items, said), detail.groups, detail.width)
        shown = words.say(f"state.{state}")
        text = words.say("digest.state", state=shown, n=len(said), listed=listed)
        lines.append(Line("why", words.say("label.digest"), text))
    whole = Line("whole", words.say("label.whole"), "sgguard decisions list")
    return Text(words.say("digest.title", n=len(message.listed)), (*lines, whole))


DROPPED = (
    "step",
    "undo",
    "unseen",
    "changes",
    "approve",
    "approver",
    "requester",
    "place",
    "why",
    "groups",
    "whole",
)
"""Lines in the order in which they are left out where nothing shorter is left to say."""


def without(text: Text, keys: Sequence[str], words: Words) -> Text:
    """Return the text without the lines of some keys, and how many that were."""
    kept = [one for one in text.lines if one.key not in keys]
    left_out = words.say("more.lines", n=len(text.lines) - len(kept))
    return Text(text.title, (*kept, Line("more", words.say("label.more"), left_out)))


def title(message: Message, words: Words) -> str:
    """Return the state and what it is about: the line that a notification shows."""
    said = words.say("title", state=words.say(f"state.{message.state}"), what=what(message, words))
    return within(said, _TITLE_MAX)


def what(message: Message, words: Words) -> str:
    """Return what is asked: of one group, or of how many."""
    number = len(message.groups)
    if not number:
        return words.say("what.launch.none")
    key = f"what.{message.guard}" + (".many" if number > 1 else "")
    first = message.groups[0]
    return words.say(key, first=plain(first.name or first.thing_id, 40), n=number)


_Entry = tuple[str, str, Mapping[str, object], str]


def _lines(message: Message, words: Words, detail: Detail, link: str) -> Iterator[_Entry]:
    none: Mapping[str, object] = {}
    yield "groups", "label.groups", none, words.names(message.groups, detail.groups)
    yield "place", "label.place", none, place(message, words)
    requester = plain(message.requester) or words.say("requester.unknown")
    yield "requester", "label.requester", none, requester
    yield "verdict", "label.verdict", none, verdict(message, words)
    for one in message.why[: detail.reasons]:
        yield "why", "label.why", none, why(one, words, detail)
    rest = len(message.why) - detail.reasons
    if rest > 0:
        yield "why", "label.why", none, words.say("more.why", n=rest)
    if message.changes:
        yield "changes", "label.changes", none, totals(message, words)
    for number, change in enumerate(message.changes[: detail.steps], 1):
        text = within(step(change, words), detail.width)
        yield "step", "label.step", {"n": number}, text
    rest = len(message.changes) - detail.steps
    if rest > 0 and detail.steps:
        yield "changes", "label.changes", none, words.say("more.steps", n=rest)
    if message.is_open:
        yield "approve", "label.approve", none, on_approval(message, words)
    yield "unseen", "label.unseen", none, unseen(message, words)
    if message.is_open and message.expires_at is not None:
        yield "until", "label.until", none, words.time(message.expires_at)
    if message.resolved_by:
        yield "approver", "label.approver", none, plain(message.resolved_by)
    whole = link or words.say("whole.command", decision=message.decision_id)
    yield "whole", "label.whole", none, whole
    if message.is_restorable or message.state == "restored-partly":
        yield "undo", "label.undo", none, words.say("undo.command", decision=message.decision_id)
    yield "ids", "label.ids", none, ids(message, words)


def place(message: Message, words: Words) -> str:
    """Return the cloud and the region, the account and the project where they are told."""
    key = f"provider.{message.provider}"
    provider = words.say(key) if words.has(key) else plain(message.provider)
    said = words.say("place", provider=provider, region=plain(message.region))
    if message.account:
        said = words.say("place.account", place=said, account=plain(message.account))
    if message.project:
        said = words.say("place.project", place=said, project=plain(message.project))
    return said


def verdict(message: Message, words: Words) -> str:
    """Return the verdict, or what became of it, in one sentence."""
    expires = words.time(message.expires_at) if message.expires_at else ""
    by = plain(message.resolved_by) or words.say("requester.unknown")
    steps = f"{len(message.changes)}/{len(message.changes)}"
    return words.say(f"verdict.{message.state}", by=by, expires=expires, steps=steps)


def why(one: Why, words: Words, detail: Detail) -> str:
    """Return a reason in one sentence, with its numbers and as many names as there is room for."""
    if one.sentence is not None and knows(one.sentence, words):
        return in_words(one.sentence, words, detail.width)
    most = min(detail.holders, max(len(one.holders), 1))
    return fitted(lambda number: _why(one, words, number), most, detail.width)


def _why(one: Why, words: Words, holders: int) -> str:
    unseen_words = [words.say(f"unseen.{code}") for code in dict.fromkeys(one.unseen)]
    usage = words.say("usage.unknown")
    if one.after is not None and one.ceiling is not None:
        usage = words.say("usage", after=one.after, ceiling=one.ceiling)
    return words.say(
        f"reason.{one.code}",
        group=name(one.about),
        rules=words.count(one.rules, "rule"),
        groups=words.count(len(one.holders), "group"),
        holders=words.names(one.holders, holders),
        kinds=words.items(words.count(n, plain(kind, 30)) for kind, n in one.kinds),
        unseen=words.items(unseen_words) if unseen_words else words.say("unseen.none"),
        usage=usage,
    )


def totals(message: Message, words: Words, shown: int | None = None) -> str:
    """Return how many changes of each kind there are; of more than ``shown`` how many more."""
    said = (
        words.say(f"total.{action}", n=n)
        if words.has(f"total.{action}")
        else words.say("total.other", n=n, action=plain(action, 30))
        for action, n in message.totals
    )
    return words.items(said, shown)


def step(change: Change, words: Words) -> str:
    """Return one step in a sentence; its English summary where there are no words for it."""
    if change.sentence is not None and knows(change.sentence, words):
        return in_words(change.sentence, words)
    key = f"step.{change.action}"
    if change.action == "delete" and change.details.get("is_forced") == "true":
        key = "step.delete.forced"
    try:
        return words.say(key, **_values(change, words))
    except KeyError:
        return words.say("step.other", summary=plain(change.summary, 200))


def _values(change: Change, words: Words) -> dict[str, str]:
    """Return what a sentence about the step may name, as far as its details have it."""
    shown = name(change.about)
    told = {key: plain(value) for key, value in change.details.items()}
    values = {"group": shown, "holder": told.get("holder_id", shown)}
    given = {"rule": "rule_id", "peer": "peer_group", "new": "to_group"}
    values.update((key, told[source]) for key, source in given.items() if source in told)
    if (kind := told.get("kind")) is not None:
        values["kind"] = words.say(f"kind.{kind}") if words.has(f"kind.{kind}") else kind
    if (way := told.get("direction")) in ("ingress", "egress"):
        values["way"], values["side"] = words.say(f"way.{way}"), words.say(f"side.{way}")
        values["traffic"] = _traffic(told, words)
    return values


def _traffic(told: Mapping[str, str], words: Words) -> str:
    protocol, ports = told.get("protocol", _ANY), told.get("ports", _ANY)
    return words.say("traffic.any") if protocol == ports == _ANY else f"{protocol} {ports}"


def on_approval(message: Message, words: Words) -> str:
    """Return what happens when it is approved."""
    parts = [words.say("approve.plan", n=len(message.changes))]
    if any(one.action == "delete" for one in message.changes):
        parts.append(words.say("approve.delete"))
    if message.vanishing:
        parts.append(words.say("approve.cascade", n=message.vanishing))
    return " ".join(parts) if words.language == "en" else "".join(parts)


def unseen(message: Message, words: Words) -> str:
    """Return how much could not be read, and how much nobody can read; empty for nothing."""
    parts = []
    if message.unseen:
        parts.append(words.say("unseen", n=message.unseen))
    if message.blind_spots:
        parts.append(words.say("blind", n=message.blind_spots))
    return words.items(parts) if parts else ""


def ids(message: Message, words: Words) -> str:
    """Return the beginnings of the ids, as every command takes them."""
    decision = f"{message.decision_id[:_SHORT_ID]}…"
    if not message.approval_id:
        return words.say("ids", decision=decision)
    approval = f"{message.approval_id[:_SHORT_ID]}…"
    return words.say("ids.approval", decision=decision, approval=approval)
