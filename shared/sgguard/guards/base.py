"""What all guards share: the reasons that every guard can give.

A guard is a module with ``judge(facts, policy, now) -> Judgement``: pure, no clock, no I/O.
Without ``now`` no exemption counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal

from sgguard.model.address import Address, Scope
from sgguard.model.codes import ReasonCode, UnseenCode, Verdict
from sgguard.model.decision import Judgement, Reason
from sgguard.model.facts import GroupFacts
from sgguard.model.order import unseen_key
from sgguard.model.resource import Unseen, Visibility
from sgguard.render.wording import MESSAGE_MAX, one_line

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN = re.compile(r"[A-Za-z0-9-]+")
_REACH = {Visibility.PROJECT: 0, Visibility.ACCOUNT: 1, Visibility.CLOUD: 2}
_WIDER = {
    Visibility.PROJECT: "use credentials of the project",
    Visibility.ACCOUNT: "use credentials of the whole account",
    Visibility.CLOUD: "use an administrator's credentials (a public cloud has none)",
}


def could_be_id(text: str, example: str) -> bool:
    """Return whether the text has the form of the example id: a name or a pattern has not."""
    if _UUID.fullmatch(example):
        return bool(_UUID.fullmatch(text))
    return bool(_PLAIN.fullmatch(text)) and text.startswith(example.partition("-")[0] + "-")


def usable_group(wanted: str, scope: Scope, example: str) -> str:
    """Return the id of a group the policy names by id or address, where it can be one here.

    ``""`` where it is of another scope, or no id of this cloud.
    """
    where, _, group_id = wanted.rpartition(":")
    is_here = not where or where == str(scope)
    return group_id if is_here and could_be_id(group_id, example) else ""


def unanswered(targets: Iterable[str], why: str) -> Judgement:
    """Return the verdict on a cloud that could not be asked: block, for nothing is known."""
    gap = Unseen(
        code=UnseenCode.NOT_TOLD,
        what="anything",
        why=one_line(why, MESSAGE_MAX),
        remedy="ask again when the cloud answers",
    )
    message = one_line(f"The cloud could not be asked: {why}", MESSAGE_MAX)
    reasons = (
        Reason(ReasonCode.FACTS_INCOMPLETE, message, "block", one, (gap,)) for one in targets
    )
    return Judgement(Verdict.BLOCK, tuple(reasons))


def missing_or_malformed(
    facts: GroupFacts, example: str, not_found: ReasonCode = ReasonCode.NOT_FOUND
) -> Reason | None:
    """Return why the group cannot be judged at all, or None; ``not_found`` is the guard's code."""
    group_id, target = facts.address.group_id, str(facts.address)
    if facts.is_malformed:
        provider = one_line(facts.address.scope.provider, 30)
        message = f"{one_line(group_id, 60)!r} is no group id of {provider}"
        message = f"{message}: expected one like {one_line(example, 60)}."
        return Reason(ReasonCode.GROUP_MALFORMED, one_line(message, MESSAGE_MAX), target=target)
    if facts.group is None:
        hidden = "it does not exist there, or these credentials cannot see it"
        message = f"No group {one_line(group_id, 60)} in {_region(facts.address)}: {hidden}."
        return Reason(not_found, one_line(message, MESSAGE_MAX), target=target)
    return None


def _region(address: Address) -> str:
    return one_line(f"{address.scope.provider} {address.scope.region}", 50)


def incomplete(
    unseen: Iterable[Unseen], target: str, about: str, tolerated: Collection[str] = ()
) -> tuple[Reason, ...]:
    """Return one reason for each thing that could not be seen: what, why, what helps.

    It blocks, unless the policy tolerates gaps of that very code: then it warns.
    """
    return tuple(
        Reason(
            ReasonCode.FACTS_INCOMPLETE,
            _not_seen(item, about, is_tolerated=item.code in tolerated),
            "warn" if item.code in tolerated else "block",
            target,
            (item,),
        )
        for item in sorted(set(unseen), key=unseen_key)
    )


def _not_seen(item: Unseen, about: str, *, is_tolerated: bool) -> str:
    remedy = f" To see it: {one_line(item.remedy, 70)}." if item.remedy else ""
    if is_tolerated:
        remedy = f" The policy tolerates it (tolerate_unseen: {one_line(item.code, 30)})."
    head = f"{about}: {one_line(item.what, 40)} could not be seen"
    why = one_line(item.why or item.code, MESSAGE_MAX - len(head) - len(remedy) - 4)
    return one_line(f"{head} ({why}).{remedy}", MESSAGE_MAX)


def too_short_sighted(
    visibility: Visibility,
    required: Visibility | None,
    target: str,
    guard: Literal["delete", "launch"],
) -> tuple[Reason, ...]:
    """Return the reason to block when the credentials see less than the policy requires."""
    if required is None or _REACH[visibility] >= _REACH[required]:
        return ()
    gap = Unseen(
        code=UnseenCode.OTHER_PROJECT
        if visibility is Visibility.PROJECT
        else UnseenCode.CROSS_ACCOUNT,
        what=f"what lies beyond this {visibility.value}",
        why=f"these credentials see one {visibility.value}, the policy requires {required.value}",
        remedy=_WIDER[required],
    )
    message = (
        f"The policy requires visibility {required.value} ({guard}.require_visibility), but these "
        f"credentials see one {visibility.value} only. To see more: {gap.remedy}."
    )
    return (
        Reason(
            ReasonCode.FACTS_INCOMPLETE, one_line(message, MESSAGE_MAX), "block", target, (gap,)
        ),
    )
