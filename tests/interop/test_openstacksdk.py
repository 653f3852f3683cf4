"""openstacksdk, over a real socket, understands the emulated OpenStack: tokens, lists, refusals."""

from __future__ import annotations

import pytest

from sgguard.emulator.core import Emulator
from tests.worlds import openstack as w

openstack = pytest.importorskip("openstack", reason="needs the extra `interop`")

from keystoneauth1.exceptions.http import Unauthorized  # noqa: E402 - only with the SDK
from openstack import exceptions  # noqa: E402 - only with the SDK
from openstack.config import loader  # noqa: E402

# The SDK announces its own removals (InfluxDB reporting) whenever it is configured.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

PASSWORD = {
    "username": "alice",
    "password": "correct horse",
    "project_name": "shop",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}


def emulator(**changes):
    scenario = w.WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario)


@pytest.fixture
def connect(emulator_server):
    """Call it with what to authenticate with: a connection to a cloud of its own."""
    opened = []

    def start(cloud=None, *, auth_type="password", region="RegionOne", **auth):
        server = emulator_server(cloud or emulator())
        settings = {
            "auth": {"auth_url": f"{server.url}/identity"} | (auth or PASSWORD),
            "auth_type": auth_type,
            "region_name": region,
        }
        # Nothing of a clouds.yaml or the environment of whoever runs this.
        config = loader.OpenStackConfig(load_yaml_config=False, load_envvars=False)
        connection = openstack.connection.Connection(config=config.get_one(**settings))
        opened.append(connection)
        return connection

    yield start
    for connection in opened:
        connection.session.session.close()
        connection.close()


def test_it_lists_groups_rules_and_ports(connect):
    network = connect().network
    names = {group.name for group in network.security_groups()}
    assert names == {"web", "app", "out", "cluster", "bound", "free", "default"}
    rules = list(network.security_group_rules(remote_group_id=w.WEB))
    assert {(r.security_group_id, r.direction) for r in rules} == {
        (w.APP, "ingress"),
        (w.OUT, "egress"),
    }
    ports = list(network.ports(security_group_ids=[w.BOUND]))
    assert {port.device_id for port in ports} == {w.SERVER, w.OTHER_SERVER}


@pytest.mark.parametrize("page_max", [1, 2, 3])
def test_it_reads_every_page_of_the_servers_own_size(connect, page_max):
    network = connect(emulator(quirks={"page_max": page_max})).network
    assert len({group.id for group in network.security_groups()}) == 7


def test_it_reads_one_group_with_its_rules(connect):
    group = connect().network.get_security_group(w.APP)
    assert (group.name, len(group.security_group_rules)) == ("app", 2)
    assert group.project_id == w.PROJECT


def test_a_missing_group_is_not_found(connect):
    with pytest.raises(exceptions.NotFoundException, match="does not exist"):
        connect().network.get_security_group(w.MISSING)


def test_a_delete_of_a_bound_group_is_a_conflict(connect):
    with pytest.raises(exceptions.ConflictException, match=f"Security Group {w.BOUND} in use."):
        connect().network.delete_security_group(w.BOUND)


def test_a_delete_of_a_referenced_group_takes_the_rules_along(connect):
    network = connect().network
    network.delete_security_group(w.WEB, ignore_missing=False)
    assert list(network.security_group_rules(remote_group_id=w.WEB)) == []
    assert list(network.security_group_rules(security_group_id=w.OUT)) == []


def test_an_unknown_filter_is_a_bad_request(connect):
    response = connect().network.get("/security-groups?nosuch=1")
    with pytest.raises(exceptions.BadRequestException, match="invalid attribute for filtering"):
        exceptions.raise_from_response(response)


def test_it_reads_quotas_with_their_usage(connect):
    details = connect().network.get_quota(w.PROJECT, details=True)
    assert details.security_groups == {"limit": 10, "used": 7, "reserved": 0}


def test_it_reads_sharing_policies(connect):
    cloud = emulator()
    cloud.state.cloud("openstack").group(w.FREE).shared_with = [w.OTHER_PROJECT]
    policies = list(connect(cloud).network.rbac_policies(object_type="security_group"))
    assert [(p.object_id, p.target_project_id) for p in policies] == [(w.FREE, w.OTHER_PROJECT)]


def test_it_reads_servers_and_adds_a_group(connect):
    connection = connect()
    compute = connection.compute
    assert {server.name for server in compute.servers()} == {"web-1", "web-2", "no-port"}
    server = compute.get_server(w.SERVER)
    assert (server.status, server.security_groups) == ("ACTIVE", [{"name": "bound"}])
    compute.add_security_group_to_server(server, w.FREE)
    fetched = compute.fetch_server_security_groups(compute.get_server(w.SERVER))
    assert {group["id"] for group in fetched.security_groups} == {w.BOUND, w.FREE}


def test_a_bind_that_is_there_already_is_a_bad_request(connect):
    compute = connect().compute
    with pytest.raises(exceptions.BadRequestException, match="Duplicate items in the list"):
        compute.add_security_group_to_server(w.SERVER, w.BOUND)


def test_a_wrong_password_is_unauthorized(connect):
    with pytest.raises(Unauthorized, match="requires authentication"):
        list(connect(**PASSWORD | {"password": "wrong"}).network.security_groups())


def test_an_application_credential_is_enough(connect):
    connection = connect(
        auth_type="v3applicationcredential",
        application_credential_id="21dced0fd20347869b93710d2b98aae0",
        application_credential_secret="app credential secret",
    )
    assert len(list(connection.network.security_groups())) == 7
    assert connection.current_project_id == w.PROJECT


def test_a_reader_may_look_and_not_delete(connect):
    network = connect(**PASSWORD | {"username": "rita", "password": "only looking"}).network
    assert len(list(network.security_groups())) == 7
    with pytest.raises(exceptions.ForbiddenException, match="disallowed by policy"):
        network.delete_security_group(w.FREE)


def test_another_region_has_other_groups(connect):
    cloud = emulator()
    cloud.state.cloud("openstack").group(w.FREE).region = "RegionTwo"
    network = connect(cloud, region="RegionTwo").network
    assert [group.id for group in network.security_groups()] == [w.FREE]


def test_a_token_that_was_forgotten_is_fetched_again(connect):
    cloud = emulator()
    network = connect(cloud).network
    list(network.security_groups())
    cloud.state.cloud("openstack").tokens.clear()
    assert len(list(network.security_groups())) == 7
