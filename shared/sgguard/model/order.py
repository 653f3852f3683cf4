"""The one order in which references, bindings and gaps are shown, however a cloud lists them.

By what identifies each, then by everything else that is shown of it: two that differ in anything
are never in an order that depends on how they were read.
"""

from __future__ import annotations

from sgguard.model.resource import Binding, Reference, Rule, Unseen
from sgguard.model.sentence import Text

Key = tuple[object, ...]


def reference_key(one: Reference) -> Key:
    """Return what references are ordered by: the group that holds the rule, then the rule."""
    return (
        one.group_id,
        one.group_name is None,
        one.group_name or "",
        one.account,
        one.project,
        _rule_key(one.rule) if one.rule else (),
        one.tags or (),
    )


def binding_key(one: Binding) -> Key:
    """Return what bindings are ordered by: the kind of holder, then its id."""
    return (
        one.kind,
        one.holder_id,
        one.name,
        one.instance_id,
        one.owner,
        one.project,
        one.count,
        one.other_group_ids or (),
        *_text_key(one.change_refusal),
    )


def unseen_key(one: Unseen) -> Key:
    """Return what gaps are ordered by: their code, then what was not seen and why."""
    return (one.code, *map(_text_key, (one.what, one.why, one.remedy)), one.group_id)


def _text_key(text: Text) -> Key:
    """Texts as they are, before sentences by their code and arguments."""
    return ("", text) if isinstance(text, str) else (text.code, repr(text.args))


def _rule_key(rule: Rule) -> Key:
    priority = -1 if rule.priority is None else rule.priority
    return (
        rule.rule_id,
        rule.direction,
        rule.protocol,
        rule.ports,
        rule.peer_group,
        rule.peer,
        rule.action,
        priority,
        rule.description,
        rule.is_enabled,
        rule.native,
    )
