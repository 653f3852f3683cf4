"""Examine one cloud: is it reachable, is our clock right, and which calls are permitted?

In this order, so that the first cause of a failure is the one that is reported: call its endpoints
without credentials, make one probe alone (seven refusals of a wrong password may lock a user out),
then all other probes in parallel. No call changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from math import floor
from typing import TypeVar

import httpx
import msgspec
from msgspec.structs import replace

from sgguard import providers
from sgguard.engine.accounts.use import access_of
from sgguard.engine.context import Context, pace_of
from sgguard.errors import CloudError, DeadlineError, SgguardError
from sgguard.model.resource import Limit, Visibility
from sgguard.operations.doctor import diagnosis
from sgguard.operations.doctor.checkup import Checkup, Clock, Finding, Permission
from sgguard.operations.doctor.region import CloudRegion, setup_of
from sgguard.providers import Access, Grant, PermissionCheck, Probe, Provider
from sgguard.wire.client import Wire
from sgguard.wire.parallel import parallel

T = TypeVar("T")

ATTEMPTS = 2
"""One repetition tells a hiccup from a lasting failure; more would hide throttling."""


class _Contact(msgspec.Struct, frozen=True):
    """The result of calling an endpoint: our time minus the cloud's where known, or the error."""

    ahead_s: int | None = None
    error: SgguardError | None = None


class _Reply(msgspec.Struct, frozen=True):
    question: PermissionCheck
    grant: Grant
    error: SgguardError | None = None


def examine(where: CloudRegion, context: Context) -> Checkup:
    """Return what is found about one cloud; every failure is a finding, not an error."""
    checkup = Checkup(where.provider, where.region, account=where.account)
    if flaw := _without_region(where):
        return replace(checkup, findings=(flaw,))
    wire = Wire(
        where.provider,
        context.deadline,
        transport=context.transport,
        retry=replace(context.retry, attempts=ATTEMPTS),
        pace=pace_of(context),
    )
    account = context.settings.accounts.get(where.provider, "")
    access = Access(wire, where.region, env=context.env, account=account, now=context.now)
    try:
        if other := context.accounts.find(where.provider, where.account):
            access = access_of(other, access)
        provider = providers.connect(where.provider, access)
    except SgguardError as error:
        remedy = "see `sgguard doctor --help` for the variables"
        flaw = Finding("not-set-up", diagnosis.one_line(error), remedy, "setup")
        return replace(checkup, findings=(flaw,))
    probing = providers.probing(where.provider)
    if probing is None:
        return replace(checkup, findings=(_NOT_OFFERED,))
    return _probed(checkup, provider, probing.probe(provider), wire, context)


_NOT_OFFERED = Finding(
    "not-offered",
    "this cloud cannot be examined: its provider has no module `probe`",
    "check a group that you know with `sgguard check delete` instead",
)


def _without_region(where: CloudRegion) -> Finding | None:
    if where.region:
        return None
    setup = setup_of(where.provider)
    variable = f", or set {setup.region_variable}" if setup else ""
    if where.flaw:
        remedy = f"change the setting, or give --provider {where.provider} --region REGION"
        return Finding("not-set-up", where.flaw, remedy, "setup")
    remedy = f"give it with --provider {where.provider} --region REGION{variable}"
    return Finding("no-region", "no region is given", remedy, "setup")


