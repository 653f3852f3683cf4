"""How Huawei Cloud and Open Telekom Cloud behave, and what no API of theirs tells.

Sources: the VPC and ECS user guides and API references of both clouds (read 2026-11). What a
delete of a group that is only referenced does is unknown: the guides say it is refused, the API's
error table lists only groups that ports carry, and OpenStack beneath it deletes the rules.
"""

from __future__ import annotations

from sgguard.model.resource import Traits

TRAITS = Traits(
    provider="huawei",
    on_delete_referenced="unknown",
    refused_with="VPC.9902",
    group_limit_per="interface",
    primary_holder="interface",
    orders_groups=True,
    group_id_example="b3e4b615-a40f-4e1c-92af-2e0d382141d5",
    blind_spots=(
        "AS configurations and launch templates keep group ids that no interface shows.",
        "Databases and other products show as ports only while they run.",
        "Rules and interfaces of enterprise projects these credentials may not see do not appear.",
        "What other accounts do with a shared VPC or group does not appear.",
        "What was made in the last seconds may not appear yet.",
    ),
)
