"""One group on many holders: batches at each API's maximum, journalled, followed to their end."""

from __future__ import annotations

from sgguard.engine.bulk.carry_out import carry_out
from sgguard.engine.bulk.line import Result, is_bind, progress_of, results_in, with_result
from sgguard.engine.bulk.run import AgainstError, BulkWorker, StoppedError

__all__ = [
    "AgainstError",
    "BulkWorker",
    "Result",
    "StoppedError",
    "carry_out",
    "is_bind",
    "progress_of",
    "results_in",
    "with_result",
]
