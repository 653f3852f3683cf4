"""Scenarios: found by name or path, and what is wrong in one is said with file and path."""

from __future__ import annotations

import pytest

from sgguard.emulator import scenario
from sgguard.emulator.core import Emulator
from sgguard.providers import names

EVENT = '[[events]]\nfunction = "delete_request"\ntitle = "t"\ndata = {}\n'


def test_every_built_in_scenario_loads_into_an_emulator():
    for name in scenario.built_in():
        loaded = scenario.load(name)
        assert Emulator.load({"clouds": loaded.clouds}).state.clouds


def test_the_demo_asks_every_provider():
    demo = scenario.load("demo")
    assert {cloud["provider"] for cloud in demo.clouds} == set(names())
    assert {event.expect.verdict for event in demo.events} == {"allow", "block", "remediate", ""}


def test_a_file_is_a_scenario_too(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('title = "mine"\n[[clouds]]\nprovider = "tencent"\n')
    assert scenario.load(file).title == "mine"
    assert scenario.load(str(file)).clouds == [{"provider": "tencent"}]


def test_the_environment_names_every_clouds_endpoint_and_the_keys():
    text = 'env = { OS_AUTH_URL = "{url}/v3" }\n[[clouds]]\nprovider = "tencent-dfw"\n'
    env = scenario.parse(text, "x.toml").client_env("http://127.0.0.1:1")
    assert env == {
        "SGGUARD_ENDPOINT_TENCENT_DFW": "http://127.0.0.1:1",
        "OS_AUTH_URL": "http://127.0.0.1:1/v3",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "x.toml: not TOML"),
        ("titel = 'x'", "x.toml: titel: unknown key"),
        ("title = 3", "x.toml: title: expected str, got 3"),
        ("clouds = 3", "x.toml: clouds: expected a list"),
        ("clouds = [3]", "x.toml: clouds[0]: expected a table"),
        ("[[clouds]]\nregions = []", "x.toml: clouds[0].provider: missing"),
        (
            "[[clouds]]\nprovider = 'a'\n[[clouds.groups]]\nid = 'g'\nrules = [{ way = 'in' }]",
            "x.toml: clouds[0].groups[0].rules[0].way: unknown key",
        ),
        ("[[events]]\ntitle = 'x'", "x.toml: events[0].function: missing"),
        (EVENT, "x.toml: events[0].expect: missing"),
        (EVENT + "expect = {}", "x.toml: events[0].expect.verdict: expected one of allow"),
        (EVENT + "expect = { verdict = 'no' }", "expected one of allow, block, remediate"),
        (
            EVENT + "delivery = 'pigeon'\nexpect = { status = 400 }",
            "x.toml: events[0].delivery: expected one of structured, binary, bare",
        ),
        (
            EVENT + "policy = 'soft'\nexpect = { status = 400 }",
            "x.toml: events[0].policy: expected one of none is stated",
        ),
        ("[policies]\nsoft = 1", "x.toml: policies.soft: expected a table"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_path(text, said):
    with pytest.raises(ValueError, match=r"x\.toml") as refused:
        scenario.parse(text, "x.toml")
    assert said in str(refused.value)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"expected a TOML file or one of demo"):
        scenario.load("nothing")
    with pytest.raises(ValueError, match=r"expected a TOML file or one of demo"):
        scenario.load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(ValueError, match="not UTF-8"):
        scenario.load(tmp_path / "latin.toml")
