"""A region that no cloud has is refused on every way in: events, command line, doctor, restore."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from sgguard import providers
from sgguard.cli import cli, failure
from sgguard.errors import AddressError
from sgguard.operations import doctor, resume
from sgguard.operations.doctor.region import CloudRegion
from tests.cli.test_resume import cut_short
from tests.commands import place
from tests.remedy.harness import Harness
from tests.worlds import World, world_of

__all__ = ["place"]  # a fixture

CASES = [
    ("alibaba", "x@host.example"),
    ("alibaba", "oss-cn-hangzhou"),
    ("huawei", "obs"),
    ("huawei", "a.b"),
    ("tencent", "x@host"),
    ("tencent-dfw", "AP-GUANGZHOU"),
]


@pytest.fixture
def sgguard(capsys):
    def run(*args):
        code = failure.run(cli, args)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def set_up(world: World, monkeypatch) -> None:
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("provider", "region"), CASES)
@pytest.mark.parametrize("command", ["check delete", "explain"])
def test_a_command_says_what_a_region_looks_like_and_sends_nothing(
    provider, region, command, sgguard, monkeypatch
):
    world = world_of(provider)
    set_up(world, monkeypatch)
    code, out, err = sgguard(*command.split(), f"{provider}::{region}:{world.free}")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{region!r} is not a region of " in err
    assert "such as " in err


@pytest.mark.parametrize(("provider", "region"), CASES)
def test_a_launch_to_such_a_region_is_refused(provider, region, sgguard, monkeypatch):
    world = world_of(provider)
    set_up(world, monkeypatch)
    where = ("--provider", provider, "--region", region)
    code, out, err = sgguard("check", "launch", *where, "--group", world.free)
    assert (code, out) == (2, "")
    assert f"{region!r} is not a region of " in err


@pytest.mark.parametrize(("provider", "region"), CASES)
def test_the_doctor_reports_a_given_region_as_not_set_up(provider, region, tmp_path):
    world = world_of(provider)
    harness = Harness(world, tmp_path)
    (place,) = doctor.cloud_regions(world.env, [provider], [region])
    (found,) = doctor.examine(place, harness.context()).findings
    assert (found.code, found.weight) == ("not-set-up", "setup")
    assert f"{region!r} is not a region of " in found.message


@pytest.mark.parametrize(("provider", "region"), CASES)
def test_the_doctor_names_the_variable_and_examines_the_other_clouds(provider, region, tmp_path):
    world = world_of(provider)
    variable = providers.probing(provider).SETUP.region_variable
    other = world_of("openstack")
    env = {**other.env, **world.env, variable: region, "OS_REGION_NAME": other.region}
    places = doctor.cloud_regions(env, [provider, "openstack"])
    assert places[1] == CloudRegion("openstack", other.region)
    (found,) = doctor.examine(places[0], Harness(world, tmp_path).context()).findings
    assert (found.code, found.weight) == ("not-set-up", "setup")
    assert found.message.startswith(f"{variable}: {region!r} is not a region of ")


@pytest.mark.parametrize("provider", ["alibaba", "huawei", "tencent"])
@pytest.mark.sampled(2)
def test_a_restore_asks_no_host_that_a_stored_region_names(provider, tmp_path):
    world = world_of(provider)
    harness = Harness(world, tmp_path)
    done = harness.delete(world.referenced)
    assert done["outcome"] == "remediated", done
    altered = rewritten(tmp_path / "store.db", world.region, "x@host")
    assert altered
    before = harness.emulator.state.dump()
    with pytest.raises(AddressError, match="'x@host' is not a region of"):
        harness.restore(done["decision_id"])
    assert harness.emulator.state.dump() == before


def rewritten(path, old: str, new: str) -> int:
    """Replace a text in every column of a store; return how many rows held it."""
    changed = 0
    with sqlite3.connect(path) as store:
        tables = [
            name for (name,) in store.execute("select name from sqlite_master where sql != ''")
        ]
        for table in tables:
            columns = [row[1] for row in store.execute(f"pragma table_info({table})")]
            for column in columns:
                done = store.execute(
                    f"update {table} set {column} = replace({column}, ?, ?) "
                    f"where typeof({column}) = 'text' and instr({column}, ?)",
                    (old, new, old),
                )
                changed += max(done.rowcount, 0)
    return changed


@pytest.mark.parametrize(("provider", "region"), CASES)
@pytest.mark.sampled(3)
def test_deletes_and_launches_with_a_store_are_refused_alike(provider, region, tmp_path):
    harness = Harness(replace(world_of(provider), region=region), tmp_path)
    with pytest.raises(AddressError, match="is not a region of"):
        harness.delete(harness.world.free)
    with pytest.raises(AddressError, match="is not a region of"):
        harness.launch("", harness.world.free)


def test_a_resume_asks_no_host_that_a_stored_region_names(place, tmp_path):
    asked = cut_short(place)
    assert rewritten(tmp_path / "approval.db", place.world.region, "x@host")
    before = place.emulator.state.dump()
    with pytest.raises(AddressError, match="'x@host' is not a region of"):
        resume.resume(asked.decision_id, place.context())
    assert place.emulator.state.dump() == before
