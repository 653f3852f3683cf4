"""huaweicloudsdkvpc and huaweicloudsdkecs against the emulator over a real socket.

The SDK signs by itself, every header it has; nothing of ours is on its side of the socket.
"""

from __future__ import annotations

import time

import pytest

pytest.importorskip("huaweicloudsdkvpc", reason="needs the extra `interop`")
pytestmark = [
    # The SDK itself warns on current Pythons and leaves its sockets to the collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # Without dateutil it leaves times as texts and says so each time.
    pytest.mark.filterwarnings("ignore:Unable to convert string to datetime:ImportWarning"),
]

import huaweicloudsdkecs.v2 as ecs  # noqa: E402 - after the skip
import huaweicloudsdkvpc.v2 as vpc2  # noqa: E402 - after the skip
import huaweicloudsdkvpc.v3 as vpc3  # noqa: E402 - after the skip
from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: E402 - after the skip
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException  # noqa: E402
from huaweicloudsdkcore.region.region import Region  # noqa: E402 - after the skip

from tests.worlds import huawei as world  # noqa: E402 - after the skip
from tests.worlds.huawei import ENV, PROJECT, WORLD  # noqa: E402 - after the skip


@pytest.fixture
def server(emulator_server):
    return emulator_server(WORLD.scenario_copy())


def credentials(*, secret=ENV["HUAWEICLOUD_SDK_SK"], project=PROJECT):
    made = BasicCredentials(ENV["HUAWEICLOUD_SDK_AK"], secret, project)
    return made.with_security_token(ENV["HUAWEICLOUD_SDK_SECURITY_TOKEN"])


@pytest.fixture
def client(server):
    def make(kind, **changes):
        builder = kind.new_builder().with_credentials(credentials(**changes))
        return builder.with_endpoint(server.url).build()

    return make


@pytest.fixture
def v3(client):
    return client(vpc3.VpcClient)


def test_groups_are_listed_page_by_page(v3, server):
    server.emulator.state.clouds[0].quirks["page_max"] = 4
    names, marker = [], None
    while True:
        page = v3.list_security_groups(vpc3.ListSecurityGroupsRequest(limit=100, marker=marker))
        names += [group.name for group in page.security_groups]
        marker = page.page_info.next_marker
        if marker is None:
            break
    assert len(names) == len(set(names)) == len(WORLD.scenario["clouds"][0]["groups"])


def test_a_group_is_shown_with_its_rules(v3):
    request = vpc3.ShowSecurityGroupRequest(security_group_id=world.REFERRER_IN)
    group = v3.show_security_group(request).security_group
    assert group.name == "web"
    assert {rule.remote_group_id for rule in group.security_group_rules} == {
        world.REFERENCED,
        None,
    }


def test_rules_that_name_a_group_are_found_by_a_repeated_filter(v3):
    request = vpc3.ListSecurityGroupRulesRequest(
        remote_group_id=[world.REFERENCED, world.ON_DATABASE]
    )
    rules = v3.list_security_group_rules(request).security_group_rules
    assert {(rule.security_group_id, rule.direction, rule.action) for rule in rules} == {
        (world.REFERRER_IN, "ingress", "allow"),
        (world.REFERRER_OUT, "egress", "allow"),
        (world.DENIED_AND_DISABLED, "ingress", "deny"),
    }


def test_ports_and_supplementary_interfaces_of_a_group_are_understood(v3):
    ports = v3.list_ports(vpc3.ListPortsRequest(security_groups=[world.BOUND])).ports
    assert {port.device_id for port in ports} == {world.SERVER, world.OTHER_SERVER}
    subs = v3.list_sub_network_interfaces(vpc3.ListSubNetworkInterfacesRequest())
    (sub,) = subs.sub_network_interfaces
    assert (sub.id, sub.security_groups) == (world.SUPPLEMENTARY, [world.ON_SUPPLEMENTARY])


def test_quotas_are_understood(v3):
    quota = v3.show_quota(vpc3.ShowQuotaRequest()).quota
    assert (quota.eni_contain_secgroup, quota.secgroup_referred_by_nic) == (5, -1)


def test_v1_quotas_are_understood_with_what_is_used(client):
    resources = client(vpc2.VpcClient).show_quota(vpc2.ShowQuotaRequest(type="securityGroup"))
    (one,) = resources.quotas.resources
    assert (one.type, one.used, one.quota) == ("securityGroup", 10, -1)


def test_groups_of_every_enterprise_project_are_asked_for_by_the_documented_word(v3, server):
    server.emulator.state.clouds[0].quirks["enterprise_projects"] = {world.FREE: "eps-1"}
    ask = {"id": [world.FREE]}
    hidden = v3.list_security_groups(vpc3.ListSecurityGroupsRequest(**ask))
    ask["enterprise_project_id"] = "all_granted_eps"
    (found,) = v3.list_security_groups(vpc3.ListSecurityGroupsRequest(**ask)).security_groups
    assert (hidden.security_groups, found.enterprise_project_id) == ([], "eps-1")


def test_a_free_group_is_deleted_and_a_held_one_is_refused(v3, server):
    v3.delete_security_group(vpc3.DeleteSecurityGroupRequest(security_group_id=world.FREE))
    assert server.emulator.state.clouds[0].group(world.FREE) is None
    for group_id, status, code in [
        (world.BOUND, 409, "VPC.9902"),
        (world.REFERENCED, 409, "VPC.9902"),
        (WORLD.missing, 404, "VPC.9904"),
    ]:
        with pytest.raises(ClientRequestException) as caught:
            v3.delete_security_group(vpc3.DeleteSecurityGroupRequest(security_group_id=group_id))
        error = caught.value
        assert (error.status_code, error.error_code) == (status, code)
        assert error.request_id


