"""What a delete broke: the newest decision about the group, compared with the cloud as it is now.

No cloud tells it. OpenStack deletes the rules that name a group with the group, in silence; others
may leave rules that name nothing, or holders without any group. What was there before is known
from the decisions that are kept; a run of this package also kept a snapshot, which restores it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from sgguard.engine.case import spellings
from sgguard.engine.context import Context, connect
from sgguard.errors import CloudError, NotFoundError
from sgguard.model.address import Address
from sgguard.model.change import holder_of
from sgguard.model.failure import failure_of
from sgguard.model.resource import Binding, Reference, Rule
from sgguard.model.sentence import Sentence, listed, said
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan
from sgguard.render import values
from sgguard.render.language.sentence import whole_english
from sgguard.render.said import sentence_json, text_of
from sgguard.store import codec
from sgguard.store.base import Store
from sgguard.store.rows import Query, Record
from sgguard.wire.parallel import caught, parallel

Json = dict[str, Any]

_DECISIONS_MAX = 50
_CHANGEABLE = ("instance", "interface", "port")


@dataclass
class _Before:
    """What was known of a group: the newest decision that saw it, and the run that deleted it."""

    record: Record
    references: tuple[Reference, ...]
    bindings: tuple[Binding, ...]
    unseen: tuple[Sentence, ...] = ()
    planned: frozenset[tuple[str, Rule]] = frozenset()
    is_own: bool = False


@dataclass
class _Found:
    """What is different now. ``unknown`` are sentences about what could not be compared."""

    vanished: list[Reference] = field(default_factory=list)
    dangling: list[Reference] = field(default_factory=list)
    bare: list[Binding] = field(default_factory=list)
    unknown: list[Sentence] = field(default_factory=list)


def read(address: Address, context: Context, store: Store | None) -> Json:
    """Return what the delete of a group broke, as JSON.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked.
        StoreError: what was kept cannot be read.
    """
    cloud = connect(address.scope, context)
    seen = cloud.read_groups([address.group_id])
    is_there = seen.value.get(address.group_id) is not None
    before = None if store is None else _before(address, context, store)
    found = _Found(unknown=[said("after.gap", what=one.what, why=one.why) for one in seen.unseen])
    if before is None:
        found.unknown.append(said("after.unkept"))
    elif not is_there:
        found.unknown += before.unseen
        _compare_rules(address, before, cloud, found)
        _compare_holders(before.bindings, cloud, found)
    return _document(address, before, found, is_there=is_there)


# -- before ----------------------------------------------------------------------------------------


def _before(address: Address, context: Context, store: Store) -> _Before | None:
    spelt = set(spellings(address, context))
    records = [
        record
        for target in spelt
        for record in store.decisions(Query(target=target, limit=_DECISIONS_MAX))
    ]
    for record in sorted(records, key=lambda one: one.at_s, reverse=True):
        document = json.loads(record.document_json)
        facts = document["facts"]
        shown = {one["address"] for one in facts["groups"] if one["exists"]}
        if document["guard"] == "delete" and shown & spelt:
            return _of_record(record, facts, address, spelt, store)
    return None


def _of_record(
    record: Record, facts: Json, address: Address, spelt: set[str], store: Store
) -> _Before:
    before = _Before(
        record,
        tuple(values.reference_of(one) for one in facts["references"] if one["target"] in spelt),
        tuple(values.binding_of(one) for one in facts["bindings"] if one["target"] in spelt),
        tuple(
            said("after.gap-before", what=text_of(one, "what"))
            for one in facts["unseen"]
            if one["target"] in spelt
        ),
    )
    run = store.run(record.decision_id)
    if run is None or run.state == "undone":
        return before
    changes = [one.change for one in codec.load(Plan, run.plan_json).planned]
    before.is_own = any(
        one.kind == "delete-group" and one.group_id == address.group_id for one in changes
    )
    before.planned = frozenset(
        (one.group_id, _content(one.rule))
        for one in changes
        if one.kind == "remove-rule" and one.rule is not None
    )
    return before


# -- now -------------------------------------------------------------------------------------------


def _compare_rules(address: Address, before: _Before, cloud: Cloud, found: _Found) -> None:
    """Sort the rules that named the group: those that are gone, and those that name nothing now."""
    own = [one for one in before.references if not one.account]
    found.unknown += [
        said("after.other-account", group=one.group_id, account=one.account)
        for one in before.references
        if one.account
    ]
    referrers = list(dict.fromkeys(one.group_id for one in own))
    reads = parallel([partial(caught, partial(cloud.list_rules, one)) for one in referrers])
    for group_id, rules in zip(referrers, reads, strict=True):
        named = [one for one in own if one.group_id == group_id]
        if isinstance(rules, NotFoundError):
            found.unknown.append(said("after.referrer-gone", group=group_id))
        elif isinstance(rules, CloudError):
            found.unknown.append(said("after.rules", group=group_id, why=failure_of(rules)))
        elif isinstance(rules, Exception):
            raise rules
        else:
            found.unknown += [said("after.gap", what=one.what, why=one.why) for one in rules.unseen]
            _sort(named, rules.value, address, before, found, is_whole=not rules.unseen)


def _sort(
    named: Sequence[Reference],
    rules: Sequence[Rule],
    address: Address,
    before: _Before,
    found: _Found,
    *,
    is_whole: bool,
) -> None:
    there = {_content(rule) for rule in rules}
    for one in named:
        if one.rule is None:
            # Which rule it was is not known: one that names the group now is left of it.
            if any(rule.peer_group == address.group_id for rule in rules):
                found.dangling.append(one)
            elif is_whole:
                found.vanished.append(one)
        elif _content(one.rule) in there:
            found.dangling.append(one)
        elif is_whole and (one.group_id, _content(one.rule)) not in before.planned:
            found.vanished.append(one)


def _compare_holders(bindings: Sequence[Binding], cloud: Cloud, found: _Found) -> None:
    """Find the holders that carry no group at all now."""
    readable = [one for one in bindings if one.kind in _CHANGEABLE and one.holder_id]
    found.unknown += [
        said("after.holder-unreadable", holder=_named(one))
        for one in bindings
        if one not in readable
    ]
    reads = parallel(
        [partial(caught, partial(cloud.read_holder, holder_of(one))) for one in readable]
    )
    for binding, groups in zip(readable, reads, strict=True):
        if isinstance(groups, CloudError):
            why = failure_of(groups)
            found.unknown.append(said("after.holder", holder=_named(binding), why=why))
        elif isinstance(groups, Exception):
            raise groups
        elif groups == ():
            found.bare.append(binding)


def _named(binding: Binding) -> Sentence:
    name = binding.holder_id or str(binding.count)
    return said("holder.named", kind=binding.kind, holder=name)


def _content(rule: Rule) -> Rule:
    """Return what a document tells of a rule: what its cloud alone understands is not in it."""
    return replace(rule, rule_id="", native=())


# -- answer ----------------------------------------------------------------------------------------


def _document(address: Address, before: _Before | None, found: _Found, *, is_there: bool) -> Json:
    known = None if before is None else before.record
    is_own = before is not None and before.is_own
    decision_id = known.decision_id if known is not None else ""
    summary = _summary(str(address), found, is_there=is_there, is_known=before is not None)
    return {
        "target": str(address),
        "still_there": is_there,
        "compared_with": decision_id,
        "compared_at": None if known is None else _time(known.at_s),
        "deleted_by": decision_id if is_own else "",
        "vanished": [values.reference_json(one) for one in found.vanished],
        "dangling": [values.reference_json(one) for one in found.dangling],
        "without_group": [values.binding_json(one) for one in found.bare],
        "unknown": [whole_english(one) for one in found.unknown],
        "restore": f"sgguard restore {decision_id}" if is_own and not is_there else "",
        "summary": whole_english(summary),
        "sentence": sentence_json(summary),
        "unknown_sentences": [sentence_json(one) for one in found.unknown],
    }


def _time(at_s: float) -> str:
    return values.time_json(datetime.fromtimestamp(at_s, UTC))


def _summary(address: str, found: _Found, *, is_there: bool, is_known: bool) -> Sentence:
    if is_there:
        return said("after.there", group=address)
    vanished, dangling, bare = len(found.vanished), len(found.dangling), len(found.bare)
    broken = [
        *([said("after.vanished", n=vanished)] if vanished else []),
        *([said("after.dangling", n=dangling)] if dangling else []),
        *([said("after.bare", n=bare)] if bare else []),
    ]
    if broken:
        return said("after.broken", group=address, broken=listed(broken))
    if not is_known or found.unknown:
        return said("after.doubtful", group=address)
    return said("after.intact", group=address)
