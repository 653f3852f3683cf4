"""The policy file: what it may say, and what is said about a wrong one."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

import pytest

from sgguard import policy, schemas
from sgguard.errors import PolicyError
from sgguard.model.codes import Mode
from sgguard.model.resource import Visibility
from sgguard.policy import (
    ApprovalPolicy,
    Caps,
    DeletePolicy,
    Exemption,
    LaunchPolicy,
    Match,
    Policy,
    ScopePolicy,
)

WHOLE = """
mode = "approve"
[delete]
protected = ["prod-*", "tencent::*:sg-1"]
remedies = ["revoke", "move"]
fallback_group = "sg-spare"
tolerate_unseen = ["record-ceiling", "not-told"]
require_visibility = "cloud"
[launch]
baseline = ["sg-base"]
forbidden = ["*-open"]
warn_at_percent = 90
remedies = ["bind"]
tolerate_unseen = ["other-project"]
require_visibility = "account"
[limits.tencent]
groups-per-instance = 4
[approval]
approvers = ["ada"]
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="policy.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


@pytest.mark.parametrize("nowhere", [None, ""])
def test_without_a_file_nothing_is_permitted(nowhere):
    found = policy.load(nowhere)
    assert found == Policy()
    assert found.mode is Mode.OBSERVE
    assert (found.delete.protected, found.delete.remedies, found.launch.remedies) == ((), (), ())
    assert found.delete.tolerate_unseen == found.launch.tolerate_unseen == ()


def test_an_empty_file_is_the_default(written):
    assert policy.load(written("")) == Policy()


def test_a_whole_toml_file_is_read(written):
    found = policy.load(written(WHOLE))
    assert found.mode is Mode.APPROVE
    assert found.delete == DeletePolicy(
        ("prod-*", "tencent::*:sg-1"),
        ("revoke", "move"),
        "sg-spare",
        ("record-ceiling", "not-told"),
        Visibility.CLOUD,
    )
    assert found.launch == LaunchPolicy(
        ("sg-base",), ("*-open",), 90, ("bind",), ("other-project",), Visibility.ACCOUNT
    )
    assert found.limits == {"tencent": {"groups-per-instance": 4}}


def test_the_same_policy_as_json_is_the_same(written):
    text = json.dumps(tomllib.loads(WHOLE))
    assert policy.load(written(text, "policy.JSON")) == policy.load(written(WHOLE))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('mod = "observe"', ["mod is not known", "mode"], id="unknown key"),
        pytest.param('mode = "enforced"', ["mode", "observe, approve or enforce"], id="mode"),
        pytest.param("mode = 1", ["mode is a whole number", "text"], id="type"),
        pytest.param("[delete]\nremedies = ['drop']", ["delete.remedies.0", "revoke"], id="remedy"),
        pytest.param("[delete]\nprotected = 'a'", ["delete.protected", "a list"], id="no list"),
        pytest.param("[delete]\nprotected = ['']", ["delete.protected.0", "empty"], id="empty"),
        pytest.param("[delete]\nprotcted = []", ["delete.protcted", "protected"], id="typo"),
        pytest.param(
            "[delete]\nremedies = ['move']", ["delete.fallback_group is missing"], id="no fallback"
        ),
        pytest.param(
            "[launch]\nwarn_at_percent = 0", ["launch.warn_at_percent", "1 to 100"], id="0"
        ),
        pytest.param("[launch]\nwarn_at_percent = true", ["launch.warn_at_percent"], id="boolean"),
        pytest.param(
            "[limits.tencent]\ngroups = 5",
            ["limits.tencent.groups", "groups-per-instance"],
            id="unknown limit",
        ),
        pytest.param("[limits.tencent]\ngroups-per-instance = 0", ["1 or more"], id="no ceiling"),
        pytest.param(
            "[delete]\ntolerate_unseen = ['*']",
            ["delete.tolerate_unseen.0", "no-permission"],
            id="a wildcard",
        ),
        pytest.param(
            "[launch]\ntolerate_unseen = 'not-told'",
            ["launch.tolerate_unseen", "a list"],
            id="one code as text",
        ),
        pytest.param(
            "[delete]\ntolerate_unseen = true", ["delete.tolerate_unseen"], id="everything"
        ),
        pytest.param(
            "[delete]\nrequire_visibility = 'all'",
            ["delete.require_visibility", "project, account or cloud"],
            id="visibility",
        ),
        pytest.param("[limits.Tencent]", ["limits", "tencent"], id="provider name"),
        pytest.param("mode = 1979-05-27", ["mode"], id="a date"),
        pytest.param("mode = \n[delete]", ["not valid TOML", "line 1"], id="broken toml"),
        pytest.param(b"\xff", ["not UTF-8"], id="no text"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_the_path_and_what_is_right(written, text, said):
    path = written(text)
    with pytest.raises(PolicyError) as refused:
        policy.load(path)
    assert str(refused.value).startswith(f"policy {path}: ")
    for each in said:
        assert each in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"mode": "observe", "mode": "enforce"}', "comes twice"),
        ("[]", "the file is a list"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
    ],
    ids=["key twice", "no object", "broken", "too deep"],
)
def test_json_is_refused_as_strictly(written, text, said):
    with pytest.raises(PolicyError, match=said):
        policy.load(written(text, "policy.json"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PolicyError, match=r"nowhere\.toml: cannot be read: No such file"):
        policy.load(str(tmp_path / "nowhere.toml"))


def test_every_wrong_place_is_told_at_once(written):
    with pytest.raises(PolicyError) as refused:
        policy.load(written('mode = "x"\n[delete]\nprotected = 1\n[launch]\nbase = 2'))
    for path in ("mode", "delete.protected", "launch.base"):
        assert path in str(refused.value)


def test_the_schema_has_an_id_and_knows_no_keys_but_those_the_policy_has():
    schema = schemas.load("policy")
    assert schema["$id"] == "https://sgguard.dev/schemas/policy.v1.json"
    lists = {one: f"{one}s" for one in ("scope", "exemption", "caller", "channel", "route")}
    keys = {lists.get(key, key) for key in schema["properties"]}
    assert keys == set(Policy.__struct_fields__)
    for name, kind in (
        ("delete", DeletePolicy),
        ("launch", LaunchPolicy),
        ("caps", Caps),
        ("approval", ApprovalPolicy),
        ("scope", ScopePolicy),
        ("exemption", Exemption),
    ):
        assert set(schema["$defs"][name]["properties"]) == set(kind.__struct_fields__)
    match = schema["$defs"]["scope"]["properties"]["match"]
    assert set(match["properties"]) == set(Match.__struct_fields__)


def test_the_schema_checker_is_not_imported_without_a_policy_file():
    code = (
        "import sys; from sgguard import policy; policy.load(None); "
        "from sgguard.guards import delete, launch; sys.exit('jsonschema' in sys.modules)"
    )
    path = policy.__file__.rpartition("/sgguard/")[0]
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=False)
    assert done.returncode == 0
