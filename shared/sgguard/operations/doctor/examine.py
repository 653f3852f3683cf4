"""Examining one cloud: is it there, is our clock right, and what may we ask it?

In this order, so that the first thing that is wrong is the one that is named: knock at its doors
without credentials, ask one question alone (seven refusals of a wrong password may lock a user
out), then all others side by side. Nothing that is sent changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import partial
from math import floor
from typing import TypeVar

import httpx

from sgguard import providers
from sgguard.engine.context import Context
from sgguard.errors import CloudError, DeadlineError, SgguardError
from sgguard.model.resource import Limit, Visibility
from sgguard.operations.doctor import diagnosis as findings
from sgguard.operations.doctor.checkup import Checkup, Clock, Finding, Permission
from sgguard.operations.doctor.region import Place, setup_of
from sgguard.providers import Access, Grant, Probe, Provider, Question
from sgguard.wire.client import Wire
from sgguard.wire.pacing import Pace
from sgguard.wire.parallel import parallel

T = TypeVar("T")

ATTEMPTS = 2
"""One repetition tells a hiccup from a state; more would hide throttling from who asks for it."""


@dataclass(frozen=True, slots=True)
class _Door:
    """What knocking brought: our time minus the cloud's where it tells, or why nobody answered."""

    ahead_s: int | None = None
    error: SgguardError | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    question: Question
    grant: Grant
    error: SgguardError | None = None


def examine(place: Place, context: Context) -> Checkup:
    """Return what is found about one cloud; whatever goes wrong is a finding, not an error."""
    checkup = Checkup(place.provider, place.region)
    if flaw := _without_region(place):
        return replace(checkup, findings=(flaw,))
    wire = Wire(
        place.provider,
        context.deadline,
        transport=context.transport,
        retry=replace(context.retry, attempts=ATTEMPTS),
        pace=Pace(share=context.settings.pace, lanes=context.lanes),
    )
    account = context.settings.accounts.get(place.provider, "")
    access = Access(wire, place.region, env=context.env, account=account, now=context.now)
    try:
        provider = providers.connect(place.provider, access)
    except SgguardError as error:
        remedy = "see `sgguard doctor --help` for the variables"
        flaw = Finding("not-set-up", findings.one_line(error), remedy, "setup")
        return replace(checkup, findings=(flaw,))
    probing = providers.probing(place.provider)
    if probing is None:
        return replace(checkup, findings=(_NOT_OFFERED,))
    return _asked(checkup, provider, probing.probe(provider), wire, context)


_NOT_OFFERED = Finding(
    "not-offered",
    "this cloud cannot be examined: its provider has no module `probe`",
    "judge a group you know with `sgguard check delete` instead",
)


def _without_region(place: Place) -> Finding | None:
    if place.region:
        return None
    setup = setup_of(place.provider)
    variable = f", or set {setup.region_variable}" if setup else ""
    remedy = f"give it with --provider {place.provider} --region REGION{variable}"
    return Finding("no-region", "nobody says which region to ask", remedy, "setup")


def _asked(
    checkup: Checkup, provider: Provider, probe: Probe, wire: Wire, context: Context
) -> Checkup:
    doors = parallel([partial(_knock, wire, url, context.now) for url in probe.doors])
    closed = [door.error for door in doors if door.error is not None]
    ahead_s = doors[0].ahead_s
    clock = None if ahead_s is None else Clock(ahead_s, probe.clock_tolerance_s)
    found = [findings.of_door(error) for error in closed]
    if clock is not None and (flaw := findings.of_clock(clock)):
        found.append(flaw)
    checkup = replace(checkup, is_reachable=not closed, clock=clock)
    if doors[0].error is not None:
        untold = tuple(_permission(_Reply(q, Grant.NOT_TOLD)) for q in probe.questions)
        return replace(checkup, permissions=untold, findings=_unique(found))
    replies = _ask_all(probe)
    found += _meaning(replies, probe, checkup)
    permissions = tuple(_permission(reply) for reply in replies)
    visibility, limits = _view(provider, replies)
    found += findings.of_view(visibility, context.policy)
    found += findings.of_limits(limits, checkup.provider)
    return replace(
        checkup,
        permissions=permissions,
        visibility=visibility,
        limits=limits,
        blind_spots=provider.capabilities.blind_spots,
        findings=_unique(found),
    )


def _knock(wire: Wire, url: str, now: Callable[[], float]) -> _Door:
    """Ask for the address itself, without credentials: any answer at all is one."""
    answers: list[httpx.Response] = []
    begun_s = now()
    try:
        wire.read("GET", url, action="GET /", check=answers.append)
    except (CloudError, DeadlineError) as error:
        return _Door(error=error)
    here_s = (begun_s + now()) / 2
    try:
        there = parsedate_to_datetime(answers[-1].headers.get("date", ""))
    except ValueError:
        return _Door()
    return _Door(ahead_s=floor(here_s - there.timestamp()))


def _ask_all(probe: Probe) -> list[_Reply]:
    first, *others = probe.questions
    reply = _ask(first, probe)
    if findings.is_about_everything(reply.error, probe):
        return [reply, *(_Reply(question, Grant.NOT_TOLD) for question in others)]
    return [reply, *parallel([partial(_ask, question, probe) for question in others])]


def _ask(question: Question, probe: Probe) -> _Reply:
    if question.ask is None:
        return _Reply(question, Grant.NOT_TOLD)
    try:
        answer = question.ask()
    except SgguardError as error:
        return _Reply(question, findings.grant_of(error, probe), error)
    return _Reply(question, answer if isinstance(answer, Grant) else Grant.GRANTED)


def _meaning(replies: Sequence[_Reply], probe: Probe, checkup: Checkup) -> list[Finding]:
    setup = setup_of(checkup.provider)
    found = []
    for reply in replies:
        systemic = None
        if reply.error is not None:
            systemic = findings.of_error(
                reply.error,
                probe,
                checkup.clock,
                region=checkup.region,
                credentials=setup.credentials if setup else "the credentials",
            )
        meaning = findings.of_answer(reply.question, reply.grant, reply.error, systemic=systemic)
        if meaning is not None:
            found.append(meaning)
    return found


def _permission(reply: _Reply) -> Permission:
    question = reply.question
    why = ""
    if reply.grant is Grant.ABSENT:
        why = question.if_absent or "this cloud has no such API here"
    elif reply.grant is Grant.MISSING:
        why = "refused"
    elif reply.grant is Grant.NOT_TOLD:
        why = question.why_not or ("not answered" if reply.error else "not asked")
    return Permission(
        question.action, question.brings, question.grant, question.need, reply.grant, why
    )


def _view(
    provider: Provider, replies: Sequence[_Reply]
) -> tuple[Visibility | None, tuple[Limit, ...]]:
    """Return how far we see and the limits; nothing where we got no answer anyway."""
    if not any(reply.grant in (Grant.GRANTED, Grant.MISSING) for reply in replies):
        return None, ()

    def visibility() -> Visibility:
        return provider.visibility

    def limits() -> tuple[Limit, ...]:
        return provider.read_limits().value

    return _or_none(visibility), _or_none(limits) or ()


def _or_none(read: Callable[[], T]) -> T | None:
    """Read something whose failure another finding explains already."""
    try:
        return read()
    except SgguardError:
        return None


def _unique(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return every finding once, problems first."""
    once = list(dict.fromkeys(found))
    return tuple(sorted(once, key=lambda one: one.weight == "note"))
