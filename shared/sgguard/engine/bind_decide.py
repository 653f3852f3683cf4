"""From a bind request to its decision: read, judged, with a plan and what a yes to it covers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard import providers
from sgguard.engine.accounts.request import canonical
from sgguard.engine.context import Context, connect
from sgguard.errors import CloudError, SgguardError
from sgguard.facts.bind import gather_bind
from sgguard.guards import bind as guard
from sgguard.guards.base import unanswered
from sgguard.model.bind import BindFacts, BindJudgement, BindPlan, Row, Target
from sgguard.model.caller import at_most
from sgguard.model.change import content
from sgguard.model.codes import Mode, Verdict
from sgguard.model.decision import Decision, Judgement, Step
from sgguard.model.facts import GroupFacts, LaunchFacts
from sgguard.model.failure import failure_of
from sgguard.model.request import BindRequest
from sgguard.model.sentence import Sentence
from sgguard.policy import Policy, for_groups, governing, mode_of
from sgguard.providers import Bulk, Cloud
from sgguard.remedy.plan import key, room_key
from sgguard.render import bind as render
from sgguard.render.document import to_json
from sgguard.render.language.step import step_of
from sgguard.store import codec
from sgguard.telemetry import logs

Json = dict[str, Any]


class KeyedPlan(BindPlan, frozen=True):
    """A plan with the keys of what it locks."""

    def keys(self) -> tuple[str, ...]:
        """Return the keys of every holder that is changed: the plan has them alone."""
        return tuple(sorted(key(self.scope, one) for one in self.names()))

    def pointed_to(self) -> tuple[str, ...]:
        """Return the key of the group, which no other plan may delete meanwhile."""
        return (key(self.scope, self.group_id),)


class CountedPlan(KeyedPlan, frozen=True):
    """A bind of a group of which the policy permits so many holders; it has their number alone.

    Who still fits is judged on how many carry the group: another bind of it, on other holders,
    would use that up. A ceiling of the cloud is held by the cloud, and needs no key.
    """

    def keys(self) -> tuple[str, ...]:
        """Return the keys of every holder that is changed, and of the group's room."""
        return tuple(sorted({*super().keys(), room_key(self.scope, self.group_id)}))


class BindDecided(msgspec.Struct, frozen=True):
    """A judged bind: its document, its rows, and its plan, None where nothing would be changed.

    ``covered`` is a hash of all that a yes to the plan covers, empty without one.
    """

    document: Json
    rows: tuple[Row, ...]
    mode: Mode
    bulk: Bulk
    plan: KeyedPlan | None = None
    covered: str = ""
    is_complete: bool = True

    @property
    def may_begin(self) -> bool:
        """Whether the plan is carried out without asking anybody."""
        return self.plan is not None and self.mode is Mode.ENFORCE


def decide(
    request: BindRequest,
    context: Context,
    event_id: str,
    decision_id: str,
    *,
    since: Mapping[str, Sentence],
    is_asked: bool = False,
) -> BindDecided:
    """Read the world and judge a request; ``is_asked``: the yes of a person to it is compared.

    Raises:
        SettingsError: credentials or an endpoint are missing or unusable.
        InputError: the provider is unknown, or the account is not the configured one.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    request = canonical(request, context.accounts)
    begun_s, now = context.deadline.clock(), datetime.fromtimestamp(context.now(), UTC)
    # Of so many reads a decision that somebody waits for must not wait.
    cloud = connect(request.scope, replace(context, is_bulk=True))
    many = providers.bulk(cloud)
    facts, judged, policy = _judged(request, context, cloud, many, since)
    mode = at_most(context.settings.mode or mode_of(policy, "launch"), context.caller)
    plan = _plan(request, facts, judged, context.policy)
    decision = Decision(
        decision_id=decision_id,
        event_id=event_id,
        guard="bind",
        judgement=_with_step(request, judged),
        facts=_as_launch(facts),
        mode=mode,
        target=(str(request.address),),
        decided_at=now,
        took_ms=round((context.deadline.clock() - begun_s) * 1000, 3),
        caller=context.caller.fact(request.requested_by) if context.caller else None,
    )
    _log(decision, request)
    is_asked = is_asked or mode is Mode.APPROVE
    return BindDecided(
        document=_document(decision, request, judged.rows),
        rows=judged.rows,
        mode=mode,
        bulk=many,
        plan=plan,
        covered=_covered(cloud, facts, plan) if plan and is_asked else "",
        is_complete=not any(
            (one.code, one.effect) == ("facts-incomplete", "block") for one in judged.reasons
        ),
    )


class SeenAgain(msgspec.Struct, frozen=True):
    """What a second look at the group of a plan has shown.

    ``covered`` is what a yes to the plan would cover now, empty where nobody asked.
    """

    mode: Mode
    covered: str
    is_blocked: bool


def look_again(plan: BindPlan, context: Context, *, is_asked: bool) -> SeenAgain:
    """Read and judge the group of a plan that was decided before, and none of its holders.

    Raises:
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    request = BindRequest(plan.scope, plan.group_id, plan.action, undoes=plan.undoes)
    cloud = connect(plan.scope, replace(context, is_bulk=True))
    facts, judged, policy = _judged(request, context, cloud, providers.bulk(cloud), {})
    mode = at_most(context.settings.mode or mode_of(policy, "launch"), context.caller)
    covered = _covered(cloud, facts, plan) if is_asked else ""
    return SeenAgain(mode, covered, any(one.effect == "block" for one in judged.reasons))


