"""What a policy permits and requires, in plain words: one sentence a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sgguard.model.codes import Mode
from sgguard.policy.callback import callback_words
from sgguard.policy.channel import channel_words
from sgguard.policy.model import Caps, DeletePolicy, Guard, LaunchPolicy, Match, Policy
from sgguard.policy.scope import applied, mode_of

_MODES = {
    Mode.OBSERVE: "nothing is changed",
    Mode.APPROVE: "changes are made after approval",
    Mode.ENFORCE: "changes are made without approval",
}
_DELETE: Mapping[str, str] = {
    "revoke": "rules that reference a group to delete may be revoked",
    "rewrite": "rules that reference a group to delete may be changed to reference another",
    "unbind": "a group may be unbound from instances that have other groups",
    "move": "instances may be moved to {fallback_group}",
    "force": "the cloud may unbind instances itself during the delete",
}
_LAUNCH: Mapping[str, str] = {
    "bind": "missing baseline groups may be bound",
    "unbind": "forbidden groups may be unbound",
    "quarantine": "all groups of an instance may be replaced by {quarantine_group}",
}
_CARRY_OUT: Mapping[str, str] = {
    "remedied": "is left to the caller to delete",
    "always": "is deleted as well, unless the mode is observe",
}
_OF_REMEDIES = ("  To ", "    In place")


def in_words(policy: Policy) -> tuple[str, ...]:
    """Return what the policy permits, requires and exempts, one sentence a line."""
    return tuple(_sentences(policy))


def _sentences(policy: Policy) -> Iterator[str]:
    if policy.halt:
        yield "Halted: nothing is changed, whatever follows below."
    yield from _guard("A delete", "delete", policy)
    yield from _delete(policy.delete)
    yield from _guard("A launch", "launch", policy)
    yield from _launch(policy.launch)
    yield from _caps(policy.caps)
    yield from _approval(policy)
    for provider, ceilings in policy.limits.items():
        for name, ceiling in ceilings.items():
            yield f"Limit: {name} is {ceiling} on {provider}."
    yield from _scopes(policy)
    yield from _callers(policy)
    yield from channel_words(policy.channels, policy.routes)
    yield from callback_words(policy.callbacks)
    for one in policy.exemptions:
        codes = _listed(one.reasons)
        until = one.expires.isoformat()
        yield f"Exempted: {one.group} from {codes} until {until}, by {one.owner}: {one.reason}"


def _guard(what: str, guard: Guard, policy: Policy) -> Iterator[str]:
    mode = mode_of(policy, guard)
    yield f"{what} is judged in mode {mode.value}: {_MODES[mode]}."


def _delete(delete: DeletePolicy) -> Iterator[str]:
    if delete.protected:
        yield f"  Never deleted, nor are their rules changed: {_listed(delete.protected)}."
    for remedy in delete.remedies:
        yield f"  To free a group, {_DELETE[remedy].format(fallback_group=delete.fallback_group)}."
    if "rewrite" in delete.remedies:
        for old, new in delete.replacements.items():
            yield f"    In place of {old}: {new}."
        if delete.replacement_group:
            yield f"    In place of any other: {delete.replacement_group}."
    if not delete.remedies:
        yield "  Nothing may be changed to free a group."
    yield f"  A group that is free {_CARRY_OUT[delete.carry_out]}."
    yield from _facts(delete)


def _launch(launch: LaunchPolicy) -> Iterator[str]:
    if launch.baseline:
        yield f"  Every instance must have: {_listed(launch.baseline)}."
    if launch.forbidden:
        yield f"  No instance may have: {_listed(launch.forbidden)}."
    yield f"  A launch that uses {launch.warn_at_percent} % of a limit or more gets a warning."
    for remedy in launch.remedies:
        change = _LAUNCH[remedy].format(quarantine_group=launch.quarantine_group)
        yield f"  To comply, {change}."
    if launch.fallback_group and "unbind" in launch.remedies:
        yield f"    In place of the last group: {launch.fallback_group}."
    yield from _facts(launch)


def _facts(table: DeletePolicy | LaunchPolicy) -> Iterator[str]:
    if table.tolerate_unseen:
        yield f"  Missing facts that only warn: {_listed(table.tolerate_unseen)}."
    if table.require_visibility is not None:
        yield f"  The credentials must see at least one {table.require_visibility.value}."
    yield f"  Incomplete facts: {_failure_effect(table.when_incomplete)}."
    yield f"  A cloud that does not respond: {_failure_effect(table.when_unreachable)}."


def _failure_effect(when: str) -> str:
    return "the verdict is block" if when == "block" else "an error; the event may be sent again"


def _caps(caps: Caps) -> Iterator[str]:
    yield (
        f"A plan has at most {caps.changes} changes and revokes at most "
        f"{caps.percent_of_rules} % of a group's rules."
    )
    if caps.management_ports:
        ports = _listed(map(str, caps.management_ports))
        yield f"The last rule that admits traffic on these ports is not revoked: {ports}."


def _approval(policy: Policy) -> Iterator[str]:
    approval = policy.approval
    if approval.approvers:
        own = "including" if approval.may_approve_own else "except"
        yield f"Approvers: {_listed(approval.approvers)}; {own} their own requests."
        yield (
            f"An approval request expires after {approval.expires_s} s; "
            f"a reminder is sent after {approval.remind_s} s."
        )


def _callers(policy: Policy) -> Iterator[str]:
    for one in policy.callers:
        until = f", until {one.expires.isoformat()}" if one.expires else ""
        yield f"Caller {one.name}, proven by {one.kind}, may call {_listed(one.functions)}{until}."
        targets = _listed(one.targets) or "nothing"
        yield f"  It may ask about {targets}, in mode {one.mode.value} at most."
        if one.speaks_for:
            yield f"  It may speak for {_listed(one.speaks_for)}."


def _scopes(policy: Policy) -> Iterator[str]:
    """Return what differs in each scope, in the same sentences as for the whole policy."""
    usual = list(_sentences(applied(policy, None))) if policy.scopes else []
    for number, scope in enumerate(policy.scopes):
        yield f"Scope {number}: where {match_words(scope.match)}:"
        there = list(_sentences(applied(policy, scope)))
        other = [one for one in there if one not in usual]
        lost = [one.strip() for one in usual if one not in there and one.startswith(_OF_REMEDIES)]
        differences = [*other, *(f"  Not there: {one}" for one in lost)]
        yield from (f"  {one}" for one in differences or ["No differences."])


def match_words(match: Match) -> str:
    """Return what a scope matches: ``region ap-lab, tag env=lab``."""
    parts = {name: getattr(match, name) for name in Match.__struct_fields__}
    return ", ".join(f"{name} {text or '(empty)'}" for name, text in parts.items() if text != "*")


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
