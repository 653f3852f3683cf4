"""Certificates of clouds: what is none is not believed, and strangers drive none of them out."""

from __future__ import annotations

import json

import pytest

from sgguard.errors import KeysError, UntrustedError
from tests.callers.harness import Gate, Web, caller
from tests.callers.signers import (
    SENDERS,
    SMN_CERTIFICATE,
    ec_key,
    pages,
    pem,
    rsa_key,
    smn_message,
)

PROOF = SENDERS["smn"].proof["smn"]


def gate(**replaced: bytes) -> Gate:
    found = {**pages(), **({SMN_CERTIFICATE: replaced["page"]} if replaced else {})}
    return Gate([caller("smn", PROOF)], Web(found))


def send(made: Gate, **more: str) -> object:
    return made.verify({}, json.dumps(smn_message(b"{}", made.clock.now_s, **more)).encode())


NONE = {
    "nothing": b"",
    "a page": b"<html>",
    "an elliptic curve": pem(ec_key()),
    "an open end": pem(rsa_key("ours"))[:-30],
    "a broken certificate": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("what", NONE)
def test_what_is_no_certificate_asks_the_sender_to_come_again(what):
    with pytest.raises(KeysError):
        send(gate(page=NONE[what]))


def test_another_key_at_the_address_refuses():
    with pytest.raises(UntrustedError):
        send(gate(page=pem(rsa_key("other"))))


def test_strangers_who_name_addresses_drive_no_certificate_out_and_cause_few_fetches():
    made = gate()
    send(made)
    for number in range(100):
        made.clock.now_s += 1
        place = SMN_CERTIFICATE.replace("0123456789abcdef0123456789abcdef", f"{number:032x}")
        with pytest.raises(KeysError):
            send(made, key="other", signing_cert_url=place)
    assert len(made.web.asked) <= 11
    for number in range(50):
        made.clock.now_s += 11
        place = SMN_CERTIFICATE.replace("0123456789abcdef0123456789abcdef", f"{900 + number:032x}")
        with pytest.raises(KeysError):
            send(made, key="other", signing_cert_url=place)
    before = len(made.web.asked)
    made.web.pages.clear()
    send(made)
    assert len(made.web.asked) <= before + 1
