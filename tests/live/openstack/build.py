"""A random cloud of the false-verdict search, built on the real Neutron.

An administrator builds all of it, each thing with the project it belongs to: so rules and ports can
name groups of other projects that are not shared, or not any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count

import httpx

from sgguard.emulator.state import Cloud, Group, Interface, Rule
from tests.false_verdicts.random_source import RandomSource
from tests.live.openstack.stack import SERVERS, Client, Stack

MEMBER = "alpha"
"""Whose groups most groups of a cloud are; ``beta`` has the others."""

GROUPS_MAX = 25


def is_buildable(cloud: Cloud) -> bool:
    """Whether the cloud is small enough to be built for one or a few decisions."""
    return len(cloud.groups) <= GROUPS_MAX and len(cloud.instances) <= SERVERS


@dataclass(frozen=True)
class Builder:
    """What the random cloud calls its things, and what they are on the real one."""

    stack: Stack
    admin: Client
    rng: RandomSource
    projects: Mapping[str, str]
    """The project of the real cloud, by that of the random one."""
    ids: dict[str, str]

    def build(self, cloud: Cloud) -> None:
        """Make everything; what Neutron does not permit to exist is left out."""
        groups = [group for group in cloud.groups if group.project in self.projects]
        self._groups(groups)
        for group in groups:
            hidden = cloud.quirks.get("shared_by_admin", [])
            self._share(group, is_by_admin=group.id in hidden)
        for group in groups:
            self._rules(group)
        if self.rng.chance(0.7):
            self._hidden_rules(cloud)
        self._ports(cloud)

    def _hidden_rules(self, cloud: Cloud) -> None:
        """Rules of another project that name groups whose owner can see no sign of it.

        Where the server pages, they are what hides rules of the owner.
        """
        mine = [group for group in cloud.groups if self._is_private(group)]
        named = [group for group in mine if cloud.references(group.id)]
        body = {"name": "foreign", "project_id": self.stack.project("beta")}
        foreign = self.admin.made("security-groups", {"security_group": body})["id"]
        rows = [
            {
                "security_group_id": foreign,
                "project_id": self.stack.project("beta"),
                "direction": "ingress",
                "protocol": "tcp",
                "port_range_min": port,
                "port_range_max": port,
                "remote_group_id": self.ids[group.id],
            }
            for group in self.rng.some(named or mine, 1, 3)
            for port in range(1, 9)
        ]
        if rows:
            self.admin.made("security-group-rules", {"security_group_rules": rows})

    def _is_private(self, group: Group) -> bool:
        is_mine = self.projects.get(group.project) == self.stack.project(MEMBER)
        return is_mine and not group.shared_with

    def _groups(self, groups: Iterable[Group]) -> None:
        rows = []
        is_mixed = self.rng.chance(0.4)
        for group in groups:
            project = self.projects[group.project]
            if group.default:
                found = self.admin.call(
                    "GET", "security-groups", name="default", project_id=project
                )
                (row,) = found.json()["security_groups"]
                if row["id"] not in self.ids.values():
                    self.ids[group.id] = row["id"]
                    continue
            is_stateful = not (is_mixed and self.rng.chance(0.5))
            # A project has one default group, and no other of that name.
            name = f"further-{len(rows)}" if group.default else group.name
            row = {"name": name, "project_id": project, "stateful": is_stateful}
            rows.append((group.id, row))
        if not rows:
            return
        made = self.admin.made("security-groups", {"security_groups": [row for _, row in rows]})
        # Names are numbered, so they tell which is which.
        by_name = {(row["name"], row["project_id"]): row["id"] for row in made}
        for group_id, row in rows:
            self.ids[group_id] = by_name[row["name"], row["project_id"]]

    def _share(self, group: Group, *, is_by_admin: bool) -> None:
        targets = {self.projects.get(target, target): None for target in group.shared_with}
        for project in targets:
            if project in ("*", *self.projects.values()):
                owner = self.admin.project if is_by_admin else self.projects[group.project]
                self.admin.share(self.ids[group.id], project, project_id=owner)

    def _rules(self, group: Group) -> None:
        rows = [self._rule(group, rule) for rule in group.rules]
        different = list({repr(sorted(row.items())): row for row in rows}.values())
        if not different:
            return
        body = {"security_group_rules": different}
        response = self.admin.call("POST", "security-group-rules", body)
        if response.status_code == httpx.codes.CREATED:
            return
        # One of them is like a rule that every group has: then each goes by itself.
        for row in different:
            response = self.admin.call("POST", "security-group-rules", {"security_group_rule": row})
            assert response.status_code in (httpx.codes.CREATED, httpx.codes.CONFLICT), (
                response.text
            )

    def _rule(self, group: Group, rule: Rule) -> dict[str, object]:
        row: dict[str, object] = {
            "security_group_id": self.ids[group.id],
            "direction": rule.direction,
            "ethertype": "IPv6" if ":" in rule.cidr else "IPv4",
            "project_id": self.projects[group.project],
        }
        if self.rng.chance(0.05):
            row["project_id"] = self.admin.project  # a rule that an administrator added
        if rule.protocol != "any":
            row["protocol"] = (
                "ipv6-icmp" if rule.protocol == "icmp" and ":" in rule.cidr else (rule.protocol)
            )
        if rule.ports != "any":
            low, _, high = rule.ports.partition("-")
            row |= {"port_range_min": int(low), "port_range_max": int(high or low)}
        if rule.peer_group:
            row["remote_group_id"] = self.ids.get(rule.peer_group, self.ids[group.id])
        elif rule.cidr:
            row["remote_ip_prefix"] = rule.cidr
        return row

    def _ports(self, cloud: Cloud) -> None:
        servers = {who: iter(ids) for who, ids in self.stack.servers.items()}
        names = {project: who for who, project in self._names()}
        for instance in cloud.instances:
            project = self.projects.get(instance.project)
            if project is not None:
                self.ids[instance.id] = next(servers[names[project]])
        stateful = {
            row["id"]: row["stateful"] for row in self.stack.rows("SELECT * FROM securitygroups")
        }
        rows = [
            self._port(interface, cloud, stateful)
            for interface in cloud.interfaces
            if interface.project in self.projects
        ]
        if rows:
            self.admin.made("ports", {"ports": rows})

    def _names(self) -> list[tuple[str, str]]:
        return [(who, self.stack.project(who)) for who in ("alpha", "beta")]

    def _port(
        self, interface: Interface, cloud: Cloud, stateful: Mapping[str, int]
    ) -> dict[str, object]:
        groups = [self.ids[one] for one in interface.groups if one in self.ids]
        # Neutron takes groups of one kind only.
        groups = [one for one in groups if stateful[one] == stateful[groups[0]]]
        row: dict[str, object] = {
            "name": interface.name,
            "project_id": self.projects[interface.project],
            "network_id": self.stack.networks[interface.network == "vpc-2"],
            "security_groups": groups,
            "device_owner": "compute:nova" if interface.instance else interface.owner,
            "device_id": self.ids.get(interface.instance, ""),
        }
        is_unprotected = interface.id in cloud.quirks.get("unprotected_ports", [])
        if is_unprotected or str(row["device_owner"]).startswith("network:"):
            # Neutron trusts its own ports: none of them has port security, or can carry a group.
            del row["security_groups"]
            row["port_security_enabled"] = False
        return row


def build(stack: Stack, cloud: Cloud, seed: str) -> None:
    """Make the cloud of a seed; the caller's project becomes ``alpha``, the other ``beta``."""
    own, *others = [account.projects[0] for account in cloud.accounts]
    numbers = count()
    projects = {own: stack.project(MEMBER)}
    for project in others:
        if project not in projects and next(numbers) == 0:
            projects[project] = stack.project("beta")
    Builder(stack, stack.client("admin"), RandomSource(f"live {seed}"), projects, {}).build(cloud)
