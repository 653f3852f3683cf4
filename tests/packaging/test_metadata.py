"""The role of a machine: asked only where a setting names it, renewed in time, and never told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sgguard.runtimes import metadata
from sgguard.runtimes.credentials import Given
from sgguard.runtimes.metadata import Role

NOW_S = 1_790_000_000.0
CLOUDS = ("tencent", "alibaba", "huawei")


@dataclass
class Service:
    """A metadata service; ``n`` numbers the credentials that it gives."""

    url: str = ""
    ends_at: float = NOW_S + 3600
    n: int = 1
    status: int = 200
    body: bytes | None = None
    paths: list[str] = field(default_factory=list)
    put_status: int = 200

    def document(self, path: str) -> object:
        ends = datetime.fromtimestamp(self.ends_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = {"id": f"id-{self.n}", "secret": f"planted-secret-{self.n}", "token": f"t-{self.n}"}
        if "/cam/" in path:
            return {
                "TmpSecretId": key["id"],
                "TmpSecretKey": key["secret"],
                "Token": key["token"],
                "ExpiredTime": int(self.ends_at),
                "Code": "Success",
            }
        if "/ram/" in path:
            return {
                "AccessKeyId": key["id"],
                "AccessKeySecret": key["secret"],
                "SecurityToken": key["token"],
                "Expiration": ends,
                "Code": "Success",
            }
        credential = {"access": key["id"], "secret": key["secret"], "securitytoken": key["token"]}
        return {"credential": {**credential, "expires_at": ends.replace("Z", ".000000Z")}}


@contextmanager
def answering() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.answer(b"a-token", max(service.status, service.put_status))

        def do_GET(self) -> None:
            if "/ram/" in self.path and self.headers["X-aliyun-ecs-metadata-token"] != "a-token":
                service.status = 403
            is_wanted = "/openstack/" in self.path and service.put_status == 200
            if is_wanted and self.headers["X-Metadata-Token"] != "a-token":
                service.status = 401
            body = service.body
            self.answer(json.dumps(service.document(self.path)).encode() if body is None else body)

        def answer(self, content: bytes, status: int = 0) -> None:
            service.paths.append(self.path)
            self.send_response(status or service.status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def service() -> Iterator[Service]:
    with answering() as found:
        yield found


@pytest.fixture
def clock():
    class Clock:
        now_s = NOW_S

        def __call__(self) -> float:
            return self.now_s

    return Clock()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_role_of_a_machine_is_read_once_and_again_before_it_ends(service, clock, cloud):
    role = Role(cloud, "guard role", service.url, clock)
    first = Given("id-1", "planted-secret-1", "t-1")
    assert [role.current() for _ in range(3)] == [first] * 3
    asked = len(service.paths)
    assert asked == (1 if cloud == "tencent" else 2)
    assert not any(" " in path for path in service.paths)
    clock.now_s += 3600 - 601
    assert role.current() == first
    assert len(service.paths) == asked
    service.n, service.ends_at = 2, NOW_S + 7200
    clock.now_s += 2
    assert role.current() == Given("id-2", "planted-secret-2", "t-2")


@pytest.mark.parametrize("status", [404, 405])
def test_a_service_of_huawei_that_knows_no_tokens_is_asked_without_one(service, clock, status):
    service.put_status = status
    assert Role("huawei", "guard", service.url, clock).current() is not None


def test_a_service_that_refuses_a_token_is_not_asked_without_one(service, clock):
    service.put_status = 403
    assert Role("huawei", "guard", service.url, clock).current() is None
    assert service.paths == ["/meta-data/latest/api/token"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_role_that_cannot_be_renewed_is_used_to_its_end_and_no_longer(service, clock, cloud):
    role = Role(cloud, "guard", service.url, clock)
    first = role.current()
    service.status = 500
    clock.now_s += 3599
    assert role.current() == first
    clock.now_s += 2
    assert role.current() is None
    service.status, service.n, service.ends_at = 200, 2, NOW_S + 7200
    assert role.current() is None  # it was asked just now
    clock.now_s += 5
    assert role.current() is not None


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    "answer",
    [
        (404, b"planted-secret"),
        (302, b"{}"),
        (200, b""),
        (200, b"planted-secret"),
        (200, b'["planted-secret"]'),
        (200, b"{}"),
        (200, b'{"Code": "Failed", "TmpSecretKey": "planted-secret"}'),
        (200, b'{"credential": "planted-secret"}'),
        (200, b'{"credential": {"access": "", "secret": 1, "securitytoken": null}}'),
        (200, b"x" * 70_000),
        (200, b'{"TmpSecretId": "a", "TmpSecretKey": "b", "Token": "c", "ExpiredTime": Infinity}'),
    ],
)
@pytest.mark.sampled(6)
def test_an_answer_that_cannot_be_used_gives_no_role_and_is_not_told(
    service, clock, capsys, cloud, answer
):
    service.status, service.body = answer
    assert Role(cloud, "guard", service.url, clock).current() is None
    said = capsys.readouterr()
    assert "planted" not in said.out + said.err
    assert "/elsewhere" not in service.paths


@pytest.mark.parametrize(
    "by_hand",
    [
        {"TENCENTCLOUD_SECRET_ID": "own", "TENCENTCLOUD_SECRET_KEY": "own"},
        {"TENCENTCLOUD_SECRETID": "own", "TENCENTCLOUD_SECRETKEY": "own"},
    ],
)
def test_credentials_by_hand_win_and_without_a_setting_nothing_is_asked(
    service, monkeypatch, by_hand
):
    monkeypatch.setitem(metadata.ADDRESSES, "tencent", service.url)
    metadata._role.cache_clear()
    setting = {"SGGUARD_INSTANCE_ROLE_TENCENT": "guard"}
    assert metadata.with_roles({"PATH": "/bin"}) == {"PATH": "/bin"}
    assert metadata.with_roles({**setting, **by_hand}) == {**setting, **by_hand}
    assert service.paths == []
    service.ends_at = 4_000_000_000.0
    found = metadata.with_roles(setting)
    assert found["TENCENTCLOUD_SECRETKEY"] == "planted-secret-1"
    metadata._role.cache_clear()