def _probed(
    checkup: Checkup, provider: Provider, probe: Probe, wire: Wire, context: Context
) -> Checkup:
    contacts = parallel([partial(_contact, wire, url, context.now) for url in probe.endpoints])
    unreachable = [one.error for one in contacts if one.error is not None]
    ahead_s = contacts[0].ahead_s
    clock = None if ahead_s is None else Clock(ahead_s, probe.clock_tolerance_s)
    found = [diagnosis.of_endpoint(error) for error in unreachable]
    if clock is not None and (flaw := diagnosis.of_clock(clock)):
        found.append(flaw)
    checkup = replace(checkup, is_reachable=not unreachable, clock=clock)
    if contacts[0].error is not None:
        unreported = tuple(_permission(_Reply(q, Grant.NOT_TOLD)) for q in probe.checks)
        return replace(checkup, permissions=unreported, findings=_unique(found))
    replies = _call_all(probe)
    found += _findings(replies, probe, checkup)
    permissions = tuple(_permission(reply) for reply in replies)
    visibility, limits = _view(provider, replies)
    found += diagnosis.of_view(visibility, context.policy)
    found += diagnosis.of_limits(limits, checkup.provider)
    return replace(
        checkup,
        permissions=permissions,
        visibility=visibility,
        limits=limits,
        blind_spots=provider.capabilities.blind_spots,
        findings=_unique(found),
    )


def _contact(wire: Wire, url: str, now: Callable[[], float]) -> _Contact:
    """Call the endpoint itself, without credentials: any response at all shows that it is there."""
    responses: list[httpx.Response] = []
    begun_s = now()
    try:
        wire.read("GET", url, action="GET /", check=responses.append)
    except (CloudError, DeadlineError) as error:
        return _Contact(error=error)
    here_s = (begun_s + now()) / 2
    try:
        there = parsedate_to_datetime(responses[-1].headers.get("date", ""))
    except ValueError:
        return _Contact()
    return _Contact(ahead_s=floor(here_s - there.timestamp()))


def _call_all(probe: Probe) -> list[_Reply]:
    first, *others = probe.checks
    reply = _call(first, probe)
    if diagnosis.is_about_everything(reply.error, probe):
        return [reply, *(_Reply(question, Grant.NOT_TOLD) for question in others)]
    return [reply, *parallel([partial(_call, question, probe) for question in others])]


def _call(question: PermissionCheck, probe: Probe) -> _Reply:
    if question.ask is None:
        return _Reply(question, Grant.NOT_TOLD)
    try:
        result = question.ask()
    except SgguardError as error:
        return _Reply(question, diagnosis.grant_of(error, probe), error)
    return _Reply(question, result if isinstance(result, Grant) else Grant.GRANTED)


def _findings(replies: Sequence[_Reply], probe: Probe, checkup: Checkup) -> list[Finding]:
    setup = setup_of(checkup.provider)
    found = []
    for reply in replies:
        systemic = None
        if reply.error is not None:
            systemic = diagnosis.of_error(
                reply.error,
                probe,
                checkup.clock,
                region=checkup.region,
                credentials=setup.credentials if setup else "the credentials",
            )
        finding = diagnosis.of_reply(reply.question, reply.grant, reply.error, systemic=systemic)
        if finding is not None:
            found.append(finding)
    return found


def _permission(reply: _Reply) -> Permission:
    question = reply.question
    why = ""
    if reply.grant is Grant.ABSENT:
        why = question.if_absent or "this cloud has no such API here"
    elif reply.grant is Grant.MISSING:
        why = "refused"
    elif reply.grant is Grant.NOT_TOLD:
        why = question.why_untested or ("no response" if reply.error else "not called")
    return Permission(
        question.action, question.brings, question.grant, question.need, reply.grant, why
    )


def _view(
    provider: Provider, replies: Sequence[_Reply]
) -> tuple[Visibility | None, tuple[Limit, ...]]:
    """Return how far the credentials see, and the limits; nothing where no call got a response."""
    if not any(reply.grant in (Grant.GRANTED, Grant.MISSING) for reply in replies):
        return None, ()

    def visibility() -> Visibility:
        return provider.visibility

    def limits() -> tuple[Limit, ...]:
        return provider.read_limits().value

    return _or_none(visibility), _or_none(limits) or ()


def _or_none(read: Callable[[], T]) -> T | None:
    """Read a value; a failure is explained by another finding already."""
    try:
        return read()
    except SgguardError:
        return None


def _unique(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return every finding once, problems first."""
    once = list(dict.fromkeys(found))
    return tuple(sorted(once, key=lambda one: one.weight == "note"))
