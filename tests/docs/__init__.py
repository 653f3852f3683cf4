"""What is generated in the documents: ``python -m tests.docs`` writes it into all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sgguard import providers
from tests.bench import calls, results
from tests.docs import output, tables
from tests.docs.sections import CHINESE, replace_section, section, with_blocks

GENERATED: dict[str, Callable[[], str]] = {
    "calls": calls.table,
    "figures": lambda: results.figures(section("calls")),
    "settings": tables.settings_table,
    "log-fields": tables.log_fields,
    "policy-keys": tables.policy_keys,
    "reasons": tables.reasons_table,
    "gaps": tables.gaps_table,
    "outcomes": tables.outcomes_table,
    "statuses": tables.statuses_table,
    "imports": tables.imports_table,
    "jobs": tables.jobs_table,
    "blind-spots": tables.blind_spots,
    "demo": output.demo_lines,
    "explain": output.explain_output,
    "doctor": output.doctor_output,
    **{
        f"permissions-{name}": partial(tables.permissions_table, name) for name in providers.names()
    },
}
"""What is generated, by the name of its mark; ``figures`` reads the section ``calls``."""


def write() -> None:
    """Write every generated section; each mark is there already, with something behind it."""
    for name, generate in GENERATED.items():
        replace_section(name, generate())
    CHINESE.write_text(with_blocks(CHINESE.read_text(encoding="utf-8")), encoding="utf-8")
