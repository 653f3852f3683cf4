"""The library of Standard Webhooks accepts what we sign, also while a key is rotated."""

from __future__ import annotations

import json
import time

import pytest

from sgguard.outbox.base import Sent
from sgguard.policy.callback import CallbackPolicy
from sgguard.webhooks.outgoing import event
from sgguard.webhooks.send import send
from tests.webhooks.receiver import receiving
from tests.webhooks.shapes import HOST
from tests.webhooks.test_send import ENV, NEW, OLD

standardwebhooks = pytest.importorskip("standardwebhooks")

PLACES = {NEW: {"env": "SGG_CALLBACK_KEY"}, OLD: {"env": "SGG_CALLBACK_KEY_OLD"}}


@pytest.mark.parametrize(
    ("signing", "known"),
    [((NEW,), NEW), ((NEW, OLD), NEW), ((NEW, OLD), OLD), ((OLD, NEW), NEW)],
    ids=["one key", "the new one", "the old one", "either order"],
)
def test_the_library_verifies_a_message_with_any_key_that_is_in_use(signing, known):
    request = received(signing)
    data = standardwebhooks.Webhook(known).verify(request.body, headers_of(request))
    assert data["data"] == {"decision_id": "d-1", "note": "\u4e2d\u6587"}
    assert data["id"] == request.header("webhook-id")


def test_the_library_refuses_another_key_and_another_body():
    request = received((NEW,))
    refused = standardwebhooks.WebhookVerificationError
    with pytest.raises(refused):
        standardwebhooks.Webhook(OLD).verify(request.body, headers_of(request))
    with pytest.raises(refused):
        standardwebhooks.Webhook(NEW).verify(request.body + b" ", headers_of(request))


def received(keys):
    policy = CallbackPolicy(hosts=(HOST,), keys=tuple(PLACES[one] for one in keys))
    body = event("msg-1", time.time(), {"decision_id": "d-1", "note": "\u4e2d\u6587"})
    with receiving() as to:
        found = send(f"https://{HOST}/", "msg-1", body, policy, ENV, network=to.network())
        assert isinstance(found, Sent)
        assert json.loads(to.requests[0].body)
        return to.requests[0]


def headers_of(request):
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {name: request.header(name) for name in names}
