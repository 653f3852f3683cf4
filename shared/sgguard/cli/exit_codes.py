"""The exit codes of every command: a verdict is an exit code of its own."""

from __future__ import annotations

from sgguard.model.codes import Verdict

EXIT_CODES = {Verdict.ALLOW: 0, Verdict.BLOCK: 1, Verdict.REMEDIATE: 3}
ERROR = 2
INTERRUPTED = 130
PIPE_CLOSED = 141
"""The reader of a pipe went away; a shell says 141 for it as well (128 + SIGPIPE)."""

HELP = ", ".join(
    f"{code} {meaning}"
    for code, meaning in sorted(
        [(ERROR, "error"), *((code, verdict.value) for verdict, code in EXIT_CODES.items())]
    )
)
"""What a command's help says of the verdicts: ``0 allow, 1 block, 2 error, 3 remediate``."""
