"""Changes through Tencent's API 2.0 whose aim is reached already: they succeed, whatever code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sgguard.emulator.faults import Fault
from sgguard.errors import (
    CloudError,
    ConflictError,
    NotFoundError,
)
from sgguard.providers.tencent_dfw import codes
from tests.providers.test_tencent_dfw_changes import (
    ADD,
    REMOVE,
    SERVER,
    WEB,
    ConcurrentEdit,
    port,
    ports,
    ruled,
)
from tests.worlds.tencent_dfw import WORLD

REACHED = [str(code) for code, one in codes.MEANINGS.items() if one.may_be_reached]


def refusing(emulator, action, code, edit):
    """A cloud in which somebody reaches the aim first, and which refuses the call with the code."""
    emulator.faults.append(Fault("error", action=action, code=code))
    return WORLD.connect(ConcurrentEdit(emulator, action, edit), attempts=1)


@pytest.mark.parametrize("code", REACHED)
@pytest.mark.sampled(3)
def test_a_rule_that_is_gone_is_not_found(code):
    provider, emulator = ruled(port(1), port(2))
    rule = provider.list_rules(WEB).value[1]
    other = refusing(emulator, REMOVE, code, lambda cloud: cloud.group(WEB).rules.pop())
    with pytest.raises(NotFoundError) as caught:
        other.remove_rule(WEB, rule, token="t")
    assert caught.value.code == code


@pytest.mark.parametrize("code", REACHED)
def test_a_rule_that_is_there_still_was_not_removed(code):
    provider, emulator = ruled(port(1), port(2))
    rule = provider.list_rules(WEB).value[1]
    emulator.faults.append(Fault("error", action=REMOVE, code=code))
    with pytest.raises(CloudError) as caught:
        provider.remove_rule(WEB, rule, token="t")
    assert type(caught.value) is codes.meaning_of(int(code)).kind


@pytest.mark.parametrize("code", REACHED)
def test_a_rule_that_is_there_already_is_a_conflict(code):
    provider, emulator = ruled(port(1))

    def edit(cloud):
        rules = cloud.group(WEB).rules
        rules.append(replace(rules[0], id="another", ports="2"))

    with pytest.raises(ConflictError):
        refusing(emulator, ADD, code, edit).add_rule(WEB, port(2), token="t")
    assert ports(provider) == ["1", "2"]


@pytest.mark.parametrize("code", REACHED)
def test_a_group_that_is_gone_is_not_found(code):
    def edit(cloud):
        cloud.groups.remove(cloud.group(WORLD.free))

    provider = refusing(WORLD.emulator(), "DeleteSecurityGroup", code, edit)
    with pytest.raises(NotFoundError):
        provider.delete_group(WORLD.free)


@pytest.mark.parametrize("code", REACHED)
def test_an_instance_that_has_its_groups_already_is_changed(code):
    after = (WORLD.free,)

    def edit(cloud):
        cloud.interfaces_of(WORLD.server)[0].groups[:] = after

    action = "ModifySecurityGroupsOfInstance"
    provider = refusing(WORLD.emulator(), action, code, edit)
    provider.set_groups(SERVER, (WORLD.bound, WORLD.default), after, token="t")
    assert provider.read_holder(SERVER) == after
