"""Forged requests: what every scheme signs is held against what arrives, byte by byte.

Real requests are taken from the real client stack; each is then changed in one place and sent to
a cloud of the same state at the same moment. A nonce that was used, a clock that stands wrong and
a key of somebody else are tried the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote, unquote_to_bytes

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.events import request
from tests.deployment import address
from tests.worlds import World, world_of

NOW = 1_800_000_000.0
MINUTE = 60.0

# What no scheme signs, because proxies and libraries change it on the way.
NEUTRAL = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "user-agent", "x-tc-language"}
)


@dataclass(frozen=True)
class Sent:
    """One request as it went out."""

    method: str
    url: str
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes

    def to(self, emulator: Emulator) -> httpx.Response:
        return emulator.handle(
            httpx.Request(self.method, self.url, headers=list(self.headers), content=self.content)
        )


@dataclass(frozen=True)
class Scheme:
    """One signature scheme of one cloud; ``unsigned`` headers are its own exceptions."""

    cloud: str
    settings: tuple[tuple[str, str], ...] = ()
    unsigned: frozenset[str] = frozenset()
    has_nonce: bool = False
    clock_s: float | None = 15 * MINUTE

    @property
    def world(self) -> World:
        return world_of(self.cloud)


# Tencent's API 2.0 signs the parameters (and the host the server takes itself to be), Alibaba's
# RPC scheme the parameters only.
PARAMETERS_ONLY = frozenset({"host", "content-type"})

SCHEMES = {
    "TC3-HMAC-SHA256": Scheme("tencent", clock_s=5 * MINUTE),
    "HmacSHA256": Scheme("tencent-dfw", unsigned=PARAMETERS_ONLY, has_nonce=True, clock_s=None),
    "HmacSHA1": Scheme(
        "tencent-dfw",
        (("SGGUARD_TENCENT_DFW_SIGNATURE", "HmacSHA1"),),
        unsigned=PARAMETERS_ONLY,
        has_nonce=True,
        clock_s=None,
    ),
    "ACS3-HMAC-SHA256": Scheme("alibaba", has_nonce=True),
    "RPC HMAC-SHA1": Scheme(
        "alibaba",
        (("SGGUARD_ALIBABA_SIGNATURE", "rpc"),),
        unsigned=PARAMETERS_ONLY,
        has_nonce=True,
    ),
    "SDK-HMAC-SHA256": Scheme("huawei"),
}


class Recorder(httpx.BaseTransport):
    """Keeps what the real client stack sends."""

    def __init__(self, emulator: Emulator) -> None:
        self.inner = EmulatorTransport(emulator)
        self.sent: list[Sent] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        headers = tuple(request.headers.raw)
        self.sent.append(Sent(request.method, str(request.url), headers, request.content))
        return self.inner.handle_request(request)


def recorded(scheme: Scheme) -> list[Sent]:
    """One request of every action of a decision; the decision itself is the proof that they fit."""
    emulator = scheme.world.emulator(now=lambda: NOW)
    recorder = Recorder(emulator)
    env = {**scheme.world.env, **dict(scheme.settings)}
    context = Context.from_env(env, transport=recorder, now=lambda: NOW)
    wanted = request.delete_request({"target": address(scheme.world, "free")})
    decision = decide.decide_delete(wanted, context, event_id="e")
    assert decision.judgement.verdict == "allow"
    actions = [logged.action for logged in emulator.requests]
    assert len(actions) == len(recorder.sent)
    return list(dict(zip(actions, recorder.sent, strict=True)).values())


@pytest.fixture(scope="module", params=SCHEMES.values(), ids=SCHEMES)
def scheme(request) -> Scheme:
    return request.param


@pytest.fixture(scope="module")
def sent(scheme) -> list[Sent]:
    return recorded(scheme)


def is_accepted(cloud: str, answer: httpx.Response) -> bool:
    if cloud == "tencent":
        return answer.status_code == 200 and "Error" not in answer.json()["Response"]
    if cloud == "tencent-dfw":
        return answer.status_code == 200 and answer.json()["code"] == 0
    return answer.status_code < 300


def accepted(scheme: Scheme, forged: Iterable[tuple[str, Sent]], now: float = NOW) -> list[str]:
    """Which of the forgeries a cloud lets through; after each of those it starts afresh."""
    through = []
    emulator = scheme.world.emulator(now=lambda: now)
    for label, one in forged:
        answer = one.to(emulator)
        assert answer.status_code != 500, label
        if is_accepted(scheme.cloud, answer):
            through.append(label)
            emulator = scheme.world.emulator(now=lambda: now)  # its nonce is used up
    return through


def another(byte: int) -> int:
    return ord("b") if byte != ord("b") else ord("c")


def forged_headers(one: Sent) -> Iterator[tuple[str, Sent]]:
    for n, (name, value) in enumerate(one.headers):
        before, after = one.headers[:n], one.headers[n + 1 :]
        label = name.decode().lower()
        yield f"{label} left out", replace(one, headers=(*before, *after))
        for at in {0, len(value) // 2, len(value) - 1}:
            changed = value[:at] + bytes([another(value[at])]) + value[at + 1 :]
            yield (
                f"{label} changed",
                replace(one, headers=(*before, (name, changed), *after)),
            )


def forged_targets(one: Sent, step: int) -> Iterator[tuple[str, Sent]]:
    start = one.url.index("/", len("https://")) + 1
    for at in range(start, len(one.url), step):
        changed = one.url[:at] + chr(another(ord(one.url[at]))) + one.url[at + 1 :]
        if unquote(changed) != unquote(one.url):  # %5b says what %5B says
            yield f"{at} of {one.url}", replace(one, url=changed)


def forged_contents(one: Sent, step: int) -> Iterator[tuple[str, Sent]]:
    for at in range(0, len(one.content), step):
        content = one.content
        changed = content[:at] + bytes([another(content[at])]) + content[at + 1 :]
        if unquote_to_bytes(changed) != unquote_to_bytes(content):
            yield f"{at} of the body", replace(one, content=changed)
    yield "longer body", replace(one, content=one.content + b"&a=b")


@pytest.mark.sampled(3)
def test_what_really_went_out_is_accepted(scheme, sent):
    assert len(accepted(scheme, [("as it was", one) for one in sent])) == len(sent)


@pytest.mark.sampled(6)
def test_a_header_that_was_changed_or_left_out_is_refused(scheme, sent):
    through = accepted(scheme, (forged for one in sent[:2] for forged in forged_headers(one)))
    names = {label.rpartition(" ")[0] for label in through if "left out" not in label}
    assert names <= NEUTRAL | scheme.unsigned
    left_out = {label.removesuffix(" left out") for label in through if "left out" in label}
    # Without a Host header the one of the address is sent.
    assert left_out <= NEUTRAL | scheme.unsigned | {"host"}


@pytest.mark.sampled(6)
def test_a_byte_of_the_path_or_the_query_that_was_changed_is_refused(scheme, sent):
    assert not accepted(scheme, (forged for one in sent for forged in forged_targets(one, 11)))
    assert not accepted(scheme, forged_targets(sent[0], 1))


@pytest.mark.sampled(3)
def test_a_byte_of_the_body_that_was_changed_is_refused(scheme, sent):
    assert not accepted(scheme, (forged for one in sent for forged in forged_contents(one, 11)))
    assert not accepted(scheme, forged_contents(sent[0], 1))


@pytest.mark.sampled(3)
def test_another_method_with_the_same_signature_is_refused(scheme, sent):
    for method in ("GET", "POST", "PUT", "DELETE"):
        changed = [(method, replace(one, method=method)) for one in sent if one.method != method]
        assert not accepted(scheme, changed)


def test_a_nonce_is_good_once(scheme, sent):
    if not scheme.has_nonce:
        pytest.skip("this scheme has a time and no nonce: the clock alone ends it")
    emulator = scheme.world.emulator(now=lambda: NOW)
    first, again = sent[0].to(emulator), sent[0].to(emulator)
    assert is_accepted(scheme.cloud, first)
    assert not is_accepted(scheme.cloud, again)


@pytest.mark.parametrize("direction", [1, -1], ids=["too old", "of the future"])
@pytest.mark.sampled(4)
def test_a_request_of_another_hour_is_refused(scheme, sent, direction):
    hours = 3 * 3600.0
    requests = [("as it was", one) for one in sent]
    assert not accepted(scheme, requests, NOW + direction * hours)
    if scheme.clock_s is not None:
        beyond = direction * (scheme.clock_s + 5)
        assert not accepted(scheme, requests, NOW + beyond)
        assert accepted(scheme, requests, NOW + direction * (scheme.clock_s - 5))


def test_the_key_of_another_account_with_our_signature_is_refused(scheme, sent):
    scenario = scheme.world.scenario
    (cloud,) = scenario["clouds"]
    mine = cloud["accounts"][0]
    other = {**mine, "id": "somebody-else", "secret": "another secret altogether 00000000"}
    renamed = {**mine, "key_id": "AKSOMETHINGELSE000"}
    emulator = Emulator.load(
        {"clouds": [{**cloud, "accounts": [renamed, other, *cloud["accounts"][1:]]}]},
        now=lambda: NOW,
    )
    for one in sent:
        assert not is_accepted(scheme.cloud, one.to(emulator))


@pytest.mark.sampled(3)
def test_a_refusal_leaves_the_state_and_its_nonces_alone(scheme, sent):
    emulator = scheme.world.emulator(now=lambda: NOW)
    before = emulator.state.dump()
    for _, forged in [*forged_headers(sent[0]), *forged_contents(sent[0], 11)]:
        forged.to(emulator)
    assert emulator.state.dump() == before


# -- tokens: not signed, so whoever has one may say anything; nobody may make one up ---------------


def test_a_token_is_good_only_as_it_was_given_until_it_expires():
    world = world_of("openstack")
    given = world.emulator(now=lambda: NOW)
    recorder = Recorder(given)
    context = Context.from_env(world.env, transport=recorder, now=lambda: NOW)
    wanted = request.delete_request({"target": address(world, "free")})
    decide.decide_delete(wanted, context, event_id="e")
    one = next(sent for sent in recorder.sent if "security-groups" in sent.url)
    tokens = given.state.cloud("openstack").tokens

    def is_good(sent: Sent, *, now: float = NOW, known: bool = True) -> bool:
        emulator = world.emulator(now=lambda: now)
        if known:
            emulator.state.cloud("openstack").tokens.update(tokens)
        return sent.to(emulator).status_code < 300

    assert is_good(one)
    assert not is_good(one, known=False)
    assert not is_good(one, now=NOW + 24 * 3600)
    through = {label for label, forged in forged_headers(one) if is_good(forged)}
    assert not {label for label in through if label.startswith("x-auth-token")}


@pytest.mark.parametrize("part", [b"alice", b"correct horse", b"shop", b"Default"])
@pytest.mark.sampled(3)
def test_a_part_of_the_password_request_that_was_changed_buys_no_token(part):
    world = world_of("openstack")
    emulator = world.emulator(now=lambda: NOW)
    recorder = Recorder(emulator)
    context = Context.from_env(world.env, transport=recorder, now=lambda: NOW)
    wanted = request.delete_request({"target": address(world, "free")})
    decide.decide_delete(wanted, context, event_id="e")
    login = recorder.sent[0]
    assert part in login.content
    assert login.to(world.emulator(now=lambda: NOW)).status_code == 201
    forged = replace(login, content=login.content.replace(part, part[:-1] + b"!"))
    assert forged.to(world.emulator(now=lambda: NOW)).status_code == 401
