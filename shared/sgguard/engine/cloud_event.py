"""What a cloud's own event starts: a judgement, a comparison, or nothing, with the reason.

- A delete that was refused is judged as if it had been asked for here: who holds the group, and
  what would free it, by mode.
- After a delete that succeeded, what it broke is looked up (:mod:`sgguard.engine.aftermath`).
- After a launch or a binding, what is really bound now is judged, by mode.
- A change of a group or its rules needs nothing: every decision reads anew.

Every operation is one event, however many traces of it come: its id is the cloud's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from msgspec.structs import replace

from sgguard import lazy
from sgguard.engine import handle
from sgguard.engine.case import Case, addresses, event_of, instances, place
from sgguard.engine.context import Context
from sgguard.engine.delivery import with_delivery
from sgguard.engine.retention import DAY_S
from sgguard.errors import SgguardError
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.model.failure import failure_of
from sgguard.model.occurrence import Happened, Occurrence
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.sentence import said
from sgguard.render.language.sentence import whole_english
from sgguard.render.said import sentence_json, sentences_json
from sgguard.render.values import time_json
from sgguard.telemetry import logs
from sgguard.wire.parallel import caught

if TYPE_CHECKING:
    from sgguard.engine import aftermath
    from sgguard.engine.execute import Executor
    from sgguard.store.base import Store
    from sgguard.store.rows import Claim
else:
    aftermath = lazy("sgguard.engine.aftermath")  # only a delete that succeeded needs it

Json = dict[str, Any]
Handled = Json | Exception
Asked = Occurrence | DeleteRequest | LaunchRequest

TYPE = "sgguard.cloud_event.v1"
"""The type of the documents that answer a cloud's own events."""

OF_DELETES = frozenset({Happened.DELETE_REFUSED, Happened.DELETED})
OF_LAUNCHES = frozenset({Happened.BOUND})
EVERYTHING = frozenset(Happened)
"""What the functions are told of by the clouds' own events."""


def handler(
    takes: frozenset[Happened],
    *,
    own: Callable[[Sequence[Any], Context], Sequence[Handled]] | None = None,
    due: Callable[[Sequence[tuple[Json, Event]], Context], Sequence[Handled]] | None = None,
) -> Callable[[Sequence[tuple[Asked, Event]], Context], list[Handled]]:
    """Return what handles the events of one function.

    ``takes`` is what it is told of by the clouds' events, ``own`` handles its own events, and
    ``due`` what a timer is for.
    """

    def handled(asked: Sequence[tuple[Asked, Event]], context: Context) -> list[Handled]:
        cases = {n: Case(one, event) for n, (one, event) in enumerate(asked) if _is_foreign(one)}
        others = [n for n in range(len(asked)) if n not in cases]
        results: dict[int, Handled] = {}
        for is_old in (False, True):
            some = [n for n in others if _is_forgotten(asked[n][1], context) is is_old]
            if some and own is not None:
                with_mode = _observing(context) if is_old else context
                results.update(zip(some, own([asked[n] for n in some], with_mode), strict=True))
        answers = _answers(list(cases.values()), context, takes, due)
        results.update(zip(cases, answers, strict=True))
        return [results[n] for n in range(len(asked))]

    return handled


def _is_forgotten(event: Event, context: Context) -> bool:
    """Whether an event is so old that its first delivery may be forgotten: it is only judged."""
    kept_s = context.settings.keep_days * DAY_S
    return event.at_s is not None and event.at_s < context.now() - kept_s


def _is_foreign(asked: Asked) -> TypeGuard[Occurrence]:
    return isinstance(asked, Occurrence)


def judge(
    occurrences: Sequence[tuple[Occurrence, Event]], context: Context, records: Store | None
) -> list[Handled]:
    """Judge saved events, observing and keeping nothing; ``records`` are only read."""
    watching = replace(_observing(context), store=None)
    cases = [Case(one, event) for one, event in occurrences]
    return _answers(cases, watching, EVERYTHING, None, records)


def _answers(
    cases: Sequence[Case],
    context: Context,
    takes: frozenset[Happened],
    due: Callable[[Sequence[tuple[Json, Event]], Context], Sequence[Handled]] | None,
    records: Store | None = None,
) -> list[Handled]:
    failed: dict[int, Exception] = {}
    for n, case in enumerate(cases):
        # 1. Whether it concerns anybody here, and where.
        found = caught(partial(place, case, context, takes))
        if isinstance(found, Exception):
            failed[n] = found
    going = [case for n, case in enumerate(cases) if n not in failed and case.scope is not None]
    # 2. The judgements, of all that came together.
    for is_cautious in (False, True):
        some = [case for case in going if bool(case.caution) is is_cautious]
        with_mode = _observing(context) if is_cautious else context
        _judge_deletes(some, with_mode)
        _judge_bindings(some, with_mode)
    # 3. The rest, each by itself; and one answer for each.
    answers: list[Handled] = []
    for n, case in enumerate(cases):
        if n in failed:
            answers.append(failed[n])
        elif case.one.happened is Happened.DUE and case.status == "due":
            answers.append(_ticked(case, context, due))
        else:
            answers.append(caught(partial(_answer, case, context, records)))
        _log(case, answers[-1])
    return answers


