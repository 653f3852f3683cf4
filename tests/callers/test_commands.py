"""The commands about callers, and what the doctor says of them."""

from __future__ import annotations

import json
import re
import time
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest

from sgguard.callers.base import Fetched
from sgguard.callers.secret import hash_of, new_token
from sgguard.engine.context import Context
from sgguard.errors import KeysError
from sgguard.operations.doctor import examine_callers
from tests.callers.signers import SENDERS, TOKEN, jwks
from tests.callers.test_forgery import row
from tests.callers.test_permit import ask
from tests.commands import sgguard

__all__ = ["sgguard"]  # a fixture


@pytest.mark.parametrize("kind", ["bearer", "header", "basic", "hmac"])
def test_a_new_secret_is_printed_once_with_a_row_that_the_policy_takes(kind, sgguard, tmp_path):
    code, out, _ = sgguard("callers", "new", "portal-2", "--proof", kind, "--json")
    made = json.loads(out)
    assert code == 0
    assert made["secret"] not in made["row"]
    assert tomllib.loads(made["row"])["caller"][0]["name"] == "portal-2"
    path = tmp_path / "policy.toml"
    path.write_text(made["row"])
    assert sgguard("policy", "check", str(path))[0] == 0
    if kind != "hmac":
        assert hash_of(made["secret"]) in made["row"]
        token = tmp_path / "token"
        token.write_text(made["secret"] + "\n")
        args = ("callers", "check", "--policy", str(path), "--token-file", str(token))
        assert sgguard(*args)[:2] == (0, "It is the token of portal-2.\n")
        token.write_text("sgg_portal-2_other")
        assert sgguard(*args)[:2] == (1, "It is nobody's token.\n")


def test_two_secrets_are_never_the_same_and_have_256_bits():
    made = {new_token("portal") for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == len("sgg_portal_") + 43 for one in made)


@pytest.mark.parametrize("name", ["Portal", "a_b", "-a", "a-", "", "x" * 65, "é"])
def test_a_name_that_no_policy_takes_is_refused(name, sgguard):
    assert sgguard("callers", "new", name)[0] == 2


def test_callers_are_listed_without_their_secrets(sgguard, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"caller": [row("bearer", expires="2099-01-01", note="team x")]}))
    code, out, _ = sgguard("callers", "list", "--policy", str(path))
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["portal", "bearer", "observe", "2099-01-01"]
    document = json.loads(sgguard("callers", "list", "--policy", str(path), "--json")[1])
    assert document[0]["note"] == "team x"
    assert "sha256" not in out + json.dumps(document)


def test_a_check_names_functions_that_do_not_exist_and_secrets_that_are_not_there(
    sgguard, tmp_path
):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"caller": [row("github", functions=["delete_requests"])]}))
    code, out, _ = sgguard("callers", "check", "--policy", str(path))
    assert code == 1
    assert "there is no function delete_requests" in out
    assert "SGG_TEST_HMAC" in out


# -- the doctor ----------------------------------------------------------------------------------


def found(tmp_path, *callers: dict, fetch=None, **env: str) -> dict[str, str]:
    path = tmp_path / f"policy-{len(list(tmp_path.iterdir()))}.json"
    path.write_text(json.dumps({"caller": list(callers)}))
    context = Context.from_env({"SGGUARD_POLICY": str(path), **env})
    findings = examine_callers(context, fetch) if fetch else examine_callers(context)
    return {one.code: one.message for one in findings}


def day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def test_no_callers_is_a_note(tmp_path):
    assert found(tmp_path) == {"callers": "callers: none in the policy"}


def test_callers_that_expire_and_secrets_that_end_are_named(tmp_path):
    assert "portal" in found(tmp_path, row("bearer", expires=day(-1)))["caller-expired"]
    assert "portal" in found(tmp_path, row("bearer", expires=day(29)))["caller-expires"]
    assert "caller-expires" not in found(tmp_path, row("bearer", expires=day(31)))
    ending = [f"{hash_of('a')} until {day(3)}", hash_of("b")]
    proof = {"proof": {"bearer": ending}}
    assert "1 of 2 secrets" in found(tmp_path, {**row("bearer"), **proof})["caller-secret"]
    assert "caller-secret" not in found(tmp_path, row("bearer"))


def test_keys_that_cannot_be_read_are_a_problem_and_a_skewed_clock_is_told(tmp_path):
    def down(*_):
        raise KeysError("issuer.test answers 500")

    def late(*_):
        return Fetched(jwks(), formatdate(time.time() - 300, usegmt=True))

    def right(*_):
        return Fetched(jwks(), formatdate(time.time(), usegmt=True))

    assert "answers 500" in found(tmp_path, row("jwt"), fetch=down)["caller-keys"]
    assert re.search(r" 3\d\d s ahead of that", found(tmp_path, row("jwt"), fetch=late)["clock"])
    assert set(found(tmp_path, row("jwt"), fetch=right)) == {"callers"}


def test_an_old_secret_that_is_still_used_is_named(guarded, world, tmp_path):
    new = hash_of(new_token("portal"))
    rotating = {**row("bearer"), "proof": {"bearer": [new, *SENDERS["bearer"].proof["bearer"]]}}
    function = guarded.start(rotating)
    store = f"sqlite:///{guarded.folder}/guard.db"
    (tmp_path / "policies").mkdir()
    assert "caller-old-secret" not in found(tmp_path / "policies", rotating, SGGUARD_STORE=store)
    data = {"target": f"{world.provider}::{world.region}:{world.free}"}
    assert ask(guarded, function, data).status_code == 200
    said = found(tmp_path / "policies", rotating, SGGUARD_STORE=store)["caller-old-secret"]
    assert hash_of(TOKEN)[7:15] in said
    turned = {**rotating, "proof": {"bearer": rotating["proof"]["bearer"][::-1]}}
    again = found(tmp_path / "policies", turned, SGGUARD_STORE=store)
    assert "caller-old-secret" not in again
