"""Thousands of tokens, each a little wrong: none is taken, and none is an error of ours."""

from __future__ import annotations

import base64
import contextlib
import json
import random

import pytest

from sgguard.errors import UntrustedError
from tests.callers.harness import Gate, Web, caller
from tests.callers.signers import JWKS, SENDERS, bearing, jwks, token

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ODD = ["", ".", "=", "+", "/", " ", "\x00", "\u00e9", "\u4e2d", ",", "\n"]
_VALUES = [None, True, 0, -1, 1e308, "x", [], {}, [[]], {"a": 1}, 10**30, "\ud800"]


def mutated(good: str, source: random.Random) -> str:
    """One token that differs from the good one: in characters, in parts, or in what it says."""
    parts = good.split(".")
    match source.randrange(6):
        case 0:
            at = source.randrange(len(good))
            return good[:at] + source.choice(_ALPHABET) + good[at + 1 :]
        case 1:
            at = source.randrange(len(good) + 1)
            return good[:at] + source.choice(_ODD) + good[at + source.randrange(3) :]
        case 2:
            return good[: source.randrange(len(good))]
        case 3:
            return ".".join(source.choices(parts, k=source.randrange(6)))
        case 4:
            which = source.randrange(2)
            said = json.loads(base64.urlsafe_b64decode(parts[which] + "=="))
            said[source.choice([*said, "crit", "b64", "zip"])] = source.choice(_VALUES)
            parts[which] = _encoded(json.dumps(said).encode())
            return ".".join(parts)
        case _:
            which = source.randrange(3)
            parts[which] = _encoded(source.randbytes(source.randrange(64)))
            return ".".join(parts)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "count", [2000, pytest.param(20_000, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_no_mutated_token_is_taken_or_an_error(count):
    gate = Gate([caller("jwt", SENDERS["jwt"].proof["jwt"])], Web({JWKS: jwks()}))
    good = token(gate.clock.now_s)
    gate.verify(bearing(good, b"{}").headers)
    source, taken = random.Random(count), []
    for _ in range(count):
        text = mutated(good, source)
        if text == good:
            continue
        # Another error than this one ends the test.
        with contextlib.suppress(UntrustedError):
            gate.verify(bearing(text, b"{}").headers)
            taken.append(text)
    assert taken == []
    assert gate.web.asked == [JWKS]