def _observing(context: Context) -> Context:
    return replace(context, settings=replace(context.settings, mode=Mode.OBSERVE))


# -- judgements ------------------------------------------------------------------------------------


def _judge_deletes(cases: Sequence[Case], context: Context) -> None:
    """Judge the refused deletes of a delivery together, each group by itself."""
    asked: list[tuple[DeleteRequest, Event]] = []
    owners: list[Case] = []
    for case in cases:
        if case.one.happened is Happened.DELETE_REFUSED:
            for address in addresses(case):
                request = DeleteRequest((address,), case.one.requester)
                data = {"targets": [str(address)]}
                asked.append((request, event_of(case, address.group_id, data, context)))
                owners.append(case)
    for case, handled in zip(owners, handle.deletes(asked, context) if asked else (), strict=True):
        case.decisions.append(handled)


def _judge_bindings(cases: Sequence[Case], context: Context) -> None:
    """Judge what the instances of all launches and bindings of a delivery carry now."""
    asked: list[tuple[LaunchRequest, Event]] = []
    owners: list[Case] = []
    for case in cases:
        if case.one.happened is not Happened.BOUND or case.scope is None:
            continue
        found = caught(partial(instances, case, context))
        if isinstance(found, Exception):
            case.decisions.append(found)
            continue
        if not found:
            case.status = "ignored"
            case.reason = said("event.interfaces-only")
        for instance_id in found:
            request = LaunchRequest(
                case.scope, instance_id=instance_id, requested_by=case.one.requester
            )
            data = {"instance_id": instance_id, "scope": str(case.scope)}
            asked.append((request, event_of(case, instance_id, data, context)))
            owners.append(case)
    for case, handled in zip(owners, handle.launches(asked, context) if asked else (), strict=True):
        case.decisions.append(handled)


# -- answers ---------------------------------------------------------------------------------------


def _ticked(
    case: Case,
    context: Context,
    due: Callable[[Sequence[tuple[Json, Event]], Context], Sequence[Handled]] | None,
) -> Handled:
    if due is None:
        case.reason = said("event.no-timer")
        case.status = "ignored"
        return _document(case, context)
    # What nobody was awake to tell is told now, too.
    (found,) = with_delivery(due)(
        [({}, Event(case.one.operation, {}, case.one.source, at_s=case.one.at_s))], context
    )
    return found


def _answer(case: Case, context: Context, records: Store | None) -> Json:
    """Return the document of one occurrence.

    Raises:
        SgguardError: some of it could not be done; what was done is not done again.
    """
    failures = [one for one in case.decisions if isinstance(one, Exception)]
    for failure in failures:
        is_over = isinstance(failure, SgguardError) and failure.retry_after_s is None
        if not is_over or len(failures) == len(case.decisions):
            raise failure
    if case.one.happened is Happened.DELETED and case.scope is not None:
        return _compared(case, context, records)
    case.reason = case.reason or case.caution
    return _document(case, context)


def _compared(case: Case, context: Context, records: Store | None) -> Json:
    def compare(store: Store | None) -> Json:
        (address,) = addresses(case)[:1]
        case.aftermath = aftermath.read(address, context, store)
        return _document(case, context)

    if context.store is None:
        return compare(records)
    data = {"deleted": [str(one) for one in addresses(case)]}
    event = event_of(case, "deleted", data, context)
    return handle.once(
        "cloud_event", event, context, lambda executor: compare(executor.store), _told
    )


def _told(executor: Executor, claim: Claim, document: Json) -> None:
    text = json.dumps(document, ensure_ascii=False)
    executor.store.tell(claim, text)


def _log(case: Case, answer: Handled) -> None:
    one = case.one
    fields: logs.Fields = {
        "event_id": one.operation,
        "event_source": one.source,
        "provider": one.provider,
        "groups": list(one.groups),
        "action": one.happened.value,
        "outcome": case.status,
        "detail": whole_english(case.reason),
        "code": one.code,
    }
    if isinstance(answer, Exception):
        fields["error"] = type(answer).__name__
    logs.log(logging.INFO, "cloud event", **fields)


def _document(case: Case, context: Context) -> Json:
    one = case.one
    groups = [str(address) for address in addresses(case)] or list(one.groups)
    decided = [found for found in case.decisions if not isinstance(found, Exception)]
    failed = [found for found in case.decisions if isinstance(found, Exception)]
    return {
        "type": TYPE,
        "at": _time(context.now()),
        "event_id": one.operation,
        "source": one.source,
        "happened": one.happened.value,
        "happened_at": None if one.at_s is None else _time(one.at_s),
        "status": case.status,
        "reason": whole_english(case.reason),
        "provider": one.provider,
        "groups": groups,
        "instances": list(one.instances),
        "owner": one.owner,
        "requested_by": one.requester,
        "refused_with": one.code,
        "decisions": decided,
        "problems": [str(found) for found in failed],
        "problem_sentences": [sentence_json(failure_of(found)) for found in failed],
        "aftermath": case.aftermath,
        **sentences_json(reason=case.reason),
    }


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))
