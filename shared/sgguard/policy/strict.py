"""The strictest of two policies: what both permit, and what either of them demands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from sgguard.model.codes import Mode
from sgguard.model.resource import Visibility
from sgguard.policy.model import Caps, DeletePolicy, FailureEffect, LaunchPolicy, Policy

T = TypeVar("T")

_ORDER = (Mode.OBSERVE, Mode.APPROVE, Mode.ENFORCE)
_REACH = (None, Visibility.PROJECT, Visibility.ACCOUNT, Visibility.CLOUD)


def least(modes: Iterable[Mode]) -> Mode:
    """Return the mode that permits the least of these."""
    return min(modes, key=_ORDER.index)


def strictest(one: Policy, other: Policy) -> Policy:
    """Return a policy that permits only what both permit and demands what either demands.

    A group that the two name differently (a fallback, say) is named by neither: the result could
    not say which one is meant. What no scope can change is taken from the first.
    """
    if one == other:
        return one
    return replace(
        one,
        mode=least((one.mode, other.mode)),
        delete=_delete(one, other),
        launch=_launch(one, other),
        caps=_caps(one.caps, other.caps),
        halt=one.halt or other.halt,
    )


def _delete(one: Policy, other: Policy) -> DeletePolicy:
    a, b = one.delete, other.delete
    is_same_target = (a.replacement_group, a.replacements) == (b.replacement_group, b.replacements)
    return DeletePolicy(
        protected=_either(a.protected, b.protected),
        remedies=_both(a.remedies, b.remedies),
        fallback_group=_same(a.fallback_group, b.fallback_group),
        tolerate_unseen=_both(a.tolerate_unseen, b.tolerate_unseen),
        require_visibility=max(a.require_visibility, b.require_visibility, key=_REACH.index),
        mode=least((a.mode or one.mode, b.mode or other.mode)),
        replacement_group=a.replacement_group if is_same_target else "",
        replacements=a.replacements if is_same_target else {},
        when_incomplete=_failure_effect(a.when_incomplete, b.when_incomplete),
        when_unreachable=_failure_effect(a.when_unreachable, b.when_unreachable),
        carry_out=a.carry_out if a.carry_out == b.carry_out else "remedied",
    )


def _launch(one: Policy, other: Policy) -> LaunchPolicy:
    a, b = one.launch, other.launch
    return LaunchPolicy(
        baseline=_either(a.baseline, b.baseline),
        forbidden=_either(a.forbidden, b.forbidden),
        warn_at_percent=min(a.warn_at_percent, b.warn_at_percent),
        remedies=_both(a.remedies, b.remedies),
        tolerate_unseen=_both(a.tolerate_unseen, b.tolerate_unseen),
        require_visibility=max(a.require_visibility, b.require_visibility, key=_REACH.index),
        mode=least((a.mode or one.mode, b.mode or other.mode)),
        quarantine_group=_same(a.quarantine_group, b.quarantine_group),
        fallback_group=_same(a.fallback_group, b.fallback_group),
        when_incomplete=_failure_effect(a.when_incomplete, b.when_incomplete),
        when_unreachable=_failure_effect(a.when_unreachable, b.when_unreachable),
    )


def _caps(a: Caps, b: Caps) -> Caps:
    return Caps(
        changes=min(a.changes, b.changes),
        percent_of_rules=min(a.percent_of_rules, b.percent_of_rules),
        management_ports=_either(a.management_ports, b.management_ports),
        holders=min(a.holders, b.holders),
    )


def _both(a: tuple[T, ...], b: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(each for each in a if each in b)


def _either(a: tuple[T, ...], b: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*a, *b)))


def _same(a: str, b: str) -> str:
    return a if a == b else ""


def _failure_effect(a: FailureEffect, b: FailureEffect) -> FailureEffect:
    return a if a == b else "block"
