"""Asking the real stack about a case: settings, provider, facts, guard, decision."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from sgguard import pipeline
from sgguard.decision import Decision
from sgguard.errors import SgguardError
from sgguard.model import Address, DeleteRequest, Scope
from sgguard.pipeline import Means
from sgguard.settings import Settings
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes
from sgguard.wire.retry import Retry
from tests.lies.case import Case
from tests.worlds import Jumping

_DEADLINE_S = 60.0


def ask(case: Case, transport: httpx.BaseTransport) -> Decision | SgguardError:
    """The decision, or the error the stack answers with; anything else it raises is a bug."""
    means = means_for(case, transport)
    try:
        if case.launch is not None:
            return pipeline.decide_launch(case.launch, means, event_id="lies")
        return pipeline.decide_delete(_request(case, case.asked), means, event_id="lies")
    except SgguardError as error:
        return error


def ask_for_each(
    case: Case, transport: httpx.BaseTransport
) -> list[tuple[str, Decision | Exception]]:
    """The same about each group by itself, all in one batch."""
    requests = [(_request(case, (one,)), one) for one in case.asked]
    outcomes = pipeline.decide_deletes(requests, means_for(case, transport))
    return list(zip(case.asked, outcomes, strict=True))


def _request(case: Case, group_ids: Iterable[str]) -> DeleteRequest:
    scope = scope_of(case)
    return DeleteRequest(tuple(Address(scope, group_id) for group_id in group_ids))


def scope_of(case: Case) -> Scope:
    return Scope(case.provider, "", case.region)


def means_for(case: Case, transport: httpx.BaseTransport) -> Means:
    """Every wait is skipped: retries and lanes keep their rules on a clock that jumps."""
    clock = Jumping()
    return Means(
        settings=Settings.from_env(case.env),
        policy=case.policy,
        deadline=Deadline.after(_DEADLINE_S, clock),
        env=case.env,
        transport=transport,
        retry=Retry(sleep=clock.sleep),
        lanes=Lanes(clock, clock.sleep),
    )
