"""A bind that has changed nothing so far is looked at once more before it goes on.

As for any plan (:mod:`sgguard.engine.untouched`), but with few reads however many holders there
are: every holder is read right before it is changed, so only the group is judged here.
"""

from __future__ import annotations

import json

from sgguard.engine import bind_decide
from sgguard.engine.keeper import Keeper
from sgguard.engine.untouched import MOVED, approval_of, no_longer, not_in
from sgguard.model.bind import BindPlan
from sgguard.model.sentence import Sentence
from sgguard.store.rows import Run

_COVERED = "covered"


def against(keeper: Keeper, run: Run, plan: BindPlan) -> Sentence | None:
    """Return why a plan must not go on that has changed nothing; None where it may.

    Raises:
        SgguardError: the cloud could not be asked; the run stays open.
    """
    approval = approval_of(keeper, run)
    said_yes_to = approval.facts_hash if approval else _shown(run)
    if approval is not None and (why := no_longer(keeper, approval)):
        return why
    seen = bind_decide.look_again(plan, keeper.context, is_asked=bool(said_yes_to))
    if why := not_in(seen.mode, approval):
        return why
    is_moved = bool(said_yes_to) and seen.covered != said_yes_to
    return MOVED if is_moved or seen.is_blocked else None


def kept_yes(covered: str) -> str:
    """Return what is kept with the run of a bind: all that the yes of the person covers who saw it.

    It is empty where nobody was shown it, and where an approval request has it.
    """
    return json.dumps({_COVERED: covered} if covered else {})


def _shown(run: Run) -> str:
    return str(json.loads(run.snapshot_json).get(_COVERED, ""))
