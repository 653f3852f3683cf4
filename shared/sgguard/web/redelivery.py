"""A dead letter delivered again: through the function itself, on an operator's word for its caller.

What was kept goes the way of every delivery; only the proof is replaced, for it covered what is no
longer there. So the caller may no more than it may, and what was decided before is not again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import functions_framework
import msgspec
from flask import Flask

from sgguard.engine.context import Context
from sgguard.errors import InputError
from sgguard.model.caller import Identity
from sgguard.policy.caller import is_expired
from sgguard.store.base import Store
from sgguard.store.dead_letters import DeadLetter
from sgguard.web import door
from sgguard.web.installed import functions

_OK, _ERRORS = 200, 400
_KEY = "dead-letter"


class Redelivered(msgspec.Struct, frozen=True):
    """What came of it: ``is_settled`` where it was judged; the answer is the function's."""

    letter: DeadLetter
    status: int
    answer: Any
    is_settled: bool


def redeliver(letter: DeadLetter, context: Context, store: Store) -> Redelivered:
    """Deliver a letter again; one that is judged is no dead letter any more.

    Raises:
        InputError: nothing of its body was kept, its caller is not served any more, or its
            function is not here.
    """
    if not letter.body:
        raise InputError(
            f"nothing of the body of {letter.letter_id} was kept ({letter.body_bytes} bytes): "
            "its sender has to send it again"
        )
    identity = _identity(letter, context)
    client = _function(letter.function).test_client()
    response = client.post(
        "/",
        data=letter.body.encode(),
        headers=json.loads(letter.headers_json),
        environ_overrides={door.VOUCHED: identity},
    )
    now = store.dead_letter(letter.letter_id)
    is_again = now is not None and now.times > letter.times
    is_settled = _OK <= response.status_code < _ERRORS and not is_again
    if is_settled:
        store.drop_dead_letter(letter.letter_id)
    answer = response.get_json(silent=True, force=True)
    return Redelivered(now or letter, response.status_code, answer, is_settled)


def _identity(letter: DeadLetter, context: Context) -> Identity:
    caller = next((one for one in context.policy.callers if one.name == letter.caller), None)
    if caller is None:
        raise InputError(f"the caller {letter.caller} is not in the policy any more")
    if is_expired(caller, datetime.fromtimestamp(context.now(), UTC).date()):
        raise InputError(f"the caller {letter.caller} is not served since {caller.expires}")
    # A body without an id of its own keeps the one that it had.
    return Identity(caller, key=_KEY, covers="body", signed_id=letter.event_id)


def _function(name: str) -> Flask:
    source = functions().get(name)
    if source is None:
        raise InputError(f"there is no function {name} here")
    create_app: Callable[..., Flask] = functions_framework.create_app
    return create_app(target=name, source=str(source))
