"""An emulated Neutron with the plugin of ``deploy/openstack/neutron_plugin``."""

from __future__ import annotations

import httpx
import pytest

from tests.worlds import openstack as w

from .test_openstack import GROUPS, Caller, emulator, group_of, rita, root

EXTENSIONS = "/networking/v2.0/extensions"
WITH = {"sgguard_plugin": True}


def guarded():
    return emulator(quirks=WITH)


def unbind(cloud, group_id):
    for port in cloud.state.cloud("openstack").interfaces_with(group_id):
        port.groups.remove(group_id)


def delete(caller, group_id):
    return caller.http.delete(f"{GROUPS}/{group_id}")


@pytest.mark.parametrize("user", [Caller, root], ids=["member", "admin"])
def test_a_referenced_group_stays_and_its_rules_too(user):
    cloud = guarded()
    app, out = group_of(cloud, w.APP), group_of(cloud, w.OUT)
    before = [list(app.rules), list(out.rules)]
    response = delete(user(cloud), w.WEB)
    assert response.status_code == httpx.codes.CONFLICT
    error = response.json()["NeutronError"]
    assert error["type"] == "SecurityGroupInUse"
    assert all(one in error["message"] for one in (w.APP, w.OUT, "precommit_delete"))
    assert group_of(cloud, w.WEB) is not None
    assert [app.rules, out.rules] == before


def test_without_the_plugin_it_cascades():
    cloud = emulator()
    assert delete(Caller(cloud), w.WEB).status_code == httpx.codes.NO_CONTENT
    assert group_of(cloud, w.OUT).rules == []


def test_a_free_group_and_one_that_names_itself_are_deleted():
    cloud = guarded()
    alice = Caller(cloud)
    for group_id in (w.FREE, w.WORLD.self_referencing):
        assert delete(alice, group_id).status_code == httpx.codes.NO_CONTENT


def test_rules_of_another_project_are_counted_for_a_member_and_named_for_an_administrator():
    cloud = guarded()
    kind = type(group_of(cloud, w.APP).rules[0])
    group_of(cloud, w.FOREIGN).rules.append(kind("ingress", id="rule-foreign", peer_group=w.FREE))
    member, admin = (
        delete(user(cloud), w.FREE).json()["NeutronError"]["message"] for user in (Caller, root)
    )
    assert "1 of other projects" in member
    assert w.FOREIGN not in member
    assert w.FOREIGN in admin


def test_what_neutron_refuses_itself_is_refused_as_before():
    cloud = guarded()
    alice = Caller(cloud)
    bound = delete(alice, w.WORLD.bound).json()["NeutronError"]
    assert bound["message"] == f"Security Group {w.WORLD.bound} in use."
    unbind(cloud, w.WORLD.default)
    default = delete(alice, w.WORLD.default).json()["NeutronError"]
    assert default["type"] == "SecurityGroupCannotRemoveDefault"


def test_a_default_group_that_is_referenced_stays_a_default_group():
    cloud = guarded()
    kind = type(group_of(cloud, w.APP).rules[0])
    group_of(cloud, w.APP).rules.append(kind("ingress", id="to-it", peer_group=w.WORLD.default))
    unbind(cloud, w.WORLD.default)
    response = delete(root(cloud), w.WORLD.default)
    assert "precommit_delete" in response.json()["NeutronError"]["message"]
    assert group_of(cloud, w.WORLD.default).default


@pytest.mark.parametrize("has_plugin", [True, False])
def test_the_extension_is_there_with_the_plugin_only(has_plugin):
    reader = rita(guarded() if has_plugin else emulator())
    assert ("sgguard" in [one["alias"] for one in reader.rows(EXTENSIONS)]) == has_plugin
    assert reader.get(f"{EXTENSIONS}/sgguard").is_success == has_plugin
    assert reader.get(f"{EXTENSIONS}/router").status_code == httpx.codes.NOT_FOUND
