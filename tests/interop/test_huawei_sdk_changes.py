"""huaweicloudsdkvpc makes the changes that we make, against the emulator over a real socket."""

from __future__ import annotations

import pytest

pytest.importorskip("huaweicloudsdkvpc", reason="needs the extra `interop`")
pytestmark = [
    # The SDK itself warns on current Pythons and leaves its sockets to the collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # Without dateutil it leaves times as texts and says so each time.
    pytest.mark.filterwarnings("ignore:Unable to convert string to datetime:ImportWarning"),
]

import huaweicloudsdkvpc.v2 as vpc2  # noqa: E402 - after the skip
import huaweicloudsdkvpc.v3 as vpc3  # noqa: E402 - after the skip
from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: E402 - after the skip
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException  # noqa: E402

from tests.worlds import huawei as world  # noqa: E402 - after the skip
from tests.worlds.huawei import ENV, PROJECT, WORLD  # noqa: E402 - after the skip


@pytest.fixture
def server(emulator_server):
    return emulator_server(WORLD.scenario_copy())


@pytest.fixture
def client(server):
    def make(kind):
        who = BasicCredentials(ENV["HUAWEICLOUD_SDK_AK"], ENV["HUAWEICLOUD_SDK_SK"], PROJECT)
        who = who.with_security_token(ENV["HUAWEICLOUD_SDK_SECURITY_TOKEN"])
        return kind.new_builder().with_credentials(who).with_endpoint(server.url).build()

    return make


@pytest.fixture
def v3(client):
    return client(vpc3.VpcClient)


def held(server, port_id=world.PORT):
    return server.emulator.state.clouds[0].interface(port_id).groups


def rule_of(**more):
    option = vpc3.CreateSecurityGroupRuleOption(
        security_group_id=world.FREE, direction="ingress", remote_group_id=world.BOUND, **more
    )
    body = vpc3.CreateSecurityGroupRuleRequestBody(security_group_rule=option)
    return vpc3.CreateSecurityGroupRuleRequest(body=body)


def refused(call, *arguments):
    with pytest.raises(ClientRequestException) as caught:
        call(*arguments)
    assert caught.value.request_id
    return caught.value.status_code, caught.value.error_code


def test_a_rule_is_made_shown_and_deleted(v3):
    request = rule_of(
        protocol="tcp", multiport="22,80-90", action="deny", priority=7, enabled=False,
        description="why", ethertype="IPv4",
    )  # fmt: skip
    made = v3.create_security_group_rule(request).security_group_rule
    assert (made.multiport, made.action, made.priority) == ("22,80-90", "deny", 7)
    assert (made.enabled, made.description, made.remote_group_id) == (False, "why", world.BOUND)
    show = vpc3.ShowSecurityGroupRuleRequest(security_group_rule_id=made.id)
    assert v3.show_security_group_rule(show).security_group_rule.id == made.id
    assert refused(v3.create_security_group_rule, request) == (409, "VPC.9902")
    gone = vpc3.DeleteSecurityGroupRuleRequest(security_group_rule_id=made.id)
    v3.delete_security_group_rule(gone)
    assert refused(v3.delete_security_group_rule, gone) == (404, "VPC.9904")


def test_a_rule_that_is_none_is_refused(v3):
    assert refused(v3.create_security_group_rule, rule_of(ethertype="IPv5")) == (400, "VPC.9902")


def test_one_rule_too_many_is_refused(v3, server):
    server.emulator.state.clouds[0].limits["rules-per-group"] = 0
    assert refused(v3.create_security_group_rule, rule_of()) == (409, "VPC.9905")


def test_a_group_is_made_with_the_rules_of_the_document(v3):
    tags = [vpc3.ResourceTag(key="owner", value="team")]
    option = vpc3.CreateSecurityGroupOption(
        name="new", description="d", enterprise_project_id="eps-1", tags=tags
    )
    body = vpc3.CreateSecurityGroupRequestBody(security_group=option)
    made = v3.create_security_group(vpc3.CreateSecurityGroupRequest(body=body)).security_group
    assert (made.name, made.description, made.enterprise_project_id) == ("new", "d", "eps-1")
    assert [(tag.key, tag.value) for tag in made.tags] == [("owner", "team")]
    assert len(made.security_group_rules) == 4
    only_asked = vpc3.CreateSecurityGroupRequestBody(security_group=option, dry_run=True)
    v3.create_security_group(vpc3.CreateSecurityGroupRequest(body=only_asked))
    listed = v3.list_security_groups(
        vpc3.ListSecurityGroupsRequest(name=["new"], enterprise_project_id="all_granted_eps")
    )
    assert len(listed.security_groups) == 1


