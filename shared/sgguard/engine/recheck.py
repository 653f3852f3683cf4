"""The groups that a plan deletes, judged once more right before they go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sgguard.engine.context import Context
from sgguard.facts import gather
from sgguard.guards import delete
from sgguard.model.address import Address
from sgguard.model.change import content
from sgguard.model.codes import ReasonCode
from sgguard.model.facts import GroupFacts
from sgguard.model.request import DeleteRequest
from sgguard.model.sentence import Sentence, said
from sgguard.model.subject import rule_of
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan
from sgguard.remedy.prepare import Prepared
from sgguard.remedy.unchanged import changed_facts
from sgguard.render.language.rule import rule_said


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
    named = _named_by_what_goes_later(facts.groups, plan)
    return (*against, *named, *changed_facts(facts.groups, plan, snapshot))


def _named_by_what_goes_later(groups: Sequence[GroupFacts], plan: Plan) -> Iterator[Sentence]:
    """Yield the rules that name a group which goes before theirs, and that the plan leaves alone.

    What names another group of the set is deleted before it, so such a rule was added since. Some
    clouds remove it with the group that it names, and its own may be one that stays after all.
    """
    changes = [one.change for one in plan.planned]
    order = [one.group_id for one in changes if one.kind == "delete-group"]
    removed = [one for one in changes if one.kind == "remove-rule"]
    revoked = {(one.group_id, content(rule_of(one))) for one in removed}
    for one in groups:
        later = order[order.index(one.address.group_id) + 1 :]
        for each in one.references:
            if each.account or each.rule is None or each.group_id not in later:
                continue
            if (each.group_id, content(each.rule)) not in revoked:
                yield said("since.rule-added", rule=rule_said(each.rule), group=each.group_id)
