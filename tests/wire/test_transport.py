"""Connections of our own: whom they trust, when they are used again, and who sends instead."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import ssl
import threading
from contextlib import contextmanager

import httpx
import pytest
import respx

from sgguard.errors import UnreachableError
from sgguard.wire import connection
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.connection import CLIENTS, new_client
from sgguard.wire.retry import Retry
from sgguard.wire.transport import Connection

x509 = pytest.importorskip("cryptography.x509")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def no_connection_of_another_test():
    CLIENTS.clear()
    yield
    CLIENTS.clear()


def ask(url, method="GET", **request):
    wire = Wire("cloud", Deadline.after(9.0), retry=Retry(attempts=1))
    return wire.write(method, url, action="Read", check=lambda _: None, **request)


@contextmanager
def peer(behave, context=None):
    """A server whose every connection is served by ``behave``; yields its port and a list."""
    opened = []

    def accept(listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            opened.append(plain)
            try:
                with context.wrap_socket(plain, server_side=True) if context else plain as one:
                    behave(one, len(opened))
            except OSError:
                plain.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], opened
        finally:
            CLIENTS.clear()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answering(one, _number):
    while one.recv(65536):
        one.sendall(ANSWER)


# -- when a connection is used again ---------------------------------------------------------------


def test_a_connection_on_which_something_arrived_unasked_is_not_used_again():
    said = threading.Event()

    def talkative(one, number):
        one.recv(65536)
        one.sendall(ANSWER)
        if number == 1:
            one.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"another"')
            said.set()
            return
        answering(one, number)

    with peer(talkative) as (port, opened):
        url = f"http://127.0.0.1:{port}/"
        ask(url)
        assert said.wait(60)
        assert ask(url).content == b"{}"
        assert len(opened) == 2


def test_what_failed_is_never_the_beginning_of_the_next_answer():
    def garbled(one, number):
        one.recv(65536)
        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + ANSWER)
        if number > 1:
            answering(one, number)

    with peer(garbled) as (port, opened):
        url = f"http://127.0.0.1:{port}/"
        for number in (1, 2):
            with pytest.raises(UnreachableError) as caught:
                ask(url)
            assert caught.value.code == "NotHttpError"
            assert len(opened) == number


def test_a_refusal_before_the_whole_body_was_read_is_the_answer():
    def impatient(one, _number):
        one.recv(10)
        one.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        one.shutdown(socket.SHUT_WR)
        while one.recv(1 << 20):
            pass

    with peer(impatient) as (port, _):
        answer = ask(f"http://127.0.0.1:{port}/", "POST", content=b"a" * 3_000_000)
        assert answer.status_code == 413


def test_a_peer_that_hangs_up_in_the_middle_gave_no_answer():
    def short(one, _number):
        one.recv(65536)
        one.sendall(ANSWER[:-1])

    with peer(short) as (port, _), pytest.raises(UnreachableError, match="before the response"):
        ask(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\0b", "a\x0bb"])
def test_a_header_that_would_end_the_line_is_not_sent_nor_shown(value):
    with peer(answering) as (port, _), pytest.raises(UnreachableError) as caught:
        ask(f"http://127.0.0.1:{port}/", headers={"token": value})
    assert caught.value.code == "LocalProtocolError"
    assert value not in str(caught.value)


# -- TLS -------------------------------------------------------------------------------------------


def _certificate(name, key, issuer, issuer_key, *, is_ca, hosts=()):
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if hosts:
        made = made.add_extension(x509.SubjectAlternativeName(list(hosts)), critical=False)
    return made.sign(issuer_key or key, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA made for this run: its file, and contexts of servers for the hosts asked for."""
    folder = tmp_path_factory.mktemp("ca")
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("ca", ca_key, None, None, is_ca=True)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))

    def context_for(*hosts):
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _certificate("leaf", key, ca.subject, ca_key, is_ca=False, hosts=hosts)
        path = folder / f"{len(list(folder.iterdir()))}.pem"
        path.write_bytes(
            leaf.public_bytes(pem)
            + key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    return folder / "ca.pem", context_for


@pytest.fixture
def trusting(authority, monkeypatch):
    """The CA is the one that the environment names, as httpx reads it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    connection._loaded_context.cache_clear()
    yield authority[1]
    connection._loaded_context.cache_clear()


LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def test_a_host_with_a_certificate_of_a_trusted_authority_is_asked_on_one_connection(trusting):
    # TLS 1.3 sends tickets after the handshake: they are no reason to connect anew.
    with peer(answering, trusting(LOOPBACK)) as (port, opened):
        for _ in range(3):
            assert ask(f"https://127.0.0.1:{port}/").content == b"{}"
        assert len(opened) == 1


@pytest.mark.parametrize("hosts", [(x509.DNSName("other.example"),), ()])
def test_a_certificate_of_another_host_is_not_trusted(trusting, hosts):
    with peer(answering, trusting(*hosts)) as (port, _):
        with pytest.raises(UnreachableError, match="the certificate is not trusted") as caught:
            ask(f"https://127.0.0.1:{port}/")
        assert caught.value.unconnected == f"https://127.0.0.1:{port}"


def test_a_certificate_of_an_unknown_authority_is_not_trusted(authority):
    connection._loaded_context.cache_clear()
    with (
        peer(answering, authority[1](LOOPBACK)) as (port, _),
        pytest.raises(UnreachableError, match="the certificate is not trusted"),
    ):
        ask(f"https://127.0.0.1:{port}/")


def test_the_name_of_the_host_is_sent_with_the_handshake(trusting):
    names = []
    context = trusting(x509.DNSName("localhost"))
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with peer(answering, context) as (port, _):
        ask(f"https://localhost:{port}/")
    assert names == ["localhost"]


def test_plain_http_where_tls_is_expected_is_no_connection(trusting):
    with peer(answering) as (port, _), pytest.raises(UnreachableError, match="TLS failed"):
        ask(f"https://127.0.0.1:{port}/")


# -- who sends -------------------------------------------------------------------------------------


def test_httpx_sends_where_a_proxy_is_set_and_never_to_this_machine(monkeypatch):
    for name in [one for one in os.environ if one.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    cloud, here = httpx.URL("https://cloud.example/"), httpx.URL("http://127.0.0.1:9/")
    assert isinstance(new_client(cloud), Connection)
    for name in ("HTTPS_PROXY", "http_proxy", "ALL_PROXY"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "http://127.0.0.1:9")
            assert not isinstance(new_client(cloud), Connection)
            assert isinstance(new_client(here), Connection)


def test_a_test_that_replaces_httpx_replaces_what_is_sent_here():
    with respx.mock() as router:
        router.get("http://cloud.example/a").respond(200, json={"a": 1})
        assert ask("http://cloud.example/a").json() == {"a": 1}
