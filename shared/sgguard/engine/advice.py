"""A planned launch with what its policy would add, judged once more as if it had been asked for.

What the guard would bind to planned instances it knows by id only. Whether that group is there, has
room and goes with the others is read here; the caller launches with it on the word of the answer.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from sgguard.facts.gather import gather_launch
from sgguard.guards import launch
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Judgement, Reason
from sgguard.model.facts import LaunchFacts
from sgguard.model.request import LaunchRequest
from sgguard.model.sentence import said
from sgguard.policy import Policy
from sgguard.providers.base import Provider


def judge(
    provider: Provider, request: LaunchRequest, facts: LaunchFacts, policy: Policy, now: datetime
) -> Judgement:
    """Judge a launch; its remedy is none where the launch would be blocked with it.

    Raises:
        CloudError, DeadlineError: the groups of the remedy could not be asked about.
    """
    found = launch.judge(facts, policy, now)
    bound = tuple(step.target.rpartition(":")[2] for step in found.plan)
    if request.instance_id or found.verdict is not Verdict.REMEDIATE or not bound:
        return found
    wider = replace(request, group_ids=(*request.group_ids, *bound))
    second = launch.judge(gather_launch(provider, wider), policy, now)
    against = [one for one in second.reasons if one.effect == "block"]
    if not against:
        return found
    sentence = said("used.unusable", why=against[0].sentence)
    reason = Reason(
        ReasonCode.REPLACEMENT_UNUSABLE,
        sentence,
        "block",
        found.plan[0].target,
        against[0].evidence,
    )
    return replace(found, verdict=Verdict.BLOCK, plan=(), reasons=(*found.reasons, reason))
