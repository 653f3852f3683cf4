"""An assumed role: how long it is used, what happens when it cannot be had, and who is told."""

from __future__ import annotations

import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from threading import Event, Lock

import pytest

from sgguard.emulator.faults import Fault
from sgguard.engine import decide
from sgguard.engine.accounts.sessions import RENEWED_BEFORE_S, Sessions
from sgguard.errors import CloudError, CredentialsError, UnavailableError
from sgguard.events import request
from sgguard.providers import Temporary
from sgguard.telemetry import logs
from tests.accounts.worlds import HOMES, NOW, TENCENT, WORD, Deployment

HOUR_S = 3600.0


def judge(deployment: Deployment):
    (wanted,) = request.delete_sets([deployment.address("shop", deployment.home.shops)])
    decision = decide.decide_delete(wanted, deployment.context(), event_id="e")
    return [one.code for one in decision.judgement.reasons]


@pytest.fixture(params=HOMES, ids=lambda one: one.provider)
def home(request):
    return request.param


def down(home) -> Fault:
    return Fault(kind="error", provider=home.provider, action=home.action, count=99)


@pytest.mark.sampled(2)
def test_a_role_is_assumed_once_for_many_decisions(home):
    deployment = Deployment(home, home.role)
    for _ in range(3):
        assert "referenced" in judge(deployment)
    assert deployment.calls(home.action) == 1


@pytest.mark.sampled(2)
def test_a_role_is_assumed_again_before_its_credentials_end(home):
    deployment = Deployment(home, home.role)
    judge(deployment)
    deployment.now_s = NOW + HOUR_S - RENEWED_BEFORE_S - 1
    judge(deployment)
    assert deployment.calls(home.action) == 1
    deployment.now_s += 2
    assert "referenced" in judge(deployment)
    assert deployment.calls(home.action) == 2


@pytest.mark.sampled(2)
def test_credentials_at_hand_are_used_to_their_end_while_the_role_cannot_be_assumed(home):
    deployment = Deployment(home, home.role)
    judge(deployment)
    deployment.emulator.faults = [down(home)]
    deployment.now_s = NOW + HOUR_S - 1
    assert "referenced" in judge(deployment)
    deployment.now_s = NOW + HOUR_S
    with pytest.raises(CloudError) as error:
        judge(deployment)
    assert error.value.is_retryable
    deployment.emulator.faults = []
    assert "referenced" in judge(deployment)


@pytest.mark.sampled(2)
def test_credentials_that_have_ended_are_refused_by_the_cloud(home):
    """The emulator knows when a session is over: the tests above prove something."""
    deployment = Deployment(home, home.role)
    judge(deployment)
    for session in deployment.emulator.state.clouds[0].sessions.values():
        session.ends_at_s = NOW - 1
    with pytest.raises(CloudError):
        judge(deployment)


def test_a_role_that_is_not_there_is_a_fault_of_the_settings_that_names_account_and_role(home):
    deployment = Deployment(home, home.role, role={"name": "another"})
    with pytest.raises(CredentialsError) as error:
        judge(deployment)
    text = str(error.value)
    assert text.startswith(f"{home.provider} account 'shop': the role {home.role['role']!r} cannot")
    assert deployment.calls(home.action) == 1


def test_a_role_that_does_not_trust_these_credentials_is_told_and_not_tried_again(home):
    deployment = Deployment(home, home.role, role={"trusts": []})
    with pytest.raises(CredentialsError, match=r"account 'shop': the role .* cannot be assumed"):
        judge(deployment)
    assert deployment.calls(home.action) == 1


def test_without_credentials_of_its_own_a_deployment_cannot_assume_a_role(home):
    secret = list(home.env)[1]
    deployment = Deployment(home, home.role, **{secret: ""})
    with pytest.raises(CredentialsError, match="nothing to assume its role with"):
        judge(deployment)


@pytest.mark.parametrize("home", HOMES[:2], ids=lambda one: one.provider)
def test_a_role_that_asks_for_a_word_gets_the_one_of_the_settings(home):
    entry = {**home.role, "external_id": {"env": "SHOP_WORD"}}
    assert "referenced" in judge(Deployment(home, entry, role={"external_id": WORD}))
    with pytest.raises(CredentialsError):
        judge(Deployment(home, home.role, role={"external_id": WORD}))


@pytest.mark.sampled(2)
def test_other_credentials_have_a_session_of_their_own(home):
    deployment = Deployment(home, home.role)
    judge(deployment)
    key_id = next(iter(home.env))
    deployment.emulator.state.clouds[0].accounts[0].key_id = "OTHERKEY000000000000"
    deployment.env[key_id] = "OTHERKEY000000000000"
    judge(deployment)
    assert deployment.calls(home.action) == 2


def test_many_threads_assume_a_role_once():
    sessions, begun, go, asked, guard = Sessions(), Event(), Event(), [], Lock()

    def assume() -> Temporary:
        with guard:
            asked.append(1)
        begun.set()
        go.wait(60)
        return Temporary({"A": "b"}, NOW + HOUR_S)

    def current(_: int) -> Temporary:
        return sessions.current("key", assume, NOW, "tencent")

    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(current, n) for n in range(8)]
        begun.wait(60)
        go.set()
        assert {one.result().ends_at_s for one in found} == {NOW + HOUR_S}
    assert len(asked) == 1


def test_a_service_that_is_down_is_not_asked_at_every_decision():
    sessions, asked = Sessions(), []

    def assume() -> Temporary:
        asked.append(1)
        if len(asked) > 1:
            raise UnavailableError("tencent", "AssumeRole")
        return Temporary({}, NOW + HOUR_S)

    for now_s in (NOW, NOW + HOUR_S - 60, NOW + HOUR_S - 59, NOW + HOUR_S - 54):
        sessions.current("key", assume, now_s, "tencent")
    assert len(asked) == 3


@pytest.mark.sampled(2)
def test_nothing_of_a_session_is_in_a_log_line_or_an_error(home, monkeypatch):
    asked = "" if home.provider == "huawei" else WORD
    entry = {**home.role, **({"external_id": {"env": "SHOP_WORD"}} if asked else {})}
    said = io.StringIO()
    monkeypatch.setattr(logging.getLogger("sgguard"), "level", logging.DEBUG)
    with redirect_stderr(said):
        logs.configure("DEBUG")
        deployment = Deployment(home, entry, role={"external_id": asked})
        judge(deployment)
        deployment.emulator.faults = [down(home)]
        deployment.now_s = NOW + HOUR_S - 1
        judge(deployment)
        deployment.now_s = NOW + HOUR_S
        with pytest.raises(CloudError) as error:
            judge(deployment)
    sessions = deployment.emulator.state.clouds[0].sessions.values()
    secrets = [text for one in sessions for text in (one.secret, one.token)]
    told = said.getvalue() + str(error.value) + repr(error.value)
    assert secrets
    assert "role not renewed" in told
    assert not [one for one in (*secrets, WORD, *list(home.env.values())[1:]) if one in told]


def test_what_a_session_is_refused_with_is_kept_to_itself():
    """Only the name of a call is kept of a refusal: its text may repeat what was signed."""
    deployment = Deployment(TENCENT, TENCENT.role, role={"trusts": []})
    with pytest.raises(CredentialsError) as error:
        judge(deployment)
    assert TENCENT.env["TENCENTCLOUD_SECRET_ID"] not in str(error.value)
    assert json.dumps(str(error.value))
