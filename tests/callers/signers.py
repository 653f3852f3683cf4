"""A sender of every kind, with keys of its own: what it would send now, and how that is forged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sgguard.callers.proofs import alibaba, smn
from sgguard.callers.secret import hash_of, new_token
from sgguard.wire import sdk_hmac

JWKS = "https://issuer.test/jwks"
ISSUER, AUDIENCE = "https://issuer.test", "https://guard.test/delete_request"
SUBJECT = "system:serviceaccount:portal:trigger"
URL = "https://guard.test/delete_request?x=1"
CERTIFICATE = (
    "https://cn-hangzhou-eventbridge.oss-accelerate.aliyuncs.com/x509_public_certificate_1.pem"
)
TOPIC = "urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:guard"
SMN_CERTIFICATE = (
    "https://smn.cn-north-4.myhuaweicloud.com/smn/"
    "SMN_cn-north-4_0123456789abcdef0123456789abcdef.pem"
)
URI, DN = "spiffe://a.test/ns/portal/sa/portal", "CN=portal,O=Demo"
PEER = "10.1.2.3"
SECRET, OTHER = "a" * 40, "b" * 40
STANDARD = "whsec_" + base64.b64encode(b"k" * 32).decode()
TOKEN, PASSWORD, EB_TOKEN = (new_token("portal", lambda n, c=c: c * n) for c in (b"1", b"2", b"3"))
ENV = {"SGG_TEST_HMAC": SECRET, "SGG_TEST_STANDARD": STANDARD}


@lru_cache(maxsize=2)
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    del name  # one key for each name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache(maxsize=1)
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def jwks(*extra: dict[str, Any], kid: str = "r1") -> bytes:
    rsa_jwk = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key("ours").public_key(), as_dict=True)
    ec_jwk = jwt.algorithms.ECAlgorithm.to_jwk(ec_key().public_key(), as_dict=True)
    keys = [{**rsa_jwk, "kid": kid, "use": "sig"}, {**ec_jwk, "kid": "e1", "use": "sig"}, *extra]
    return json.dumps({"keys": keys}).encode()


def pages() -> dict[str, bytes]:
    """What can be fetched: the issuer's keys, and the certificates (as bare keys) of two clouds."""
    public = pem(rsa_key("ours"))
    return {JWKS: jwks(), CERTIFICATE: public, SMN_CERTIFICATE: public}


@dataclass(frozen=True)
class Sent:
    """One request as a sender would make it; ``proof`` names the headers that prove it."""

    headers: dict[str, str]
    body: bytes
    proof: tuple[str, ...] = ()
    peer: str = "192.0.2.9"
    method: str = "POST"
    path: str = "/"

    def with_header(self, name: str, value: str | None) -> Sent:
        headers = {k: v for k, v in self.headers.items() if k != name}
        return replace(self, headers=headers if value is None else {**headers, name: value})


@dataclass(frozen=True)
class Sender:
    """One kind of proof: its table in the policy, and its maker of requests."""

    proof: dict[str, Any]
    send: Callable[[bytes, float], Sent]
    covers: str = "request"
    more: dict[str, Any] = field(default_factory=dict)


def _authorization(value: str) -> Callable[[bytes, float], Sent]:
    return lambda body, _now: Sent({"authorization": value}, body, ("authorization",))


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _header(body: bytes, _now: float) -> Sent:
    return Sent({"x-guard-key": TOKEN}, body, ("x-guard-key",))


def _github(body: bytes, _now: float, secret: str = SECRET) -> Sent:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Sent({"x-hub-signature-256": f"sha256={digest}"}, body, ("x-hub-signature-256",))


def _terraform(body: bytes, _now: float, secret: str = SECRET) -> Sent:
    digest = hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
    return Sent({"x-tfc-task-signature": digest}, body, ("x-tfc-task-signature",))


def standard(body: bytes, now: float, key: bytes = b"k" * 32, event_id: str = "msg-1") -> Sent:
    signed = f"{event_id}.{int(now)}.".encode() + body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    values = (event_id, str(int(now)), f"v1,{digest}")
    return Sent(dict(zip(names, values, strict=True)), body, names)


def claims(now: float, **more: Any) -> dict[str, Any]:
    times = {"iat": int(now) - 10, "exp": int(now) + 600}
    return {"iss": ISSUER, "aud": [AUDIENCE], "sub": SUBJECT, **times, **more}


