"""What brings an OpenStack group back as it was (tags, kind, sharing), and which holders refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.model.resource import Limit
from sgguard.model.sentence import said
from sgguard.render.language.sentence import whole_english
from sgguard.wire.openstack.neutron import Quota, parse_group, parse_quotas, tag_texts
from sgguard.wire.shape import Shape
from tests.providers.test_openstack_completeness import (
    add_ports,
    connect,
    emulator,
    share,
    state,
)
from tests.worlds import openstack as w

SHAPE = Shape("openstack", "GET /v2.0/security-groups")
TAGS = ["a=", "=", "=b", "a=b=c", "plain", "env=prod", "a", ""]


def again(cloud, env=w.PASSWORD_ENV, group_id=w.FREE):
    """Define, delete and create a group; return the new one as the emulator has it."""
    provider = connect(cloud, env)
    group = provider.define_group(provider.read_groups([group_id]).value[group_id])
    provider.delete_group(group_id)
    return state(cloud).group(provider.create_group(group, token="t"))


def put_tags(cloud, texts):
    provider = connect(cloud)
    url = provider.api.network(f"security-groups/{w.FREE}/tags")
    provider.api.send("PUT", url, "PUT /v2.0/security-groups/{id}/tags", {"tags": texts})


def tags_of(cloud, group_id):
    provider = connect(cloud)
    url = provider.api.network(f"security-groups/{group_id}/tags")
    return provider.api.get(url, "GET /v2.0/security-groups/{id}/tags")["tags"]


# -- tags -----------------------------------------------------------------------------------------


def test_every_tag_comes_back_as_it_was():
    cloud = emulator()
    put_tags(cloud, TAGS)
    assert sorted(tags_of(cloud, again(cloud).id)) == sorted(TAGS)


def test_a_policy_reads_a_tag_with_an_empty_value_as_that():
    cloud = emulator()
    put_tags(cloud, ["env="])
    assert connect(cloud).read_groups([w.FREE]).value[w.FREE].tags == (("env", ""),)


@given(st.lists(st.text(alphabet="ab=", max_size=4), unique=True, max_size=8))
def test_the_texts_of_tags_are_what_was_read(texts):
    row = {"id": w.FREE, "name": "free", "tags": texts}
    group = parse_group(row, SHAPE)
    assert sorted(tag_texts(group)) == sorted(texts)
    assert len(group.tags) == len(texts)


# -- sharing --------------------------------------------------------------------------------------


def test_a_member_shares_the_new_group_with_the_same_projects():
    cloud = emulator()
    share(cloud, w.OTHER_PROJECT, "p-3")
    assert sorted(again(cloud).shared_with) == sorted([w.OTHER_PROJECT, "p-3"])


def test_an_administrator_shares_it_with_all_again_and_the_owner_sees_that():
    cloud = emulator()
    share(cloud, "*")
    new = again(cloud, w.ADMIN_ENV)
    assert (new.shared_with, new.project) == (["*"], w.PROJECT)
    provider = connect(cloud)
    group = provider.read_groups([new.id]).value[new.id]
    assert connect(cloud, w.ADMIN_ENV).define_group(group).native == (("shared with", "*"),)
    assert provider.define_group(group).native == ()  # a member could not do that again


def test_what_a_member_may_not_share_is_missing_from_the_new_definition():
    cloud = emulator()
    share(cloud, "*", w.OTHER_PROJECT)
    new = again(cloud)
    assert new.shared_with == [w.OTHER_PROJECT]
    provider = connect(cloud)
    group = provider.read_groups([new.id]).value[new.id]
    sharing = ("shared with project", w.OTHER_PROJECT)
    assert provider.define_group(group).native == (sharing,)


def test_a_definition_reads_the_sharing_of_the_group_it_is_asked_for():
    cloud = emulator()
    share(cloud, w.OTHER_PROJECT)
    provider = connect(cloud)
    defined = provider.define_group(provider.read_groups([w.FREE]).value[w.FREE])
    assert defined.native == (("shared with project", w.OTHER_PROJECT),)
    share(cloud)
    assert provider.define_group(defined).native == ()


def test_without_policies_in_neutron_nothing_is_shared():
    cloud = emulator(quirks={"rbac_absent": True})
    assert again(cloud).shared_with == []


def test_a_stateless_group_comes_back_stateless():
    cloud = emulator()
    state(cloud).group(w.FREE).kind = "stateless"
    assert again(cloud).kind == "stateless"


# -- holders that refuse --------------------------------------------------------------------------


def refusal(cloud, env=w.PASSWORD_ENV):
    (binding,) = connect(cloud, env).list_bindings([w.FREE]).value[w.FREE]
    return whole_english(binding.change_refusal)


def test_an_ordinary_port_refuses_nothing():
    cloud = emulator()
    add_ports(cloud, groups=[w.FREE])
    assert refusal(cloud) == ""


def test_a_port_of_another_project_is_the_other_projects_to_change():
    cloud = emulator(quirks={"network_owners": {"net-1": w.PROJECT}})
    add_ports(cloud, groups=[w.FREE], project=w.OTHER_PROJECT)
    assert refusal(cloud).startswith("PolicyNotAuthorized")
    assert refusal(cloud, w.ADMIN_ENV) == ""


def test_a_port_without_port_security_takes_no_groups():
    cloud = emulator(quirks={"unprotected_ports": [w.PORT]})
    state(cloud).interface(w.PORT).groups = [w.FREE]
    assert refusal(cloud).startswith("PortSecurityAndIPRequiredForSecurityGroups")


@pytest.mark.parametrize(
    ("owner", "is_refused"),
    [
        ("network:router_interface", True),
        ("network:router_interface_distributed", True),
        ("network:ha_router_replicated_interface", True),
        ("network:dhcp", False),
        ("neutron:LOADBALANCERV2", False),
        ("compute:nova", False),
        ("trunk:subport", False),
        ("", False),
    ],
)
@pytest.mark.sampled(4)
def test_only_a_member_is_refused_the_port_of_a_router(owner, is_refused):
    cloud = emulator()
    add_ports(cloud, groups=[w.FREE], instance="", owner=owner)
    assert refusal(cloud).startswith("DeviceIDNotOwnedByTenant") == is_refused
    assert refusal(cloud, w.ADMIN_ENV) == ""


def test_a_server_with_a_port_without_an_address_takes_no_group():
    cloud = emulator(quirks={"ports_without_address": [w.PORT]})
    found = connect(cloud).read_instance(w.SERVER).value
    assert "no address" in whole_english(found.binding_refusal)
    assert connect(emulator()).read_instance(w.SERVER).value.binding_refusal == ""


# -- limits ---------------------------------------------------------------------------------------


def test_the_quota_of_ports_is_a_limit_with_its_use():
    cloud = emulator(limits={"ports-per-project": 4})
    limits = {limit.name: limit for limit in connect(cloud).read_limits().value}
    assert limits["ports-per-project"] == Limit(
        "ports-per-project", 4, used=3, source="live", note=said("limit.quota", key="port")
    )


def test_a_quota_that_no_limit_needs_may_be_anything():
    body = {"quota": {"security_group": "10", "network": "plenty", "port": -1}}
    found = parse_quotas(body, SHAPE, ("security_group", "port"))
    assert found == {"security_group": Quota(10), "port": Quota(None)}
