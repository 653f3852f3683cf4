"""What is documented of Tencent's API 2.0, and what none of its calls tells."""

from __future__ import annotations

from sgguard.model.capabilities import Capabilities
from sgguard.model.sentence import said

BLIND_SPOTS = (
    said("spot.dfw-products"),
    said("spot.dfw-templates"),
    said("spot.dfw-cam"),
)
CAPABILITIES = Capabilities(
    provider="tencent-dfw",
    on_delete_referenced="refused",
    # The delete page has a code for the default group and none for a group that is in use.
    refused_with="",
    default_refused_with="7006",
    group_limit_per="instance",
    orders_groups=True,
    # forced=1 of DeleteSecurityGroup; newer pages leave it out.
    can_force_delete=True,
    replaces_groups=True,
    rules_together="alike",
    group_id_example="sg-5ua9adfv",
    rule_limit_per="direction",
    has_projects_apart=False,  # as in the provider tencent
    blind_spots=BLIND_SPOTS,
)
