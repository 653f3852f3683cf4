"""Random policies: what may be done about what stands in the way, and what is wanted besides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

from sgguard.model.resource import Visibility
from sgguard.policy import Caps, DeletePolicy, Exemption, Policy
from sgguard.policy.model import DeleteRemedy, Match, ScopePolicy
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.false_verdicts.random_source import Dice

LONG_OVER, LONG_VALID = date(2020, 2, 29), date(2999, 12, 31)
_REMEDIES: tuple[DeleteRemedy, ...] = get_args(DeleteRemedy)


def policy_of(case: Case) -> Policy:
    """The policy of a case; many permit nothing, as the one out of the box does."""
    dice = Dice(f"policy {case.provider} {case.seed}")
    if dice.chance(0.3):
        return Policy()
    return Policy(
        delete=DeletePolicy(
            remedies=_remedies(dice),
            replacement_group=_spare(dice, case),
            fallback_group=_spare(dice, case),
            protected=_protected(dice, case) if dice.chance(0.1) else (),
            require_visibility=dice.choice(list(Visibility)) if dice.chance(0.15) else None,
        ),
        caps=Caps(
            changes=dice.choice([1, 3, 100]),
            percent_of_rules=dice.choice([50, 100, 100]),
            management_ports=dice.choice([(), (), (22,)]),
        ),
        scopes=(_scope(dice, case),) if dice.chance(0.2) else (),
        exemptions=(_exemption(dice, case),) if dice.chance(0.1) else (),
    )


def _remedies(dice: Dice) -> tuple[DeleteRemedy, ...]:
    return tuple(dice.part(_REMEDIES, dice.choice([0.0, 0.5, 1.0])))


def _spare(dice: Dice, case: Case) -> str:
    """The id of a group to use in place of another: mostly a good one, not always."""
    mine = [group.id for group in case.cloud.groups if not truth.obstacle(case, group.id)]
    good = [one for one in mine if one not in case.asked]
    if good and dice.chance(0.8):
        return dice.choice(good)
    return dice.choice(["", *case.asked, *(group.id for group in case.cloud.groups)])


def _protected(dice: Dice, case: Case) -> Sequence[str]:
    ids = [group.id for group in case.cloud.groups]
    return tuple(dice.some(["web-*", *case.asked, *(f"*:{one}" for one in ids)], 1, 2))


def _exemption(dice: Dice, case: Case) -> Exemption:
    return Exemption(
        group=dice.choice([*case.asked, *(group.name for group in case.cloud.groups)]),
        reasons=("protected",),
        owner="ada",
        reason="is replaced in spring",
        expires=dice.choice([LONG_OVER, LONG_VALID]),
    )


def _scope(dice: Dice, case: Case) -> ScopePolicy:
    match = dice.choice(
        [Match(name="web-*"), Match(name="db-*"), Match(region=case.region), Match(tag="env=*")]
    )
    delete: dict[str, Any] = {"remedies": _remedies(dice)}
    if dice.chance(0.2):
        delete["protected"] = ("db-*",)
    return ScopePolicy(match, delete=delete)
