"""Adding and removing one rule of a group; Neutron cannot modify a rule.

Neutron keeps no order of rules, and two that differ only in their descriptions are the same to it.
A rule belongs to the project that created it; a rule that an administrator adds to the group of
another project is assigned to that project, so that its members see it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.errors import InputError, NotFoundError
from sgguard.model.change import content
from sgguard.model.resource import Rule
from sgguard.providers.openstack.api import OpenStackApi, checked
from sgguard.wire.openstack.neutron.rule import RuleRow, parse_rule, project_of, rule_body

_READ = "GET /v2.0/security-groups/{id}"
_CREATE = "POST /v2.0/security-group-rules"
_DELETE = "DELETE /v2.0/security-group-rules/{id}"


def read_rules(api: OpenStackApi, group_id: str) -> list[RuleRow]:
    """Return every rule of the group, in the cloud's order.

    Raises:
        NotFoundError: there is no such group these credentials may see.
        UnknownShapeError: the response has no list of rules.
    """
    shape = api.shape(_READ)
    body = api.get(api.network(f"security-groups/{checked(group_id)}"), _READ)
    group = shape.table(shape.table(body, "answer").get("security_group"), "security_group")
    path = "security_group.security_group_rules"
    rows = shape.tables(group.get("security_group_rules"), path)
    return [parse_rule(row, shape, f"{path}[{n}]") for n, row in enumerate(rows)]


def add_rule(api: OpenStackApi, group_id: str, rule: Rule, *, sees_all: bool) -> None:
    """Add the rule.

    Raises:
        InputError: the rule has content that Neutron cannot express.
        ConflictError: a rule of the same effect exists; nothing was changed.
        NotFoundError: the group, or the group the rule names, does not exist or is not visible.
        LimitError: the project's quota of rules is used up.
    """
    (body,) = bodies(api, group_id, [rule], sees_all=sees_all)
    api.send("POST", api.network("security-group-rules"), _CREATE, {"security_group_rule": body})


def bodies(
    api: OpenStackApi, group_id: str, rules: Sequence[Rule], *, sees_all: bool
) -> list[dict[str, object]]:
    """Return what creates the rules in the group.

    Raises:
        InputError: one has content that Neutron cannot express.
        CloudError: the project of the group could not be read.
    """
    found: list[dict[str, object]] = []
    for rule in rules:
        body = rule_body(checked(group_id), rule)
        _require_exact(api, body, rule)
        found.append(body)
    project = _project_of_group(api, group_id) if sees_all else {}
    return [body | project for body in found]


def remove_rule(api: OpenStackApi, group_id: str, rule: Rule) -> None:
    """Delete the rule with this id and content; if no rule has the id, the one with this content.

    Raises:
        NotFoundError: there is no such rule, or no such group.
        ConflictError: it was changed since it was read.
    """
    delete_found(api, group_id, rule, read_rules(api, group_id))


def delete_found(api: OpenStackApi, group_id: str, rule: Rule, rows: Sequence[RuleRow]) -> None:
    """Delete a rule as :func:`remove_rule` does, found among the group's rules ``rows``."""
    named = [row for row in rows if row.rule.rule_id == rule.rule_id]
    found = _found(named or rows, rule)
    if found is None:
        raise NotFoundError(
            api.wire.provider, _DELETE, detail=f"group {group_id} has no such rule: {rule.rule_id}"
        )
    url = api.network(f"security-group-rules/{checked(found.rule.rule_id)}")
    api.send("DELETE", url, _DELETE, revision=found.revision)


def _found(rows: Sequence[RuleRow], rule: Rule) -> RuleRow | None:
    wanted = content(rule)
    return next((row for row in rows if content(row.rule) == wanted), None)


def _require_exact(api: OpenStackApi, body: dict[str, object], rule: Rule) -> None:
    """Raise unless the request expresses the whole rule: a part of it might permit more."""
    as_created = {"id": "new", "remote_group_id": None, **body}
    made = parse_rule(as_created, api.shape(_CREATE)).rule
    if content(made) != content(rule):
        raise InputError(f"no rule of Neutron says what {rule.rule_id or 'the rule'} says")


def _project_of_group(api: OpenStackApi, group_id: str) -> dict[str, str]:
    """Return the project of a group, where it is another than the token's own."""
    shape = api.shape(_READ)
    url = api.network(f"security-groups/{group_id}")
    body = api.get(url, _READ, [("fields", "project_id"), ("fields", "tenant_id")])
    group = shape.table(shape.table(body, "answer").get("security_group"), "security_group")
    project = project_of(group, shape, "security_group")
    return {"project_id": project} if project not in ("", api.token().project_id) else {}
