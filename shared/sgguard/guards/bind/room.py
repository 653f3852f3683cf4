"""The ceiling that all holders of one group share: who still fits, in the order named."""

from __future__ import annotations

from msgspec.structs import replace

from sgguard.model.bind import BindFacts, Row, RowCode
from sgguard.model.codes import ReasonCode, UnseenCode
from sgguard.model.decision import Forecast, Reason
from sgguard.model.request import Action
from sgguard.model.resource import Limit, Unseen
from sgguard.model.sentence import said
from sgguard.policy import Policy
from sgguard.policy.limit import PER_GROUP, PER_REFERENCED, counts_holders, effective
from sgguard.render.language.sentence import in_english

Judged = tuple[list[Row], tuple[Forecast, ...], list[Reason]]


def with_room(facts: BindFacts, policy: Policy, rows: list[Row]) -> Judged:
    """Refuse the holders that no longer fit; return rows, forecast, and what blocks all of them.

    A ceiling counts the holders there are (``limit.used``) and those that would come.
    """
    # Of a group that is not there nothing is to be counted: that blocks by itself.
    if facts.action == "unbind" or facts.group.group is None:
        return rows, (), []
    wanted = sum(one.status == "planned" for one in rows)
    used, target = facts.group.instance_count, str(facts.group.address)
    forecast: list[Forecast] = []
    for limit in _ceilings(facts, policy):
        if used is None and wanted:
            return rows, (), [_uncounted(facts, limit)]
        after = (used or 0) + wanted
        shown = replace(limit, used=used, after=after)
        forecast.append(Forecast(target, shown))
        room = max(0, (limit.ceiling or 0) - (used or 0))
        if wanted > room and limit.is_enforced:
            rows = _cut(rows, room, limit, after)
            wanted = sum(one.status == "planned" for one in rows)
    return rows, tuple(forecast), []


def is_counted(provider: str, action: Action, policy: Policy) -> bool:
    """Return whether the policy itself says how many holders a group may have at most."""
    return action == "bind" and counts_holders(policy.limits.get(provider, {}))


def _ceilings(facts: BindFacts, policy: Policy) -> list[Limit]:
    overrides = policy.limits.get(facts.scope.provider, {})
    kinds = [facts.group.group.kind if facts.group.group else None]
    found = [effective(facts.limits, overrides, name, kinds) for name in PER_GROUP]
    return [
        one
        for one in found
        if one is not None
        and one.ceiling is not None
        and (one.name != PER_REFERENCED or facts.group.references)
    ]


def _cut(rows: list[Row], room: int, limit: Limit, after: int) -> list[Row]:
    """Refuse every holder after the last that fits."""
    kept: list[Row] = []
    full = said("row.full", n=after, source=limit.source, ceiling=limit.ceiling or 0)
    for row in rows:
        if row.status == "planned":
            room -= 1
        if row.status != "planned" or room >= 0:
            kept.append(row)
            continue
        code = RowCode.HOLDERS_PER_GROUP_EXCEEDED
        words = in_english(full)
        kept.append(replace(row, status="refused", code=code, message=words, sentence=full))
    return kept


def _uncounted(facts: BindFacts, limit: Limit) -> Reason:
    gap = Unseen(
        UnseenCode.NOT_TOLD,
        said("part.holders-count"),
        said("why.untold"),
        said("remedy.again"),
    )
    return Reason(
        ReasonCode.FACTS_INCOMPLETE,
        said("bind.uncounted", limit=limit.name),
        "block",
        str(facts.group.address),
        (gap,),
    )
