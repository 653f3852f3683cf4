"""Rules in the parameters of a call: ``Permissions.N``, or the older flat parameters.

Source: AuthorizeSecurityGroup and AuthorizeSecurityGroupEgress, alibabacloud.com/help/en/ecs, every
revision up to 2026-01.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sgguard.emulator.faces.alibaba.call import Call
from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.state import Group, Rule

PERMISSIONS_MAX = 100
PROTOCOLS = frozenset({"tcp", "udp", "icmp", "icmpv6", "gre", "all"})
PEER_SIDE = {"ingress": "Source", "egress": "Dest"}
OWN_SIDE = {"ingress": "Dest", "egress": "Source"}

_PORT_MAX = 65535
_PROTOCOL_MAX = 255
_PRIORITIES = range(1, 101)
_DESCRIPTION_MAX = 512
_NUMBERED = re.compile(r"Permissions\.([0-9]+)\.([A-Za-z0-9]+)")
_FLAT = ("IpProtocol", "PortRange", "SourceGroupId", "DestGroupId", "SourceCidrIp", "DestCidrIp")


@dataclass(frozen=True, slots=True)
class RuleParams:
    """The parameters of one rule by name, with the group and direction of the call."""

    call: Call
    group: Group
    direction: str
    members: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return a parameter, empty where it is left out."""
        return self.members.get(name, "")

    def rule(self) -> Rule:
        """Return the rule it describes.

        Raises:
            RefusedError: the documented error of the first check that fails.
        """
        peer_side, own_side = PEER_SIDE[self.direction], OWN_SIDE[self.direction]
        ipv4, ipv6 = self.get(f"{peer_side}CidrIp"), self.get(f"Ipv6{peer_side}CidrIp")
        if ipv4 and ipv6:
            raise _invalid(f"InvalidParam.{peer_side}Ip")
        template = self.get(f"{peer_side}PrefixListId")
        if not (ipv4 or ipv6 or template or self.get(f"{peer_side}GroupId")):
            raise RefusedError(
                f"MissingParameter.{peer_side}", f"One of the {peer_side} members must be set."
            )
        nic = self._nic()
        # Precedence of the API: address range, then group, then prefix list.
        peer = "" if ipv4 or ipv6 else self._peer(nic)
        protocol = self._protocol()
        return Rule(
            direction=self.direction,
            protocol="any" if protocol == "all" else protocol,
            ports=self._ports(protocol),
            cidr=ipv4 or ipv6,
            ethertype="IPv6" if ipv6 else "IPv4",
            peer_group=peer,
            peer_account=self._owner() if peer else "",
            template="" if ipv4 or ipv6 or peer else template,
            action=self._policy(),
            priority=self._priority(),
            description=self._description(),
            nic=nic,
            source_ports=_ports_of(self.get("SourcePortRange"), "SourcePortRange", protocol),
            near_cidr=self.get(f"{own_side}CidrIp") or self.get(f"Ipv6{own_side}CidrIp"),
        )

    def _peer(self, nic: str) -> str:
        peer_side = PEER_SIDE[self.direction]
        group_id = self.get(f"{peer_side}GroupId")
        if not group_id:
            return ""
        if nic != "intranet":
            message = "NicType is required or NicType expects intranet."
            raise RefusedError(f"Invalid{peer_side}GroupId.Mismatch", message, 403)
        if group_id == self.group.id:
            is_ingress = self.direction == "ingress"
            code = "InvalidParamter.Conflict" if is_ingress else "InvalidSecurityGroup.IsSame"
            raise RefusedError(code, "The specified groups should be different.", 403)
        if self.group.kind == "advanced":
            message = (
                "The attributes Policy, SourceGroupId, DestGroupId of enterprise level security "
                "groups are not allowed to be set or modified."
            )
            raise RefusedError("InvalidGroupParameter.OperationDenied", message)
        self._require_peer(peer_side, group_id)
        return group_id

    def _require_peer(self, peer_side: str, group_id: str) -> None:
        peer = self.call.cloud.group(group_id)
        owner = self._owner() or self.call.account.id
        if peer is None or peer.account != owner or peer.region != self.group.region:
            message = f"The {peer_side}GroupId provided does not exist in our records."
            raise RefusedError(f"Invalid{peer_side}GroupId.NotFound", message, 404)
        if peer.kind == "advanced":
            message = "The security group can not authorize to enterprise level security group."
            raise RefusedError("InvalidGroupAuthParameter.OperationDenied", message)
        if peer.account == self.group.account and peer.network != self.group.network:
            message = "Specified security group and the other group are not in the same VPC."
            raise RefusedError(f"Invalid{peer_side}GroupId.Mismatch", message)

    def _owner(self) -> str:
        peer_side = PEER_SIDE[self.direction]
        return self.get(f"{peer_side}GroupOwnerId") or self.get(f"{peer_side}GroupOwnerAccount")

    def _nic(self) -> str:
        nic = self.get("NicType") or ("intranet" if self.group.network else "internet")
        if nic not in ("internet", "intranet") or (self.group.network and nic != "intranet"):
            raise _invalid("InvalidNicType.ValueNotSupported")
        return nic

    def _protocol(self) -> str:
        protocol = self.get("IpProtocol").lower()
        is_number = protocol.isdigit() and int(protocol) <= _PROTOCOL_MAX
        if protocol not in PROTOCOLS and not is_number:
            raise _invalid("InvalidIpProtocol.ValueNotSupported")
        return protocol

    def _ports(self, protocol: str) -> str:
        if not self.get("PortRange") and (port_list := self.get("PortRangeListId")):
            return port_list
        if not self.get("PortRange"):
            raise _invalid("InvalidPortRange.Malformed")
        return _ports_of(self.get("PortRange"), "PortRange", protocol) or "any"

    def _policy(self) -> str:
        policy = self.get("Policy").lower() or "accept"
        if policy not in ("accept", "drop"):
            raise _invalid("InvalidPolicy.Malformed")
        return policy

    def _priority(self) -> int:
        text = self.get("Priority") or "1"
        if not text.isdigit() or int(text) not in _PRIORITIES:
            raise _invalid("InvalidPriority.ValueNotSupported")
        return int(text)

    def _description(self) -> str:
        if len(self.get("Description")) > _DESCRIPTION_MAX:
            raise _invalid("InvalidSecurityGroupDiscription.Malformed")
        return self.get("Description")


