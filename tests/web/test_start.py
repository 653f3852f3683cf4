"""What a function says when it starts, when it does not, and to those who watch it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import functions_framework
import pytest

import sgguard
from sgguard import clouds, providers
from sgguard.web import server
from tests.callers import EVERYBODY

CHECKS = {"settings": "ok", "policy": "defaults", "callers": "everybody"}
NAMES = sorted(server.functions())
pytestmark = pytest.mark.usefixtures("_own_environment")


@pytest.fixture
def _own_environment(monkeypatch, tmp_path):
    for name in [one for one in os.environ if one.startswith("SGGUARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FUNCTION_TARGET", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("SGGUARD_STORE", f"sqlite:///{tmp_path}/guard.db")


def built(name: str = "delete_request"):
    app = functions_framework.create_app(name, str(server.functions()[name]))
    return app.test_client()


def lines(capsys) -> list[dict]:
    return [json.loads(text) for text in capsys.readouterr().err.splitlines()]


def policy(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sampled(3)
def test_one_line_at_start_names_version_policy_mode_store_and_clouds(
    name, monkeypatch, tmp_path, capsys
):
    path = policy(tmp_path, 'mode = "enforce"\n' + EVERYBODY)
    monkeypatch.setenv("SGGUARD_POLICY", path)
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", "AKID")
    built(name)
    (line,) = lines(capsys)
    assert (line["msg"], line["level"]) == ("started", "INFO")
    assert line["version"] == sgguard.__version__
    assert line["policy"].startswith(f"{path} sha256:")
    assert (line["mode"], line["providers"]) == ("enforce", ["tencent", "tencent-dfw"])
    assert line["store"] == f"sqlite:///{tmp_path}/guard.db"
    assert line["callers"] == ["platform"]


def test_the_line_names_the_store_without_its_password(monkeypatch, capsys):
    monkeypatch.setenv("SGGUARD_STORE", "postgresql://guard:planted-pw@db.example:5432/sg")
    pytest.importorskip("psycopg")
    built()
    line, _ = lines(capsys)
    assert line["store"] == "postgresql://db.example:5432/sg"
    assert "planted" not in json.dumps(line)


BROKEN = {
    "a policy that is not there": ("SGGUARD_POLICY", "/nowhere/policy.toml"),
    "a mode that is none": ("SGGUARD_MODE", "yolo"),
    "a store of another kind": ("SGGUARD_STORE", "mysql://x"),
    "a prefix that is no path": ("SGGUARD_PATH_PREFIX", "release"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_function_that_cannot_be_used_does_not_start_and_says_why_in_one_line(
    fault, monkeypatch, capsys
):
    monkeypatch.setenv(*BROKEN[fault])
    with pytest.raises(SystemExit) as caught:
        built()
    assert caught.value.code == 2
    (line,) = lines(capsys)
    assert (line["msg"], line["level"]) == ("not started", "ERROR")
    assert BROKEN[fault][0] in line["detail"] or BROKEN[fault][1] in line["detail"]


@pytest.mark.parametrize("fault", BROKEN)
def test_a_function_that_is_kept_up_is_alive_and_not_ready(fault, monkeypatch):
    monkeypatch.setenv("SGGUARD_START", "lenient")
    monkeypatch.setenv(*BROKEN[fault])
    client = built()
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (503, "not ready")
    answer = client.post("/", json={"target": "tencent::ap-guangzhou:sg-5ua9adfv"})
    assert answer.status_code == 503


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sampled(3)
def test_a_function_in_order_is_alive_and_ready(name):
    client = built(name)
    alive, ready = client.get("/healthz"), client.get("/readyz")
    assert alive.get_json() == {"status": "alive", "version": sgguard.__version__}
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert ready.get_json()["checks"] == CHECKS | {"store": "ok", "outbox": "ok"}
    assert ready.headers["Cache-Control"] == "no-store"


def test_a_store_that_fails_is_not_ready(monkeypatch, tmp_path):
    client = built()
    (tmp_path / "broken.db").write_bytes(b"no database at all, " * 200)
    monkeypatch.setenv("SGGUARD_STORE", f"sqlite:///{tmp_path}/broken.db")
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.get_json()["checks"] == CHECKS
    assert ready.get_json()["detail"]


def test_no_store_is_enough_to_observe_and_not_to_enforce(monkeypatch, tmp_path):
    monkeypatch.setenv("SGGUARD_POLICY", policy(tmp_path, EVERYBODY))
    client = built()
    for name in ("SGGUARD_STORE", "HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert client.get("/readyz").status_code == 200
    monkeypatch.setenv("SGGUARD_MODE", "enforce")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]["store"]) == (503, "none")


@pytest.mark.parametrize(
    "path", ["/favicon.ico", "/healthz/", "/Healthz", "/admin", "/delete_request"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.sampled(6)
def test_another_path_is_404_with_the_known_ones(path, method):
    answer = built().open(path, method=method, json={"target": "x"})
    assert answer.status_code == 404
    if path != "/favicon.ico":
        assert "/readyz" in answer.get_json()["detail"]


def test_what_a_gateway_puts_before_the_paths_is_taken_off(monkeypatch):
    monkeypatch.setenv("SGGUARD_PATH_PREFIX", "/release/guard/")
    client = built()
    for path in ("/release/guard", "/release/guard/", "/release/guard/healthz"):
        assert client.get(path).status_code == 200
    assert client.get("/release/other").status_code == 404


def test_an_event_to_the_path_of_a_check_is_not_answered_as_a_check():
    assert built().post("/healthz", json={}).status_code == 405


@pytest.mark.parametrize("cloud", clouds.names())
def test_a_cloud_with_the_credentials_that_its_provider_asks_for_is_named(cloud):
    variable = providers.probing(cloud).SETUP.credentials.split()[0].strip(",")
    assert cloud in clouds.configured({variable: "given"})
    assert cloud not in clouds.configured({variable: " "})
