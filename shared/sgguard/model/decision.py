"""What the facts mean and what may be done about it: verdict, reasons, plan, decision."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from sgguard.model.codes import Mode, Outcome, ReasonCode, Verdict
from sgguard.model.facts import DeleteFacts, LaunchFacts
from sgguard.model.resource import Binding, Group, Instance, Limit, Reference, Unseen
from sgguard.model.sentence import Sentence

Evidence = Reference | Binding | Limit | Unseen | Group | Instance


class Reason(msgspec.Struct, frozen=True):
    """Why a verdict is what it is: a stable code, the sentence, and what was seen.

    ``effect`` says what this reason alone asks for: ``block`` stops, ``warn`` is worth a look,
    ``info`` explains. ``target`` is the address (or instance) the reason is about.
    """

    code: ReasonCode
    sentence: Sentence
    effect: Literal["block", "warn", "info"] = "block"
    target: str = ""
    evidence: tuple[Evidence, ...] = ()


Action = Literal[
    "revoke",
    "authorize",
    "rewrite",
    "unbind",
    "move",
    "bind",
    "replace",
    "delete",
    "create",
]
"""What one step of a plan does."""


class Step(msgspec.Struct, frozen=True):
    """One change of a plan, as data, with the change that undoes it.

    ``action`` is ``revoke``, ``rewrite``, ``unbind``, ``move``, ``bind``, ``replace`` (all groups
    of a holder by one), ``delete`` or ``create`` (again), or ``authorize`` as the inverse of
    ``revoke``; ``target`` the address of the group that is changed; ``details`` names rule, holder
    or replacement.
    ``inverse`` is None only for ``delete``, which needs a snapshot to be undone, and for a
    step that is an inverse itself. ``summary`` is the ``sentence`` in English; plans of older
    versions have no sentence.
    """

    action: Action
    target: str
    summary: str
    details: dict[str, str] = msgspec.field(default_factory=dict)
    inverse: Step | None = None
    sentence: Sentence | None = None


class Consequence(msgspec.Struct, frozen=True):
    """What a plain delete of one group would really do now, whatever the verdict is.

    ``error_code`` is what a refusal would come back with, empty where no document names it.
    ``vanishing`` are the references whose rules a cascade would silently delete. ``unknown`` says
    that the facts are incomplete, or the cloud does not say. ``note`` says why, or what else.
    """

    target: str
    kind: Literal["will-be-refused", "will-cascade", "will-succeed", "unknown"]
    error_code: str = ""
    vanishing: tuple[Reference, ...] = ()
    note: Sentence | None = None


class Forecast(msgspec.Struct, frozen=True):
    """One limit that a change touches, for one group, instance or scope (``target``).

    ``limit.used`` is the number now, ``limit.after`` the number once the change is made.
    """

    target: str
    limit: Limit


class Judgement(msgspec.Struct, frozen=True):
    """What a guard says: the verdict, every reason for it, and what could be done.

    ``consequences`` are the delete guard's, one per group in the order of the plan; ``forecast``
    is the launch guard's, the fullest limit first.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    plan: tuple[Step, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    forecast: tuple[Forecast, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """The answer to one event (``schemas/decision.schema.json`` is its JSON form).

    ``target`` lists the addresses asked about (or the scope of a launch), in the order asked.
    ``caller`` is who asked, as authenticated, and on whose behalf; None where everybody may ask.
    ``callback`` is the host that is told of it, empty where none is.
    """

    decision_id: str
    event_id: str
    guard: str
    judgement: Judgement
    facts: DeleteFacts | LaunchFacts
    mode: Mode
    target: tuple[str, ...]
    decided_at: datetime
    took_ms: float
    outcome: Outcome = Outcome.UNCHANGED
    caller: dict[str, str] | None = None
    callback: str = ""
