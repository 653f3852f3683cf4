"""May this group be put on these holders, or taken off them? Pure, a row for each holder.

What is wrong with the group, or with what is known of it, blocks the request as a whole. What is
wrong with one holder refuses that one: the others are changed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sgguard.guards.base import incomplete, missing_or_malformed, named, too_short_sighted
from sgguard.guards.bind.holder import row_of
from sgguard.guards.bind.room import is_counted as is_counted
from sgguard.guards.bind.room import with_room
from sgguard.model.bind import BindFacts, BindJudgement, Row
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Reason
from sgguard.model.resource import Unseen
from sgguard.model.sentence import Sentence, said
from sgguard.policy import Policy, exempting, first_that_may, for_groups, matches

_COUNTS = "instance counts"
"""What a gap names that was found while all counts were read."""


def judge(facts: BindFacts, policy: Policy, now: datetime | None = None) -> BindJudgement:
    """Judge every holder; the same facts give the same judgement.

    ``now`` is the moment at which exemptions must hold; without it none does. The verdict is
    ``remediate`` where a holder would be changed, ``allow`` where all are as asked already, and
    ``block`` otherwise.
    """
    group = facts.group
    policy = for_groups(policy, [(group.address, group.group)])
    # 1. What is wrong whatever the holder.
    reasons = [*_unreadable(facts, policy), *_group(facts, policy, now)]
    # 2. Each holder by itself, then the ceiling that all of them share.
    rows = [row_of(facts, one, policy, now) for one in facts.holders]
    rows, forecast, full = with_room(facts, policy, rows)
    reasons += full
    reasons += _cap(facts, policy, rows, now)
    # 3. The whole.
    if any(one.effect == "block" for one in reasons):
        return BindJudgement(Verdict.BLOCK, tuple(reasons), tuple(rows), forecast)
    planned = sum(one.status == "planned" for one in rows)
    refused = sum(one.status == "refused" for one in rows)
    reasons.append(_summary(facts, rows))
    if planned:
        verdict = Verdict.REMEDIATE
    else:
        verdict = Verdict.BLOCK if refused or not rows else Verdict.ALLOW
    return BindJudgement(verdict, tuple(reasons), tuple(rows), forecast)


def _target(facts: BindFacts) -> str:
    return str(facts.group.address)


def _unreadable(facts: BindFacts, policy: Policy) -> Iterator[Reason]:
    tolerated, about = policy.launch.tolerate_unseen, named(facts.group)
    required = policy.launch.require_visibility
    yield from too_short_sighted(facts.visibility, required, _target(facts), "launch")
    gaps = facts.unseen
    # Taking a group off fills nothing up: no ceiling matters.
    if facts.action == "unbind":
        gaps = tuple(one for one in gaps if one.what != "limits")
    yield from incomplete(gaps, _target(facts), about, tolerated)
    own = facts.group.unseen
    others = tuple(one for one in own if not _is_of_the_count(one))
    # Nor does it matter how many carry a group that is not there: what was told of it is that.
    if facts.action == "unbind" or (facts.group.group is None and not others):
        own = others
    yield from incomplete(own, _target(facts), about, tolerated)


def _is_of_the_count(gap: Unseen) -> bool:
    """Whether it is not known how many carry the group, whoever says so."""
    if not isinstance(gap.what, Sentence):
        return gap.what == _COUNTS
    part = dict(gap.what.args).get("part", "")
    return gap.what.code == "part.count-of" or part == _COUNTS


def _group(facts: BindFacts, policy: Policy, now: datetime | None) -> Iterator[Reason]:
    """Yield what keeps the group off every holder."""
    one, example = facts.group, facts.capabilities.group_id_example
    if unknown := missing_or_malformed(one, example, ReasonCode.GROUP_NOT_FOUND):
        yield unknown
        return
    group = one.group
    if group is None or facts.action == "unbind":
        return
    if group.managed_by:
        sentence = said("bind.cloud-managed", group=named(one), owner=group.managed_by)
        yield Reason(ReasonCode.CLOUD_MANAGED, sentence, "block", _target(facts))
    hit = first_that_may(policy.launch.forbidden, one.address, group)
    if hit is not None and not exempting(policy, "group-forbidden", one.address, group, now):
        is_certain = matches(hit, one.address, group)
        sentence = said(
            "launch.forbidden" if is_certain else "bind.forbidden.maybe",
            group=named(one),
            pattern=hit,
        )
        yield Reason(ReasonCode.GROUP_FORBIDDEN, sentence, "block", _target(facts), (group,))


def _cap(
    facts: BindFacts, policy: Policy, rows: list[Row], now: datetime | None
) -> Iterator[Reason]:
    """Yield a reason where the policy permits fewer holders to be changed at once."""
    planned, most = sum(one.status == "planned" for one in rows), policy.caps.holders
    group = facts.group
    if planned > most and not exempting(policy, "cap-exceeded", group.address, group.group, now):
        sentence = said("bind.cap", n=planned, most=most)
        yield Reason(ReasonCode.CAP_EXCEEDED, sentence, "block", _target(facts))


def _summary(facts: BindFacts, rows: list[Row]) -> Reason:
    planned = sum(one.status == "planned" for one in rows)
    nothing = sum(one.status == "nothing" for one in rows)
    refused = sum(one.status == "refused" for one in rows)
    sentence = said(
        "bind.would-get" if facts.action == "bind" else "bind.would-lose",
        planned=planned,
        n=len(rows),
        group=named(facts.group),
        nothing=nothing,
        refused=refused,
    )
    return Reason(ReasonCode.WITHIN_LIMITS, sentence, "info", _target(facts))
