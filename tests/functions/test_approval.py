"""The function ``approval``: opening a link has no effect, and it is decided once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard import schemas
from sgguard.approvals import deny, web
from sgguard.approvals import link as token
from sgguard.approvals.link import LinkToken
from sgguard.emulator.server import serve
from sgguard.errors import EventError, SettingsError
from tests.approvals.harness import KEY, POLICY, approval_harness
from tests.callers import EVERYBODY
from tests.examples import examples

OTHER_KEY = "fedcba9876543210fedcba9876543210"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {**PAGE, "Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
DUE = "sgguard.approvals.due.v1"

TOML = """
mode = "approve"
[delete]
remedies = ["revoke", "unbind"]
[caps]
management_ports = []
[approval]
approvers = ["ada", "bob", "eve"]
"""
TOML += EVERYBODY


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A question that was asked, and the environment in which the function answers it."""
    policy = tmp_path / "policy.toml"
    policy.write_text(TOML)
    with approval_harness("tencent", tmp_path) as made, serve(made.emulator) as cloud:
        # the function's own view of the store has the machine's clock
        made.clock.now_s = time.time()
        env = {
            **made.world.env,
            "SGGUARD_APPROVAL_KEY": KEY,
            "SGGUARD_STORE": made.url,
            "SGGUARD_POLICY": str(policy),
            "SGGUARD_ENDPOINT_TENCENT": cloud.url,
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def function(framework):
    return framework("approval")


def link(place, asked, by="ada", action="approve") -> str:
    return web.link(asked.approval_id, by, action, place.context())


def state(place):
    return (place.emulator.state.dump(), place.kept())


def buttons(page: str) -> dict[str, str]:
    found = re.findall(r'name="token" value="([^"]+)"><button class="(\w+)"', page)
    return {action: html.unescape(text) for text, action in found}


# -- looking -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.sampled(2)
def test_looking_at_a_link_changes_nothing_however_often(place, function, method):
    asked = place.asked()
    before = state(place)
    reads = len(place.emulator.requests)
    for _ in range(3):
        answer = getattr(function.client, method)("/", query_string={"token": link(place, asked)})
        assert answer.status_code == 200
    assert state(place) == before
    assert len(place.emulator.requests) == reads


def test_the_page_shows_the_request_and_has_two_buttons(place, function):
    asked = place.asked()
    answer = function.client.get("/", query_string={"token": link(place, asked)})
    page = html.unescape(answer.get_data(as_text=True))
    for text in (place.target, "eve", "ada", "UTC"):
        assert text in page
    document = place.document(asked)
    for one in document["plan"]:
        assert one["summary"] in page
    for one in document["reasons"]:
        assert one["message"] in page
    assert list(buttons(answer.get_data(as_text=True))) == ["approve", "deny"]


def test_the_page_is_neither_kept_nor_framed_nor_loads_anything(place, function):
    answer = function.client.get("/", query_string={"token": link(place, place.asked())})
    page = answer.get_data(as_text=True)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    style = re.findall(r"<style>(.*)</style>", page)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert not re.search(r"<script|<link|<img|https?://|\son\w+=|\sstyle=", page)


def test_whatever_others_wrote_is_escaped_and_on_one_line(place, function):
    bad = '"><script>alert(1)</script>\u202e\r\nX: y'
    place.policy = replace(
        POLICY, approval=replace(POLICY.approval, approvers=("ada", "bob", "eve"))
    )
    asked = place.asked(requester=bad)
    page = function.client.get("/", query_string={"token": link(place, asked)}).get_data(
        as_text=True
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page


def test_a_link_to_deny_has_no_button_to_approve(place, function):
    asked = place.asked()
    text = link(place, asked, action="deny")
    page = function.client.get("/", query_string={"token": text}).get_data(as_text=True)
    assert list(buttons(page)) == ["deny"]


@pytest.mark.parametrize(
    ("by", "status"), [("ada", 409), ("bob", 409)], ids=["who-answered", "somebody-else"]
)
@pytest.mark.sampled(2)
def test_a_link_that_was_answered_says_by_whom(place, function, by, status):
    asked = place.asked()
    text = link(place, asked, by)
    function.post(f"token={text}".encode(), FORM)
    answer = function.client.get("/", query_string={"token": text})
    assert answer.status_code == status
    assert f"{by} approved this already" in answer.get_data(as_text=True)


@pytest.mark.parametrize("text", ["", "x", "v1.e30.AAAA", "v1..", "ü", "v1." + "a" * 9000])
@pytest.mark.sampled(3)
def test_an_unsigned_link_shows_a_page_that_does_not_repeat_it(function, place, text):
    answer = function.client.get("/", query_string={"token": text})
    assert answer.status_code == 403
    page = answer.get_data(as_text=True)
    assert page.startswith("<!doctype html>")
    assert len(text) < 3 or text not in page


def test_without_a_token_the_function_says_what_it_is(function):
    told = function.client.get("/").get_json()
    assert (told["function"], told["type"]) == ("approval", DUE)
    assert told["answers"] == "sgguard.approvals.reminders.v1"


def test_without_a_key_no_link_is_shown_or_answered(place, function, monkeypatch):
    text = link(place, place.asked())
    monkeypatch.delenv("SGGUARD_APPROVAL_KEY")
    assert function.client.get("/", query_string={"token": text}).status_code == 503
    answer = function.post({"token": text}, JSON)
    assert answer.status_code == 503
    assert "SGGUARD_APPROVAL_KEY" in answer.get_json()["detail"]
    for nonsense in ("x", "a.b.c", f"other{text}", text[:-1] + "!"):
        assert function.client.get("/", query_string={"token": nonsense}).status_code == 403
        assert function.post({"token": nonsense}, JSON).status_code == 403


# -- answering -----------------------------------------------------------------------------


def test_the_button_to_approve_carries_it_out(place, function):
    asked = place.asked()
    page = function.client.get("/", query_string={"token": link(place, asked)})
    text = buttons(page.get_data(as_text=True))["approve"]
    answer = function.post(f"token={text}".encode(), FORM)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Done" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert place.is_deleted
    assert place.approval(asked.approval_id).resolved_by == "ada"


def test_the_button_to_deny_does_not(place, function):
    asked = place.asked()
    page = function.client.get("/", query_string={"token": link(place, asked)})
    text = buttons(page.get_data(as_text=True))["deny"]
    answer = function.post(f"token={text}".encode(), FORM)
    assert (answer.status_code, "Denied" in answer.get_data(as_text=True)) == (200, True)
    assert place.approval(asked.approval_id).state == "denied"
    assert not place.is_deleted


def test_a_program_gets_the_decision_as_json(place, function):
    answer = function.post({"token": link(place, place.asked())}, JSON)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json()["outcome"] == "remediated"
    assert schemas.problems("decision", answer.get_json()) == ()


def test_a_used_link_names_who_used_it(place, function):
    asked = place.asked()
    text = link(place, asked)
    function.post({"token": text}, JSON)
    after = place.emulator.state.dump()
    answer = function.post({"token": text}, JSON)
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert "ada approved this already" in answer.get_json()["detail"]
    page = function.post(f"token={text}".encode(), FORM)
    assert (page.status_code, page.mimetype) == (409, "text/html")
    assert place.emulator.state.dump() == after


def test_where_the_facts_changed_the_fresh_plan_is_shown(place, function):
    asked = place.asked()
    text = link(place, asked)
    place.add_reference()
    before = place.emulator.state.dump()
    answer = function.post(f"token={text}".encode(), FORM)
    assert answer.status_code == 409
    page = html.unescape(answer.get_data(as_text=True))
    [fresh] = place.store.approvals("pending")
    assert fresh.approval_id in page
    for one in place.document(asked)["plan"]:
        assert one["summary"] in page
    assert place.emulator.state.dump() == before
    # the old link is of no use for the fresh question
    assert function.post({"token": text}, JSON).status_code == 409


def test_a_token_of_one_request_does_not_fit_another(place, function):
    one, other = place.asked(event_id="one"), place.asked(event_id="two")
    foreign = LinkToken(other.approval_id, "0" * 64, "approve", "ada", int(other.expires_at_s))
    text = token.sign(foreign, [KEY])
    assert function.client.get("/", query_string={"token": text}).status_code == 403
    assert function.post({"token": text}, JSON).status_code == 403
    assert place.approval(one.approval_id).state == "pending"
    assert place.approval(other.approval_id).state == "pending"


@pytest.mark.parametrize("by", ["mallory", "eve"])
@pytest.mark.sampled(2)
def test_a_signed_token_of_a_person_who_may_not_approve_is_refused(place, function, by):
    asked = place.asked()
    given = LinkToken(asked.approval_id, asked.facts_hash, "approve", by, int(asked.expires_at_s))
    text = token.sign(given, [KEY])
    assert function.client.get("/", query_string={"token": text}).status_code == 403
    assert function.post({"token": text}, JSON).status_code == 403
    assert not place.is_deleted


def test_an_expired_token_is_refused(place, function):
    asked = place.asked()
    given = LinkToken(asked.approval_id, asked.facts_hash, "approve", "ada", 1_700_000_000)
    text = token.sign(given, [KEY])
    assert function.client.get("/", query_string={"token": text}).status_code == 410
    assert function.post({"token": text}, JSON).status_code == 410
    assert not place.is_deleted


def test_half_a_surrogate_pair_is_refused_like_anything_else():
    for text in ("v1.\ud800.AAAA", "\ud800", "v1.e30.\ud800"):
        with pytest.raises(EventError) as caught:
            token.read(text, [KEY], 0)
        assert caught.value.status == 403


def test_the_first_key_signs():
    text = token.sign(LinkToken(*GOOD), [KEY, OTHER_KEY])
    assert token.read(text, [KEY], 0) == LinkToken(*GOOD)


def test_a_key_that_was_replaced_still_opens_its_links_until_it_is_taken_away(
    place, function, monkeypatch
):
    text = link(place, place.asked())
    monkeypatch.setenv("SGGUARD_APPROVAL_KEY", f"{OTHER_KEY}, {KEY}")
    assert function.client.get("/", query_string={"token": text}).status_code == 200
    monkeypatch.setenv("SGGUARD_APPROVAL_KEY", OTHER_KEY)
    assert function.client.get("/", query_string={"token": text}).status_code == 403
    assert function.post({"token": text}, JSON).status_code == 403


def test_a_halt_is_reported_and_leaves_the_link_usable(place, function):
    text = link(place, place.asked())
    place.store.halt("ops", "incident")
    answer = function.post({"token": text}, JSON)
    assert (answer.status_code, answer.get_json()["type"][-6:]) == (503, "halted")
    assert int(answer.headers["Retry-After"]) > 0
    place.store.lift_halt()
    assert function.post({"token": text}, JSON).status_code == 200


KINDS = st.sampled_from(
    [FORM, JSON, {"Content-Type": "application/cloudevents+json"}, {"Content-Type": "text/x"}, {}]
)


@given(
    body=st.binary(max_size=80)
    | st.from_regex(r"token=[ -~]{0,60}", fullmatch=True).map(str.encode)
    | st.dictionaries(st.sampled_from(["token", "data", "id"]), st.text() | st.integers()).map(
        lambda found: json.dumps(found).encode()
    ),
    headers=KINDS,
)
@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_at_all_get_a_promised_answer_and_change_nothing(place, function, body, headers):
    before = state(place)
    answer = function.post(body, headers)
    assert answer.status_code in {200, 400, 403, 415, 422}
    if answer.status_code == 200:
        assert answer.get_json()["due"] == []
    assert state(place) == before


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", FORM, 400),
        (b"token=a&token=b", FORM, 400),
        (b"other=1", FORM, 400),
        (b"\xff", FORM, 400),
        (b"&".join([b"token=a"] * 99), FORM, 400),
        (b"{", JSON, 400),
        (b'{"token": 7}', JSON, 400),
        (b'{"token": "x"}', JSON, 403),
        (b'{"other": 7}', JSON, 400),
        (b"[]", JSON, 400),
        (b"x", {"Content-Type": "text/plain"}, 415),
        (b'{"token": "x"}', {**JSON, "Content-Encoding": "gzip"}, 415),
        (b'{"token": "' + b"x" * 1_100_000 + b'"}', JSON, 413),
    ],
)
@pytest.mark.sampled(6)
def test_a_body_that_says_nothing_useful_is_refused(function, place, body, headers, status):
    assert function.post(body, headers).status_code == status


