"""What is generated in the documents: ``python -m tests.docs`` writes it into all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sgguard import providers
from tests.bench import calls, results
from tests.docs import dashboard, flow, least_privilege, never, output, tables
from tests.docs.sections import CHINESE, replace_section, section, with_blocks

GENERATED: dict[str, Callable[[], str]] = {
    "calls": calls.table,
    "figures": lambda: results.figures(section("calls")),
    "settings": tables.settings_table,
    "log-fields": tables.log_fields,
    "metrics": tables.metrics_table,
    "metric-labels": tables.labels_table,
    "policy-keys": tables.policy_keys,
    "reasons": tables.reasons_table,
    "gaps": tables.gaps_table,
    "outcomes": tables.outcomes_table,
    "statuses": tables.statuses_table,
    "imports": tables.imports_table,
    "never": never.listing,
    "flow-way": flow.way,
    "flow-life": flow.life,
    "jobs": tables.jobs_table,
    "blind-spots": tables.blind_spots,
    "demo": output.demo_lines,
    "explain": output.explain_output,
    "doctor": output.doctor_output,
    **{
        f"permissions-{name}": partial(tables.permissions_table, name) for name in providers.names()
    },
    **{f"least-{name}": partial(least_privilege.permissions, name) for name in providers.names()},
}
"""What is generated, by the name of its mark; ``figures`` reads the section ``calls``."""


def write() -> None:
    """Write every generated section; each mark is there already, with something behind it."""
    dashboard.write()
    least_privilege.write()
    for name, generate in GENERATED.items():
        replace_section(name, generate())
    CHINESE.write_text(with_blocks(CHINESE.read_text(encoding="utf-8")), encoding="utf-8")
