"""``sgguard replay``: a saved event is judged on a laptop, and nothing is changed or kept."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from sgguard.emulator.server import serve
from sgguard.model.occurrence import Happened
from tests.commands import sgguard
from tests.events.samples import About, made, samples
from tests.worlds.tencent import WORLD

__all__ = ["sgguard"]  # a fixture

ABOUT = About("sg-5ua9adfv", "ins-915zrb0p", "ap-guangzhou", at_s=int(time.time()) - 60)


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('mode = "enforce"\n[delete]\nremedies = ["revoke"]\n')
    with serve(WORLD.emulator()) as running:
        env = {
            **WORLD.env,
            "SGGUARD_ENDPOINT_TENCENT": running.url,
            "SGGUARD_POLICY": str(policy),
            "SGGUARD_STORE": f"sqlite:///{tmp_path / 'store.db'}",
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield running.emulator


@pytest.fixture
def saved(tmp_path):
    def save(document: Any) -> str:
        path = tmp_path / "event.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    return save


def refused() -> Any:
    return made("tencent_cloudaudit", Happened.DELETE_REFUSED, ABOUT)


def test_a_saved_event_is_judged_and_nothing_is_changed_or_kept(cloud, saved, sgguard, tmp_path):
    before = cloud.state.dump()
    code, out, _ = sgguard("replay", saved(refused()))
    assert code == 3
    assert "tencent-cloudaudit: delete-refused (ResourceInUse)" in out
    assert "by alice" in out
    assert "sg-exnsygsn" in out
    assert cloud.state.dump() == before
    assert not (tmp_path / "store.db").exists()


def test_as_json_it_has_an_answer_for_each_event_and_each_error(cloud, saved, sgguard):
    code, out, _ = sgguard("replay", saved([refused(), {"some": "thing"}]), "--json")
    found = json.loads(out)
    assert code == 2
    assert [one["happened"] for one in found["answers"]] == ["delete-refused"]
    assert found["answers"][0]["decisions"][0]["mode"] == "observe"
    assert found["errors"][0]["problems"][0]["path"] == "/1"


def test_what_concerns_nobody_is_no_error(cloud, saved, sgguard):
    code, out, _ = sgguard("replay", saved(samples("tencent_cloudaudit").irrelevant[0]))
    assert code == 0
    assert out.splitlines()[1].startswith("  ignored: a call that changes no security group")


def test_an_envelope_in_saved_headers_is_read(cloud, saved, sgguard, tmp_path):
    event = refused()
    data = event.pop("data")
    headers = tmp_path / "headers.txt"
    named = [f"ce-{name}: {str(value).replace(' ', '%20')}" for name, value in event.items()]
    lines = ["POST / HTTP/1.1", "Content-Type: application/json", "Authorization: x", *named, ""]
    headers.write_text("\r\n".join(lines))
    code, out, err = sgguard("replay", saved(data), "--headers", str(headers))
    assert code == 3
    assert "delete-refused" in out
    assert "Authorization" not in out + err


def test_another_source_than_the_events_own_does_not_read_it(cloud, saved, sgguard):
    code, _, err = sgguard("replay", saved(refused()), "--source", "huawei_cts")
    assert code == 2
    assert "is no event of huawei_cts" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "nowhere"], "expected one of alibaba-actiontrail"),
        (["--headers", "/no/such/file"], "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(cloud, saved, sgguard, arguments, said):
    code, _, err = sgguard("replay", saved(refused()), *arguments)
    assert code == 2
    assert said in err


def test_a_delete_that_succeeded_is_compared_with_what_is_kept(cloud, saved, sgguard):
    sgguard("check", "delete", "--keep", "tencent::ap-guangzhou:sg-5ua9adfv")
    (state,) = cloud.state.clouds
    state.groups = [one for one in state.groups if one.id != "sg-5ua9adfv"]
    code, out, _ = sgguard("replay", saved(made("tencent_cloudaudit", Happened.DELETED, ABOUT)))
    assert code == 0
    assert "2 rules still name it" in out
    assert "names nothing:" in out
