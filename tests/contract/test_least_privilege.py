"""The documents of ``sgguard permissions`` against the calls that each kind of decision makes."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace

import pytest

from sgguard import providers
from sgguard.errors import SgguardError
from sgguard.providers import Permission, needed
from sgguard.providers._permissions import CHANGE, READ, granted
from tests.contract import used_actions
from tests.docs import least_privilege
from tests.worlds import world_of

# A credential is checked by what it opens; the token that it buys needs no permission.
FREE = {"POST /v3/auth/tokens"}

every_provider = pytest.mark.parametrize("provider", providers.names())


def documented(provider: str, *remedies: str, changes: bool = True) -> tuple[Permission, ...]:
    rows = providers.documented(provider).PERMISSIONS
    return needed(rows, changes=changes, remedies=remedies)


def actions(rows: tuple[Permission, ...]) -> set[str]:
    return {one.action for one in rows}


@every_provider
@pytest.mark.sampled(4)
def test_observe_is_granted_the_reads_that_it_makes_and_nothing_else(provider):
    rows = documented(provider, changes=False)
    assert actions(rows) == used_actions.observed(provider) - FREE
    assert all(one.needs == (READ,) for one in rows)


@pytest.mark.slow
@every_provider
def test_a_mode_that_changes_is_granted_what_it_uses_and_nothing_else(provider):
    used = used_actions.observed(provider) | used_actions.base(provider)
    assert actions(documented(provider)) == used - FREE


@pytest.mark.slow
@pytest.mark.parametrize("remedy", providers.REMEDIES)
@every_provider
def test_a_remedy_is_granted_what_it_and_its_way_back_use_and_nothing_else(provider, remedy):
    used = used_actions.of_remedy(provider, remedy) - FREE
    without, rows = documented(provider), documented(provider, remedy)
    assert used <= actions(rows)
    assert actions(rows) - actions(without) == used - actions(without)


@every_provider
def test_every_permission_that_the_doctor_examines_is_documented(provider):
    world, probing = world_of(provider), providers.probing(provider)
    checks = probing.probe(world.connect(world.emulator())).checks
    rows = {one.action: one for one in providers.documented(provider).PERMISSIONS}
    examined = {one.action: one for one in checks if " of " not in one.action}
    assert set(examined) <= set(rows)
    for action, row in rows.items():
        if action in examined:
            assert (examined[action].need == "read") == (READ in row.needs), action


@every_provider
def test_a_document_names_what_is_granted_once_and_no_wildcard(provider):
    module = providers.documented(provider)
    for remedies in ((), providers.REMEDIES):
        rows = documented(provider, *remedies)
        names = listed(module.document(rows))
        assert len(names) == len(set(names)) == len(granted(rows))
        assert not [name for name in names if name.endswith(("*", ":*")) and ":" in name]


def listed(document) -> list[str]:
    if "application_credential" in document:
        rules = document["application_credential"]["access_rules"]
        return [f"{one['method']} {one['path']}" for one in rules]
    (statement,) = document.get("statement") or document["Statement"]
    return statement.get("action") or statement["Action"]


@every_provider
def test_more_remedies_grant_more_and_observe_grants_the_least(provider):
    observe, base = documented(provider, changes=False), documented(provider)
    everything = documented(provider, *providers.REMEDIES)
    assert set(observe) < set(base) < set(everything)
    assert set(everything) == set(providers.documented(provider).PERMISSIONS)
    for one in everything:
        assert set(one.needs) <= {READ, CHANGE, *providers.REMEDIES}
        assert one.brings


V2 = {
    "/v2.0/security-groups": "/v3/{project_id}/vpc/security-groups",
    "/v2.0/security-group-rules": "/v3/{project_id}/vpc/security-group-rules",
    "/v2.0/ports": "/v3/{project_id}/ports",
}
"""Calls of Huawei's v2.0 that are made where there is no v3: both are granted by one name."""


@pytest.mark.parametrize("quirk", ["v3_absent", "otc"])
@pytest.mark.sampled(2)
def test_a_region_without_v3_needs_no_other_permission(quirk):
    rows = {one.action: one for one in documented("huawei", changes=False)}
    for action in used_actions.observed_on("huawei", **{quirk: True}):
        if action not in rows:
            method, path = action.split(" ")
            stem = path.removesuffix("/{id}")
            assert f"{method} {V2[stem]}{path.removeprefix(stem)}" in rows


def test_the_project_is_named_for_who_may_not_look_for_it():
    how = providers.documented("huawei").HOW
    assert "HUAWEICLOUD_SDK_PROJECT_ID" in how
    assert "iam:projects:listProjects" in how
    env = {k: v for k, v in world_of("huawei").env.items() if not k.endswith("PROJECT_ID")}
    world = replace(world_of("huawei"), env=env)
    emulator = world.emulator()
    with suppress(SgguardError):
        world.connect(emulator, env=env).read_groups([world.free])
    assert "GET /v3/projects" in {one.action for one in emulator.requests}


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.sampled(2)
def test_the_rules_of_an_application_credential_permit_each_path_as_it_is_sent(mode):
    rows = documented("openstack", *providers.REMEDIES, changes=mode == "enforce")
    made = providers.documented("openstack").document(rows)["application_credential"]
    rules = {(one["method"], one["path"]) for one in made["access_rules"]}
    world = world_of("openstack")
    for target in (world.referenced, world.bound):
        for method, path in used_actions.sent(
            "openstack", lambda h, t=target: h.delete(t), mode=mode
        ):
            # The emulator's services have their place below a path, as a devstack's.
            own = re.sub("^/(networking|compute)(?=/)", "", path)
            if own != "/identity/v3/auth/tokens":
                assert [1 for verb, rule in rules if verb == method and permits(rule, own)], path


def permits(rule: str, path: str) -> bool:
    """Whether Keystone's rule permits a path: a star stands for one part of it."""
    return re.fullmatch("[^/]+".join(map(re.escape, rule.split("*"))), path) is not None


@pytest.mark.parametrize(("changes", "role"), [(False, "reader"), (True, "member")])
def test_an_application_credential_has_the_least_role_and_paths_of_keystone(changes, role):
    rows = documented("openstack", changes=changes)
    made = providers.documented("openstack").document(rows)["application_credential"]
    assert made["roles"] == [{"name": role}]
    one = {"service": "network", "method": "GET", "path": "/v2.0/security-groups/*"}
    assert one in made["access_rules"]


def test_the_shipped_documents_are_those_that_the_command_prints():
    files = {path.name: path.read_text() for path in least_privilege.FOLDER.iterdir()}
    assert files == least_privilege.files(), "run: python -m tests.docs"
