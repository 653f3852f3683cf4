"""A bind that has changed nothing so far is looked at once more before it goes on.

As for any plan (:mod:`sgguard.engine.untouched`), but with few reads however many holders there
are: every holder is read right before it is changed, so only the group is judged here.
"""

from __future__ import annotations

from sgguard.engine import bind_decide
from sgguard.engine.keeper import Keeper
from sgguard.engine.untouched import MOVED, approval_of, no_longer, not_in
from sgguard.model.bind import BindPlan
from sgguard.model.sentence import Sentence
from sgguard.store.rows import Run


def against(keeper: Keeper, run: Run, plan: BindPlan) -> Sentence | None:
    """Return why a plan must not go on that has changed nothing; None where it may.

    Raises:
        SgguardError: the cloud could not be asked; the run stays open.
    """
    approval = approval_of(keeper, run)
    if approval is not None and (why := no_longer(keeper, approval)):
        return why
    seen = bind_decide.look_again(plan, keeper.context, is_asked=approval is not None)
    if why := not_in(seen.mode, approval):
        return why
    is_moved = approval is not None and seen.covered != approval.facts_hash
    return MOVED if is_moved or seen.is_blocked else None
