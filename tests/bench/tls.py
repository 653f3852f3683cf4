"""A cloud behind TLS: an authority made for one run, and a server that hands on to the emulator."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
_CHUNK = 65536


def authority(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context for this machine, and the certificates that a client loads.

    Those are all that httpx loads by itself, and ours with them: what loading them costs is in
    the figures.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sgguard bench")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain, bundle = folder / "chain.pem", folder / "bundle.pem"
    chain.write_bytes(pem + secret)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return server, bundle


@contextmanager
def over_tls(url: str, context: ssl.SSLContext) -> Iterator[str]:
    """Serve what stands at ``http://127.0.0.1:PORT`` over TLS; yields the new address.

    It runs in this process, whose CPU time is in no figure.
    """
    port = int(url.rpartition(":")[2])
    loop, ready = asyncio.new_event_loop(), threading.Event()
    address: list[str] = []

    async def serve() -> None:
        server = await asyncio.start_server(
            lambda reader, writer: _hand_on(reader, writer, port), HOST, 0, ssl=context
        )
        address.append(f"https://{HOST}:{server.sockets[0].getsockname()[1]}")
        ready.set()
        async with server:
            with suppress(asyncio.CancelledError):
                await server.serve_forever()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        thread.join(10)
        loop.close()


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    upstream_reader, upstream = await asyncio.open_connection(HOST, port)
    try:
        await asyncio.gather(_copy(reader, upstream), _copy(upstream_reader, writer))
    except (OSError, asyncio.CancelledError):
        pass  # either side ended, or the bench did
    finally:
        upstream.close()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.close()
