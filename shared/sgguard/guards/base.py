"""What all guards share: the reasons that every guard can give.

A guard is a module with ``judge(facts, policy, now) -> Judgement``: pure, no clock, no I/O.
Without ``now`` no exemption counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal

from sgguard.model.address import Scope
from sgguard.model.codes import TOLERABLE, ReasonCode, UnseenCode, Verdict
from sgguard.model.decision import Judgement, Reason
from sgguard.model.facts import GroupFacts
from sgguard.model.order import unseen_key
from sgguard.model.resource import Unseen, Visibility
from sgguard.model.sentence import Item, Sentence, said, thing

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN = re.compile(r"[A-Za-z0-9-]+")
_REACH = {Visibility.PROJECT: 0, Visibility.ACCOUNT: 1, Visibility.CLOUD: 2}
_WIDER = {
    Visibility.PROJECT: said("remedy.of-project"),
    Visibility.ACCOUNT: said("remedy.of-account"),
    Visibility.CLOUD: said("remedy.of-cloud"),
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


def unanswered(targets: Iterable[str], why: Sentence) -> Judgement:
    """Return the verdict on a cloud that could not be asked: block, for nothing is known."""
    gap = Unseen(
        code=UnseenCode.NOT_TOLD,
        what=said("part.anything"),
        why=why,
        remedy=said("remedy.when-it-answers"),
    )
    sentence = said("gap.unasked", why=why_of(gap))
    reasons = (
        Reason(ReasonCode.FACTS_INCOMPLETE, sentence, "block", one, (gap,)) for one in targets
    )
    return Judgement(Verdict.BLOCK, tuple(reasons))


def named(member: GroupFacts) -> Sentence:
    """Return the group's id, and its name where it is told."""
    return thing(member.address.group_id, member.group.name if member.group else None)


def missing_or_malformed(
    facts: GroupFacts, example: str, not_found: ReasonCode = ReasonCode.NOT_FOUND
) -> Reason | None:
    """Return why the group cannot be judged at all, or None; ``not_found`` is the guard's code."""
    group_id, target = facts.address.group_id, str(facts.address)
    if facts.is_malformed:
        provider = facts.address.scope.provider
        sentence = said("group.malformed", text=group_id, provider=provider, example=example)
        return Reason(ReasonCode.GROUP_MALFORMED, sentence, target=target)
    if facts.group is None:
        sentence = said("group.not-found", group=group_id, place=place(facts.address.scope))
        return Reason(not_found, sentence, target=target)
    return None


def place(scope: Scope) -> Sentence:
    """Return the cloud and the region."""
    return said("place.region", provider=scope.provider, region=scope.region)


def incomplete(
    unseen: Iterable[Unseen], target: str, about: Item, tolerated: Collection[str] = ()
) -> tuple[Reason, ...]:
    """Return one reason for each thing that could not be seen: what, why, what helps.

    It blocks, unless the policy tolerates gaps of that very code: then it warns.
    """
    tolerated = TOLERABLE.intersection(tolerated)
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


def _not_seen(item: Unseen, about: Item, *, is_tolerated: bool) -> Sentence:
    then: Item = said("gap.to-see-it", remedy=item.remedy) if item.remedy else ""
    if is_tolerated:
        then = said("gap.tolerated", code=str(item.code))
    return said(
        "gap.unseen",
        about=about,
        what=item.what,
        code=str(item.code),
        why=why_of(item),
        then=then,
    )


def why_of(item: Unseen) -> Item:
    """Return why something was not seen.

    What a call failed with is told in the words of the call: in another language than English by
    what its code means.
    """
    if isinstance(item.why, Sentence):
        return item.why
    return said("why.told", text=item.why or str(item.code), code=str(item.code))


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
        what=said("part.beyond", reach=visibility.value),
        why=said("why.reach", reach=visibility.value, required=required.value),
        remedy=_WIDER[required],
    )
    sentence = said(
        "gap.visibility",
        required=required.value,
        guard=guard,
        visible=visibility.value,
        remedy=gap.remedy,
    )
    return (Reason(ReasonCode.FACTS_INCOMPLETE, sentence, "block", target, (gap,)),)
