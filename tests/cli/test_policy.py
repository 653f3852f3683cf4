"""``sgguard policy``: what it prints, where each value comes from, and its exit codes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from sgguard.cli import cli, failure
from sgguard.emulator import scenario
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from sgguard.errors import InputError
from sgguard.guards import delete
from sgguard.operations import replay
from sgguard.policy import Policy
from tests.guards.builders import facts, group, named_by, planned

NEXT_WEEK = datetime.now(UTC).date() + timedelta(days=7)
WHOLE = f"""
mode = "observe"
[delete]
protected = ["prod-*"]
remedies = ["revoke"]
[caps]
changes = 20
[[scope]]
match = {{ region = "ap-lab", tag = "env=lab" }}
mode = "enforce"
[scope.delete]
remedies = ["revoke", "unbind"]
[[exemption]]
group = "prod-old"
reasons = ["protected"]
owner = "ada"
reason = "it goes away"
expires = {NEXT_WEEK.isoformat()}
[[exemption]]
group = "prod-older"
reasons = ["protected", "cap-exceeded"]
owner = "bob"
reason = "later"
expires = 2999-01-01
"""


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("SGGUARD_POLICY", "SGGUARD_MODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(WHOLE)
    return str(path)


@pytest.fixture
def sgguard(capsys):
    def run(*args):
        code = failure.run(cli, ["policy", *args])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


# -- check --------------------------------------------------------------------------------------


def test_a_valid_policy_is_summarised_in_plain_words(sgguard, file):
    code, out, err = sgguard("check", file)
    assert (code, err) == (0, "")
    for words in (
        "is valid",
        "A delete is judged in mode observe: nothing is changed.",
        "Never deleted, nor are their rules changed: prod-*.",
        "rules that reference a group to delete may be revoked",
        "at most 20 changes",
        "Scope 0: where region ap-lab, tag env=lab:",
        "A delete is judged in mode enforce",
        f"Exempted: prod-old from protected until {NEXT_WEEK.isoformat()}, by ada",
    ):
        assert words in out


def test_restrictions_of_a_scope_are_reported_too(sgguard, tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(
        "[delete]\nremedies = ['revoke']\n"
        "[[scope]]\nmatch = {region = 'a'}\ndelete = {remedies = []}"
    )
    assert "Not there: To free a group, rules that reference" in sgguard("check", str(path))[1]


def test_a_halt_is_reported_first(sgguard, tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("halt = true")
    assert sgguard("check", str(path))[1].splitlines()[2].startswith("Halted: nothing is changed")


def test_a_wrong_policy_ends_with_2_and_says_file_path_and_what_is_right(sgguard, tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("mode = 'enforced'\n[delete]\nremedys = []")
    code, out, err = sgguard("check", str(path))
    assert (code, out) == (2, "")
    for words in ("wrong.toml", "mode is not one of", "delete.remedys", "remedies"):
        assert words in err
    assert err.count("\n") == 1


def test_the_file_of_the_environment_is_checked(sgguard, file, monkeypatch):
    monkeypatch.setenv("SGGUARD_POLICY", file)
    assert sgguard("check")[0] == 0
    assert "policy.toml is valid" in sgguard("check")[1]
    monkeypatch.delenv("SGGUARD_POLICY")
    assert "No policy file: the default policy is valid" in sgguard("check")[1]
    assert sgguard("check", "")[0] == 2


# -- show ---------------------------------------------------------------------------------------


def shown(sgguard, *args):
    code, out, err = sgguard("show", "--json", *args)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_every_value_is_shown_with_where_it_comes_from(sgguard, file):
    found = shown(sgguard, "--policy", file)
    assert found["mode"] == {"value": "observe", "source": "file"}
    assert found["delete.protected"] == {"value": ["prod-*"], "source": "file"}
    assert found["launch.warn_at_percent"] == {"value": 80, "source": "default"}
    assert found["caps.changes"] == {"value": 20, "source": "file"}


LAB = ("--for", "tencent::ap-lab:sg-1")


def test_for_a_group_the_scope_that_decides_is_named(sgguard, file):
    found = shown(sgguard, "--policy", file, *LAB, "--tag", "env=lab")
    assert found["mode"] == {"value": "enforce", "source": "scope 0"}
    assert found["delete.remedies"] == {"value": ["revoke", "unbind"], "source": "scope 0"}
    assert found["delete.protected"]["source"] == "file"
    out = sgguard("show", "--policy", file, *LAB, "--tag", "env=lab")[1]
    assert out.startswith("Decided by scope 0 (region ap-lab, tag env=lab).")


def test_where_no_scope_fits_the_file_holds(sgguard, file):
    for args in (
        ("--for", "tencent::ap-x:sg-1"),
        (*LAB, "--tag", "env=prod"),
    ):
        code, out, _ = sgguard("show", "--policy", file, *args)
        assert (code, out.splitlines()[0]) == (
            0,
            "No scope matches: the values of the whole policy.",
        )
        assert shown(sgguard, "--policy", file, *args)["mode"]["source"] == "file"


def test_with_unknown_tags_the_strictest_scope_applies_and_is_reported(sgguard, file):
    for args in (LAB, (*LAB, "--name", "web")):
        out = sgguard("show", "--policy", file, *args)[1]
        assert "One of these may apply: scope 0" in out
        assert "--tag" in out
    assert shown(sgguard, "--policy", file, *LAB)["mode"] == {
        "value": "observe",
        "source": "strictest",
    }


def test_the_mode_of_the_environment_is_shown_in_place_of_every_other(sgguard, file, monkeypatch):
    monkeypatch.setenv("SGGUARD_MODE", "observe")
    found = shown(sgguard, "--policy", file, *LAB, "--tag", "env=lab")
    assert found["mode"] == {"value": "observe", "source": "SGGUARD_MODE"}
    assert "delete.mode" not in found


@pytest.mark.parametrize(
    "args",
    [("--for", "sg-1"), (*LAB, "--tag", "lab"), ("--name", "x"), ("--tag", "a=b")],
    ids=str,
)
def test_a_decision_that_cannot_be_shown_ends_with_2(sgguard, file, args):
    assert sgguard("show", "--policy", file, *args)[0] == 2


# -- exemptions ---------------------------------------------------------------------------------


def test_exemptions_are_listed_with_owner_and_end(sgguard, file):
    code, out, _ = sgguard("exemptions", "--policy", file)
    head, first, second = out.splitlines()
    assert code == 0
    assert head.split() == ["UNTIL", "DAYS", "LEFT", "GROUP", "FROM", "OWNER", "REASON"]
    assert first.split()[:5] == [NEXT_WEEK.isoformat(), "7", "prod-old", "protected", "ada"]
    assert "protected,cap-exceeded" in second


@pytest.mark.parametrize(
    ("within", "groups"),
    [("14d", ["prod-old"]), ("1w", ["prod-old"]), ("6d", []), ("24h", []), ("53000w", None)],
)
def test_only_what_ends_soon_is_listed_on_request(sgguard, file, within, groups):
    code, out, _ = sgguard("exemptions", "--policy", file, "--expiring", within, "--json")
    assert code == 0
    found = [one["group"] for one in json.loads(out)]
    assert found == (["prod-old", "prod-older"] if groups is None else groups)


def test_an_exemption_as_json_has_everything(sgguard, file):
    (first, _) = json.loads(sgguard("exemptions", "--policy", file, "--json")[1])
    assert first == {
        "group": "prod-old",
        "reasons": ["protected"],
        "owner": "ada",
        "reason": "it goes away",
        "expires": NEXT_WEEK.isoformat(),
        "days_left": 7,
    }


def test_without_exemptions_that_is_reported(sgguard):
    assert sgguard("exemptions")[1] == "No exemptions.\n"
    assert sgguard("exemptions", "--expiring", "2w")[1] == "No exemption ends within 2w.\n"


@pytest.mark.parametrize("text", ["14", "d", "-1d", "1y", "two weeks"])
def test_an_unparsable_time_ends_with_2(sgguard, text):
    code, _, err = sgguard("exemptions", "--expiring", text)
    assert code == 2
    assert "36h, 14d or 2w" in err


# -- test ---------------------------------------------------------------------------------------

CASES = """
policy = "policy.toml"
now = 2026-11-22
[[case]]
name = "a free group goes"
facts = "free.json"
verdict = "allow"
reasons = ["free"]
mode = "observe"
[[case]]
name = "a named one is free"
facts = "named.json"
verdict = "remediate"
reasons = ["referenced:block"]
"""


@pytest.fixture
def recorded(tmp_path):
    (tmp_path / "policy.toml").write_text("[delete]\nremedies = ['revoke']\nprotected = ['x*']")
    (tmp_path / "free.json").write_text(replay.record(facts(group())))
    (tmp_path / "named.json").write_text(replay.record(facts(group(references=[named_by()]))))
    (tmp_path / "launch.json").write_text(replay.record(planned(group(count=1))))

    def write(text, name="cases.toml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_cases_are_judged_without_a_cloud(sgguard, recorded):
    code, out, err = sgguard("test", recorded(CASES))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ok      a free group goes",
        "ok      a named one is free",
        "",
        "2 cases, 0 not as expected",
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (('"allow"', '"block"'), "verdict is allow, expected block"),
        (('["free"]', '["protected"]'), "reason protected is not there"),
        (('["free"]', "[]"), "reason free is there as well"),
        (('["free"]', '["free:block"]'), "reason free:block is not there"),
        (('"observe"', '"enforce"'), "mode is observe, expected enforce"),
    ],
    ids=str,
)
def test_an_unexpected_case_is_reported_and_ends_with_1(sgguard, recorded, changed, said):
    code, out, _ = sgguard("test", recorded(CASES.replace(*changed, 1)))
    assert code == 1
    assert out.splitlines()[:2] == ["FAILED  a free group goes", f"        {said}"]
    assert "2 cases, 1 not as expected" in out


def test_one_case_needs_no_list_and_json_will_do(sgguard, recorded):
    text = json.dumps({"policy": "policy.toml", "facts": "launch.json", "verdict": "allow"})
    code, out, _ = sgguard("test", recorded(text, "case.json"), "--json")
    assert code == 0
    (found,) = json.loads(out)
    assert (found["name"], found["as_expected"], found["reasons"]) == (
        "launch.json",
        True,
        ["within-limits:info"],
    )


def test_several_files_are_judged_and_another_policy_wins(sgguard, recorded, tmp_path):
    (tmp_path / "strict.toml").write_text("")
    once, again = recorded(CASES), recorded(CASES, "again.toml")
    code, out, _ = sgguard("test", once, again, "--policy", str(tmp_path / "strict.toml"))
    assert code == 1
    assert out.endswith("4 cases, 2 not as expected\n")


def test_exemptions_apply_on_the_day_of_the_cases(sgguard, recorded, tmp_path):
    (tmp_path / "policy.toml").write_text(
        "[delete]\nprotected = ['sg-*']\n[[exemption]]\ngroup = 'sg-a'\nreasons = ['protected']\n"
        "owner = 'ada'\nreason = 'x'\nexpires = 2001-01-01\n"
    )
    text = "policy = 'policy.toml'\nnow = {}\nfacts = 'free.json'\nverdict = 'allow'\n"
    assert sgguard("test", recorded(text.format("2001-01-01")))[0] == 0
    code, _, err = sgguard("test", recorded(text.format("2001-01-02")))
    # It is not honoured any more, and that is a difference; the test itself goes on.
    assert code == 1
    assert err.count("the exemption of sg-a ended on 2001-01-01") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[case]]\nfacts = 'free.json'", "case.0.verdict is missing"),
        ("[[case]]\nfacts = 'free.json'\nverdict = 'maybe'", "allow, block or remediate"),
        ("[[case]]\nfacts = 'free.json'\nverdict = 'allow'\nreason = []", "case.0.reason is not"),
        (
            "[[case]]\nfacts = 'free.json'\nverdict = 'allow'\nreasons = ['fre']",
            "case.0.reasons has fre, which no guard gives",
        ),
        ("[[case]]\nfacts = 'gone.json'\nverdict = 'allow'", "gone.json: cannot be read"),
        ("[[case]]\nfacts = 'policy.toml'\nverdict = 'allow'", "is not valid JSON"),
        ("now = '2026-02-30'\n[[case]]\nfacts = 'free.json'\nverdict = 'allow'", "now is no day"),
        ("case = []", "case is empty"),
        ("[[case]", "is not valid TOML"),
    ],
    ids=range(9),
)
def test_cases_that_cannot_be_read_end_with_2(sgguard, recorded, text, said):
    code, out, err = sgguard("test", recorded(text))
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"format": "sgguard.facts.v1", "kind": "bind", "facts": {}}',
        '{"format": "sgguard.facts.v1", "kind": "delete", "facts": {"capabilities": 1}}',
        '{"format": "sgguard.facts.v1", "kind": "launch"}',
    ],
)
def test_a_file_that_is_no_record_is_refused(tmp_path, text):
    path = tmp_path / "facts.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"facts\.json: "):
        replay.replay(path)


@pytest.mark.parametrize(
    "of", [facts(group(references=[named_by()]), group("sg-c")), planned(group(count=1))]
)
def test_a_record_is_read_back_unchanged(tmp_path, of):
    path = tmp_path / "facts.json"
    path.write_text(replay.record(of))
    assert replay.replay(path) == of


# -- recording ----------------------------------------------------------------------------------


@pytest.fixture
def demo_clouds(monkeypatch):
    demo = scenario.load("demo")
    with serve(Emulator.load({"clouds": demo.clouds})) as server:
        env = demo.client_env(server.url)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield env


@pytest.mark.parametrize(
    ("args", "verdict"),
    [
        (("delete", "tencent::ap-guangzhou:sg-b4st10n0"), "block"),
        (
            (
                "launch",
                *("--provider", "tencent", "--region", "ap-guangzhou", "--group", "sg-0ldc4mp1"),
            ),
            "allow",
        ),
    ],
    ids=["delete", "launch"],
)
@pytest.mark.sampled(2)
def test_the_facts_of_a_check_can_be_judged_again(demo_clouds, capsys, tmp_path, args, verdict):
    path = tmp_path / "facts.json"
    failure.run(cli, ["check", *args, "--record", str(path), "--json"])
    said = json.loads(capsys.readouterr().out)
    judgement, mode = replay.judge(replay.replay(path), Policy(), datetime.now(UTC))
    assert (judgement.verdict, mode) == (verdict, "observe")
    assert said["verdict"] == verdict
    [decided] = said["decisions"]
    assert [one["code"] for one in decided["reasons"]] == [one.code for one in judgement.reasons]
    for name, value in demo_clouds.items():
        if "SECRET" in name or "PASSWORD" in name or name.endswith("_SK"):
            assert value not in path.read_text()


def test_only_one_set_can_be_recorded(capsys, tmp_path):
    code = failure.run(
        cli,
        ["check", "delete", "tencent::a:sg-1", "tencent::b:sg-2", "--record", str(tmp_path / "x")],
    )
    assert code == 2
    assert "--record writes one set" in capsys.readouterr().err


def test_a_judgement_needs_no_more_than_the_record(tmp_path):
    of = facts(group("sg-a", references=[named_by()]))
    path = tmp_path / "facts.json"
    path.write_text(replay.record(of))
    now = datetime.combine(date(2026, 11, 22), datetime.min.time(), UTC)
    assert replay.judge(replay.replay(path), Policy(), now)[0] == delete.judge(of, Policy(), now)
