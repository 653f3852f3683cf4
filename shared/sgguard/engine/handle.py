"""One event, one effect, one response: from its claim to what is kept of it.

With a store every event is claimed before it is judged, so that a second delivery gets the first
one's response, and two instances never work on the same event. Without one, events are only judged.

A store that fails is not "no store": what it holds may say that the event was decided, or that its
plan is half carried out. So nothing is decided then, unless every mode is ``observe``; the document
says in that case that it was not kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from sgguard import lazy
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.engine.decide import Decided
from sgguard.errors import BusyError, EventError, SettingsError, SgguardError, StoreError
from sgguard.model.codes import Mode, Outcome
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest, LaunchRequest, callback_host
from sgguard.model.sentence import Text, said
from sgguard.remedy.together import meeting, member
from sgguard.render import document
from sgguard.render.language.refusal import refusal
from sgguard.render.outcome import with_outcome
from sgguard.store.rows import Answered, Busy, Claim, OtherPayload
from sgguard.telemetry import logs
from sgguard.wire.parallel import caught, parallel

if TYPE_CHECKING:
    from sgguard.engine import execute
    from sgguard.engine.execute import Executor
    from sgguard.engine.keeper import Keeper
else:
    execute = lazy("sgguard.engine.execute")  # a cold start without a store needs none of it

R = TypeVar("R", DeleteRequest, LaunchRequest)

Json = dict[str, Any]
Handled = Json | Exception
"""The document that answers one event, or why there is none."""

Judge = Callable[[Sequence[tuple[R, str]], Context, Sequence[str]], list[Decided | Exception]]


def deletes(asked: Sequence[tuple[DeleteRequest, Event]], context: Context) -> list[Handled]:
    """Handle requests to delete groups, each with its event, each by itself, in order."""
    return _handle("delete_request", asked, context, decide.judge_deletes)


def launches(asked: Sequence[tuple[LaunchRequest, Event]], context: Context) -> list[Handled]:
    """Handle planned and present instances, each with its event, each by itself, in order."""
    return _handle("instance_launch", asked, context, decide.judge_launches)


def _handle(
    kind: str, asked: Sequence[tuple[R, Event]], context: Context, judge: Judge[R]
) -> list[Handled]:
    """Handle a delivery; an event that comes twice in it is handled once and answered twice."""
    names = [_name(n, event) for n, (_, event) in enumerate(asked)]
    first = {name: n for n, name in reversed(list(enumerate(names)))}
    once_each = sorted(set(first.values()))
    handled = _handle_each(kind, [asked[n] for n in once_each], context, judge)
    by_first = dict(zip(once_each, handled, strict=True))
    return [by_first[first[name]] for name in names]


def _name(number: int, event: Event) -> tuple[object, ...]:
    """What tells one event of a delivery from another; one without an id is always another."""
    if not event.is_named:
        return (number,)
    return event.source, event.event_id, _hash(event)


def _handle_each(
    kind: str, asked: Sequence[tuple[R, Event]], context: Context, judge: Judge[R]
) -> list[Handled]:
    executor = None if context.store is None else execute.Executor.of(context)
    # 1. Claim each event: from here on no other instance works on it.
    claims = [claimed(executor, kind, event, context) for _, event in asked]
    # 2. Answer those that were decided before or are being worked on, and resume those that
    #    another worker left unfinished. The others are fresh.
    results: dict[int, Handled] = {}
    for n, claim in enumerate(claims):
        known = _known(executor, claim, asked[n][0])
        if known is not None:
            results[n] = known
    fresh = [n for n in range(len(asked)) if n not in results]
    # 3. Judge the fresh ones, all of them together. What an earlier delivery locked stays so.
    locked = {n: caught(partial(_locked, executor, claims[n])) for n in fresh}
    ids = [c.decision_id if isinstance(c := claims[n], Claim) else context.new_id() for n in fresh]
    judged = judge([(asked[n][0], asked[n][1].event_id) for n in fresh], context, ids)
    # 4. Do what the mode says about each, keep it, and end its claim.
    finish = [
        partial(_finished, executor, claims[n], *asked[n], (one, locked[n]))
        for n, one in zip(fresh, judged, strict=True)
    ]
    # What is about the same comes one after another, in the order of the delivery.
    both = [(asked[n][0], one) for n, one in zip(fresh, judged, strict=True)]
    in_turn = [[n] for n in range(len(fresh))] if executor is None else execute.in_turn(both)
    scopes = [_scope(asked[n][0]) for n in fresh]
    rows = [partial(_each, scopes[row[0]], [(fresh[n], finish[n]) for n in row]) for row in in_turn]
    with meeting():
        done = parallel(rows)
    results.update({n: one for part in done for n, one in part})
    return [results[n] for n in range(len(asked))]


def _scope(request: DeleteRequest | LaunchRequest) -> str:
    return str(request.targets[0].scope if isinstance(request, DeleteRequest) else request.scope)


def _each(scope: str, calls: Sequence[tuple[int, Callable[[], Json]]]) -> list[tuple[int, Handled]]:
    with member(scope):
        return [(n, caught(call)) for n, call in calls]


def once(
    kind: str,
    event: Event,
    context: Context,
    work: Callable[[Executor], Json],
    tell: Callable[[Executor, Claim, Json], None],
) -> Json:
    """Do what an event asks for once; every later delivery of it gets the same response.

    ``tell`` keeps the response and what it says, in one step.

    Raises:
        SettingsError: there is no store.
        SgguardError: the event is being worked on, or could not be; the next delivery may.
    """
    executor = execute.Executor.of(context)
    claim = claimed(executor, kind, event, context)
    if claim is None:
        raise StoreError("what is kept between deliveries cannot be read or written now")
    if isinstance(claim, Exception):
        raise claim
    if not isinstance(claim, Claim):
        return claim
    try:
        done = work(executor)
        tell(executor, claim, done)
    except SgguardError:
        executor.release(claim)
        raise
    return done


def claimed(
    executor: Keeper | None, kind: str, event: Event, context: Context
) -> Claim | Handled | None:
    """Claim one event; None where nothing is kept, or nothing can be and all modes observe.

    An event that has a response, or is being worked on, gives that instead of a claim, and a store
    that fails gives its error.
    """
    if executor is None:
        return None
    decision_id = context.new_id()
    # A body without an id is a new request each time it is sent.
    event_id = event.event_id if event.is_named else f"{event.event_id}#{decision_id}"
    source = _source(kind, event, context)
    try:
        found = executor.claim(source, event_id, decision_id, _hash(event))
    except StoreError as error:
        logs.log(logging.WARNING, "store", event_id=event.event_id, detail=str(error))
        return None if context.only_observes and not _is_told(event) else error
    latest = _latest(executor, found) if isinstance(found, Answered) else None
    if isinstance(found, Answered) and latest is None:
        # Its decision was forgotten since: it comes as a new event, unless its claim stays.
        found = executor.claim(source, event_id, decision_id, _hash(event))
    match found:
        case Claim():
            return found
        case Answered(answer_json):
            answer: Json = latest or json.loads(answer_json)
            return answer
        case Busy(retry_after_s):
            busy = refusal(BusyError, said("event.busy"))
            busy.retry_after_s = max(1.0, retry_after_s)
            return busy
        case OtherPayload():
            logs.log(logging.ERROR, "same event, other content", event_id=event.event_id)
            return refusal(
                EventError, said("event.other-content", event=event.event_id), status=422
            )


def _source(kind: str, event: Event, context: Context) -> str:
    """Return whose event it is: no caller uses up another's ids, nor meets its answers."""
    if context.caller is None:
        return f"{kind} {event.source}".strip()
    # A source has no space, so with a caller there is always one more than without.
    return f"{kind} {context.caller.caller.name} {event.source or '-'}"


