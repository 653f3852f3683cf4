"""The verdict on one holder: everything but the ceiling that all holders of a group share."""

from __future__ import annotations

from datetime import datetime

from sgguard.guards.base import why_of
from sgguard.model.address import Address
from sgguard.model.bind import BindFacts, HolderFacts, HolderState, Row, RowCode, Status
from sgguard.model.resource import Group
from sgguard.model.sentence import Sentence, as_sentence, listed, said
from sgguard.policy import Policy, exempting, first_that_may, is_of_scope, matches
from sgguard.policy.limit import effective
from sgguard.render.language.sentence import in_english

Found = tuple[RowCode, Sentence] | None


def row_of(facts: BindFacts, one: HolderFacts, policy: Policy, now: datetime | None) -> Row:
    """Return the row of a holder, as if it were the only one."""
    status, code, sentence = _verdict(facts, one, policy, now)
    state = one.state
    return Row(
        one.holder_id,
        status,
        code,
        in_english(sentence) if sentence else "",
        kind=state.kind if state else "",
        name=state.name if state else "",
        group_ids=state.group_ids if state else (),
        sentence=sentence,
    )


def _verdict(
    facts: BindFacts, one: HolderFacts, policy: Policy, now: datetime | None
) -> tuple[Status, RowCode, Sentence | None]:
    # 1. It cannot be known, or there is nothing to do.
    if found := _unknown(one, policy):
        return "refused", *found
    if found := _nothing(facts, one):
        return "nothing", *found
    state = one.state
    if state is None:
        return "refused", RowCode.HOLDER_NOT_FOUND, said("row.not-found")
    # 2. Its state, then what would be so afterwards.
    against = _against_bind if facts.action == "bind" else _against_unbind
    if found := _state(state) or against(facts, state, policy, now):
        return "refused", *found
    if state.refusal:
        return "planned", RowCode.BUSY, said("row.later", why=state.refusal)
    return "planned", RowCode.FITS, None


def _nothing(facts: BindFacts, one: HolderFacts) -> Found:
    """Return that a holder is left as it is: as asked already, or changed by others since."""
    state, group_id = one.state, facts.group.address.group_id
    if since := facts.since.get(one.holder_id):
        return RowCode.CHANGED_SINCE, since
    if state is None:
        return (RowCode.CHANGED_SINCE, said("row.gone")) if facts.is_undo else None
    if not state.is_reached(facts.action, group_id):
        return None
    if facts.is_undo:
        how = said("row.put-on") if facts.action == "bind" else said("row.taken-off")
        return RowCode.CHANGED_SINCE, how
    if facts.action == "bind":
        return RowCode.REACHED, said("row.carries", group=group_id)
    return RowCode.REACHED, said("row.carries-not", group=group_id)


def _state(state: HolderState) -> Found:
    if not state.refusal or state.is_passing:
        return None
    return RowCode.HOLDER_REFUSES, as_sentence(state.refusal)


def _unknown(one: HolderFacts, policy: Policy) -> Found:
    gaps = [gap for gap in one.unseen if gap.code not in policy.launch.tolerate_unseen]
    if one.is_malformed:
        return RowCode.HOLDER_MALFORMED, said("row.malformed", holder=one.holder_id)
    if gaps or (one.unseen and one.state is None):
        gap = (gaps or one.unseen)[0]
        return RowCode.FACTS_INCOMPLETE, said("row.unseen", what=gap.what, why=why_of(gap))
    if one.state is not None and not one.state.parts:
        return RowCode.HOLDER_REFUSES, said("row.nothing-carries")
    return None


def _against_bind(
    facts: BindFacts, state: HolderState, policy: Policy, now: datetime | None
) -> Found:
    group = facts.group.group
    if group is None:
        return None  # the request as a whole is blocked
    return (
        _elsewhere(facts, state, group)
        or _too_many(facts, state, policy)
        or _mixed(facts, state, group)
        or _baseline(facts, state, policy, now)
    )


