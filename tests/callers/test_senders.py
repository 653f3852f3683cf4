"""Each product gets the status with which it does what our answer means."""

from __future__ import annotations

import json

import pytest

from sgguard import schemas
from sgguard.callers.senders import SENDERS, status_for
from tests.callers.signers import TOKEN, Sent
from tests.callers.test_forgery import row

AGAIN = (409, 429, 503)
POISON = (400, 413, 415, 422)


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.sampled(6)
def test_an_event_that_has_to_come_again_gets_a_status_that_its_sender_repeats(name):
    sender = SENDERS[name]
    for status in AGAIN:
        if sender.again is not None:
            assert status_for(name, status) in sender.repeats, status
        else:
            assert not sender.repeats & {409, 429, 503}


@pytest.mark.parametrize("name", SENDERS)
def test_an_event_that_can_never_be_judged_is_not_sent_for_days(name):
    sender = SENDERS[name]
    hammers = {"pubsub", "eventarc", "cloud-scheduler", "gitlab", "alibaba-eventbridge"}
    for status in POISON:
        got = status_for(name, status)
        assert got == (202 if name in hammers else status)
        assert name not in hammers or got not in sender.repeats


@pytest.mark.parametrize("name", SENDERS)
def test_a_decision_and_a_refused_caller_have_one_status_everywhere(name):
    assert [status_for(name, one) for one in (200, 401, 403)] == [200, 401, 403]


@pytest.mark.parametrize(
    ("name", "status", "got"),
    [
        ("knative", 409, 409),
        ("knative", 400, 400),
        ("smn", 409, 503),
        ("smn", 429, 503),
        ("alertmanager", 429, 503),
        ("pubsub", 422, 202),
        ("github", 503, 503),
        ("terraform", 400, 400),
        ("", 400, 400),
        ("unheard-of", 429, 429),
    ],
)
def test_statuses_of_some_products(name, status, got):
    assert status_for(name, status) == got


def test_the_policy_knows_the_same_products():
    listed = schemas.load("policy")["$defs"]["caller"]["properties"]["sender"]["enum"]
    assert set(listed) == set(SENDERS)


def test_a_product_gets_its_status_and_the_body_says_what_is_so(guarded):
    function = guarded.start(row("bearer", sender="pubsub"))
    answer = guarded.send(function, Sent({"authorization": f"Bearer {TOKEN}"}, b'{"x": 1}'))
    assert (answer.status_code, json.loads(answer.get_data())["status"]) == (202, 400)
    assert guarded.send(function, Sent({}, b'{"x": 1}')).status_code == 401
