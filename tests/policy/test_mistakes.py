"""Policy files that fit the schema and contradict themselves are refused, with a message."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sgguard import policy
from sgguard.errors import PolicyError
from sgguard.model.codes import Mode
from sgguard.policy import Exemption, Match, ScopePolicy

TODAY = date(2026, 11, 22)
EXEMPTION = """
[[exemption]]
group = "{group}"
reasons = ["{reason}"]
owner = "{owner}"
reason = "{why}"
expires = {expires}
"""


def exemption(group="sg-old", reason="protected", owner="ada", why="it goes", expires="2026-12-01"):
    return EXEMPTION.format(group=group, reason=reason, owner=owner, why=why, expires=expires)


@pytest.fixture
def loaded(tmp_path):
    def load(text, today=TODAY):
        path = tmp_path / "policy.toml"
        path.write_text(text)
        return policy.load(str(path), today=today)

    return load


def refusal(loaded, text, today=TODAY):
    with pytest.raises(PolicyError) as refused:
        loaded(text, today)
    assert "policy.toml: " in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "[delete]\nremedies = ['rewrite']",
            ["delete.replacement_group is missing", "rewrite makes rules name"],
            id="rewrite to nothing",
        ),
        pytest.param(
            "[launch]\nremedies = ['quarantine']",
            ["launch.quarantine_group is missing"],
            id="quarantine to nothing",
        ),
        pytest.param(
            "[launch]\nremedies = ['bind']\nbaseline = ['sg-5ua9adfv', 'base-*']",
            ["launch.baseline has base-*", "a name or pattern", "ids or addresses"],
            id="a baseline by name that is to be bound",
        ),
        pytest.param(
            "[[scope]]\nmatch = {region='a'}\n[scope.delete]\nremedies = ['move']",
            ["scope.0.delete.fallback_group is missing"],
            id="a scope that moves to nothing",
        ),
        pytest.param(
            "[delete.replacements]\nsg-a = 'sg-a'",
            ["delete.replacements.sg-a", "the same group", "another group"],
            id="replaced by itself",
        ),
        pytest.param(
            "[delete.replacements]\n'tencent::r:sg-a' = 'sg-a'",
            ["the same group"],
            id="id, address",
        ),
        pytest.param(
            "[delete.replacements]\n'sg-*' = 'tencent::r:sg-new'",
            ["the same group"],
            id="a pattern that means its own replacement",
        ),
        pytest.param(
            "[delete.replacements]\n'sg-a' = 'sg-*'",
            ["delete.replacements.sg-a"],
            id="to a pattern",
        ),
        pytest.param(
            "mode = 'approve'",
            ["approval.approvers is missing", "the names of approvers"],
            id="nobody",
        ),
        pytest.param(
            "[launch]\nmode = 'approve'", ["approval.approvers is missing"], id="nobody for a guard"
        ),
        pytest.param(
            "[[scope]]\nmatch = {region='a'}\nmode = 'approve'",
            ["approval.approvers is missing"],
            id="nobody for a scope",
        ),
        pytest.param(
            "[[scope]]\nmatch = {region='a'}\n[scope.delete]\nmode = 'approve'",
            ["approval.approvers is missing"],
            id="nobody for a guard in a scope",
        ),
        pytest.param(
            "mode = 'approve'\napproval.approvers = ['*']", ["is no name"], id="a wildcard"
        ),
        pytest.param("mode = 'approve'\napproval.approvers = [' ']", ["is no name"], id="a blank"),
        pytest.param("halt = 'yes'", ["halt is a text", "true or false"], id="halt"),
        pytest.param("[caps]\nchanges = 0", ["caps.changes", "1 or more"], id="no changes"),
        pytest.param("[caps]\npercent_of_rules = 101", ["1 to 100"], id="more than all"),
        pytest.param(
            "[caps]\nmanagement_ports = [0]", ["caps.management_ports.0", "1 to 65535"], id="port"
        ),
        pytest.param("[delete]\nwhen_incomplete = 'allow'", ["block or error"], id="allow, blind"),
        pytest.param(
            "[launch]\nwhen_unreachable = 'allow'", ["block or error"], id="allow, unasked"
        ),
        pytest.param(
            "[launch]\nforbidden = ['sg-j*']\nquarantine_group = 'sg-jail'",
            ["launch.quarantine_group", "launch.forbidden has (sg-j*)"],
            id="quarantine in a forbidden group",
        ),
        pytest.param(
            "[launch]\nforbidden = ['sg-a']\nfallback_group = 'tencent::r:sg-a'",
            ["launch.fallback_group", "not forbidden"],
            id="a forbidden fallback",
        ),
        pytest.param(
            "[launch]\nforbidden = ['mon*']\nbaseline = ['monitoring']",
            ["launch.baseline demands monitoring"],
            id="demanded and forbidden",
        ),
        pytest.param("[[scope]]\nmode = 'observe'", ["scope.0.match is missing"], id="no match"),
        pytest.param("[[scope]]\nmatch = {}", ["scope.0.match is empty"], id="empty match"),
        pytest.param(
            "[[scope]]\nmatch = {tag = 'lab'}", ["scope.0.match.tag", "key=value"], id="half a tag"
        ),
        pytest.param(
            "[[scope]]\nmatch = {regoin = 'a'}", ["scope.0.match.regoin", "region"], id="typo"
        ),
        pytest.param(
            "[[scope]]\nmatch = {region = 'a'}\n[[scope]]\nmatch = {region = 'a'}",
            ["scope.1.match never decides", "scope.0"],
            id="the same match twice",
        ),
        pytest.param(
            "[[scope]]\nmatch = {region = 'a'}\n[scope.approval]\napprovers = ['x']",
            ["scope.0.approval is not known here"],
            id="what no scope can change",
        ),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_with_its_path(loaded, text, said):
    refused = refusal(loaded, text)
    for words in said:
        assert words in refused


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"expires": "2026-11-21"}, ["was 2026-11-21", "2026-11-22 on"], id="over"),
        pytest.param({"expires": "2026-02-30"}, ["not valid TOML"], id="no day"),
        pytest.param({"expires": "'2026-02-30'"}, ["expires is no day"], id="no day, as text"),
        pytest.param({"expires": "'soon'"}, ["expires", "2027-03-31"], id="no date"),
        pytest.param({"expires": "2026-12-01T10:00:00Z"}, ["expires"], id="a moment"),
        pytest.param({"expires": "20261201"}, ["expires", "a text"], id="a number"),
        pytest.param({"owner": ""}, ["exemption.0.owner"], id="nobody's"),
        pytest.param({"owner": " "}, ["exemption.0.owner is empty"], id="blank owner"),
        pytest.param({"why": " "}, ["exemption.0.reason is empty"], id="blank reason"),
        *(
            pytest.param(
                {"reason": code}, ["exemption.0.reasons.0", "a reason this policy makes"], id=code
            )
            for code in ("facts-incomplete", "referenced", "bound", "default-group", "everything")
        ),
        *(
            pytest.param({"group": wide}, ["every group of a cloud matches"], id=wide)
            for wide in (
                "*", "**", "?*", "s*", "sg-*", "sg-????????", "*-*", "*:*", "*:*:*:*", "tencent:*",
                "tencent::*:*", "tencent::*:sg-*", "[a-z]*", "[!x]*", "????????-*", "tencent-dfw:*",
                "tencent*", "ten*:*", "tencen?:*",
            )
        ),
    ],
)  # fmt: skip
def test_an_exemption_that_cannot_be_meant_is_refused(loaded, changed, said):
    refused = refusal(loaded, exemption(**changed))
    for words in said:
        assert words in refused


@pytest.mark.parametrize(
    "group",
    ["sg-old", "prod-*", "*-legacy", "tencent::ap-lab:*", "tencent:lab:*:*", "*:ap-lab:*", "ins-1"],
)
def test_an_exemption_of_some_groups_is_taken(loaded, group):
    (found,) = loaded(exemption(group=group)).exemptions
    assert found.group == group


@pytest.mark.parametrize("missing", ["group", "reasons", "owner", "reason", "expires"])
def test_an_exemption_says_everything(loaded, missing):
    lines = [one for one in exemption().splitlines() if not one.startswith(f"{missing} =")]
    assert f"exemption.0.{missing} is missing" in refusal(loaded, "\n".join(lines))


def test_an_exemption_that_ends_today_is_still_taken(loaded):
    text = exemption(expires=TODAY.isoformat())
    assert loaded(text).exemptions[0].expires == TODAY
    assert "is over" in refusal(loaded, text, TODAY + timedelta(days=1))


def test_without_a_day_todays_is_taken(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(exemption(expires="2001-01-01"))
    with pytest.raises(PolicyError, match=r"exemption\.0\.expires was 2001-01-01"):
        policy.load(str(path))


def test_every_mistake_is_told_at_once(loaded):
    text = "mode = 'approve'\n[delete]\nremedies = ['move', 'rewrite']" + exemption(group="*")
    refused = refusal(loaded, text)
    for path in ("approval.approvers", "fallback_group", "replacement_group", "exemption.0.group"):
        assert path in refused


def test_a_whole_policy_is_read(loaded):
    found = loaded(
        """
        mode = "approve"
        halt = true
        [delete]
        mode = "enforce"
        remedies = ["rewrite", "force"]
        replacement_group = "sg-new"
        replacements = { "web-*" = "sg-web" }
        when_incomplete = "error"
        when_unreachable = "block"
        [launch]
        remedies = ["unbind", "quarantine"]
        quarantine_group = "sg-jail"
        fallback_group = "sg-spare"
        [caps]
        changes = 7
        percent_of_rules = 50
        management_ports = [22]
        [approval]
        approvers = ["ada"]
        may_approve_own = true
        expires_s = 3600
        remind_s = 600
        [[scope]]
        match = { provider = "tencent*", tag = "env=lab" }
        mode = "enforce"
        [scope.delete]
        remedies = ["revoke"]
        [scope.caps]
        changes = 3
        """
        + exemption()
    )
    assert found.halt is True
    assert (found.delete.mode, found.delete.remedies) == ("enforce", ("rewrite", "force"))
    assert (found.delete.replacement_group, found.delete.replacements) == (
        "sg-new",
        {"web-*": "sg-web"},
    )
    assert (found.delete.when_incomplete, found.delete.when_unreachable) == ("error", "block")
    assert (found.launch.quarantine_group, found.launch.fallback_group) == ("sg-jail", "sg-spare")
    assert found.caps == policy.Caps(7, 50, (22,))
    assert found.approval == policy.ApprovalPolicy(
        ("ada",), may_approve_own=True, expires_s=3600, remind_s=600
    )
    assert found.scopes == (
        ScopePolicy(
            Match(provider="tencent*", tag="env=lab"),
            Mode.ENFORCE,
            {"remedies": ("revoke",)},
            {},
            {"changes": 3},
        ),
    )
    assert found.exemptions == (
        Exemption("sg-old", ("protected",), "ada", "it goes", date(2026, 12, 1)),
    )


def test_an_address_may_be_written_as_the_replacement(loaded):
    found = loaded("[delete]\nreplacement_group = 'tencent::ap-guangzhou:sg-new'")
    assert found.delete.replacement_group == "tencent::ap-guangzhou:sg-new"
