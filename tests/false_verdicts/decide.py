"""The decision of the real stack on a case: settings, provider, facts, guard."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.engine.decide import Decided
from sgguard.errors import SgguardError
from sgguard.model.address import Address, Scope
from sgguard.model.decision import Decision
from sgguard.model.request import DeleteRequest
from sgguard.settings import Settings
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes
from sgguard.wire.retry import Retry
from tests.false_verdicts.case import Case
from tests.worlds import Jumping

_DEADLINE_S = 60.0


def decision_on(case: Case, transport: httpx.BaseTransport) -> Decision | SgguardError:
    """The decision, or the error of the stack; anything else it raises is a bug."""
    found = settle(case, transport)
    return found.decision if isinstance(found, Decided) else found


def settle(case: Case, transport: httpx.BaseTransport) -> Decided | SgguardError:
    """The decision with the exact changes a remedy would make."""
    context = context_for(case, transport)
    try:
        if case.launch is not None:
            return decide.judge_launch(case.launch, context, ("search", "search"))
        targets = [(_request(case, case.targets), "search")]
        (settled,) = decide.judge_deletes(targets, context)
    except SgguardError as error:
        return error
    if isinstance(settled, Exception) and not isinstance(settled, SgguardError):
        raise settled
    return settled


def decide_each(
    case: Case, transport: httpx.BaseTransport
) -> list[tuple[str, Decision | Exception]]:
    """The decision on each group by itself, all in one batch."""
    requests = [(_request(case, (one,)), one) for one in case.targets]
    outcomes = decide.decide_deletes(requests, context_for(case, transport))
    return list(zip(case.targets, outcomes, strict=True))


def _request(case: Case, group_ids: Iterable[str]) -> DeleteRequest:
    scope = scope_of(case)
    return DeleteRequest(tuple(Address(scope, group_id) for group_id in group_ids))


def scope_of(case: Case) -> Scope:
    return Scope(case.provider, "", case.region)


def context_for(case: Case, transport: httpx.BaseTransport) -> Context:
    """Every wait is skipped: retries and lanes keep their limits on a clock that jumps."""
    clock = Jumping()
    return Context(
        settings=Settings.from_env(case.env),
        policy=case.policy,
        deadline=Deadline.after(_DEADLINE_S, clock),
        env=case.env,
        transport=transport,
        retry=Retry(sleep=clock.sleep),
        lanes=Lanes(clock, clock.sleep),
    )
