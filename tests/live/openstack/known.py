"""Faults that the real cloud has shown and that are not mended yet: each test is expected to fail.

A test that passes although it stands here fails the run: then its row goes.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

_HIDDEN = "a hidden row cuts the link to the next page, and own rules behind it are not seen"
_QUOTA = "the quota of ports is not read"
_SHARING = "sharing is neither built again nor named"

KNOWN = {
    "test_hidden_rows.py::test_an_own_rule_behind_hidden_ones_blocks*RegionPaged*": _HIDDEN,
    "test_hidden_rows.py::test_a_group_is_not_free_because*RegionPaged*": _HIDDEN,
    "test_restore.py::test_tags_come_back_as_they_were": "tags without a value lose their sign",
    "test_restore.py::test_sharing_comes_back*beta*": _SHARING,
    "test_tokens.py::test_a_launch_needs_room*block*": _QUOTA,
    "test_tokens.py::test_a_server_whose_port_has_no_address*": "an address is needed to bind",
    "test_tokens.py::test_a_group_that_is_shared_with_the_project*": "`shared` is not for everyone",
    "test_search.py::test_no_decision_about_a_launch*": _QUOTA,
}
"""The reason by test, as a pattern of file and name."""

RACES = {
    "test_young.py::*": "the first answers of a Neutron that just started are believed",
    "test_search.py::test_no_decision_about_a_delete*alpha*RegionPaged*": _HIDDEN,
}
"""The same for what happens at some starts, or in some orders of random ids: it may pass, too."""


def known(test: str, table: dict[str, str]) -> str:
    """The reason for a test to fail, empty if there is none."""
    found = (reason for pattern, reason in table.items() if fnmatchcase(test, pattern))
    return next(found, "")