def _judged(
    request: BindRequest, context: Context, cloud: Cloud, many: Bulk, since: Mapping[str, Sentence]
) -> tuple[BindFacts, BindJudgement, Policy]:
    """Read and judge; return the policy that governs the group, too."""
    now = datetime.fromtimestamp(context.now(), UTC)
    policy = for_groups(context.policy, [(request.address, None)])
    try:
        facts = gather_bind(cloud, many, request, needs_names=bool(policy.launch.baseline))
    except SgguardError as error:
        if not governing.is_verdict(error, policy.launch.when_unreachable):
            raise
        reasons = unanswered((str(request.address),), failure_of(error)).reasons
        return _nothing(cloud, request), BindJudgement(Verdict.BLOCK, reasons, ()), policy
    facts = replace(facts, since=since, is_undo=bool(request.undoes))
    policy = for_groups(context.policy, [(request.address, facts.group.group)])
    judged = guard.judge(facts, context.policy, now)
    as_judgement = Judgement(judged.verdict, judged.reasons)
    governing.insist_on_facts(request.scope.provider, "launch", as_judgement, policy)
    return facts, judged, policy


def _nothing(cloud: Cloud, request: BindRequest) -> BindFacts:
    group = GroupFacts(request.address, None)
    return BindFacts(cloud.capabilities, request.scope, request.action, group, ())


def _plan(
    request: BindRequest, facts: BindFacts, judged: BindJudgement, policy: Policy
) -> KeyedPlan | None:
    """Return every holder that would be changed, with the parts of it that would be."""
    if judged.verdict is not Verdict.REMEDIATE:
        return None
    planned = {one.holder_id for one in judged.rows if one.status == "planned"}
    targets = [
        Target(one.holder_id, one.state.kind, tuple(part.holder for part in one.state.parts))
        for one in facts.holders
        if one.state is not None and one.holder_id in planned
    ]
    is_counted = guard.is_counted(request.scope.provider, request.action, policy)
    kind = CountedPlan if is_counted else KeyedPlan
    return kind(request.scope, request.action, request.group_id, tuple(targets), request.undoes)


def _with_step(request: BindRequest, judged: BindJudgement) -> Judgement:
    """Return the judgement with the plan as one step: the rows have the holders."""
    steps: tuple[Step, ...] = ()
    if judged.verdict is Verdict.REMEDIATE:
        number = sum(one.status == "planned" for one in judged.rows)
        sentence = render.plan_of(request.action, request.group_id, judged.rows)
        details = {"holders": str(number)}
        steps = (step_of(request.action, str(request.address), sentence, details),)
    return Judgement(judged.verdict, judged.reasons, steps, forecast=judged.forecast)


def _as_launch(facts: BindFacts) -> LaunchFacts:
    """Return the facts as documents have them; the holders are in the rows."""
    return LaunchFacts(
        facts.capabilities,
        facts.scope,
        (facts.group,),
        limits=facts.limits,
        unseen=facts.unseen,
        visibility=facts.visibility,
    )


def _document(decision: Decision, request: BindRequest, rows: tuple[Row, ...]) -> Json:
    found = to_json(decision)
    found["facts"] |= {"count": None, "blind_spots": []}
    part = render.bind_json(request.action, str(request.address), rows, request.undoes)
    return found | {"bind": part}


def _covered(cloud: Cloud, facts: BindFacts, plan: BindPlan) -> str:
    """Return a hash of what a yes covers: the group, what it lets through, and every holder."""
    rules: list[str] = []
    try:
        seen = cloud.list_rules(plan.group_id)
        rules = [codec.dump(content(one)) for one in seen.value]
        rules += [f"not told: {one.code}" for one in seen.unseen]
    except CloudError as error:
        if error.is_retryable:
            raise
        rules = [f"not told: {type(error).__name__}"]
    group = facts.group.group
    return codec.digest([group, plan, rules])


def _log(decision: Decision, request: BindRequest) -> None:
    scope = request.scope
    logs.log(
        logging.INFO,
        "decided",
        event_id=decision.event_id,
        decision_id=decision.decision_id,
        provider=scope.provider,
        account=scope.account,
        region=scope.region,
        groups=[request.group_id],
        mode=decision.mode,
        verdict=decision.judgement.verdict,
        reasons=[reason.code for reason in decision.judgement.reasons],
        outcome=decision.outcome,
        duration_ms=decision.took_ms,
        caller=decision.caller["name"] if decision.caller else "",
    )
