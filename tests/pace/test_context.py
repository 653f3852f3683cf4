"""The pace in a decision: rates an operator sets, a store that fails, tables of rates."""

from __future__ import annotations

import logging
from importlib import import_module

import pytest
from msgspec.structs import replace

from sgguard.engine.context import Context, connect
from sgguard.errors import SettingsError, StoreError
from sgguard.model.address import Scope
from sgguard.providers._rates import merged
from sgguard.wire.pacing import SHARE
from tests.engine.interleaved import a_delete, context_of, deliver
from tests.remedy.harness import Harness
from tests.worlds import world_of


def test_an_operators_rates_come_before_the_documented_ones():
    documented = {"Describe*": 50.0, "*": 10.0}
    given = merged(documented, "V", " RunInstances = 2.5 , *=20,")
    assert list(given.items()) == [("RunInstances", 2.5), ("*", 20.0), ("Describe*", 50.0)]
    assert merged(documented, "V", "") == documented


@pytest.mark.parametrize("text", ["Run", "Run=", "=5", "Run=0", "Run=-1", "Run=nan", "Run=inf"])
def test_rates_that_cannot_be_read_are_named(text):
    with pytest.raises(SettingsError, match=r"SGGUARD_RATES_X: .*calls per second"):
        merged({}, "SGGUARD_RATES_X", text)


def test_the_rates_of_the_environment_pace_a_cloud(tmp_path):
    harness = Harness(world_of("tencent"), tmp_path, mode="observe")
    env = {**harness.env, "SGGUARD_RATES_TENCENT": "DescribeInstances=7"}
    context = replace(Context.from_env(env), is_bulk=True)
    pace = connect(Scope("tencent", "", "ap-guangzhou"), context).api.wire.pace
    assert pace.rates["DescribeInstances"] == 7
    assert pace.share == SHARE
    assert pace.is_bulk
    assert pace.scope == "tencent ap-guangzhou"


def test_processes_with_credentials_of_their_own_have_one_budget(tmp_path):
    harness = Harness(world_of("tencent"), tmp_path, mode="observe")
    scopes = set()
    for key in ("AKIDONE", "AKIDTWO"):
        env = {**harness.env, "TENCENTCLOUD_SECRET_ID": key}
        cloud = connect(Scope("tencent", "", "ap-guangzhou"), Context.from_env(env))
        scopes.add(cloud.api.wire.pace.scope)
    assert len(scopes) == 1


class NoPace:
    """A store of which everything works but the pace."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def paces(self):
        return self

    is_exact = True

    def take(self, *_args, **_given):
        raise StoreError("the pace cannot be used")

    seat = slow_down = close_seats = take


def test_a_decision_does_not_fail_with_the_pace_and_says_so(tmp_path, caplog):
    harness = Harness(world_of("tencent"), tmp_path, mode="observe")
    context = context_of(harness)
    context = replace(context, store=NoPace(context.store))
    with caplog.at_level(logging.WARNING, logger="sgguard"):
        done = deliver(context, a_delete(harness, harness.world.free))
    assert done["verdict"] == "allow"
    named = [one for one in caplog.records if one.getMessage() == "pace not shared"]
    assert len(named) == 1


@pytest.mark.parametrize("name", ["alibaba.documented", "huawei.api", "openstack.api"])
def test_every_action_has_a_rate(name):
    rates = import_module(f"sgguard.providers.{name}").RATES
    assert "*" in rates
