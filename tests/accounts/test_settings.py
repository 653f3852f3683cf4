"""The table of accounts: what it may say, and what is said where it cannot be used."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.engine.accounts.read import accounts_of
from sgguard.engine.context import of_store
from sgguard.errors import PolicyError, SettingsError
from sgguard.model.address import Scope
from sgguard.operations.doctor import examine_here
from sgguard.policy import DeletePolicy, Match, Policy, ScopePolicy
from sgguard.policy.account import at_home

SHOP = {
    "name": "shop",
    "provider": "tencent",
    "role": "qcs::cam::uin/100000000002:roleName/guard",
}
HUAWEI = {"name": "eu", "provider": "huawei", "role": "guard", "domain": "shop"}
SECRET = "a-secret-that-must-not-be-told"
OWN = {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
BY_KEY = {"name": "x", "provider": "alibaba", "credentials": {"ALIBABA_CLOUD_A": "b"}}


def table(*rows, **home: str):
    return accounts_of(json.dumps({"accounts": list(rows)}), home)


def test_a_file_is_read_as_toml_and_as_json_and_a_document_as_it_is(tmp_path):
    toml, jsons = tmp_path / "accounts.toml", tmp_path / "accounts.json"
    lines = [f'{key} = "{value}"' for key, value in SHOP.items()]
    toml.write_text("\n".join(["[[accounts]]", *lines]))
    document = json.dumps(tomllib.loads(toml.read_text()))
    jsons.write_text(document)
    found = {str(accounts_of(text, {}).further) for text in (str(toml), str(jsons), document)}
    assert len(found) == 1
    assert "100000000002" in found.pop()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**SHOP, "rolle": "x"}], r"accounts\[0\]\.rolle: unknown key; expected one of name"),
        ([{"provider": "tencent", "role": "x"}], r"accounts\[0\]\.name: missing"),
        ([{**SHOP, "name": "a:b"}], r"accounts\[0\]\.name: 'a:b' cannot stand in an address"),
        ([{**SHOP, "provider": "aws"}], r"accounts\[0\]\.provider: 'aws': expected one of alibaba"),
        ([{**SHOP, "credentials": {}}], r"either a role or credentials"),
        ([{"name": "x", "provider": "tencent"}], r"either a role or credentials"),
        ([{**SHOP, "role": "guard"}], r"\.role: 'guard': expected qcs::cam::uin/1"),
        ([{**SHOP, "domain": "x"}], r"\.role: 'qcs.*': expected qcs::cam"),
        ([{**SHOP, "id": "7"}], r"\.id: '7' is not the account of the role, '100000000002'"),
        ([{**SHOP, "external_id": SECRET}], r"\.external_id: expected \{ env = "),
        ([{**HUAWEI, "domain": ""}], r"\.role: 'guard': expected an agency's name, and its"),
        ([{**HUAWEI, "external_id": {"env": "A"}}], r"expected an agency without external_id"),
        ([{**SHOP, "provider": "openstack"}], r"openstack knows no roles: give credentials"),
        ([{**SHOP, "provider": "tencent-dfw"}], r"tencent-dfw knows no roles"),
        ([{**BY_KEY, "credentials": OWN}], r"_SECRET: expected \{ env = "),
        ([{**BY_KEY, "credentials": {"OS_TOKEN": "x"}}], r"OS_TOKEN: no variable of alibaba"),
        ([{**BY_KEY, "external_id": {"env": "A"}}], r"external_id: it belongs to a role"),
        (
            [SHOP, {**SHOP, "name": "store"}],
            r"account 'store' is '100000000002', as is ten",
        ),
        ([SHOP, {**SHOP, "role": SHOP["role"].replace("2:", "3:")}], r"is 'shop', as is tencent"),
        ([7], r"accounts\[0\]: expected a table"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place_and_without_a_secret(rows, said):
    with pytest.raises(SettingsError, match=said) as error:
        table(*rows)
    assert str(error.value).startswith("SGGUARD_ACCOUNTS: ")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("name", ["shop", "100000000002"])
def test_the_account_of_the_environment_is_not_named_a_second_time(name):
    with pytest.raises(SettingsError, match="as is SGGUARD_ACCOUNT_TENCENT"):
        table(SHOP, tencent=name)


@pytest.mark.parametrize("text", ["/nowhere/accounts.toml", "{", '{"accounts": {}}', '{"a": []}'])
def test_a_table_that_cannot_be_read_is_told(text):
    with pytest.raises(SettingsError, match=r"^SGGUARD_ACCOUNTS: "):
        accounts_of(text, {})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*SHOP, "id", "credentials", "external_id", "x"]), inner, max_size=4
            )
        ),
    )
)
def test_any_table_is_read_or_refused(rows):
    with suppress(SettingsError):
        accounts_of(json.dumps({"accounts": rows}), {})


def test_an_event_of_an_account_that_nobody_named_is_no_ones():
    unnamed, named, alone = table(SHOP), table(SHOP, tencent="100"), table(tencent="")
    assert unnamed.of_event("tencent", "100000000002", is_numbered=True) == "shop"
    assert named.of_event("tencent", "100", is_numbered=True) == ""
    assert named.of_event("tencent", "300", is_numbered=True) is None
    assert unnamed.of_event("tencent", "300", is_numbered=True) is None
    assert alone.of_event("tencent", "300", is_numbered=True) == ""


def test_an_address_has_one_spelling_of_its_account():
    accounts = table(SHOP, tencent="main")
    for written, meant in {"": "main", "main": "main", "100000000002": "shop"}.items():
        assert accounts.canonical(Scope("tencent", written, "r")).account == meant
    alone = table(tencent="main")
    assert alone.canonical(Scope("tencent", "", "r")).account == ""


def test_a_pattern_that_would_miss_an_account_by_its_number_is_refused():
    accounts = table(SHOP, tencent="main")
    policy = Policy(delete=DeletePolicy(protected=("tencent:1000*:*:*",)))
    with pytest.raises(PolicyError, match="means 'shop' by its number"):
        at_home(policy, accounts.home, accounts.numbers())


def test_an_empty_account_of_several_clouds_is_refused_where_it_would_be_several_accounts():
    accounts = table(SHOP, tencent="main")
    policy = Policy(scopes=(ScopePolicy(Match(account=""), None),))
    with pytest.raises(PolicyError, match="means several accounts"):
        at_home(policy, accounts.home, accounts.numbers())


def test_the_doctor_and_commands_of_the_store_report_a_table_that_cannot_be_used(tmp_path):
    env = {"SGGUARD_ACCOUNTS": "{", "HOME": str(tmp_path)}
    assert any("SGGUARD_ACCOUNTS" in one.message for one in examine_here(env).findings)
    context, problems = of_store(env)
    assert any("SGGUARD_ACCOUNTS" in one for one in problems)
    assert not context.accounts.further
