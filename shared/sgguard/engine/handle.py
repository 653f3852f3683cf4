"""One event, one effect, one answer: from its claim to what is kept of it.

With a store every event is claimed before it is decided, so that a second delivery gets the first
one's answer, and two instances never work on the same event. Without one, events are only judged.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sgguard import logs
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.engine.decide import Decided
from sgguard.errors import BusyError, EventError, SettingsError, SgguardError, StoreError
from sgguard.model.codes import Mode, Outcome
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.render import document
from sgguard.store.rows import Answered, Busy, Claim, OtherPayload
from sgguard.wire.parallel import parallel

if TYPE_CHECKING:
    from sgguard.engine.execute import Executor

R = TypeVar("R", DeleteRequest, LaunchRequest)

Json = dict[str, Any]
Handled = Json | Exception
"""The document that answers one event, or why there is none."""

Settle = Callable[[Sequence[tuple[R, str]], Context, Sequence[str]], list[Decided | Exception]]


def deletes(asked: Sequence[tuple[DeleteRequest, Event]], context: Context) -> list[Handled]:
    """Handle requests to delete groups, each with its event, each by itself, in order."""
    return _handle("delete_request", asked, context, decide.settle_deletes)


def launches(asked: Sequence[tuple[LaunchRequest, Event]], context: Context) -> list[Handled]:
    """Handle planned and present instances, each with its event, each by itself, in order."""
    return _handle("instance_launch", asked, context, decide.settle_launches)


def _handle(
    kind: str, asked: Sequence[tuple[R, Event]], context: Context, settle: Settle[R]
) -> list[Handled]:
    """Handle a delivery; an event that comes twice in it is handled once and answered twice."""
    names = [_name(n, event) for n, (_, event) in enumerate(asked)]
    first = {name: n for n, name in reversed(list(enumerate(names)))}
    once_each = sorted(set(first.values()))
    handled = _handle_each(kind, [asked[n] for n in once_each], context, settle)
    answers = dict(zip(once_each, handled, strict=True))
    return [answers[first[name]] for name in names]


def _name(number: int, event: Event) -> tuple[object, ...]:
    if not event.is_named:
        return (number,)
    return event.source, event.event_id, _hash(event)


def _handle_each(
    kind: str, asked: Sequence[tuple[R, Event]], context: Context, settle: Settle[R]
) -> list[Handled]:
    executor = _executor(context)
    claims = [_claimed(executor, kind, event, context) for _, event in asked]
    results: dict[int, Handled] = {}
    fresh: list[int] = []
    for n, claim in enumerate(claims):
        if isinstance(claim, Claim) and executor is not None and claim.is_again:
            begun = _caught(partial(_gone_on, executor, claim))
            results |= {n: begun} if begun else {}
        elif claim is not None and not isinstance(claim, Claim):
            results[n] = claim
        if n not in results:
            fresh.append(n)
    ids = [c.decision_id if isinstance(c := claims[n], Claim) else context.new_id() for n in fresh]
    decided = settle([(asked[n][0], asked[n][1].event_id) for n in fresh], context, ids)
    finish = [
        partial(_finished, executor, claims[n], *asked[n], one)
        for n, one in zip(fresh, decided, strict=True)
    ]
    handled = parallel([partial(_caught, one) for one in finish])
    results.update(zip(fresh, handled, strict=True))
    return [results[n] for n in range(len(asked))]


def once(kind: str, event: Event, context: Context, work: Callable[[Executor], Json]) -> Json:
    """Do what an event asks for once; every later delivery of it gets the same answer.

    Raises:
        SettingsError: there is no store.
        SgguardError: the event is being worked on, or could not be; the next delivery may.
    """
    from sgguard.engine.execute import Executor  # noqa: PLC0415 - as below

    executor = Executor.of(context)
    claim = _claimed(executor, kind, event, context)
    if claim is None:
        raise StoreError("what is kept between deliveries cannot be read or written now")
    if isinstance(claim, Exception):
        raise claim
    if not isinstance(claim, Claim):
        return claim
    try:
        done = work(executor)
        executor.store.finish(claim, json.dumps(done, ensure_ascii=False))
    except SgguardError:
        executor.release(claim)
        raise
    return done


def _executor(context: Context) -> Executor | None:
    if context.store is None:
        return None
    from sgguard.engine.execute import Executor  # noqa: PLC0415 - a cold start without a store needs none

    return Executor.of(context)


def _gone_on(executor: Executor, claim: Claim) -> Json:
    """Go on with what an earlier worker began for the event; nothing where nobody began."""
    return executor.go_on(claim) if executor.is_begun(claim) else {}


def _caught(handle: Callable[[], Json]) -> Handled:
    try:
        return handle()
    except Exception as error:  # noqa: BLE001 - of a batch only this event is concerned
        return error


def _claimed(
    executor: Executor | None, kind: str, event: Event, context: Context
) -> Claim | Handled | None:
    """Claim one event; None where nothing can be kept, which is enough to observe."""
    if executor is None:
        return None
    decision_id = context.new_id()
    # A body without an id is a new question each time it is sent.
    event_id = event.event_id if event.is_named else f"{event.event_id}#{decision_id}"
    try:
        claimed = executor.claim(
            f"{kind} {event.source}".strip(), event_id, decision_id, _hash(event)
        )
    except StoreError as error:
        logs.log(logging.WARNING, "store", event_id=event.event_id, detail=str(error))
        return None
    match claimed:
        case Claim():
            return claimed
        case Answered(answer_json):
            answer: Json = json.loads(answer_json)
            return _settled(executor, answer)
        case Busy(retry_after_s):
            busy = BusyError("this very event is being worked on by another instance")
            busy.retry_after_s = max(1.0, retry_after_s)
            return busy
        case OtherPayload():
            logs.log(logging.ERROR, "same event, other content", event_id=event.event_id)
            return EventError(
                f"an event {event.event_id!r} of this source came before with other content: "
                "a new question needs a new id",
                status=422,
            )


def _settled(executor: Executor, answer: Json) -> Json:
    """Return what became of a question that a person was asked: they may have answered it."""
    if answer.get("outcome") != Outcome.PENDING:
        return answer
    record = executor.store.decision(answer["decision_id"])
    since: Json = answer if record is None else json.loads(record.document_json)
    return since


def _hash(event: Event) -> str:
    text = json.dumps(event.data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _finished(
    executor: Executor | None,
    claim: Claim | Handled | None,
    request: DeleteRequest | LaunchRequest,
    event: Event,
    decided: Decided | Exception,
) -> Json:
    if executor is None or not isinstance(claim, Claim):
        return _unkept(decided)
    if isinstance(decided, Exception):
        executor.release(claim)
        raise decided
    return executor.act(claim, request, event.at_s, decided)


def _unkept(decided: Decided | Exception) -> Json:
    """Answer what needs no store: a verdict. What would be changed cannot be without a journal."""
    if isinstance(decided, Exception):
        raise decided
    if decided.prepared is not None and decided.decision.mode is not Mode.OBSERVE:
        raise SettingsError(
            f"mode {decided.decision.mode} changes nothing without a journal, and the store "
            "cannot be used: set SGGUARD_STORE (sqlite:////path or postgresql://…)"
        )
    return document.to_json(decided.decision)
