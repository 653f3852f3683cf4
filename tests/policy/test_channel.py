"""Channels and routes of a policy: what is read, and what cannot be meant."""

from __future__ import annotations

import pytest

from sgguard import policy
from sgguard.errors import PolicyError
from sgguard.policy import channel
from sgguard.policy.account import at_home
from sgguard.policy.channel import kinds
from sgguard.policy.words import in_words

CHANNEL = '[[channel]]\nname = "ops"\nkind = "slack"\n'


@pytest.fixture
def load(tmp_path):
    def loaded(text: str) -> policy.Policy:
        file = tmp_path / "policy.toml"
        file.write_text(text, encoding="utf-8")
        return policy.load(str(file))

    return loaded


def test_a_channel_has_defaults_and_people(load):
    found = load(CHANNEL + 'tenant = "T1"\nusers = { U1 = "ada" }\n')
    (one,) = found.channels
    assert (one.way, one.language, one.zone, one.commands) == ("webhook", "en", "UTC", "users")
    assert (one.person("U1"), one.person("U2"), one.person("")) == ("ada", "", "")


def test_the_kinds_are_the_modules_of_the_channels():
    assert kinds() == ("dingtalk", "lark", "slack", "teams", "wecom")


def test_where_no_channels_code_is_any_kind_may_be_named(load, monkeypatch, tmp_path):
    """As in a packaged function that sends nothing itself."""
    monkeypatch.setattr(channel, "_FOLDER", tmp_path)
    kinds.cache_clear()
    try:
        assert load(CHANNEL).channels[0].kind == "slack"
    finally:
        monkeypatch.undo()
        kinds.cache_clear()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CHANNEL.replace("slack", "irc"), r"channel\.0\.kind is no kind of channel .*dingtalk"),
        (CHANNEL.replace('"ops"', '"Ops"'), r"channel\.0\.name"),
        (CHANNEL + CHANNEL, r"channel\.1\.name ops is named before"),
        (CHANNEL + 'users = { U1 = "ada" }\n', r"channel\.0\.tenant is missing beside users"),
        (CHANNEL + 'zone = "Mars/Base"\n', r"channel\.0\.zone is no time zone"),
        (CHANNEL + 'zone = "../../etc/passwd"\n', r"channel\.0\.zone is no time zone"),
        (CHANNEL + 'language = "fr"\n', r"channel\.0\.language"),
        (CHANNEL + 'link = "http://x/{decision_id}"\n', r"channel\.0\.link"),
        (CHANNEL + 'link = "https://x/{0}"\n', r"channel\.0\.link"),
        (CHANNEL + 'tenant = "T"\nusers = { U = "a\u200bda" }\n', r"channel\.0\.users\.U .*seen"),
        ('[[route]]\nchannels = ["ops"]\n', r"route\.0\.channels has no channel ops"),
        (CHANNEL + '[[route]]\nchannels = ["op"]\n', r"has no channel op .*one of ops"),
        (CHANNEL + "[[route]]\nchannels = []\n", r"route\.0\.channels"),
        (CHANNEL + '[[route]]\nchannels = ["ops"]\nverdict = ["maybe"]\n', r"route\.0\.verdict"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(load, text, said):
    with pytest.raises(PolicyError, match=said):
        load(text)


def test_two_names_that_share_their_variables_are_refused(load):
    # Both have the variables of OPS_A.
    with pytest.raises(PolicyError, match="named before"):
        load(
            '[[channel]]\nname = "a-b"\nkind = "slack"\n[[channel]]\nname = "a-b"\nkind = "lark"\n'
        )


def test_a_route_for_the_configured_account_takes_addresses_without_one(load):
    route = '[[route]]\nchannels = ["ops"]\nprovider = "tencent"\naccount = "100"\n'
    found = at_home(load(CHANNEL + route), {"tencent": "100"})
    assert found.routes[0].account == "*"
    assert at_home(load(CHANNEL + route), {"tencent": "200"}).routes[0].account == "100"


def test_a_policy_says_in_words_who_may_act_in_a_channel(load):
    text = CHANNEL + 'tenant = "T1"\nusers = { U1 = "ada" }\n'
    route = '[[route]]\nchannels = ["ops"]\nregion = "ap-*"\noutcome = ["pending"]\n'
    said = in_words(load(text + route))
    assert "Channel ops (slack, webhook, en): ada may act there." in said
    assert "Route to ops: region ap-*, pending." in said
