"""Random clouds of OpenStack with what a reader of its lists can be misled by.

Rows that a page limit cuts away behind hidden ones, lists that the policy empties, a Neutron that
has just started, and groups that a port carries in the field of an extension.
"""

from __future__ import annotations

from dataclasses import replace

from sgguard.emulator.state import Cloud, Rule
from tests.false_verdicts.kinds import OPENSTACK, Kind
from tests.false_verdicts.random_source import RandomSource

_DENIED = (
    ["GET /v2.0/*"],
    ["GET /v2.0/security-group*"],
    ["GET /v2.0/security-group-rules"],
    ["GET /v2.0/security-groups"],
    ["GET /v2.0/ports"],
    ["GET /v2.0/rbac-policies"],
)


def _quirks(rng: RandomSource, cloud: Cloud) -> bool:
    """Add the dimensions; return whether the cloud now hides something from its readers."""
    is_hiding = OPENSTACK.quirks(rng, cloud)
    if rng.chance(0.5):
        _hidden_rows(rng, cloud)
    if rng.chance(0.15):
        ports = rng.part([port.id for port in cloud.interfaces], 0.5)
        field = rng.choice(["provider_security_groups", "vendor:profile"])
        cloud.quirks["group_fields"] = dict.fromkeys(ports, field)
        if field.startswith("vendor"):
            is_hiding = True
            # Without a filter that works, nothing at all tells of such a port.
            for name in ("refused_filters", "ignored_filters", "ignores_unknown_filters"):
                cloud.quirks.pop(name, None)
    if rng.chance(0.1):
        cloud.accounts[0].denied = rng.choice(_DENIED)
        is_hiding = True
    if rng.chance(0.1):
        cloud.quirks["policy_unloaded"] = rng.randint(1, 12)
        is_hiding = True
    return is_hiding


def _hidden_rows(rng: RandomSource, cloud: Cloud) -> None:
    """Let foreign rules name a group among its own: they were made while it was shared."""
    cloud.quirks["page_max"] = rng.choice([1, 2, 3])
    cloud.limits["rules-per-project"] = -1
    named = [(group, rule) for group in cloud.groups for rule in group.rules if rule.peer_group]
    for group, rule in named:
        elsewhere = [
            one
            for one in cloud.groups
            if one.project != group.project and one.region == group.region
        ]
        if elsewhere and rng.chance(0.5):
            foreign = rng.choice(elsewhere)
            for _ in range(rng.randint(1, 3)):
                port = str(8000 + len(foreign.rules))  # Neutron refuses the same rule twice
                foreign.rules.append(
                    Rule(
                        "ingress",
                        rng.uuid(),
                        protocol="tcp",
                        ports=port,
                        peer_group=rule.peer_group,
                    )
                )


TROUBLED: Kind = replace(OPENSTACK, quirks=_quirks)
