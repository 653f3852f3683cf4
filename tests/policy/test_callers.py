"""The table of callers: what is refused, where, and what would be right."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sgguard import policy
from sgguard.errors import PolicyError
from sgguard.model.codes import Mode
from sgguard.policy.proof import holding

HASH = "sha256:" + "a" * 64
JWT = {"issuer": "https://i.test", "audience": "x", "jwks": "https://i.test/jwks"}


def load(tmp_path: Path, *callers: dict[str, Any]) -> policy.Policy:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"caller": list(callers)}))
    return policy.load(str(path), today=date(2026, 11, 28))


def row(proof: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "name": "portal",
        "proof": proof or {"bearer": [HASH]},
        "functions": ["delete_request"],
        **more,
    }


def test_a_caller_that_says_little_may_little(tmp_path):
    (found,) = load(tmp_path, row()).callers
    assert (found.targets, found.speaks_for, found.mode) == ((), (), Mode.OBSERVE)
    assert (found.budget.decisions, found.expires, found.sender) == (None, None, "")


def test_a_caller_that_toml_describes_is_the_same(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(
        '[[caller]]\nname = "portal"\nfunctions = ["delete_request"]\nexpires = 2027-06-30\n'
        f'proof = {{ bearer = ["{HASH}"] }}\n'
    )
    assert policy.load(str(path)).callers == load(tmp_path, row(expires="2027-06-30")).callers


@pytest.mark.parametrize(
    ("proof", "sender"),
    [
        ({"hmac": {"scheme": "github", "secrets": [{"env": "X"}]}}, "github"),
        ({"hmac": {"scheme": "standard-webhooks", "secrets": [{"env": "X"}]}}, ""),
        ({"smn": {"topics": ["urn:smn:cn-north-4:0a:guard"]}}, "smn"),
    ],
)
def test_some_proofs_belong_to_a_product(tmp_path, proof, sender):
    assert load(tmp_path, row(proof)).callers[0].sender == sender


MISTAKES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no proof": ([row({"x": 1})], "caller.0.proof.x is not known here"),
    "two proofs": ([row({"bearer": [HASH], "platform": "scf"})], "has more than one entry"),
    "no function": ([row(functions=[])], "caller.0.functions is empty"),
    "a name in capitals": ([row(name="Portal")], "caller.0.name has characters"),
    "a token itself": ([row({"bearer": ["sgg_portal_x"]})], "caller.0.proof.bearer.0 has"),
    "a secret itself": (
        [row({"hmac": {"scheme": "github", "secrets": ["s3cr3t"]}})],
        "secrets.0 is a text (expected an object",
    ),
    "no address": ([row(targets=["tencent:*"])], "caller.0.targets.0 is tencent:*"),
    "no such cloud": ([row(targets=["aws::*:*"])], "of a cloud that does not exist"),
    "a day that is over": ([row(expires="2026-11-27")], "caller.0.expires was 2026-11-27"),
    "no such day": ([row(expires="2027-02-30")], "caller.0.expires is no day"),
    "no such day of a secret": (
        [row({"bearer": [f"{HASH} until 2027-02-30"]})],
        "has a day that no calendar has",
    ),
    "one name": ([row(), row({"bearer": ["sha256:" + "b" * 64]})], "caller.1.name is portal"),
    "one secret": ([row(), row(name="other")], "has a secret that portal has, too"),
    "a platform beside": (
        [row(), row({"platform": "scf"}, name="other")],
        "caller.1.functions shares delete_request with portal",
    ),
    "an audience alone": ([row({"jwt": JWT})], "caller.0.proof.jwt names no sender"),
    "keys over http": (
        [row({"jwt": {**JWT, "jwks": "http://i.test/jwks", "subjects": ["s"]}})],
        "caller.0.proof.jwt.jwks is no https address",
    ),
    "keys in two places": (
        [row({"jwt": {**JWT, "jwks_file": "/x", "subjects": ["s"]}})],
        "has jwks and jwks_file",
    ),
    "an old algorithm": (
        [row({"jwt": {**JWT, "subjects": ["s"], "algorithms": ["HS256"]}})],
        "algorithms.0 is not one of those there are",
    ),
    "every peer": ([row({"xfcc": {"peers": ["0.0.0.0/0"], "uris": ["u"]}})], "is every address"),
    "no network": ([row({"xfcc": {"peers": ["10.0.0.1/8"], "uris": ["u"]}})], "is no network"),
    "nobody behind a proxy": ([row({"xfcc": {"peers": ["10.0.0.0/8"]}})], "names no sender"),
    "no topic": ([row({"smn": {"topics": ["guard"]}})], "caller.0.proof.smn.topics.0 is no topic"),
    "no token of a bus": (
        [row({"alibaba": {"url": "https://g.test/", "regions": ["cn-hangzhou"]}})],
        "caller.0.proof.alibaba.tokens is missing",
    ),
    "no budget": ([row(budget={"decisions": 0})], "caller.0.budget.decisions is too small"),
    "a product that is none": ([row(sender="kafka")], "caller.0.sender is not one of"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path, what):
    callers, said = MISTAKES[what]
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, *callers)
    assert said in str(caught.value)


def test_a_caller_that_ended_keeps_no_function_from_starting(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"caller": [row(expires="2020-01-01")]}))
    assert policy.load(str(path), today=date.min).callers


def test_a_hash_holds_until_the_end_of_its_day():
    entries = [f"{HASH} until 2027-03-31", "sha256:" + "b" * 64]
    assert holding(entries, date(2027, 3, 31)) == ("a" * 64, "b" * 64)
    assert holding(entries, date(2027, 4, 1)) == ("b" * 64,)