def _latest(executor: Keeper, found: Answered) -> Json | None:
    """Return the decision as it is now: what was pending may have been approved or denied.

    None where it was pending and is not kept any more.
    """
    answer: Json = json.loads(found.answer_json)
    if answer.get("outcome") != Outcome.PENDING:
        return answer
    record = executor.store.decision(answer["decision_id"])
    latest: Json | None = None if record is None else json.loads(record.document_json)
    return latest


def _known(executor: Executor | None, claim: Claim | Handled | None, request: R) -> Handled | None:
    """Return the result of an event that is not fresh; None for one that is to be judged."""
    if not isinstance(claim, Claim):
        return claim
    if executor is None or not claim.is_again:
        return None
    return caught(
        lambda: executor.resume(claim, asked=request) if executor.is_begun(claim) else None
    )


def _locked(executor: Executor | None, claim: Claim | Handled | None) -> frozenset[str]:
    if executor is None or not isinstance(claim, Claim):
        return frozenset()
    return executor.locked(claim)


def _finished(
    executor: Executor | None,
    claim: Claim | Handled | None,
    request: DeleteRequest | LaunchRequest,
    event: Event,
    judged: tuple[Decided | Exception, frozenset[str] | Exception],
) -> Json:
    decided, locked = judged
    if executor is None:
        return _unkept(decided)
    if not isinstance(claim, Claim):
        return _unkept(decided, note=NOT_KEPT)
    if isinstance(decided, Exception):
        executor.release(claim)
        raise decided
    try:
        if isinstance(locked, Exception):
            locked = frozenset()  # what it locks again is looked at again
        if request.callback:
            # Before the first change that is told: what follows names the host alone.
            executor.store.keep_callback(claim.decision_id, request.callback)
            request = replace(request, callback=f"https://{callback_host(request)}")
        return executor.act(claim, request, event.at_s, decided, locked=locked)
    except StoreError as error:
        if not executor.context.only_observes or request.callback:
            executor.release(claim)
            raise
        logs.log(logging.WARNING, "store", event_id=event.event_id, detail=str(error))
        return _unkept(decided, note=NOT_KEPT)


def _is_told(event: Event) -> bool:
    """Whether an event names a callback: it cannot be answered with what is kept nowhere."""
    return isinstance(event.data, dict) and bool(event.data.get("callback"))


NOT_KEPT = said("note.unkept")
"""What is said of a verdict that a store failed to keep."""


def _unkept(decided: Decided | Exception, note: Text = "") -> Json:
    if isinstance(decided, Exception):
        raise decided
    found = document.to_json(decided.decision)
    return unkept(found, decided.decision.mode, is_planned=decided.prepared is not None, note=note)


def unkept(found: Json, mode: Mode, *, is_planned: bool, note: Text = "") -> Json:
    """Answer what needs no store: a verdict. Nothing is changed without a journal.

    Raises:
        SettingsError: there is a plan that the mode would carry out, or ask about.
    """
    if is_planned and mode is not Mode.OBSERVE:
        raise SettingsError(
            f"mode {mode} changes nothing without a journal, and the store cannot be used: "
            "set SGGUARD_STORE (sqlite:////path or postgresql://…)"
        )
    return with_outcome(found, Outcome(found["outcome"]), note) if note else found


def _hash(event: Event) -> str:
    text = json.dumps(event.data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