@pytest.mark.parametrize("kind", [vpc3.VpcClient, vpc2.VpcClient, ecs.EcsClient])
def test_a_wrong_secret_key_is_refused(client, kind):
    wrong = client(kind, secret="anotherSecretKey")
    ask = {
        vpc3.VpcClient: lambda: wrong.list_security_groups(vpc3.ListSecurityGroupsRequest()),
        vpc2.VpcClient: lambda: wrong.neutron_list_security_groups(
            vpc2.NeutronListSecurityGroupsRequest()
        ),
        ecs.EcsClient: lambda: wrong.show_server(ecs.ShowServerRequest(server_id=world.SERVER)),
    }[kind]
    with pytest.raises(ClientRequestException) as caught:
        ask()
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")


def test_a_region_without_v3_is_told_apart_from_a_missing_group(v3, server):
    server.emulator.state.clouds[0].quirks["v3_absent"] = True
    with pytest.raises(ClientRequestException) as caught:
        v3.show_security_group(vpc3.ShowSecurityGroupRequest(security_group_id=world.FREE))
    assert (caught.value.status_code, caught.value.error_code) == (404, "APIGW.0101")


@pytest.fixture
def v2(client):
    return client(vpc2.VpcClient)


def test_v2_groups_and_rules_are_understood(v2):
    groups = v2.neutron_list_security_groups(vpc2.NeutronListSecurityGroupsRequest())
    assert world.FREE in {group.id for group in groups.security_groups}
    rules = v2.neutron_list_security_group_rules(
        vpc2.NeutronListSecurityGroupRulesRequest(remote_group_id=world.REFERENCED)
    )
    assert {rule.security_group_id for rule in rules.security_group_rules} == {
        world.REFERRER_IN,
        world.REFERRER_OUT,
    }
    shown = v2.neutron_show_security_group(
        vpc2.NeutronShowSecurityGroupRequest(security_group_id=world.FREE)
    )
    assert shown.security_group.name == "sg-not-attached"


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_a_v2_delete_of_a_held_group_is_refused(v2, server, is_wrapped):
    server.emulator.state.clouds[0].quirks["wrapped"] = is_wrapped
    with pytest.raises(ClientRequestException) as caught:
        v2.neutron_delete_security_group(
            vpc2.NeutronDeleteSecurityGroupRequest(security_group_id=world.BOUND)
        )
    assert caught.value.status_code == 409
    assert "in use" in caught.value.error_msg


@pytest.fixture
def servers(client):
    return client(ecs.EcsClient)


def test_the_groups_of_a_server_are_understood(servers):
    answer = servers.nova_list_server_security_groups(
        ecs.NovaListServerSecurityGroupsRequest(server_id=world.SERVER)
    )
    assert [(group.id, group.name) for group in answer.security_groups] == [
        (world.BOUND, "sg-test")
    ]


def test_a_server_is_shown_with_the_ids_of_its_groups(servers):
    server = servers.show_server(ecs.ShowServerRequest(server_id=world.SERVER)).server
    assert (server.name, server.status) == ("web-1", "ACTIVE")
    assert [group.id for group in server.security_groups] == [world.BOUND]
    listed = servers.list_servers_details(ecs.ListServersDetailsRequest(limit=10, offset=1))
    assert listed.count == len(listed.servers) == 2


def test_a_group_is_added_to_a_server(servers, server):
    body = ecs.NovaAssociateSecurityGroupRequestBody(
        add_security_group=ecs.NovaAddSecurityGroupOption(name=world.FREE)
    )
    request = ecs.NovaAssociateSecurityGroupRequest(server_id=world.SERVER, body=body)
    servers.nova_associate_security_group(request)
    assert server.emulator.state.clouds[0].interfaces_with(world.FREE)


def test_a_server_that_does_not_exist_is_not_found(servers):
    with pytest.raises(ClientRequestException) as caught:
        servers.show_server(ecs.ShowServerRequest(server_id=WORLD.missing_server))
    assert (caught.value.status_code, caught.value.error_code) == (404, "Ecs.0114")


def test_the_project_is_looked_up_by_the_sdk(server):
    builder = vpc3.VpcClient.new_builder().with_credentials(
        credentials(project=None).with_iam_endpoint(server.url)
    )
    client = builder.with_region(Region(WORLD.region, server.url)).build()
    groups = client.list_security_groups(vpc3.ListSecurityGroupsRequest(id=[world.FREE]))
    assert [group.id for group in groups.security_groups] == [world.FREE]
    assert "GET /v3/projects" in {request.action for request in server.emulator.requests}


def test_an_sdk_that_asks_too_often_is_told_so(v3, server):
    began = time.time()
    # One second holds both calls, however slow the machine is.
    server.emulator.now = lambda: began
    server.emulator.state.clouds[0].rates["GET *"] = 1
    request = vpc3.ListSecurityGroupsRequest()
    v3.list_security_groups(request)
    with pytest.raises(ClientRequestException) as caught:
        v3.list_security_groups(request)
    # The SDK throws a 429's body away: the gateway's own code cannot be seen through it.
    assert caught.value.status_code == 429
