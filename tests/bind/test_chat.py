"""A bind that waits for an approval is told in chat, with how many holders it changes."""

from __future__ import annotations

from datetime import UTC

import pytest

from sgguard.render.language import text
from sgguard.render.language.message import of_document
from sgguard.render.language.words import Words
from tests.bind.harness import Fleet, ids


@pytest.mark.parametrize(
    ("language", "title", "total", "told"),
    [
        ("en", "Change who carries security group unused", "4 bindings added", "to 4 of 5 holders"),
        ("zh", "变更安全组 unused 的绑定", "4", "绑定到 4 个资源"),
    ],
)
def test_a_bind_is_told_with_its_counts(tmp_path, language, title, total, told):
    fleet = Fleet(tmp_path, 4, mode="approve")
    message, words = of_document(fleet.bind([*ids(4), "ins-gone0000"])), Words(language, UTC)
    assert title in text.title(message, words)
    assert total in text.totals(message, words)
    (step,) = [text.step(one, words) for one in message.changes]
    assert told in step
