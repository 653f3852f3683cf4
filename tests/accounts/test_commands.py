"""``check`` and ``doctor`` with ``--account``, and a cloud's own event of a further account."""

from __future__ import annotations

import json
import time

import pytest

from sgguard.cli import cli, failure
from sgguard.cli.records import open_executor
from sgguard.emulator.server import serve
from sgguard.engine.case import Case, account_of, place, spellings
from sgguard.model.address import Address
from sgguard.model.event import Event
from sgguard.model.occurrence import Happened, Occurrence
from sgguard.store.rows import Record
from tests.accounts.worlds import ALIBABA, TENCENT, Deployment


@pytest.fixture
def deployment(monkeypatch, tmp_path):
    made = Deployment(TENCENT, TENCENT.role, HOME=str(tmp_path), TENCENTCLOUD_REGION=TENCENT.region)
    made.emulator.now = time.time
    with serve(made.emulator) as server:
        for name, value in {**made.env, "SGGUARD_ENDPOINT_TENCENT": server.url}.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def sgguard(capsys, deployment):
    def run(*args):
        code = failure.run(cli, args)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_check_judges_the_addresses_without_an_account_in_the_one_that_is_named(sgguard):
    address = f"tencent::{TENCENT.region}:{TENCENT.shops}"
    code, out, err = sgguard("check", "delete", "--account", "shop", address, "--json")
    (decision,) = json.loads(out)["decisions"]
    assert (code, err, decision["target"]) == (
        1,
        "",
        [f"tencent:shop:ap-guangzhou:{TENCENT.shops}"],
    )
    assert "referenced" in [one["code"] for one in decision["reasons"]]


def test_check_refuses_an_account_beside_an_address_that_names_another(sgguard, deployment):
    address = f"tencent:stock:{TENCENT.region}:{TENCENT.shops}"
    code, out, err = sgguard("check", "delete", "--account", "shop", address)
    assert (code, out) == (2, "")
    assert f"{address} names another account than --account shop" in err
    assert not deployment.emulator.requests


def test_check_says_which_accounts_there_are_where_one_is_unknown(sgguard, deployment):
    address = f"tencent::{TENCENT.region}:{TENCENT.shops}"
    code, out, err = sgguard("check", "delete", "--account", "stock", address)
    assert (code, out) == (2, "")
    assert "not to 'stock'; the further accounts are shop" in err
    assert not deployment.emulator.requests


def test_check_of_a_launch_takes_the_account_too(sgguard):
    args = ("--provider", "tencent", "--region", TENCENT.region, "--group", TENCENT.shops)
    code, out, _ = sgguard("check", "launch", "--account", "shop", *args, "--json")
    assert code == 0
    assert json.loads(out)["decisions"][0]["target"] == ["tencent:shop:ap-guangzhou"]


def test_the_doctor_examines_every_account_and_names_it(sgguard, deployment):
    deployment.emulator.state.clouds[0].accounts[1].roles[0].denied = ["DescribeInstances"]
    code, out, err = sgguard("doctor", "--json")
    assert (code, err) == (1, "")
    clouds = {one["account"]: one for one in json.loads(out)["clouds"]}
    assert {name: one["trusted"] for name, one in clouds.items()} == {"": True, "shop": False}
    code, out, _ = sgguard("doctor")
    assert "problem: tencent:shop ap-guangzhou: " in out


def test_the_doctor_examines_only_the_account_that_is_named(sgguard, deployment):
    code, out, _ = sgguard("doctor", "--account", "shop", "--json")
    assert (code, [one["account"] for one in json.loads(out)["clouds"]]) == (0, ["shop"])
    assert set(deployment.emulator.state.clouds[0].sessions)


def test_the_doctor_says_that_a_role_cannot_be_assumed(sgguard, deployment):
    deployment.emulator.state.clouds[0].accounts[1].roles[0].trusts = []
    code, out, _ = sgguard("doctor", "--account", "shop")
    assert code == 2
    assert "account 'shop': the role" in out


def test_the_doctor_refuses_an_account_that_there_is_not(sgguard):
    code, out, err = sgguard("doctor", "--account", "stock")
    assert (code, out) == (2, "")
    assert "'stock' is no account of tencent here: named are shop" in err


def test_decisions_of_an_account_are_listed_by_its_name_and_by_its_number(sgguard, monkeypatch):
    monkeypatch.setenv("SGGUARD_ACCOUNT_TENCENT", TENCENT.home_number)
    _, executor = open_executor(makes_store=True)
    written = ("shop", TENCENT.shop_number, "", TENCENT.home_number, "gone")
    for n, account in enumerate(written):
        target = (f"tencent:{account}:{TENCENT.region}:sg-{n}",)
        executor.store.keep(
            Record(f"d-{n}", "test", f"e-{n}", "delete", target, "", "block", "observe", "", "{}")
        )

    def listed(account):
        code, out, _ = sgguard("decisions", "list", "--account", account, "--json")
        assert code == 0
        return sorted(one["decision_id"] for one in json.loads(out))

    assert listed("shop") == listed(TENCENT.shop_number) == ["d-0", "d-1"]
    assert listed(TENCENT.home_number) == ["d-2", "d-3"]
    assert listed("gone") == ["d-4"]
    assert listed("stock") == []


def occurrence(account: str, provider: str = "tencent") -> Occurrence:
    return Occurrence(
        "audit", Happened.DELETED, "op", provider, account=account, region="ap-guangzhou"
    )


@pytest.mark.parametrize(
    ("number", "scope"),
    [(TENCENT.shop_number, "shop"), (TENCENT.home_number, ""), ("300000000003", None)],
)
def test_an_event_is_judged_in_the_account_that_it_happened_in_or_nowhere(number, scope):
    env = {"SGGUARD_ACCOUNT_TENCENT": TENCENT.home_number}
    context = Deployment(TENCENT, TENCENT.role).context(**env)
    one = occurrence(number)
    assert account_of(one, context) == scope
    case = Case(one, Event("e", "t", {}))
    place(case, context, {Happened.DELETED})
    assert (case.scope.account if case.scope else None) == scope


def test_without_a_name_of_its_own_account_a_deployment_of_many_judges_no_unknown_event():
    context = Deployment(TENCENT, TENCENT.role).context()
    assert account_of(occurrence("300000000003"), context) is None
    assert account_of(occurrence("300000000003", "alibaba"), context) == ""


def test_what_was_decided_of_a_group_is_found_by_its_own_account_only():
    deployment = Deployment(ALIBABA, ALIBABA.role)
    context = deployment.context(SGGUARD_ACCOUNT_ALIBABA="main")
    shops = Address.parse(deployment.address(ALIBABA.shop_number, ALIBABA.shops))
    assert spellings(shops, context) == (deployment.address("shop", ALIBABA.shops),)
    own = Address.parse(deployment.address("", ALIBABA.own))
    assert spellings(own, context)[-1] == deployment.address("main", ALIBABA.own)
