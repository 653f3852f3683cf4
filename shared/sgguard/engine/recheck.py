"""The groups that a plan deletes, judged once more right before they go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sgguard.engine.context import Context
from sgguard.facts import gather
from sgguard.guards import delete
from sgguard.model.address import Address
from sgguard.model.codes import ReasonCode
from sgguard.model.request import DeleteRequest
from sgguard.model.sentence import Sentence
from sgguard.providers.base import Cloud
from sgguard.remedy.prepare import Prepared
from sgguard.remedy.unchanged import changed_facts


def remaining_blockers(
    cloud: Cloud, prepared: Prepared, context: Context, group_ids: Sequence[str]
) -> tuple[Sentence, ...]:
    """Return why the groups must not be deleted, by what is there now; empty where they may be.

    A group that another process has deleted meanwhile blocks nothing. Nor do the holders of one
    that is deleted by force, as long as force alone would still be the remedy. A group that is no
    longer as the snapshot has it is not deleted either: a restore would lack the difference.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked.
    """
    plan, snapshot = prepared.plan, prepared.snapshot
    request = DeleteRequest(tuple(Address(plan.scope, group_id) for group_id in group_ids))
    now = datetime.fromtimestamp(context.now(), UTC)
    facts = gather.gather_delete(cloud, request)
    judgement = delete.judge(facts, context.policy, now)
    forced = {
        f"{plan.scope}:{one.change.group_id}"
        for one in plan.planned
        if one.change.kind == "delete-group" and one.change.is_forced
    }
    if {step.action for step in judgement.plan} != {"delete"}:
        forced.clear()
    against = [
        reason.sentence
        for reason in judgement.reasons
        if reason.effect == "block"
        and reason.code != ReasonCode.NOT_FOUND
        and not (reason.code == ReasonCode.BOUND and reason.target in forced)
    ]
    return (*against, *changed_facts(facts.groups, plan, snapshot))
