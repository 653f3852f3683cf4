"""Lists that a server cuts: two rows a page, and rows of other projects hidden from the token.

Neutron reads a page of rules with an administrator's eyes, hides what the token may not see, and
computes the link to the next page from the rows that are left. So a page with a hidden row has no
link, and the rows behind it are never shown.
"""

from __future__ import annotations

import pytest

from tests.live.openstack.deliveries import Deliveries
from tests.live.openstack.judge import delete
from tests.live.openstack.stack import PAGED, WHOLE

MEMBERS = ["alpha", "alpha-reader"]


@pytest.fixture
def cloud(stack):
    return HiddenRows(stack)


class HiddenRows:
    """Two groups of a project that its own group names; foreign groups name one of them as well.

    ``shared`` was shared when the foreign rules were made, and is not any more. Rules are listed in
    the order of their ids: the project's own ones come after two that are hidden.
    """

    def __init__(self, stack):
        self.stack = stack
        alpha, beta = stack.client("alpha"), stack.client("beta")
        self.shared, self.private = alpha.group("shared"), alpha.group("private")
        self.referrer = alpha.group("referrer")
        policy = alpha.share(self.shared, beta.project)
        foreign = beta.group("foreign")
        hidden = sorted(beta.rule(foreign, self.shared, port) for port in range(1, 4))
        alpha.call("DELETE", f"rbac-policies/{policy}")
        self.own_rules = {
            peer: self._rule_after(hidden[1], peer) for peer in (self.shared, self.private)
        }

    def _rule_after(self, least, peer):
        alpha = self.stack.client("alpha")
        while (rule := alpha.rule(self.referrer, peer)) < least:
            alpha.call("DELETE", f"security-group-rules/{rule}")
        return rule


def test_neutron_hides_the_own_rule_behind_a_hidden_one(cloud):
    """What all of this is about; if it fails, Neutron was mended."""
    alpha = cloud.stack.client("alpha", PAGED)
    body = alpha.call("GET", "security-group-rules", remote_group_id=cloud.shared).json()
    assert body["security_group_rules"] == []
    assert "next" not in [link["rel"] for link in body.get("security_group_rules_links", [])]


@pytest.mark.parametrize("region", [WHOLE, PAGED])
@pytest.mark.parametrize("who", MEMBERS)
def test_an_own_rule_behind_hidden_ones_blocks(cloud, tmp_path, who, region):
    found = Deliveries(cloud.stack, who, tmp_path, region=region).delete(cloud.shared)
    assert found["verdict"] == "block"


def test_the_delete_would_have_taken_the_own_rule_along(cloud):
    done = delete(cloud.stack, cloud.stack.client("alpha"), cloud.shared)
    assert done.is_done
    assert (cloud.referrer, cloud.own_rules[cloud.shared]) in done.vanished


@pytest.mark.parametrize("region", [WHOLE, PAGED])
@pytest.mark.parametrize("who", MEMBERS)
def test_a_group_is_not_free_because_it_is_read_together_with_one_that_hides_rows(
    cloud, tmp_path, who, region
):
    deliveries = Deliveries(cloud.stack, who, tmp_path, region=region)
    found = deliveries.delete(cloud.shared, cloud.private)
    assert found["verdict"] == "block"
    free = [one["target"] for one in found["reasons"] if one["code"] == "free"]
    assert f"openstack::{region}:{cloud.private}" not in free


@pytest.mark.parametrize("region", [WHOLE, PAGED])
def test_an_administrator_sees_every_rule(cloud, tmp_path, region):
    found = Deliveries(cloud.stack, "admin", tmp_path, region=region).delete(cloud.shared)
    (consequence,) = found["consequences"]
    done = delete(cloud.stack, cloud.stack.client("alpha"), cloud.shared)
    named = {(one["group_id"], one["rule"]["rule_id"]) for one in consequence["vanishing"]}
    assert named == done.vanished
    assert len(named) == 4
