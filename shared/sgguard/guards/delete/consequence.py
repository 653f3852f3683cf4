"""What a plain delete of each group would really do now: refused, cascading, or done.

The groups are taken one after another in the order of the request's own plan, and nothing else is
changed before: no rule revoked, nothing released. What the policy says plays no part here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sgguard.model.capabilities import Capabilities
from sgguard.model.decision import Consequence
from sgguard.model.facts import DeleteFacts, GroupFacts
from sgguard.model.order import unseen_key
from sgguard.model.resource import Group, Reference, Visibility
from sgguard.model.sentence import Sentence, said

_HIDDEN = said("fate.hidden")


def consequences(
    facts: DeleteFacts, members: Mapping[str, GroupFacts], first: Sequence[str]
) -> tuple[Consequence, ...]:
    """Return one consequence per group, in the order ``first``; a group that is gone names none.

    The references of each member are in the order in which they are shown.
    """
    found: dict[str, Consequence] = {}
    for group_id in first:
        found[group_id] = _of(facts, members[group_id], found)
    return tuple(found.values())


def _of(facts: DeleteFacts, one: GroupFacts, before: Mapping[str, Consequence]) -> Consequence:
    """Return what deleting this group does after ``before`` was tried."""
    standing = _standing(one, before)
    certain = [each for each in standing if not _may_go(each, before)]
    if refused := _refused(facts, one, certain):
        return refused
    return _not_refused(facts, one, standing, before)


def _standing(one: GroupFacts, before: Mapping[str, Consequence]) -> tuple[Reference, ...]:
    """Return the references that are still there: not its own, nor of a group that went before."""
    own = one.address.group_id
    return tuple(
        each
        for each in one.references
        if each.account or (each.group_id != own and not _is_gone(each, before))
    )


def _is_gone(reference: Reference, before: Mapping[str, Consequence]) -> bool:
    tried = before.get(reference.group_id)
    return tried is not None and tried.kind in ("will-succeed", "will-cascade")


def _refused(
    facts: DeleteFacts, one: GroupFacts, standing: Sequence[Reference]
) -> Consequence | None:
    """Return the refusal that what was seen makes certain, whatever was not seen."""
    if one.is_malformed:
        return _refusal(one, "", said("fate.malformed"))
    if one.group is None:
        return _refusal(one, "", said("fate.absent"))
    return _refused_as_what_it_is(facts, one, one.group, standing)


def _refused_as_what_it_is(
    facts: DeleteFacts, one: GroupFacts, group: Group, standing: Sequence[Reference]
) -> Consequence | None:
    capabilities = facts.capabilities
    if group.is_foreign:
        # Whose group it is, is asked before anything else: what holds it does not matter then.
        return _refusal(one, capabilities.foreign_refused_with, said("fate.foreign"))
    if group.delete_refused_with:
        return _refusal(one, group.delete_refused_with, said("fate.read-only"))
    if why := _holds(one, is_named=bool(standing) and capabilities.keeps_referenced):
        return _refusal(one, capabilities.refused_with, _meaning(capabilities, why))
    # Whoever sees a whole cloud administers it, and no such credentials are kept from a default.
    if group.is_default and facts.visibility is not Visibility.CLOUD:
        return _refusal(one, capabilities.default_refused_with, said("fate.default"))
    if group.managed_by and capabilities.managed_refused_with:
        return _refusal(one, capabilities.managed_refused_with, said("fate.managed"))
    return None


def _holds(one: GroupFacts, *, is_named: bool) -> Sentence | None:
    """Return what holds the group: who carries it, the rules that name it, or both."""
    if one.bindings:
        return said("fate.carried-and-named") if is_named else said("fate.carried")
    return said("fate.named") if is_named else None


def _meaning(capabilities: Capabilities, why: Sentence) -> Sentence:
    """Return why, and that the code alone would not: most clouds have one for both causes."""
    if capabilities.delete_guard:
        return said("fate.guarded", why=why, guard=capabilities.delete_guard)
    if capabilities.on_delete_referenced != "refused":
        return why
    if capabilities.refused_with:
        return said("fate.either", why=why, code=capabilities.refused_with)
    return said("fate.uncoded", why=why)


def _refusal(one: GroupFacts, code: str, note: Sentence) -> Consequence:
    return Consequence(str(one.address), "will-be-refused", code, note=note)


def _not_refused(
    facts: DeleteFacts,
    one: GroupFacts,
    standing: tuple[Reference, ...],
    before: Mapping[str, Consequence],
) -> Consequence:
    target = str(one.address)
    if uncertainty := _uncertainty(facts, one, standing, before):
        return Consequence(target, "unknown", note=uncertainty)
    note = _HIDDEN if facts.visibility is Visibility.PROJECT else None
    if standing:
        groups = len({(each.account, each.group_id) for each in standing})
        lost = said("fate.lost", n=len(standing), groups=groups)
        if note:
            lost = said("fate.lost-and-hidden", n=len(standing), groups=groups)
        return Consequence(target, "will-cascade", vanishing=standing, note=lost)
    return Consequence(target, "will-succeed", note=note)


def _uncertainty(
    facts: DeleteFacts,
    one: GroupFacts,
    standing: Sequence[Reference],
    before: Mapping[str, Consequence],
) -> Sentence | None:
    """Return why it is unknown, or None where the facts and the documents tell."""
    if one.unseen:
        hidden = min(one.unseen, key=unseen_key)
        return said("fate.unseen", what=hidden.what)
    if one.group and one.group.managed_by:
        return said("fate.managed-unknown")
    if standing and facts.capabilities.on_delete_referenced == "unknown":
        return said("fate.undocumented")
    if any(_may_go(each, before) for each in standing):
        return said("fate.depends")
    return None


def _may_go(reference: Reference, before: Mapping[str, Consequence]) -> bool:
    """Return whether the group that holds the rule was tried before, with an unknown result."""
    tried = None if reference.account else before.get(reference.group_id)
    return tried is not None and tried.kind == "unknown"
