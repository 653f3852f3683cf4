"""No configured secret leaves the process, whatever quotes it, and in whatever spelling."""

from __future__ import annotations

import base64
import json
import logging
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import CloudError, ForbiddenError, UnauthenticatedError, UnavailableError
from sgguard.telemetry import logs, redaction
from sgguard.telemetry.redaction import (
    MASK,
    redacted,
    redacted_outside,
    remember,
    remember_environment,
)
from sgguard.web.problem import of as problem_of
from sgguard.web.response import of_problem

PACKAGE = Path(redaction.__file__).parents[1]
SECRET = 'pl4nted/"secret"+é=='


@pytest.fixture(autouse=True)
def _planted(monkeypatch):
    monkeypatch.setattr(redaction, "_spellings", {})
    remember(SECRET)


SPELLINGS = {
    "as it is": SECRET,
    "json": json.dumps({"password": SECRET}),
    "json in UTF-8": json.dumps({"password": SECRET}, ensure_ascii=False),
    "query": f"?password={quote(SECRET, safe='')}",
    "base64": base64.b64encode(SECRET.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_taken_out_of_a_text_in_every_spelling(spelling):
    text = f"{SPELLINGS[spelling]} was refused"
    assert MASK in redacted(text)
    assert SPELLINGS[spelling] not in redacted(text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_text_without_a_secret_stays_as_it_is(before, after):
    assert redacted(before + after) == before + after
    assert redacted(before + SECRET + after) == before + MASK + after


@pytest.mark.parametrize(
    "kind", [CloudError, UnavailableError, UnauthenticatedError, ForbiddenError]
)
def test_an_error_of_a_cloud_holds_no_secret_that_stands_early_in_its_text(kind):
    error = kind("tencent", "Describe", code=SECRET, detail=f"{SECRET} denied", request_id=SECRET)
    for text in (str(error), error.code, error.detail, error.request_id, repr(error.args)):
        assert SECRET not in text


@pytest.mark.parametrize("kind", [UnauthenticatedError, ForbiddenError])
def test_the_text_of_a_refusal_of_credentials_is_not_kept(kind):
    error = kind("huawei", "GET /v3/ports", code="APIGW.0301", detail="AK AKIDPLANTED is wrong")
    assert "AKIDPLANTED" not in str(error)
    assert error.code == "APIGW.0301"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: SDK-HMAC-SHA256 Access=AKIDPLANTED, SignedHeaders=host, Signature=planted",
        '{"X-Auth-Token": "planted-token-planted"}',
        "x-acs-security-token: planted",
        "GET /?Action=A&Signature=planted%3D&SecurityToken=planted",
        "'X-TC-Token': 'planted'",
        "Cookie: planted",
    ],
)
def test_what_a_header_of_credentials_carries_is_taken_out_of_a_text_of_a_cloud(text):
    assert "planted" not in redacted_outside(text).lower()


@pytest.mark.parametrize("mark", ["\x1b[31m", "\x07", "\n", "\u202e", "\u2066", "\u200f", "\x9b"])
def test_no_control_or_direction_character_of_a_cloud_reaches_a_terminal_or_a_log(mark):
    error = CloudError("tencent", "Describe", code=f"A{mark}B", detail=f"c{mark}d")
    assert str(error).isprintable()


def test_a_log_line_and_an_answer_hold_no_secret():
    record = logging.LogRecord("sgguard", logging.INFO, "", 0, "decided", (), None)
    record.sgguard = {"detail": f"x {SECRET}", "groups": [SECRET]}
    line = logs.line(record)
    assert json.loads(line)["groups"] == [MASK]
    answer = of_problem(problem_of(UnavailableError("tencent", "Describe", detail=SECRET)))
    assert json.loads(answer.body)["status"] == 503
    assert "pl4nted" not in line + answer.body.decode()


def test_a_secret_shorter_than_a_word_is_not_taken_out_of_words():
    remember("secret")
    assert redacted("a secret text") == "a secret text"


def test_the_memory_for_secrets_is_bounded():
    remember(*(f"secret number {n}" for n in range(5000)))
    assert len(redaction._spellings) <= redaction._KEPT_MAX


def test_every_variable_that_holds_a_secret_is_remembered():
    spelt = "(?:SECRET|TOKEN|PASSWORD|_SK|SECRETKEY)"
    named = set()
    for path in PACKAGE.rglob("*.py"):
        if "emulator" not in path.parts and "demo" not in path.parts:
            named |= set(re.findall(rf'"((?:[A-Z]+_)+[A-Z_]*{spelt}[A-Z_]*)"', path.read_text()))
            named |= set(re.findall(r'"([A-Z]+_[A-Z_]*SK)"', path.read_text()))
    named = {one for one in named if not one.endswith(("_ID", "SECRETID", "_NAME"))}
    named -= {"APP_SECRET"}  # the end of a variable of a chat channel
    assert {"OS_PASSWORD", "TENCENTCLOUD_SECRET_KEY", "HUAWEICLOUD_SDK_SK"} <= named
    assert named <= set(redaction.SECRET_VARIABLES)


def test_the_secrets_of_chat_channels_are_remembered():
    remember_environment(
        {
            "SGGUARD_CHAT_OPS_SECRET": "new signing secret, old signing secret",
            "SGGUARD_CHAT_OPS_URL": "https://hook.example/x?sig=planted,signature",
        }
    )
    text = "old signing secret https://hook.example/x?sig=planted,signature"
    assert redacted(text) == f"{MASK} {MASK}"


def test_the_keys_of_approvals_and_the_password_of_the_store_are_remembered():
    remember_environment(
        {
            "SGGUARD_APPROVAL_KEY": "first key of approvals, second key of approvals",
            "SGGUARD_STORE": "postgresql://guard:planted-password@db/sgguard",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=key%20of%20the%20collector,tenant=a",
        }
    )
    text = "second key of approvals, planted-password, key of the collector"
    assert redacted(text) == f"{MASK}, {MASK}, {MASK}"