def inserted(*group_ids, **more):
    option = vpc3.InsertSecurityGroupOption(security_groups=list(group_ids), **more)
    body = vpc3.AddSecurityGroupsRequestBody(port=option)
    return vpc3.AddSecurityGroupsRequest(port_id=world.PORT, body=body)


def removed(*group_ids):
    option = vpc3.RemoveSecurityGroupOption(security_groups=list(group_ids))
    body = vpc3.RemoveSecurityGroupsRequestBody(port=option)
    return vpc3.RemoveSecurityGroupsRequest(port_id=world.PORT, body=body)


def test_groups_are_added_to_a_ports_list_and_removed(v3, server):
    port = v3.add_security_groups(inserted(world.FREE, index=0)).port
    assert port.security_groups == [world.FREE, world.BOUND]
    v3.add_security_groups(inserted(world.REFERENCED))
    shown = v3.show_port(vpc3.ShowPortRequest(port_id=world.PORT)).port
    assert shown.security_groups == [world.FREE, world.BOUND, world.REFERENCED]
    v3.remove_security_groups(removed(world.FREE, world.REFERENCED))
    assert held(server) == [world.BOUND]


def test_the_last_group_of_a_port_stays(v3, server):
    assert refused(v3.remove_security_groups, removed(world.BOUND)) == (400, "VPC.0607")
    assert held(server) == [world.BOUND]


def test_a_supplementary_interface_gets_its_whole_list(v3, server):
    option = vpc3.UpdateSubNetworkInterfaceOption(security_groups=[world.FREE, world.BOUND])
    body = vpc3.UpdateSubNetworkInterfaceRequestBody(sub_network_interface=option)
    request = vpc3.UpdateSubNetworkInterfaceRequest(
        sub_network_interface_id=world.SUPPLEMENTARY, body=body
    )
    answer = v3.update_sub_network_interface(request).sub_network_interface
    assert answer.security_groups == [world.FREE, world.BOUND] == held(server, world.SUPPLEMENTARY)
    show = vpc3.ShowSubNetworkInterfaceRequest(sub_network_interface_id=world.SUPPLEMENTARY)
    shown = v3.show_sub_network_interface(show).sub_network_interface
    assert shown.security_groups == [world.FREE, world.BOUND]


@pytest.fixture
def v2(client):
    return client(vpc2.VpcClient)


def test_v2_makes_and_deletes_a_rule(v2):
    option = vpc2.NeutronCreateSecurityGroupRuleOption(
        security_group_id=world.FREE, direction="ingress", remote_group_id=world.BOUND,
        protocol="tcp", port_range_min=22, port_range_max=23,
    )  # fmt: skip
    body = vpc2.NeutronCreateSecurityGroupRuleRequestBody(security_group_rule=option)
    request = vpc2.NeutronCreateSecurityGroupRuleRequest(body=body)
    made = v2.neutron_create_security_group_rule(request).security_group_rule
    assert (made.remote_group_id, made.port_range_min, made.port_range_max) == (world.BOUND, 22, 23)
    with pytest.raises(ClientRequestException) as caught:
        v2.neutron_create_security_group_rule(request)
    assert caught.value.status_code == 409
    v2.neutron_delete_security_group_rule(
        vpc2.NeutronDeleteSecurityGroupRuleRequest(security_group_rule_id=made.id)
    )


def test_v2_makes_a_group_that_lets_everything_out(v2, server):
    server.emulator.state.clouds[0].limits["groups-per-project"] = 100
    option = vpc2.NeutronCreateSecurityGroupOption(name="new")
    body = vpc2.NeutronCreateSecurityGroupRequestBody(security_group=option)
    request = vpc2.NeutronCreateSecurityGroupRequest(body=body)
    made = v2.neutron_create_security_group(request).security_group
    rules = {(rule.direction, rule.ethertype) for rule in made.security_group_rules}
    assert rules == {("egress", "IPv4"), ("egress", "IPv6")}
