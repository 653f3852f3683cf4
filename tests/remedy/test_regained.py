"""What an undo gave a holder, or took off it, does not keep the holder from being restored."""

from __future__ import annotations

import pytest

from sgguard import providers
from sgguard.emulator import edit
from sgguard.model.change import Change, Holder
from sgguard.operations import undo_remedy
from sgguard.remedy.regained import regained
from tests.remedy.harness import Harness
from tests.remedy.test_restore import made
from tests.worlds import world_of

LAUNCH = '[launch]\nremedies = ["unbind"]\nforbidden = ["{}"]\n'
PORT = Holder("port", "p-1")


def undo(before: str, after: str, holder: Holder = PORT) -> Change:
    return Change("set-groups", "", holder=holder, before=tuple(before), after=tuple(after))


@pytest.mark.parametrize(
    ("undone", "current", "left", "had", "gets"),
    [
        ([undo("c", "cb")], "cb", "c", "ac", "acb"),
        ([undo("bc", "c")], "c", "bc", "abc", "ac"),
        ([undo("c", "cb"), undo("cb", "c")], "c", "c", "ac", ""),
        ([undo("c", "cb"), undo("cb", "cbd")], "cbd", "c", "ac", "acbd"),
        ([undo("c", "cb"), undo("c", "cb")], "cb", "c", "ac", "acb"),
        ([undo("bc", "c"), undo("bc", "c")], "c", "bc", "abc", "ac"),
        ([undo("c", "cb"), undo("c", "cb"), undo("cb", "c")], "c", "c", "ac", ""),
        ([undo("c", "cb")], "cbx", "c", "ac", ""),
        ([undo("c", "cb")], "b", "c", "ac", ""),
        ([undo("c", "cb", Holder("port", "p-2"))], "cb", "c", "ac", ""),
        ([undo("c", "cb", Holder("interface", "p-1"))], "cb", "c", "ac", "acb"),
        ([], "cb", "c", "ac", ""),
    ],
    ids=[
        "given back",
        "taken off",
        "there and back",
        "two of them",
        "given back again after a decision",
        "taken off again after a decision",
        "given back again, and taken off",
        "and a person",
        "a person took some",
        "another holder",
        "another name for its kind",
        "none",
    ],
)
def test_only_what_undos_did_is_left_aside(undone, current, left, had, gets):
    assert regained(undone, PORT, current, (left, had), {}) == tuple(gets)


def test_groups_are_meant_by_the_ids_that_they_have_now():
    assert regained([undo("c", "cb")], PORT, "cB", ("c", "ac"), {"b": "B"}) == ("a", "c", "B")


@pytest.mark.parametrize("is_last_first", [True, False])
@pytest.mark.parametrize("provider", [one for one in providers.names() if one != "tencent-dfw"])
@pytest.mark.sampled(6)
def test_a_holder_that_an_undo_changed_in_between_is_restored(provider, is_last_first, tmp_path):
    world = world_of(provider)
    here = Harness(world, tmp_path, more=LAUNCH.format(world.bound))
    (cloud,) = here.emulator.state.clouds
    for group in cloud.groups:
        group.rules = [one for one in group.rules if one.peer_group != world.referenced]
    cloud.interfaces = [
        one
        for one in cloud.interfaces
        if one.instance != world.server or one.kind == "primary" or provider != "alibaba"
    ]
    port = cloud.interfaces_of(world.server)[0]
    for other in cloud.interfaces:
        edit.set_groups(cloud, other, [world.free])
    edit.set_groups(cloud, port, [world.referenced, world.bound, world.free])
    launched = here.launch(world.server)
    assert (launched["outcome"], port.groups) == ("remediated", [world.referenced, world.free])
    deleted = here.delete(world.referenced)
    assert (deleted["outcome"], port.groups) == ("remediated", [world.free])
    shown = undo_remedy.preview(launched["decision_id"], here.context())
    undo_remedy.carry_out(shown, "u-1", here.context(), by="olga")
    assert sorted(port.groups) == sorted([world.free, world.bound])
    order = [deleted, launched] if is_last_first else [launched, deleted]
    restored = [here.restore(one["decision_id"]) for one in order]
    ((new, _),) = [pair for one in restored for pair in made(one)]
    assert sorted(port.groups) == sorted([new, world.bound, world.free])
