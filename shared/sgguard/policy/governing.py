"""What the policy permits about one request as a whole: which policy governs, and what is excused.

Pure: facts, judgement, policy and the moment come in. Guards, planner and pipeline all ask here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce

from msgspec.structs import replace

from sgguard.errors import DeadlineError, ThrottledError, UnavailableError, UnreachableError
from sgguard.model.address import Address
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Judgement, Reason
from sgguard.model.facts import DeleteFacts, Facts, LaunchFacts
from sgguard.model.resource import Group
from sgguard.model.sentence import said
from sgguard.policy import (
    Exemption,
    FailureEffect,
    Guard,
    Policy,
    exempting,
    for_groups,
    for_referrer,
    referrer,
)
from sgguard.policy import strictest as stricter
from sgguard.render.language.sentence import message_of


def governing(policy: Policy, facts: Facts, judgement: Judgement) -> Policy:
    """Return the policy that holds for all that a judgement's plan touches: the strictest of them.

    Those are the groups asked about and, where something would be changed, the groups that hold
    rules about them. Its ``scopes`` are applied.
    """
    if not policy.scopes:
        return policy
    found = for_groups(policy, concerned(facts))
    if judgement.verdict is not Verdict.REMEDIATE:
        return found
    theirs = {
        (address.scope, reference.group_id): for_referrer(policy, address.scope, reference)
        for address, reference in (
            (one.address, reference) for one in facts.groups for reference in one.references
        )
        if not reference.account
    }
    return reduce(stricter, theirs.values(), found)


def is_verdict(error: Exception, when: FailureEffect) -> bool:
    """Return whether an error of a cloud that does not answer is to be a verdict of block.

    Only that it does not answer may be: what is wrong with a request or with credentials stays
    an error, for asking again changes nothing about it.
    """
    return when == "block" and isinstance(
        error, UnreachableError | UnavailableError | ThrottledError | DeadlineError
    )


def insist_on_facts(provider: str, guard: Guard, judgement: Judgement, policy: Policy) -> None:
    """Refuse to answer on incomplete facts where the policy wants the event delivered again.

    Raises:
        UnavailableError: something that the verdict needs could not be seen.
    """
    table = policy.delete if guard == "delete" else policy.launch
    gaps = (
        one
        for one in judgement.reasons
        if (one.code, one.effect) == (ReasonCode.FACTS_INCOMPLETE, "block")
    )
    gap = next(gaps, None)
    if gap is not None and table.when_incomplete == "error":
        raise UnavailableError(provider, "facts", code="FactsIncomplete", detail=message_of(gap))


def concerned(facts: Facts) -> list[tuple[Address, Group | None]]:
    """Return the groups asked about, in a fixed order; for a launch without any, its place."""
    groups = sorted(facts.groups, key=lambda one: one.address)
    found = [(one.address, one.group) for one in groups]
    if found or isinstance(facts, DeleteFacts):
        return [*found]
    return [(_place(facts), None)]


def _place(facts: LaunchFacts) -> Address:
    """Return the instance written like a group's address; a planned one has no id."""
    return Address(facts.scope, facts.instance_id)


def excused(reason: Reason, policy: Policy, facts: Facts, now: datetime | None) -> Reason:
    """Return the reason, or one that only informs where the policy exempts it at this moment.

    It then says by whom and until when. A reason about a whole delete is excused where every
    group of the request is; one about a launch where its instance is.
    """
    if not policy.exemptions:
        return reason
    about = tuple(_about(reason.target, facts))
    found = [exempting(policy, reason.code, address, group, now) for address, group in about]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return reason
    return _informing(reason, min(known, key=lambda one: (one.expires, one.owner, one.reason)))


def _informing(reason: Reason, exemption: Exemption) -> Reason:
    sentence = said(
        "exempted",
        owner=exemption.owner,
        expires=exemption.expires.isoformat(),
        reason=exemption.reason,
        about=reason.sentence,
    )
    return replace(reason, effect="info", sentence=sentence)


def _about(target: str, facts: Facts) -> Iterator[tuple[Address, Group | None]]:
    """Yield whom a reason's target means, with what is known of them."""
    named = [one for one in facts.groups if str(one.address) == target]
    if named:
        yield from ((one.address, one.group) for one in named)
    elif isinstance(facts, LaunchFacts):
        yield _place(facts), None
    else:
        holders = dict(_referrers(facts))
        if target in holders:
            yield holders[target]
        else:
            yield from concerned(facts)


def _referrers(facts: DeleteFacts) -> Iterator[tuple[str, tuple[Address, Group]]]:
    for one in facts.groups:
        for reference in one.references:
            if not reference.account:
                found = referrer(one.address.scope, reference)
                yield str(found[0]), found
