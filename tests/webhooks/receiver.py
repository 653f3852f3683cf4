"""A receiver of callbacks on loopback, with a certificate of its own authority, and a network
in which every public address leads to it."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sgguard.webhooks.send import Network
from tests.webhooks.shapes import HOST, PUBLIC

Answering = bytes | Callable[[socket.socket], None]

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    head = [f"HTTP/1.1 {status} Whatever", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


@dataclass
class Request:
    """One request as it arrived, and the name that TLS asked for."""

    head: str
    body: bytes
    server_name: str | None

    def header(self, name: str) -> str:
        lines = (line.partition(": ") for line in self.head.split("\r\n")[1:])
        return next((value for key, _, value in lines if key.lower() == name), "")


@dataclass
class Receiver:
    """Answers in the order of ``answers``, the last for ever; a callable writes to the socket."""

    answers: list[bytes | Callable[[socket.socket], None]] = field(default_factory=lambda: [OK])
    requests: list[Request] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)
    addresses: list[Sequence[str] | OSError] = field(default_factory=lambda: [PUBLIC[:1]])
    port: int = 0
    trusted: ssl.SSLContext | None = None

    def network(self) -> Network:
        """A network of which every address is this receiver; what is asked for is noted."""

        def resolve(name: str) -> Sequence[str]:
            self.looked_up.append(name)
            found = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
            if isinstance(found, OSError):
                raise found
            return found

        def dial(address: str, port: int, timeout_s: float) -> socket.socket:
            self.dialled.append((address, port))
            return socket.create_connection(("127.0.0.1", self.port), timeout_s)

        return Network(resolve, dial, lambda: self.trusted or ssl.create_default_context())

    def _next(self) -> bytes | Callable[[socket.socket], None]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def serve(self, stream: socket.socket, name: str | None) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += stream.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        request = Request(head.decode(), body, name)
        length = int(request.header("content-length") or 0)
        while len(body) < length:
            body += stream.recv(65536)
        request.body = body
        self.requests.append(request)
        what = self._next()
        if callable(what):
            what(stream)
        else:
            stream.sendall(what)


@contextmanager
def receiving(
    *answers: bytes | Callable[[socket.socket], None], host: str = HOST
) -> Iterator[Receiver]:
    """Serve until the block ends; with ``host`` empty without TLS."""
    made = Receiver(list(answers) or [OK])
    listener = socket.create_server(("127.0.0.1", 0))
    made.port = listener.getsockname()[1]
    names: list[str | None] = []
    context: ssl.SSLContext | None = None
    if host:
        context, made.trusted = contexts(host)
        context.sni_callback = lambda _socket, name, _context: names.append(name)

    def run() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            plain.settimeout(30)
            with suppress(OSError, ValueError):
                stream = context.wrap_socket(plain, server_side=True) if context else plain
                with stream:
                    made.serve(stream, names[-1] if names else None)
            plain.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        # What waits in accept() is woken up by this, and by closing alone it is not.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@lru_cache(maxsize=8)
def contexts(host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for the host, and one that trusts its authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pem"
        path.write_bytes(
            pem
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())
