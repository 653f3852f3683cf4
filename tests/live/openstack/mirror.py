"""What Neutron's database holds, as the state that the false-verdict search takes for the truth."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sgguard.emulator.state import Account, Cloud, Group, Instance, Interface, Rule
from tests.false_verdicts.case import Case
from tests.live.openstack.stack import Stack

_GROUPS = """
    SELECT g.id, g.name, g.project_id, g.stateful, d.project_id IS NOT NULL AS is_default
    FROM securitygroups AS g LEFT JOIN default_security_group AS d ON d.security_group_id = g.id
    ORDER BY g.standard_attr_id"""
_RULES = "SELECT * FROM securitygrouprules ORDER BY standard_attr_id"
_PORTS = "SELECT * FROM ports ORDER BY standard_attr_id"
_BINDINGS = "SELECT * FROM securitygroupportbindings ORDER BY port_id, security_group_id"
_SHARES = "SELECT * FROM securitygrouprbacs ORDER BY target_project"


def case_on(stack: Stack, who: str, region: str, seed: str) -> Case:
    """What is there now, for decisions that one user asks for; the request is to be filled in."""
    cloud = cloud_of(stack, region)
    role = "reader" if who.endswith("-reader") else "admin" if who == "admin" else "member"
    caller = Account(who, projects=[stack.project(who)], role=role)
    cloud.accounts = [caller]
    return Case(seed, cloud, stack.env(who), caller, region)


def cloud_of(stack: Stack, region: str) -> Cloud:
    """Everything that is in the database, in the order in which it was made."""
    shares = defaultdict(list)
    for row in stack.rows(_SHARES):
        shares[row["object_id"]].append(row)
    groups = [
        Group(
            row["id"],
            row["name"],
            region=region,
            project=row["project_id"],
            default=bool(row["is_default"]),
            # The whole word is the kind; Neutron mixes none.
            kind="" if row["stateful"] else "stateless",
            shared_with=[share["target_project"] for share in shares[row["id"]]],
        )
        for row in stack.rows(_GROUPS)
    ]
    _fill(groups, [dict(row) for row in stack.rows(_RULES)])
    # A policy is shown to the project that made it.
    hidden = [
        group.id
        for group in groups
        if shares[group.id]
        and all(share["project_id"] != group.project for share in shares[group.id])
    ]
    cloud = Cloud("openstack", [region], groups=groups, quirks={"shared_by_admin": hidden})
    cloud.interfaces = _interfaces(stack, region)
    servers = [
        Instance(one, region=region, project=stack.project(who))
        for who, ids in stack.servers.items()
        for one in ids
    ]
    cloud.instances = servers
    return cloud


def _fill(groups: list[Group], rows: list[dict[str, Any]]) -> None:
    by_id = {group.id: group for group in groups}
    for row in rows:
        low, high = row["port_range_min"], row["port_range_max"]
        rule = Rule(
            row["direction"],
            row["id"],
            protocol=row["protocol"] or "any",
            ports="any" if low is None else f"{low}-{high}",
            cidr=row["remote_ip_prefix"] or "",
            peer_group=row["remote_group_id"] or "",
            ethertype=row["ethertype"],
            project=row["project_id"],
        )
        by_id[row["security_group_id"]].rules.append(rule)


def _interfaces(stack: Stack, region: str) -> list[Interface]:
    carried = defaultdict(list)
    for row in stack.rows(_BINDINGS):
        carried[row["port_id"]].append(row["security_group_id"])
    return [
        Interface(
            row["id"],
            carried[row["id"]],
            instance=row["device_id"] if row["device_owner"].startswith("compute:") else "",
            owner=row["device_owner"],
            name=row["name"],
            region=region,
            project=row["project_id"],
            network=row["network_id"],
        )
        for row in stack.rows(_PORTS)
    ]
