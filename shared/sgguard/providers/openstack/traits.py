"""How OpenStack behaves and what it cannot tell: documented, not read.

Sources: the Networking API reference v2.0 (https://docs.openstack.org/api-ref/network/v2/), its
answers on Neutron 29 and Nova 34, https://docs.openstack.org/neutron/latest/admin/ (read 2026-11).
"""

from __future__ import annotations

from sgguard.model.resource import Traits

TRAITS = Traits(
    provider="openstack",
    on_delete_referenced="cascades",
    refused_with="SecurityGroupInUse",
    default_refused_with="SecurityGroupCannotRemoveDefault",
    foreign_refused_with="PolicyNotAuthorized",
    group_limit_per="interface",
    primary_holder="port",
    group_id_example="1dd6e298-5f3a-4d0b-9a52-6f1c2d3e4f50",
    blind_spots=(
        "A project's token shows no rules or ports of other projects, and often no sign of them.",
        "A server that is just being built carries its groups only once its ports exist.",
        "Heat, Magnum, Senlin and Trove keep group ids or names in templates that no port shows.",
        "Default rules for new groups (default-security-group-rules) may name the group.",
    ),
)
