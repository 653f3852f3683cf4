"""One event of a cloud on its way to its answer: where it is judged, and with which caution."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from sgguard.clouds import is_mentioned
from sgguard.engine.context import Context, connect
from sgguard.errors import NotSetUpError, SettingsError
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Outcome
from sgguard.model.event import Event
from sgguard.model.occurrence import Happened, Occurrence
from sgguard.model.sentence import Text, listed, said
from sgguard.render.language.refusal import refusal
from sgguard.store.rows import Query

Json = dict[str, Any]
Handled = Json | Exception

LATE_S = 24 * 3600.0
"""An event that is older than this is judged, and nothing is changed for it.

It is the longest time for which any of the buses delivers again; what is older was kept back.
"""

SKEW_S = 300.0
_ATTEMPT_S = 3600.0
_ATTEMPTS_MAX = 5
_GIVEN_UP = (Outcome.UNDONE, Outcome.PARTLY_UNDONE, Outcome.UNFINISHED)

_REGIONS = {
    "openstack": ("OS_REGION_NAME",),
    "huawei": ("HUAWEICLOUD_SDK_REGION", "HW_REGION_NAME", "OS_REGION_NAME"),
}
"""The variables that name the region where a cloud's events do not."""

_NUMBERED = ("alibaba", "tencent")
"""The clouds whose events name the account by the number that the setting has."""


class Case(msgspec.Struct):
    """One occurrence on its way to its answer.

    ``caution`` is why it is only judged, whatever the mode; empty where the mode decides.
    """

    one: Occurrence
    event: Event
    scope: Scope | None = None
    decisions: list[Handled] = msgspec.field(default_factory=list)
    aftermath: Json | None = None
    status: str = "ignored"
    reason: Text = ""
    caution: Text = ""


def place(case: Case, context: Context, takes: Collection[Happened]) -> None:
    """Set where an occurrence is judged, or why it concerns nobody here.

    Raises:
        SettingsError: its region is not known.
        StoreError: what was done about the group before cannot be read.
    """
    one = case.one
    if one.happened is Happened.IRRELEVANT:
        case.reason = one.reason
    elif one.happened not in takes:
        case.reason = said("event.other-kind", kind=one.happened.value)
    elif one.happened is Happened.DUE:
        case.status = "due"
    elif one.happened is Happened.CHANGED:
        case.status = "refreshed"
        case.reason = said("event.fresh")
    else:
        account = account_of(one, context)
        if account is None:
            case.reason = said("event.other-account")
            return
        case.scope = Scope(one.provider, account, _region(one, context.env))
        case.status = "compared" if one.happened is Happened.DELETED else "judged"
        case.caution = _caution(case, context)


def account_of(one: Occurrence, context: Context) -> str | None:
    """Return the account of an occurrence as addresses write it; None: there is none here."""
    is_numbered = one.provider in _NUMBERED
    return context.accounts.of_event(one.provider, one.account, is_numbered=is_numbered)


def region_of(one: Occurrence, env: Mapping[str, str]) -> str:
    """Return the region of an occurrence, as it tells or as the environment says; or nothing."""
    names = _REGIONS.get(one.provider, ())
    return one.region or next((env[n].strip() for n in names if env.get(n, "").strip()), "")


def _region(one: Occurrence, env: Mapping[str, str]) -> str:
    region = region_of(one, env)
    if not region:
        names = _REGIONS.get(one.provider, ())
        # Of a cloud that nobody uses here, no later delivery is judged either.
        kind = SettingsError if is_mentioned(one.provider, env) else NotSetUpError
        where = " or ".join(names)
        raise refusal(
            kind, said("unread.no-region", source=one.source, text=where, names=listed(names))
        )
    return region


def _caution(case: Case, context: Context) -> Text:
    one = case.one
    if one.at_s is not None and context.now() - one.at_s > LATE_S:
        return said("event.long-ago")
    if _is_ahead(one, context):
        return said("event.ahead")
    if one.happened is not Happened.DELETE_REFUSED:
        return ""
    if not one.is_in_use:
        # Whoever may not delete the group must not have it deleted by the guard.
        return said("event.not-held", code=one.code)
    if attempt := _own_attempt(case, context):
        # The refused call may be the guard's own: to answer it with another one would never end.
        return said("event.own-attempt", decision=attempt)
    return ""


def _own_attempt(case: Case, context: Context) -> str:
    """Return the decision whose plan for the group was given up, or is under way, just now."""
    if context.store is None:
        return ""
    since_s = context.store.now_s() - _ATTEMPT_S
    for address in addresses(case):
        for target in spellings(address, context):
            for record in context.store.decisions(Query(target=target, limit=_ATTEMPTS_MAX)):
                if record.outcome in _GIVEN_UP and record.at_s > since_s:
                    return record.decision_id
    return ""


def spellings(address: Address, context: Context) -> tuple[str, ...]:
    """Return how decisions may name a group: the account is told, or left to the settings."""
    scope = address.scope
    home = context.settings.accounts.get(scope.provider, "")
    if scope.account not in ("", home):
        return (str(Address(context.accounts.canonical(scope), address.group_id)),)
    named = Address(Scope(scope.provider, home, scope.region), address.group_id)
    return tuple(dict.fromkeys((str(address), str(named))))


def _is_ahead(one: Occurrence, context: Context) -> bool:
    return one.at_s is not None and one.at_s - context.now() > SKEW_S


def instances(case: Case, context: Context) -> tuple[str, ...]:
    """Return the instances concerned; those of interfaces are found by what carries the groups."""
    one, scope = case.one, case.scope
    if one.instances or not one.groups or scope is None:
        return one.instances
    bindings = connect(scope, context).list_bindings(one.groups).value
    return tuple(
        dict.fromkeys(
            binding.instance_id
            for some in bindings.values()
            for binding in some
            if binding.holder_id in one.interfaces and binding.instance_id
        )
    )


def event_of(case: Case, about: str, data: Json, context: Context) -> Event:
    """Return the event of one judgement: all traces of one operation have the same.

    A time in the future is left out: it would let every later event look late.
    """
    at_s = None if _is_ahead(case.one, context) else case.one.at_s
    return Event(f"{case.one.operation}/{about}", data, case.one.source, case.event.pointer, at_s)


def addresses(case: Case) -> tuple[Address, ...]:
    """Return the groups of an occurrence, where it is judged."""
    if case.scope is None:
        return ()
    return tuple(Address(case.scope, group_id) for group_id in case.one.groups)