def _against_unbind(
    facts: BindFacts, state: HolderState, policy: Policy, now: datetime | None
) -> Found:
    group_id = facts.group.address.group_id
    for part in state.parts:
        if part.group_ids == (group_id,):
            return RowCode.LAST_GROUP, said("row.last-group", holder=part.holder.holder_id)
    return _baseline(facts, state, policy, now)


def _elsewhere(facts: BindFacts, state: HolderState, group: Group) -> Found:
    if group.network and state.network and group.network != state.network:
        network = said("row.other-network", theirs=group.network, ours=state.network)
        return RowCode.OTHER_NETWORK, network
    is_elsewhere = facts.capabilities.has_projects_apart and group.project != state.project
    if group.project and state.project and is_elsewhere and not group.is_shared:
        project = said("row.other-project", theirs=group.project, ours=state.project)
        return RowCode.OTHER_PROJECT, project
    return None


def _too_many(facts: BindFacts, state: HolderState, policy: Policy) -> Found:
    """Return that one more group does not fit, with the number there would be."""
    overrides = policy.limits.get(facts.scope.provider, {})
    kinds = [facts.group.group.kind if facts.group.group else None]
    group_id = facts.group.address.group_id
    for name in ("groups-per-instance", "groups-per-interface"):
        limit = effective(facts.limits, overrides, name, kinds)
        if limit is None or limit.ceiling is None or not limit.is_enforced:
            continue
        per_part = [{*part.group_ids, group_id} for part in state.parts]
        counted = per_part if name == "groups-per-interface" else [set.union(*per_part)]
        after = max(len(one) for one in counted)
        if after > limit.ceiling:
            full = said("row.too-many", n=after, source=limit.source, ceiling=limit.ceiling)
            return RowCode.GROUPS_PER_HOLDER_EXCEEDED, full
    return None


def _mixed(facts: BindFacts, state: HolderState, group: Group) -> Found:
    refused_with = facts.capabilities.mixed_kinds_refused_with
    if not refused_with:
        return None
    carried = [one for one in state.group_ids if one != group.group_id]
    known = [facts.others.get(one) for one in carried]
    if any(one is None or one.kind is None for one in known) or (known and group.kind is None):
        return RowCode.FACTS_INCOMPLETE, said("row.kinds-untold")
    different = sorted({str(one.kind) for one in known if one and one.kind != group.kind})
    if different:
        mixed = said(
            "row.kinds-mixed", kinds=listed(different), kind=str(group.kind), code=refused_with
        )
        return RowCode.GROUP_KINDS_MIXED, mixed
    return None


def _baseline(facts: BindFacts, state: HolderState, policy: Policy, now: datetime | None) -> Found:
    """Return a group that the policy requires and the holder would lack afterwards.

    Of an unbind only one that goes with it: what was missing before is not its doing.
    """
    own = facts.group.address.group_id
    for entry in policy.launch.baseline:
        if not is_of_scope(entry, str(facts.scope)):
            continue
        has_own = _is_met(facts, entry, own)
        if facts.action == "unbind" and not has_own:
            continue
        rest = [one for one in state.group_ids if one != own]
        is_met = any(_is_met(facts, entry, one) for one in rest)
        if is_met or (has_own and facts.action == "bind"):
            continue
        at = Address(facts.scope, state.holder_id)
        if not exempting(policy, "baseline-missing", at, None, now):
            return RowCode.BASELINE_MISSING, said("row.baseline", entry=entry)
    return None


def _is_met(facts: BindFacts, entry: str, group_id: str) -> bool:
    """Whether a group is the baseline; on a guess only where it would then be taken off."""
    own = facts.group.address.group_id
    group = facts.group.group if group_id == own else facts.others.get(group_id)
    address = Address(facts.scope, group_id)
    if group is not None and matches(entry, address, group):
        return True
    is_going = group_id == own and facts.action == "unbind"
    return is_going and first_that_may((entry,), address, group) is not None
