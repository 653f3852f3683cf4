"""A Neutron that has just started: until its policy rules are loaded, parallel first requests are
answered with an empty list, or with 404.
"""

from __future__ import annotations

import pytest

from tests.live.openstack.build import MEMBER
from tests.live.openstack.deliveries import Deliveries
from tests.live.openstack.stack import YOUNG

STARTS = 3


@pytest.mark.parametrize("who", [MEMBER, "alpha-reader", "admin"])
def test_the_first_decisions_about_groups_in_use_block(stack, tmp_path, who):
    alpha = stack.client(MEMBER)
    named, referrer, carried = (alpha.group(name) for name in ("named", "referrer", "carried"))
    alpha.rule(referrer, named)
    alpha.port(stack.networks[0], [carried])
    deliveries = Deliveries(stack, who, tmp_path, region=YOUNG)
    for start in range(STARTS):
        with stack.just_started():
            found = deliveries.delete(named, carried, event_id=f"first-{start}")
            codes = {one["code"] for one in found["reasons"]}
            assert found["verdict"] == "block"
            assert not codes & {"free", "not-found"}, f"{found['reasons']} at start {start}"