def test_no_token_is_in_a_log_line_or_an_error(place, function, capsys):
    asked = place.asked()
    text = link(place, asked)
    for body in ({"token": text}, {"token": text}, {"token": text[:-2]}):
        answer = function.post(body, JSON).get_data(as_text=True)
        assert text[-30:] not in answer
        assert text[:40] not in answer
    function.client.get("/", query_string={"token": text})
    said = capsys.readouterr()
    assert said.err
    for part in (text[-30:], text[:40], KEY):
        assert part not in said.err + said.out
    assert KEY not in repr(place.context())


# -- reminders -----------------------------------------------------------------------------


def due(function, event_id="tick-1"):
    event = {"specversion": "1.0", "id": event_id, "source": "/cron", "type": DUE, "data": {}}
    return function.post(event, {"Content-Type": "application/cloudevents+json"})


def test_a_cron_event_closes_what_is_over_and_tells_what_is_due_once(place, function, monkeypatch):
    start_s = place.clock.now_s
    place.clock.now_s = start_s - POLICY.approval.expires_s - 10
    over = place.asked(event_id="over")
    place.clock.now_s = start_s - POLICY.approval.remind_s - 10
    quiet = place.asked(event_id="quiet")
    place.clock.now_s = start_s
    fresh = place.asked(event_id="fresh")
    answer = due(function)
    assert answer.status_code == 200, answer.get_data()
    event = answer.get_json()
    assert event["type"] == "sgguard.approvals.reminders.v1"
    assert event["source"] == "/sgguard/approval"
    told = event["data"]
    assert [one["approval_id"] for one in told["expired"]] == [over.approval_id]
    assert [one["approval_id"] for one in told["due"]] == [quiet.approval_id]
    assert told["due"][0]["requester"] == "eve"
    assert place.approval(over.approval_id).state == "expired"
    assert place.document(over)["outcome"] == "refused"
    assert place.approval(quiet.approval_id).reminded_at_s is not None
    assert place.approval(fresh.approval_id).reminded_at_s is None
    # the same event again has the same answer, another one nothing to say
    assert due(function).get_json()["data"] == told
    assert due(function, "tick-2").get_json()["data"] | {"at": ""} == {
        "type": "sgguard.approvals.reminders.v1",
        "at": "",
        "expired": [],
        "due": [],
    }
    assert not place.is_deleted


