"""Random policies: permitted remedies and further requirements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sgguard.model.resource import Visibility
from sgguard.policy import Caps, DeletePolicy, Exemption, Policy
from sgguard.policy.model import DeleteRemedy, Match, ScopePolicy
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.false_verdicts.random_source import RandomSource

LONG_OVER, LONG_VALID = date(2020, 2, 29), date(2999, 12, 31)
_REMEDIES: tuple[DeleteRemedy, ...] = tuple(DeleteRemedy)


def policy_of(case: Case) -> Policy:
    """The policy of a case; many permit nothing, as the default does."""
    rng = RandomSource(f"policy {case.provider} {case.seed}")
    if rng.chance(0.3):
        return Policy()
    return Policy(
        delete=DeletePolicy(
            remedies=_remedies(rng),
            replacement_group=_spare(rng, case),
            fallback_group=_spare(rng, case),
            protected=_protected(rng, case) if rng.chance(0.1) else (),
            require_visibility=rng.choice(list(Visibility)) if rng.chance(0.15) else None,
        ),
        caps=Caps(
            changes=rng.choice([1, 3, 100]),
            percent_of_rules=rng.choice([50, 100, 100]),
            management_ports=rng.choice([(), (), (22,)]),
        ),
        scopes=(_scope(rng, case),) if rng.chance(0.2) else (),
        exemptions=(_exemption(rng, case),) if rng.chance(0.1) else (),
    )


def _remedies(rng: RandomSource) -> tuple[DeleteRemedy, ...]:
    return tuple(rng.part(_REMEDIES, rng.choice([0.0, 0.5, 1.0])))


def _spare(rng: RandomSource, case: Case) -> str:
    """The id of a group to use in place of another: mostly a good one, not always."""
    mine = [group.id for group in case.cloud.groups if not truth.obstacle(case, group.id)]
    good = [one for one in mine if one not in case.targets]
    if good and rng.chance(0.8):
        return rng.choice(good)
    return rng.choice(["", *case.targets, *(group.id for group in case.cloud.groups)])


def _protected(rng: RandomSource, case: Case) -> Sequence[str]:
    ids = [group.id for group in case.cloud.groups]
    return tuple(rng.some(["web-*", *case.targets, *(f"*:{one}" for one in ids)], 1, 2))


def _exemption(rng: RandomSource, case: Case) -> Exemption:
    return Exemption(
        group=rng.choice([*case.targets, *(group.name for group in case.cloud.groups)]),
        reasons=("protected",),
        owner="ada",
        reason="is replaced in spring",
        expires=rng.choice([LONG_OVER, LONG_VALID]),
    )


def _scope(rng: RandomSource, case: Case) -> ScopePolicy:
    match = rng.choice(
        [Match(name="web-*"), Match(name="db-*"), Match(region=case.region), Match(tag="env=*")]
    )
    delete: dict[str, Any] = {"remedies": _remedies(rng)}
    if rng.chance(0.2):
        delete["protected"] = ("db-*",)
    return ScopePolicy(match, delete=delete)
