"""The account of an address picks the credentials, and no other account's are ever used."""

from __future__ import annotations

import pytest

from sgguard.engine import decide
from sgguard.engine.context import connect
from sgguard.errors import CredentialsError, EventError
from sgguard.events import request
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Verdict
from sgguard.remedy.plan import key
from tests.accounts.worlds import HOMES, TENCENT, Deployment


def judge(deployment: Deployment, address: str, **env: str):
    (wanted,) = request.delete_sets([address])
    return decide.decide_delete(wanted, deployment.context(**env), event_id="e")


def reasons(decision) -> list[str]:
    return [one.code for one in decision.judgement.reasons]


@pytest.fixture(params=HOMES, ids=lambda one: one.provider)
def home(request):
    return request.param


@pytest.fixture(params=["role", "credentials"])
def deployment(request, home) -> Deployment:
    entry = home.role if request.param == "role" else {"credentials": home.credentials}
    return Deployment(home, {"id": home.shop_number, **entry})


@pytest.mark.sampled(3)
def test_a_group_of_a_further_account_is_judged_with_that_accounts_credentials(home, deployment):
    found = judge(deployment, deployment.address("shop", home.shops))
    assert "referenced" in reasons(found)
    assert found.target == (deployment.address("shop", home.shops),)


@pytest.mark.sampled(6)
def test_the_group_of_one_account_is_not_seen_from_the_other(home, deployment):
    for account, group in (("", home.shops), ("shop", home.own)):
        found = judge(deployment, deployment.address(account, group))
        assert reasons(found) == ["not-found"]
    assert judge(deployment, deployment.address("", home.own)).judgement.verdict is Verdict.ALLOW


@pytest.mark.sampled(6)
def test_every_read_for_an_account_is_signed_by_it_alone(home, deployment):
    judge(deployment, deployment.address("shop", home.shops))
    assumed = deployment.calls(home.action)
    assert deployment.transport.accounts[:assumed] == [home.home_number] * assumed
    assert set(deployment.transport.accounts[assumed:]) == {home.shop_number}
    read = len(deployment.transport.accounts)
    judge(deployment, deployment.address("", home.own))
    assert set(deployment.transport.accounts[read:]) == {home.home_number}


@pytest.mark.sampled(3)
def test_an_account_that_is_named_by_its_number_is_the_same_one(home, deployment):
    found = judge(deployment, deployment.address(home.shop_number, home.shops))
    assert found.target == (deployment.address("shop", home.shops),)


@pytest.mark.sampled(4)
def test_an_account_whose_number_is_not_told_is_judged_all_the_same(home):
    told = Deployment(home, {"credentials": home.credentials, "id": home.shop_number})
    deployment = Deployment(home, {"credentials": home.credentials})
    found = judge(deployment, deployment.address("shop", home.shops))
    assert reasons(found) == reasons(judge(told, told.address("shop", home.shops)))


def test_an_account_that_is_not_named_is_refused_and_no_cloud_is_asked(home, deployment):
    with pytest.raises(EventError, match=r"not to 'stock'; the further accounts are shop") as error:
        judge(deployment, deployment.address("stock", home.shops))
    assert (error.value.status, error.value.part) == (422, "account")
    assert not deployment.emulator.requests


@pytest.mark.sampled(2)
def test_the_two_spellings_of_the_configured_account_are_one_target_and_one_lock(home):
    deployment = Deployment(home, {"id": home.shop_number, **home.role})
    name = f"SGGUARD_ACCOUNT_{home.provider.upper()}"
    targets = {
        judge(deployment, deployment.address(account, home.own), **{name: "main"}).target
        for account in ("", "main")
    }
    assert targets == {(deployment.address("main", home.own),)}
    scopes = [Scope(home.provider, account, home.region) for account in ("", "main", "shop")]
    assert len({key(scope, home.own) for scope in scopes}) == 1


def test_a_secret_that_is_not_there_is_told_and_nothing_else_is_used_instead(home):
    deployment = Deployment(home, {"credentials": home.credentials}, SHOP_SECRET="")
    with pytest.raises(CredentialsError, match=r"account 'shop': the variable SHOP_SECRET is not"):
        judge(deployment, deployment.address("shop", home.shops))
    assert not deployment.emulator.requests


def test_credentials_that_are_half_given_are_not_completed_with_those_of_the_environment(home):
    first = next(iter(home.credentials))
    deployment = Deployment(home, {"credentials": {first: home.credentials[first]}})
    with pytest.raises(CredentialsError):
        judge(deployment, deployment.address("shop", home.shops))
    assert not deployment.emulator.requests


def test_the_project_of_one_account_is_not_that_of_another():
    (huawei,) = [one for one in HOMES if one.provider == "huawei"]
    deployment = Deployment(huawei, huawei.role, HUAWEICLOUD_SDK_PROJECT_ID="a" * 32)
    found = judge(deployment, deployment.address("shop", huawei.shops))
    assert "referenced" in reasons(found)


@pytest.mark.parametrize(("account", "effect"), [("", "block"), ("shop", "info")])
def test_an_exemption_of_one_account_excuses_no_group_of_another(tmp_path, account, effect):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        f'[delete]\nprotected = ["{TENCENT.shops}"]\n'
        f'[[exemption]]\ngroup = "tencent:{account}:*:{TENCENT.shops}"\n'
        'reasons = ["protected"]\nowner = "ada"\nreason = "moved"\nexpires = 2099-01-01\n'
    )
    deployment = Deployment(TENCENT, TENCENT.role, SGGUARD_POLICY=str(policy))
    named = {"SGGUARD_ACCOUNT_TENCENT": TENCENT.home_number}
    found = judge(deployment, deployment.address("shop", TENCENT.shops), **named)
    assert [r.effect for r in found.judgement.reasons if r.code == "protected"] == [effect]


@pytest.mark.parametrize("account", ["shop", TENCENT.shop_number])
def test_what_protects_an_account_protects_it_by_name_and_by_number(tmp_path, account):
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[delete]\nprotected = ["tencent:{account}:*:*"]\n')
    deployment = Deployment(TENCENT, TENCENT.role, SGGUARD_POLICY=str(policy))
    assert "protected" in reasons(judge(deployment, deployment.address("shop", TENCENT.shops)))
    assert "protected" not in reasons(judge(deployment, deployment.address("", TENCENT.own)))


def test_the_connection_to_an_account_shows_none_of_its_secrets(home, deployment):
    scope = Address.parse(deployment.address("shop", home.shops)).scope
    shown = repr(connect(scope, deployment.context()))
    assert not any(secret in shown for secret in home.secrets if len(secret) > len(home.region))
