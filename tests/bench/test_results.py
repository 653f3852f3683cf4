"""The table of ratios in RESULTS.md is complete, and each row agrees with itself."""

from __future__ import annotations

import re

import pytest

from sgguard import providers
from tests.bench.measure import HEADER
from tests.bench.results import RESULTS, rows_of, with_rows

TEXT = f"""# Title

<!-- bench -->

{HEADER}
| a | one | 1.00 | ≤ 2.00 | yes | old |
| b | one | 1.00 | ≤ 2.00 | yes | old |

After it.
"""
NEW = "| b | one | 3.00 | ≤ 2.00 | no | new |"
MORE = "| c | one | 3.00 | ≤ 2.00 | no | new |"


def test_a_row_replaces_the_old_one_and_others_stay():
    text = with_rows(TEXT, [MORE, NEW], is_whole=False)
    assert rows_of(text) == [rows_of(TEXT)[0], NEW, MORE]
    assert text.replace(f"{NEW}\n{MORE}", rows_of(TEXT)[1]) == TEXT


def test_a_complete_run_removes_every_older_row():
    assert rows_of(with_rows(TEXT, [NEW], is_whole=True)) == [NEW]


def test_without_a_table_nothing_is_written():
    with pytest.raises(ValueError, match="no table"):
        with_rows("# Title\n", [NEW], is_whole=True)


def test_every_row_says_whether_its_aim_is_met():
    rows = rows_of(RESULTS.read_text(encoding="utf-8"))
    for row in rows:
        found = re.fullmatch(r"\| .+ \| .+ \| ([\d.]+) \| ≤ ([\d.]+) \| (yes|no) \| .* \|", row)
        assert found, row
        # What is shown is rounded: at the border either is right.
        if abs(float(found[1]) - float(found[2])) >= 0.01:
            assert (float(found[1]) <= float(found[2])) == (found[3] == "yes"), row


@pytest.mark.parametrize(
    "what", ["CPU of a decision", "round trips of a decision", "calls for 100 deletes"]
)
def test_every_provider_is_measured(what):
    rows = rows_of(RESULTS.read_text(encoding="utf-8"))
    measured = {row.split(" | ")[0].partition(", ")[2] for row in rows if f"| {what}, " in row}
    assert measured == set(providers.names())