def test_a_reminder_comes_again_after_as_long(place, function):
    start_s = place.clock.now_s
    place.clock.now_s = start_s - 2 * POLICY.approval.remind_s - 10
    asked = place.asked()
    place.clock.now_s = start_s - POLICY.approval.remind_s - 5
    place.store.reminded(asked.approval_id)
    assert len(due(function).get_json()["data"]["due"]) == 1
    assert due(function, "tick-2").get_json()["data"]["due"] == []


def test_every_mode_of_a_cloudevent_and_a_bare_body_is_answered_in_kind(place, function):
    binary = {"ce-specversion": "1.0", "ce-id": "b", "ce-source": "/cron", "ce-type": DUE}
    answer = function.post(b"{}", {**binary, "Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.headers["ce-type"] == "sgguard.approvals.reminders.v1"
    assert answer.get_json()["due"] == []
    event = {"specversion": "1.0", "id": "c", "source": "/cron", "type": DUE, "data": {}}
    batch = function.post(
        [event, {**event, "id": "d", "data": {"x": 1}}],
        {"Content-Type": "application/cloudevents-batch+json"},
    )
    one, two = batch.get_json()
    assert (one["type"], two["data"]["status"]) == ("sgguard.approvals.reminders.v1", 400)
    assert function.post({}, JSON).get_json()["expired"] == []


def test_an_event_with_a_token_in_its_data_is_an_event(place, function):
    text = link(place, place.asked())
    binary = {"ce-specversion": "1.0", "ce-id": "b", "ce-source": "/cron", "ce-type": DUE}
    answer = function.post({"token": text}, {**binary, "Content-Type": "application/json"})
    assert answer.status_code == 400
    assert not place.is_deleted


# -- the signed text -----------------------------------------------------------------------

TOKENS = st.builds(
    LinkToken,
    st.text(max_size=40),
    st.text(max_size=64),
    st.sampled_from(["approve", "deny"]),
    st.text(max_size=60),
    st.integers(1, 2**40),
)


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(payload: bytes, key: str = KEY, version: str = "v1") -> str:
    text = f"{version}.{encode(payload)}"
    mac = hmac.new(key.encode(), b"sgguard-approval." + text.encode(), hashlib.sha256).digest()
    return f"{text}.{encode(mac)}"


@given(TOKENS)
@examples(200)
def test_a_signed_link_is_valid_until_it_expires(given_token):
    text = token.sign(given_token, [KEY])
    assert token.read(text, [OTHER_KEY, KEY], given_token.expires_at_s - 1) == given_token
    with pytest.raises(EventError) as late:
        token.read(text, [KEY], given_token.expires_at_s)
    assert late.value.status == 410


@given(TOKENS, st.data())
@examples(200)
def test_a_text_that_was_changed_anywhere_is_refused(given_token, data):
    text = token.sign(given_token, [KEY])
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.text(max_size=2))
    cut = data.draw(st.integers(0, 2))
    changed = text[:at] + piece + text[at + cut :]
    if changed == text:
        return
    with pytest.raises(EventError) as caught:
        token.read(changed, [KEY], 0)
    assert caught.value.status == 403
    assert text[:20] not in str(caught.value)


@given(st.text() | st.from_regex(r"v1\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
@examples(300)
def test_whatever_comes_is_refused_in_one_way(text):
    with pytest.raises(EventError) as caught:
        token.read(text, [KEY], 0)
    assert caught.value.status == 403


@given(st.binary(max_size=60) | st.from_regex(r"\[.*\]").map(str.encode))
@examples(200)
def test_even_what_is_signed_is_read_strictly(payload):
    with pytest.raises(EventError):
        token.read(signed(payload), [KEY], 0)


GOOD = ["a1", "f0", "approve", "ada", 2_000_000_000]


@pytest.mark.parametrize(
    "fields",
    [
        GOOD[:4],
        [*GOOD, 1],
        [*GOOD[:2], "delete", *GOOD[3:]],
        [*GOOD[:4], True],
        [*GOOD[:4], 2e9],
        [*GOOD[:4], "2000000000"],
        [1, *GOOD[1:]],
        [*GOOD[:3], None, GOOD[4]],
        {"a": 1},
    ],
    ids=json.dumps,
)
def test_fields_of_another_kind_are_refused_although_they_are_signed(fields):
    with pytest.raises(EventError):
        token.read(signed(json.dumps(fields).encode()), [KEY], 0)
    assert token.read(signed(json.dumps(GOOD).encode()), [KEY], 0).approver == "ada"


def test_a_signature_is_bound_to_its_purpose_version_and_key():
    payload = json.dumps(GOOD).encode()
    text = f"v1.{encode(payload)}"
    bare = hmac.new(KEY.encode(), text.encode(), hashlib.sha256).digest()
    for wrong in (
        f"{text}.{encode(bare)}",
        f"{text}.",
        text,
        signed(payload, OTHER_KEY),
        signed(payload, version="v2"),
        signed(payload, version=""),
        signed(payload) + "=",
        signed(payload)[:-1],
    ):
        with pytest.raises(EventError) as caught:
            token.read(wrong, [KEY], 0)
        assert caught.value.status == 403


@pytest.mark.parametrize("keys", [[], [""], ["short"], [KEY, "short"], ["x" * 31]])
def test_nothing_is_signed_or_read_with_a_key_that_is_too_short(keys):
    for use in (
        lambda: token.sign(LinkToken(*GOOD), keys),
        lambda: token.read(signed(json.dumps(GOOD).encode()), keys, 0),
    ):
        with pytest.raises(SettingsError) as caught:
            use()
        assert "short" not in str(caught.value).replace("too short", "")


def test_an_empty_key_signs_nothing_that_is_accepted(place):
    asked = place.asked()
    fields = [asked.approval_id, asked.facts_hash, "approve", "ada", int(asked.expires_at_s)]
    forged = signed(json.dumps(fields).encode(), "")
    with pytest.raises(EventError):
        token.read(forged, [KEY], 0)


def test_a_link_has_the_address_of_the_function_where_it_is_set(place):
    asked = place.asked()
    place.env["SGGUARD_APPROVAL_URL"] = "https://guard.example/approval"
    text = link(place, asked)
    assert text.startswith("https://guard.example/approval?token=v1.")


def test_no_link_is_made_for_a_person_who_may_not_approve(place):
    asked = place.asked()
    for by, action, status in (("mallory", "deny", 403), ("eve", "approve", 403)):
        with pytest.raises(EventError) as caught:
            link(place, asked, by, action)
        assert caught.value.status == status
    assert link(place, asked, "eve", "deny")
    deny(asked.approval_id, "bob", place.context())
    with pytest.raises(EventError) as caught:
        link(place, asked)
    assert caught.value.status == 409