def rule_params(call: Call, group: Group, direction: str) -> list[RuleParams]:
    """Return the rules of a request: up to a hundred numbered ones, or a single flat one.

    Raises:
        RefusedError: both at once, too many, or none.
    """
    numbered: dict[int, dict[str, str]] = {}
    for name, value in call.params.items():
        if found := _NUMBERED.fullmatch(name):
            numbered.setdefault(int(found[1]), {})[found[2]] = value
    is_flat = any(call.params.get(name) for name in _FLAT)
    if numbered and is_flat:
        message = "The specified parameter Permissions cannot coexist with other parameters."
        raise RefusedError("InvalidParam.Permissions", message)
    if not (numbered or is_flat):
        raise RefusedError("MissingParameter", 'The input parameter "Permissions" is missing.')
    if len(numbered) > PERMISSIONS_MAX:
        raise _invalid("InvalidParam.Permissions")
    members = [numbered[n] for n in sorted(numbered)] or [dict(call.params)]
    return [RuleParams(call, group, direction, one) for one in members]


def identity(rule: Rule) -> tuple[str | int, ...]:
    """Return what identifies a rule in its group: everything but id and description."""
    return (
        *(rule.direction, rule.protocol, rule.ports, rule.cidr, rule.ethertype, rule.peer_group),
        *(rule.template, rule.action, rule.priority, rule.nic, rule.source_ports, rule.near_cidr),
    )


def _ports_of(text: str, name: str, protocol: str) -> str:
    """Return a range as the state has it, empty for every port."""
    if text in ("", "-1/-1"):
        return ""
    first, _, last = text.partition("/")
    is_range = first.isdigit() and last.isdigit() and int(first) <= int(last) <= _PORT_MAX
    if not is_range:
        raise _invalid(f"Invalid{name}.Malformed")
    if protocol not in ("tcp", "udp") and not protocol.isdigit():
        message = (
            "The specified IpProtocol does not exist or IpProtocol and PortRange do not match."
        )
        raise RefusedError("OperationDenied", message)
    return first if first == last else f"{first}-{last}"


def _invalid(code: str) -> RefusedError:
    return RefusedError(code, "The specified parameter is not valid.")