def token(now: float, key: Any = None, headers: dict[str, Any] | None = None, **more: Any) -> str:
    said = {k: v for k, v in claims(now, **more).items() if v is not ...}
    return jwt.encode(
        said, key or rsa_key("ours"), "RS256", headers={"kid": "r1", **(headers or {})}
    )


def bearing(text: str, body: bytes) -> Sent:
    return Sent({"authorization": f"Bearer {text}"}, body, ("authorization",))


def _jwt(body: bytes, now: float) -> Sent:
    return bearing(token(now), body)


def sign(text: bytes, key: str = "ours") -> str:
    signature = rsa_key(key).sign(text, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


def eventbridge(body: bytes, now: float, key: str = "ours", url: str = URL, **more: str) -> Sent:
    headers = {
        "x-eventbridge-signature-timestamp": str(int(now * 1000)),
        "x-eventbridge-hash-method": "SHA256",
        "x-eventbridge-signature-version": "1.0",
        "x-eventbridge-signature-url": CERTIFICATE,
        "x-eventbridge-signature-token": EB_TOKEN,
        **more,
    }
    from_sender = Sent(headers, body)
    text = alibaba.signed_text(url, _arrival(from_sender))
    headers["x-eventbridge-signature-v2"] = sign(text, key)
    return Sent(headers, body, tuple(headers))


def _arrival(sent: Sent) -> Any:
    return alibaba.Arrival(sent.method, sent.headers, sent.body)


def smn_message(body: bytes, now: float, key: str = "ours", **more: str) -> dict[str, str]:
    message = {
        "type": "Notification",
        "topic_urn": TOPIC,
        "message_id": "88c726942175432bac921eafd0036163",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "message": body.decode(),
        "signature_version": "v1",
        "signing_cert_url": SMN_CERTIFICATE,
        **more,
    }
    return {**message, "signature": sign(smn.signed_text(message), key)}


def _smn(body: bytes, now: float) -> Sent:
    content = json.dumps(smn_message(body, now)).encode()
    return Sent({"content-type": "text/plain; charset=utf-8"}, content)


def apig(
    body: bytes,
    now: float,
    *,
    secret: str = SECRET,
    access: str = "gateway",
    method: str = "POST",
    path: str = "/",
    signed: tuple[str, ...] = ("content-type", "host", "x-sdk-date"),
    digest: str = "",
) -> Sent:
    headers = {
        "content-type": "application/json",
        "host": "localhost",
        "x-sdk-date": sdk_hmac.date_of(now),
        **({"x-sdk-content-sha256": digest} if digest else {}),
    }
    request = httpx.Request(method, f"http://localhost{path}", headers=headers, content=body)
    signature = sdk_hmac.signature_of(request, signed, secret)
    headers["authorization"] = (
        f"SDK-HMAC-SHA256 Access={access}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    )
    return Sent(headers, body, ("authorization", "x-sdk-date"))


def xfcc(body: bytes, _now: float) -> Sent:
    value = f'By=spiffe://a.test/ns/g/sa/g;Hash=aa;Subject="{DN}";URI={URI}'
    name = "x-forwarded-client-cert"
    return Sent({name: value}, body, peer=PEER)


def _subject(body: bytes, _now: float) -> Sent:
    headers = {"x-client-dn": DN, "x-client-verify": "SUCCESS", "x-proxy-key": TOKEN}
    return Sent(headers, body, tuple(headers), peer=PEER)


_WHERE = [{"env": "SGG_TEST_HMAC"}]

SENDERS: dict[str, Sender] = {
    "bearer": Sender({"bearer": [hash_of(TOKEN)]}, _authorization(f"Bearer {TOKEN}")),
    "header": Sender({"header": {"name": "X-Guard-Key", "hashes": [hash_of(TOKEN)]}}, _header),
    "basic": Sender(
        {"basic": {"user": "bus", "hashes": [hash_of(PASSWORD)]}},
        _authorization(_basic("bus", PASSWORD)),
    ),
    "github": Sender({"hmac": {"scheme": "github", "secrets": _WHERE}}, _github, "body"),
    "terraform": Sender(
        {"hmac": {"scheme": "terraform-run-task", "secrets": _WHERE}}, _terraform, "body"
    ),
    "standard": Sender(
        {"hmac": {"scheme": "standard-webhooks", "secrets": [{"env": "SGG_TEST_STANDARD"}]}},
        standard,
        "body",
    ),
    "jwt": Sender(
        {"jwt": {"issuer": ISSUER, "audience": AUDIENCE, "jwks": JWKS, "subjects": [SUBJECT]}}, _jwt
    ),
    "alibaba": Sender(
        {"alibaba": {"url": URL, "regions": ["cn-hangzhou"], "tokens": [hash_of(EB_TOKEN)]}},
        eventbridge,
        "body",
    ),
    "smn": Sender({"smn": {"topics": [TOPIC]}}, _smn, "body"),
    "apig": Sender({"apig": {"access": "gateway", "secrets": _WHERE}}, apig),
    "xfcc": Sender({"xfcc": {"peers": ["10.0.0.0/8"], "uris": [URI]}}, xfcc),
    "subject": Sender(
        {
            "subject": {
                "peers": ["10.0.0.0/8"],
                "header": "X-Client-DN",
                "subjects": [DN],
                "verified": "X-Client-Verify",
                "shared": {"name": "X-Proxy-Key", "hashes": [hash_of(TOKEN)]},
            }
        },
        _subject,
    ),
}


def forged(kind: str, body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    """Yield what must be refused, by name: of every kind the same, and what only it can forge."""
    good = SENDERS[kind].send(body, now)
    yield "nothing at all", Sent({}, body, peer=good.peer)
    for name in good.proof:
        value = good.headers[name]
        for what, other in _spoilt(value):
            yield f"{name} {what}", good.with_header(name, other)
    if SENDERS[kind].covers == "body":
        if kind != "smn":  # a space around its members is none in them
            yield "another body", replace(good, body=good.body + b" ")
        yield "another target", replace(good, body=good.body.replace(b"sg-", b"sg-0", 1))
        yield "no body", replace(good, body=b"")
        yield "another ce-id", good.with_header("ce-id", "another")
    yield from _OF_KIND.get(kind, lambda *_: iter(()))(body, now)


def _spoilt(value: str) -> Iterator[tuple[str, str | None]]:
    yield "missing", None
    yield "empty", ""
    yield "cut at its end", value[:-1]
    yield "cut at its beginning", value[1:]
    yield "longer", value + "A"
    yield "twice", f"{value},{value}"
    yield "twice, another first", f"{value[:-3]}AAA,{value}"
    yield "twice, another last", f"{value},{value[:-3]}AAA"
    yield "not ASCII", value + "\u00e9"
    yield "with a control character", value[:-1] + "\x7f"
    for at in range(1, 4):
        place = len(value) * at // 4
        changed = "A" if value[place] != "A" else "B"
        yield f"changed at {place}", value[:place] + changed + value[place + 1 :]


def _forged_bearer(body: bytes, _now: float) -> Iterator[tuple[str, Sent]]:
    for what, value in {
        "another's": f"Bearer {new_token('portal')}",
        "its own hash": f"Bearer {hash_of(TOKEN)}",
        "the digits of its hash": f"Bearer {hash_of(TOKEN)[7:]}",
        "no scheme": TOKEN,
        "another scheme": f"Basic {TOKEN}",
        "with a space": f"Bearer  {TOKEN}",
        "two tokens": f"Bearer {TOKEN} {TOKEN}",
        "the prefix": "Bearer sgg_portal_",
    }.items():
        yield what, Sent({"authorization": value}, body)


def _forged_header(body: bytes, _now: float) -> Iterator[tuple[str, Sent]]:
    for what, value in {
        "another's": new_token("portal"),
        "its own hash": hash_of(TOKEN),
        "the digits of its hash": hash_of(TOKEN)[7:],
        "with a scheme": f"Bearer {TOKEN}",
        "with a space": f"{TOKEN} x",
        "the prefix": "sgg_portal_",
    }.items():
        yield what, Sent({"x-guard-key": value}, body)
    yield "in another header", Sent({"x-guard-keys": TOKEN}, body)
    yield "as a bearer token", Sent({"authorization": f"Bearer {TOKEN}"}, body)


def _forged_basic(body: bytes, _now: float) -> Iterator[tuple[str, Sent]]:
    for what, value in {
        "another user": _basic("bus2", PASSWORD),
        "no user": _basic("", PASSWORD),
        "another password": _basic("bus", "x" * 40),
        "no password": _basic("bus", ""),
        "no colon": "Basic " + base64.b64encode(b"bus").decode(),
        "not base64": "Basic !!!",
        "not UTF-8": "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "the hash": _basic("bus", hash_of(PASSWORD)),
    }.items():
        yield what, Sent({"authorization": value}, body)


def _forged_plain(send: Callable[..., Sent]) -> Callable[..., Iterator[tuple[str, Sent]]]:
    def forged_plain(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
        good = send(body, now)
        (name,) = good.proof
        value = good.headers[name]
        yield "by another key", send(body, now, secret=OTHER)
        yield "by no key", send(body, now, secret="")
        yield "in capitals", good.with_header(name, value.upper())
        yield "of another body", replace(good, body=b"{}")
        yield "in base64", good.with_header(name, base64.b64encode(value.encode()).decode())

    return forged_plain


def _forged_standard(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    good = standard(body, now)
    yield "by another key", standard(body, now, key=b"x" * 32)
    yield "old", standard(body, now - 301)
    yield "in the future", standard(body, now + 900)
    yield "under another id", good.with_header("webhook-id", "msg-2")
    yield "with another time", good.with_header("webhook-timestamp", str(int(now) + 1))
    yield "with a time in words", good.with_header("webhook-timestamp", "now")
    yield "of another version", good.with_header("webhook-signature", "v2,x v1a,y")


def _forged_jwt(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    public = pem(rsa_key("ours"))
    other = rsa_key("other")
    whole = token(now)
    head, said, signature = whole.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"r1"}').rstrip(b"=").decode()
    mac = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"r1"}').rstrip(b"=").decode()
    digest = hmac.new(public, f"{mac}.{said}".encode(), hashlib.sha256).digest()
    confused = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    embedded = jwt.algorithms.RSAAlgorithm.to_jwk(other.public_key(), as_dict=True)
    made = {
        "alg none": f"{none}.{said}.",
        "key confusion": f"{mac}.{said}.{confused}",
        "by another key": token(now, other),
        "by the key that it brings": token(now, other, {"jwk": embedded}),
        "by a key from elsewhere": token(now, other, {"jku": "http://127.0.0.1:9/jwks"}),
        "of an unknown key": token(now, headers={"kid": "r2"}),
        "of the other algorithm's key": token(now, headers={"kid": "e1"}),
        "another audience": token(now, aud="https://guard.test/other"),
        "a longer audience": token(now, aud=AUDIENCE + "/x"),
        "a part of the audience": token(now, aud=AUDIENCE[:-1]),
        "no audience": token(now, aud=...),
        "no audience in its list": token(now, aud=[]),
        "another issuer": token(now, iss=ISSUER + "/"),
        "another subject": token(now, sub="system:serviceaccount:evil:trigger"),
        "no subject": token(now, sub=...),
        "a subject with a line break": token(now, sub=SUBJECT + "\n"),
        "expired": token(now, exp=int(now) - 61),
        "no end": token(now, exp=...),
        "an end in words": token(now, exp=str(int(now) + 600)),
        "an end that is true": token(now, exp=True),
        "issued in the future": token(now, iat=int(now) + 900),
        "issued two days ago": token(now, iat=int(now) - 2 * 86400),
        "never issued": token(now, iat=...),
        "not yet valid": token(now, nbf=int(now) + 900),
        "with extensions": token(now, headers={"crit": ["x"], "x": 1}),
        "Cloud Run's": f"{head}.{said}.SIGNATURE_REMOVED_BY_GOOGLE",
        "two parts": f"{head}.{said}",
        "four parts": f"{whole}.{signature}",
        "very long": f"{head}.{said}.{signature}{'A' * 9000}",
        "other claims": f"{head}.{token(now, sub='x').split('.')[1]}.{signature}",
    }
    for what, text in made.items():
        yield what, bearing(text, body)


def _forged_alibaba(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    good = eventbridge(body, now)
    name = "x-eventbridge-signature-url"
    yield "by another key", eventbridge(body, now, key="other")
    yield "old", eventbridge(body, now - 61)
    yield "in the future", eventbridge(body, now + 600)
    yield "to another address", eventbridge(body, now, url="https://other.test/")
    token_name = "x-eventbridge-signature-token"
    yield "another customer's", eventbridge(body, now, **{token_name: "theirs"})
    for place in ("https://evil.test/c.pem", CERTIFICATE.replace("cn-hangzhou", "evil")):
        yield f"certificate of {place}", eventbridge(body, now, **{name: place})
    old = {k: v for k, v in good.headers.items() if not k.endswith("v2")}
    yield "V1 only", replace(good, headers={**old, "x-eventbridge-signature": "AAAA"})


def _forged_smn(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    message = smn_message(body, now)
    for name, value in message.items():
        yield f"{name} changed", _as_sent({**message, name: value + "x"})
        yield f"{name} missing", _as_sent({k: v for k, v in message.items() if k != name})
    yield "by another key", _as_sent(smn_message(body, now, "other"))
    yield "another topic", _as_sent(smn_message(body, now, topic_urn=TOPIC + "2"))
    yield "old", _as_sent(smn_message(body, now - 86401 - 60))
    yield "in the future", _as_sent(smn_message(body, now + 3600))
    yield "a list", Sent({}, json.dumps([message]).encode())
    place = "https://evil.obs.cn-north-4.myhuaweicloud.com/c.pem"
    yield "a bucket's certificate", _as_sent(smn_message(body, now, signing_cert_url=place))


def _as_sent(message: dict[str, str]) -> Sent:
    return Sent({"content-type": "application/json"}, json.dumps(message).encode())


def _forged_apig(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    yield "by another key", apig(body, now, secret=OTHER)
    yield "of another name", apig(body, now, access="other")
    yield "of another method", apig(body, now, method="PUT")
    yield "of another path", apig(body, now, path="/other")
    yield "of another query", apig(body, now, path="/?x=1")
    yield "old", apig(body, now - 901)
    yield "in the future", apig(body, now + 3600)
    yield "without its time", apig(body, now, signed=("content-type", "host"))
    yield "of another body", replace(apig(body, now), body=body + b" ")
    unsigned = apig(b"{}", now, digest="UNSIGNED-PAYLOAD")
    yield "of no body", replace(unsigned, body=body)
    yield "under another ce-id", apig(body, now).with_header("ce-id", "another")


def _forged_xfcc(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    good = xfcc(body, now)
    (name,) = good.headers
    for peer in ("192.0.2.1", "127.0.0.1", "::1", "11.1.2.3", "", "::ffff:192.0.2.1", "unix"):
        yield f"from {peer or 'a socket'}", replace(good, peer=peer)
    for what, value in {
        "the left element": f"Hash=aa;URI={URI},By=x;Hash=bb;URI=spiffe://a.test/evil",
        "in a subject": f'Hash=aa;Subject="CN=a\\";URI={URI};X=\\"";URI=spiffe://a.test/evil',
        "as who proxies": f"By={URI};Hash=aa",
        "as a chain": f'Chain="URI={URI}"',
        "a longer name": f"URI={URI}/x",
        "in capitals": f"URI={URI.upper()}",
        "an open quote": f'URI="{URI}',
        "no pair": URI,
        "an empty last element": f"URI={URI},",
        "an empty header": "",
        "separators only": ";;,,",
        "another one's": "URI=spiffe://a.test/ns/evil/sa/evil",
        "as a DNS name": f"DNS={URI}",
        "with a space before it": f'URI=" {URI}"',
        "not ASCII": f"URI={URI}\u00e9",
        "very long": f"URI={URI};Cert={'A' * 20_000}",
        "as a value's end": f"Hash=URI={URI}",
    }.items():
        yield what, good.with_header(name, value)


def _forged_subject(body: bytes, now: float) -> Iterator[tuple[str, Sent]]:
    good = _subject(body, now)
    yield "from another peer", replace(good, peer="192.0.2.1")
    yield "not verified", good.with_header("x-client-verify", "FAILED:expired")
    yield "no certificate", good.with_header("x-client-verify", "NONE")
    yield "in another order", good.with_header("x-client-dn", "O=Demo,CN=portal")
    yield "in the old form", good.with_header("x-client-dn", "/O=Demo/CN=portal")
    yield "two names", good.with_header("x-client-dn", f"CN=evil,{DN}")
    yield "another proxy's secret", good.with_header("x-proxy-key", PASSWORD)


_OF_KIND: dict[str, Callable[[bytes, float], Iterator[tuple[str, Sent]]]] = {
    "bearer": _forged_bearer,
    "header": _forged_header,
    "basic": _forged_basic,
    "github": _forged_plain(_github),
    "terraform": _forged_plain(_terraform),
    "standard": _forged_standard,
    "jwt": _forged_jwt,
    "alibaba": _forged_alibaba,
    "smn": _forged_smn,
    "apig": _forged_apig,
    "xfcc": _forged_xfcc,
    "subject": _forged_subject,
}
