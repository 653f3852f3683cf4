"""What a failure prints: the seed, the cloud, the request and the decision, each on few lines."""

from __future__ import annotations

from collections.abc import Iterator

from sgguard.emulator.state import Cloud, Rule
from sgguard.model.decision import Decision
from sgguard.render.language.sentence import message_of
from tests.false_verdicts.case import Case


def report(case: Case, problem: str, decision: Decision | None = None) -> str:
    """The problem with what is needed to understand it, and no secret."""
    lines = [
        f"{problem}",
        f"seed {case.seed!r}, asked as {case.caller.id} ({case.project or 'every project'})",
        f"request: {case.launch or ', '.join(case.targets)}",
        f"policy: {case.policy}",
        *(_decision(decision) if decision else ["no decision"]),
        *_cloud(case.cloud),
    ]
    return "\n".join(lines)


def _decision(decision: Decision) -> Iterator[str]:
    judgement = decision.judgement
    yield f"decision: {judgement.verdict}, sees {decision.facts.visibility}"
    for reason in judgement.reasons:
        yield f"  {reason.effect} {reason.code}: {message_of(reason)}"
    for step in judgement.plan:
        yield f"  plan: {step.summary}"
    for one in judgement.consequences:
        yield f"  plain delete of {one.target}: {one.kind} {one.error_code} ({one.note})"
    for each in judgement.forecast:
        yield f"  limit: {each.subject} {each.limit}"


def _cloud(cloud: Cloud) -> Iterator[str]:
    """Groups with their rules and ports; what every group has is left out."""
    yield f"cloud in {cloud.regions[0]}, sharing by an administrator: {cloud.quirks}"
    for group in cloud.groups:
        marks = " ".join([*(["default"] if group.default else []), group.kind, *group.shared_with])
        yield f"  group {group.id} {group.name} of {group.project} {marks}"
        for rule in group.rules:
            if rule.peer_group or rule.cidr:
                yield f"    {_rule(rule)}"
    for one in cloud.interfaces:
        yield f"  port {one.id} of {one.project}: {one.owner} {one.instance} {one.groups}"


def _rule(rule: Rule) -> str:
    peer = rule.peer_group or rule.cidr
    return f"{rule.direction} {rule.protocol} {rule.ports} {peer} ({rule.id} of {rule.project})"
