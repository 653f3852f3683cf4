"""A decision with more evidence than an answer holds: it is kept whole, and told with a count."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from sgguard import schemas
from sgguard.approvals import web
from sgguard.emulator.state import Rule
from sgguard.policy import Caps
from sgguard.render.evidence import SHOWN_MAX, answered
from sgguard.web import response
from sgguard.web.response import WHOLE_MAX
from tests.approvals.harness import POLICY, approval_harness

MORE = 400
JSON = {"content-type": "application/json"}


@pytest.fixture
def place(tmp_path):
    with approval_harness("tencent", tmp_path) as here:
        here.policy = replace(POLICY, caps=Caps(management_ports=(), changes=10_000))
        group = here.cloud.group(here.world.bound)
        group.rules += [
            Rule("ingress", id=f"r{n}", ports=str(1000 + n), peer_group=here.world.referenced)
            for n in range(SHOWN_MAX + MORE)
        ]
        yield here


def test_the_answer_to_a_yes_or_no_is_within_bounds_and_written_as_it_is_sent(place):
    asked = place.asked()
    token = web.link(asked.approval_id, "ada", "deny", place.context())
    answer = web.submit(JSON, json.dumps({"token": token}).encode(), place.context())
    assert answer.status == 200
    assert answer.stream is not None
    content, _, headers = answer.for_flask()
    body = b"".join(content)
    told = json.loads(body)
    assert len(body) > WHOLE_MAX
    assert headers == {"Content-Type": "application/json", "Cache-Control": "no-store"}
    assert told["outcome"] == "refused"
    assert len(told["facts"]["references"]) == SHOWN_MAX
    kept = place.document(asked)
    assert told["left_out"]["reference"] == len(kept["facts"]["references"]) - SHOWN_MAX >= MORE
    assert told["left_out"]["cursor"]
    assert told["plan"] == kept["plan"][:SHOWN_MAX]
    assert told["left_out"]["step"] == len(kept["plan"]) - SHOWN_MAX >= MORE
    assert sum(told["left_out"]["actions"].values()) == told["left_out"]["step"]


def test_the_answer_to_the_event_is_within_bounds_and_what_is_kept_is_whole(place):
    asked = place.asked()
    kept = place.document(asked)
    assert len(kept["facts"]["references"]) >= SHOWN_MAX + MORE
    assert len(kept["plan"]) >= SHOWN_MAX + MORE
    assert "left_out" not in kept
    told = answered(kept)
    assert len(told["plan"]) == SHOWN_MAX
    assert schemas.problems("decision", {**told, "plan": [], "reasons": []}) == ()


def test_the_page_of_an_approval_has_every_step(place):
    """What a person says yes to is what is done, however little of it an answer shows."""
    asked = place.asked()
    token = web.link(asked.approval_id, "ada", "approve", place.context())
    page = web.show("GET", {"token": token}, {}, place.context).body.decode()
    kept = place.document(asked)
    steps = [step["details"].get("rule_id") for step in kept["plan"]]
    assert len(steps) >= SHOWN_MAX + MORE
    assert [one for one in steps if one and f" {one} (" not in page] == []


def test_a_small_document_is_answered_whole():
    document = {"decision_id": "d-1", "outcome": "unchanged"}
    answer = response.of_decision(409, document)
    assert (answer.status, answer.stream) == (409, None)
    assert answer.body == json.dumps(document).encode() + b"\n"
