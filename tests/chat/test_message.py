"""A message is made from the document of any decision: deletes, launches, restores."""

from __future__ import annotations

import pytest

from sgguard.chat import deliver
from sgguard.chat.base import kinds
from sgguard.engine import decide
from sgguard.model.address import Scope
from sgguard.model.request import LaunchRequest
from sgguard.render.document import to_json
from sgguard.render.language.message import of_document
from tests.chat.documents import document

SCOPE = Scope("tencent", "", "ap-guangzhou")


def said(chat, found) -> str:
    channel, setup = kinds()[chat.service.kind], chat.setup
    body = deliver.rendered(found, "eve", channel, setup, chat.context())
    assert chat.service.problems(body) == []
    return "\n".join(text for _, text in chat.service.texts(body))


@pytest.mark.sampled(3)
def test_a_planned_launch_names_its_groups(chat):
    request = LaunchRequest(SCOPE, (chat.approvals.world.referenced,), count=2)
    decision = decide.decide_launch(request, chat.context(), event_id="e")
    message = of_document(to_json(decision), "eve")
    assert [one.name for one in message.groups] == ["databases"]
    assert (message.provider, message.region) == ("tencent", "ap-guangzhou")
    text = said(chat, to_json(decision))
    assert "Launch with security group databases" in text
    assert "Tencent Cloud ap-guangzhou" in text


@pytest.mark.sampled(3)
def test_a_launch_that_names_no_group_shows_the_one_that_the_cloud_picks(chat):
    decision = decide.decide_launch(LaunchRequest(SCOPE), chat.context(), event_id="e")
    found = to_json(decision)
    assert "Launch with security group default" in said(chat, found)
    found["facts"]["groups"] = []
    assert "Launch without a named security group" in said(chat, found)


def test_a_restore_has_its_own_title(chat):
    found = document() | {"guard": "restore", "verdict": "allow", "reasons": []}
    found["plan"] = [
        {
            "action": "create",
            "target": found["target"][0],
            "summary": "create it",
            "details": {},
            "inverse": None,
        }
    ]
    assert "Restore security group bastion" in said(chat, found)


def test_reasons_that_block_come_first():
    found = document()
    first = found["reasons"][0]
    found["reasons"] = [
        {**first, "code": "limit-near", "effect": "warn"},
        {**first, "code": "free", "effect": "info"},
        {**first, "code": "protected", "effect": "block"},
        first,
    ]
    assert [one.code for one in of_document(found).why] == [
        "protected",
        "referenced",
        "limit-near",
        "free",
    ]


@pytest.mark.parametrize(
    ("outcome", "state", "shown"),
    [
        ("refused", "denied", "denied"),
        ("refused", "expired", "expired"),
        ("refused", "approved", "lapsed"),
        ("remediated", "approved", "remediated"),
        ("superseded", "superseded", "superseded"),
    ],
)
def test_refused_is_told_apart(outcome, state, shown):
    found = document() | {"outcome": outcome}
    found["approval"]["state"] = state
    assert of_document(found).state == shown
    assert not of_document(found).is_open
