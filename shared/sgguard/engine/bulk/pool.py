"""Which holders go into the next calls: batches, and the search for the one that is refused. Pure.

A cloud refuses a whole call because of one holder, and often does not say which. Of a refused set
one half is tried: where it is accepted, the culprit is in the other half, which need not be tried
as a whole. The halves that were left aside go back to the pool, and into a later batch together
with others. So one culprit among ``m`` holders costs at most ``log2 m`` calls, rounded up, and one
more for what was left aside; without any, ``n`` holders cost ``n / largest`` calls.

The size of a batch follows how many of the holders so far were culprits: such that about every
second batch is accepted. Where every tenth holder is refused, a hundred would never be.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Hunt:
    """The search for one culprit among suspects that were refused together.

    ``why`` is the refusal of the smallest set known to have one. ``is_guess``: an error named the
    suspects, and the last one is tried by itself before it counts. ``is_sent``: the holders
    ``tried`` are in a call whose answer is not known yet.
    """

    suspects: tuple[str, ...]
    why: Exception
    is_guess: bool = False
    tried: tuple[str, ...] = ()
    is_sent: bool = False

    def next(self) -> tuple[str, ...]:
        """Return the holders to try now; none when the culprit is the only suspect left."""
        if len(self.suspects) > 1:
            self.tried = self.suspects[: len(self.suspects) // 2]
        else:
            self.tried = self.suspects if self.is_guess else ()
        return self.tried

    def accepted(self) -> None:
        """Note that the cloud took the holders tried: the culprit is among the others."""
        self.suspects, self.is_sent = self.suspects[len(self.tried) :], False

    def refused(self, why: Exception) -> tuple[str, ...]:
        """Note that the holders tried were refused; return those that are no suspects any more."""
        rest = self.suspects[len(self.tried) :]
        self.is_guess = self.is_guess and len(self.tried) > 1
        self.suspects, self.why, self.is_sent = self.tried, why, False
        return rest


@dataclass(slots=True)
class Pool:
    """The holders of one kind that are yet to be sent, at most ``largest`` a call.

    ``total`` is how many there are, ``calls`` how many calls were sent for them, and ``accepted``
    how many of them were accepted.
    """

    largest: int
    waiting: deque[str] = field(default_factory=deque)
    hunts: list[Hunt] = field(default_factory=list)
    culprits: int = 0
    accepted: int = 0
    calls: int = 0
    total: int = 0

    def add(self, holder_ids: Iterable[str]) -> None:
        """Put holders behind those that wait."""
        self.waiting.extend(holder_ids)

    def put_back(self, holder_ids: Iterable[str]) -> None:
        """Put holders in front of those that wait, in their order."""
        self.waiting.extendleft(reversed(tuple(holder_ids)))

    def emptied(self) -> tuple[str, ...]:
        """Take out every holder that waits or is a suspect, and is in no call that was sent."""
        sent = {each for one in self.hunts if one.is_sent for each in one.tried}
        suspects = (each for one in self.hunts for each in one.suspects if each not in sent)
        left = (*self.waiting, *suspects)
        self.waiting.clear()
        self.hunts.clear()
        return left

    def fresh(self) -> tuple[str, ...]:
        """Take the next batch of those that were not tried, or were left aside.

        One that is not full waits until no hunt leaves more aside.
        """
        if self.hunts and len(self.waiting) < self.size:
            return ()
        return tuple(self.waiting.popleft() for _ in range(min(self.size, len(self.waiting))))

    @property
    def size(self) -> int:
        """How many holders go into the next batch."""
        if self.culprits <= 1:  # one says nothing of how many there are
            return self.largest
        # A batch of ln 2 / p is accepted with a probability of one half; a power of two is halved
        # evenly.
        share = (self.culprits - 1) / (self.culprits + self.accepted)
        best = max(1, int(math.log(2) / share))
        if best >= self.largest:
            return self.largest
        best = 1 << (best.bit_length() - 1)
        # For many holders a wrong estimate averages out; for the last ones smaller batches must
        # not cost more than the bound permits.
        if len(self.waiting) > self.largest:
            return best
        to_come = sum(math.ceil(math.log2(len(one.suspects))) for one in self.hunts)
        cost = self.calls + to_come + math.ceil(len(self.waiting) / best)
        return best if cost <= self.bound else self.largest

    @property
    def bound(self) -> int:
        """How many calls the culprits that are known, or are being searched, may cost at most."""
        each = math.ceil(math.log2(max(2, self.largest))) + 1
        batches = math.ceil(self.total / self.largest)
        return batches + each * (self.culprits + len(self.hunts))

    def shrink(self, size: int) -> None:
        """Never send more than so many together again: the cloud takes no more."""
        self.largest = max(1, size)


_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


def named_in(error: Exception, holder_ids: Iterable[str]) -> tuple[str, ...]:
    """Return those of the holders of a call whose ids its refusal names, each as a whole word."""
    found = set(_WORD.findall(str(error)))
    return tuple(one for one in holder_ids if one in found)
