"""Adding and removing one rule of a group: VPC v3, and v2.0 in regions without it.

Rules have ids and no revision, and the APIs used here cannot modify a rule. The cloud refuses a
second rule of the same effect, whatever its description; so a rule's content identifies it within
its group. https://support.huaweicloud.com/intl/en-us/api-vpc/vpc_apiv3_0016.html (read
2026-11).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sgguard.errors import ConflictError, ForbiddenError, NotFoundError, UnknownShapeError
from sgguard.model.change import content
from sgguard.model.failure import explained
from sgguard.model.resource import Rule
from sgguard.model.sentence import as_told, said
from sgguard.providers.huawei import listing, proof, response
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.wire.openstack.neutron.rule import RuleRow, rule_body
from sgguard.wire.shape import Json, Shape

_RULE = listing.RULES.one
_RULE_V2 = listing.RULES_V2.one
_KEY = "security_group_rule"
_ONLY_V2 = ("port_range_min", "port_range_max")
_ACTIONS = {"accept": "allow", "drop": "deny"}

_Parse = Callable[[object, Shape, str], RuleRow]


def add_rule(api: Api, group_id: str, rule: Rule) -> None:
    """Add a rule to a group.

    Raises:
        ConflictError: a rule of the same effect exists; nothing was changed.
        UnknownShapeError: the cloud created another rule than the one sent.
    """
    unless_absent(partial(_add_v3, api, group_id, rule), partial(_add_v2, api, group_id, rule))


def remove_rule(api: Api, group_id: str, rule: Rule) -> None:
    """Remove a rule from a group: the one of its id and content, else the one of its content.

    Raises:
        NotFoundError: the group has no such rule.
        ConflictError: the rule of that id has another content now, and no other rule has this one.
        UnknownShapeError: a field of it is not understood, so no undo could bring it back.
    """
    remove_found(api, group_id, rule, read_rules(api, group_id))


def remove_found(api: Api, group_id: str, rule: Rule, rules: Sequence[Rule]) -> None:
    """Remove a rule as :func:`remove_rule` does, found among all ``rules`` of the group."""
    alike = [one for one in rules if content(one) == content(rule)]
    if not alike:
        is_changed = any(one.rule_id == rule.rule_id for one in rules)
        kind = ConflictError if is_changed else NotFoundError
        why = "is no longer what it was" if is_changed else "is not there"
        raise _error(kind, api, f"DELETE {_RULE}", f"rule {rule.rule_id} of {group_id} {why}")
    found = next((one for one in alike if one.rule_id == rule.rule_id), alike[0])
    if odd := [name for name, _ in found.native if name.startswith(response.ODD)]:
        why = f"rule {found.rule_id} of {group_id} could not be made again: {', '.join(odd)}"
        raise UnknownShapeError(api.wire.provider, f"DELETE {_RULE}", words=why)
    delete_rule(api, found.rule_id)


def delete_rule(api: Api, rule_id: str) -> None:
    """Delete the rule of an id.

    Raises:
        NotFoundError: there is none.
    """
    unless_absent(partial(api.delete, _RULE, rule_id), partial(api.delete, _RULE_V2, rule_id))


def read_rules(api: Api, group_id: str) -> list[Rule]:
    """Return the group's own rules, all of them.

    Raises:
        ForbiddenError: nothing proves that these are all, so none is "gone".
    """
    seen = proof.own_rules(api, group_id)
    if seen.unseen:
        why = seen.unseen[0].why
        words = f"the rules of {group_id} could not be read: {as_told(why)}"
        error = ForbiddenError(api.wire.provider, f"GET {listing.RULES.path}", words=words)
        told = said("why.rules-unread", text=str(error), group=group_id, why=why)
        raise explained(error, told)
    return [row.rule for row in seen.value]


def _add_v3(api: Api, group_id: str, rule: Rule) -> None:
    _create(api, listing.RULES.path, body_v3(group_id, rule), response.parse_rule, rule)


def body_v3(group_id: str, rule: Rule) -> Json:
    """Return what creates a rule in VPC v3."""
    body = {k: v for k, v in rule_body(group_id, rule).items() if k not in _ONLY_V2}
    body["action"] = _ACTIONS[rule.action]
    if rule.ports != "any":
        body["multiport"] = rule.ports
    if rule.priority is not None:
        body["priority"] = rule.priority
    if not rule.is_enabled:
        # Sent only where needed: Open Telekom Cloud and partners do not know the key.
        body["enabled"] = False
    return body


def _add_v2(api: Api, group_id: str, rule: Rule) -> None:
    if rule.priority is not None or rule.action != "accept" or not rule.is_enabled:
        why = "v2.0 has no priority, no denial and no switch, and this region has no v3 any more"
        raise _error(ConflictError, api, f"POST {listing.RULES_V2.path}", why)
    body = rule_body(group_id, rule)
    _create(api, listing.RULES_V2.path, body, response.parse_rule_v2, rule)


def _create(api: Api, path: str, body: Json, parse: _Parse, rule: Rule) -> None:
    """Send a new rule and compare the created one.

    A cloud that ignores a member (a switch, a priority) creates another rule.
    """
    result = api.change("POST", path, {_KEY: body})
    shape = Shape(api.wire.provider, f"POST {path}")
    made = parse(result.get(_KEY), shape, _KEY)
    if content(made.rule) != content(rule) or made.group_id != body["security_group_id"]:
        raise shape.wrong(f"{_KEY}: rule {made.rule.rule_id} was made, which is not the one sent")


def _error(kind: type[ConflictError | NotFoundError], api: Api, action: str, why: str) -> Exception:
    return kind(api.wire.provider, action, detail=why)
