"""What a Chinese text may have that is not Chinese: names, ids, codes, calls and products."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC

from sgguard.model.sentence import Sentence, Value
from sgguard.render.language.sentence import in_words
from sgguard.render.language.words import Words

CHINESE = Words("zh", UTC)
WORD = re.compile(r"[A-Za-z]{2,}")
CODE = re.compile(
    r"https?://\S+|\b(?:GET|POST|PUT) \S+|sgguard(?: [a-z]+)+|[A-Z][a-z]+[A-Z]\w*|\b[a-z]+[A-Z]\w*"
    r"|\b[A-Z]{2,}\b|\w+\.[\w.…]+|\w+…|\b\w+_\w+|[\w-]*\d[\w-]*|“[^”]*”"
)
"""What is no word of a language: calls, codes, settings, ids, and what people wrote themselves."""

TERMS = frozenset(
    # The requester, products, protocols and states, as the clouds' own Chinese pages have them.
    {
        "grace",
        "sgguard",
        "Instances",
        "tcp",
        "udp",
        "icmp",
        "any",
        "Neutron",
        "Nova",
        "Octavia",
        "Heat",
        "Magnum",
    }
    | {"Senlin", "Trove", "Redis", "Running", "Stopped", "reader"}
)


def foreign_in(sentence: Sentence) -> set[str]:
    """The English words that a sentence has in Chinese, but for what it quotes as one word."""
    text = in_words(sentence, CHINESE, 20_000)
    for name in sorted(_names(sentence), key=len, reverse=True):
        text = text.replace(name, " ")
    return {*WORD.findall(CODE.sub(" ", text))} - TERMS


def _names(value: Value) -> Iterator[str]:
    if isinstance(value, str) and value and " " not in value:
        yield value
    elif isinstance(value, Sentence):
        for name, one in value.args:
            if name == "code" and isinstance(one, str) and one:
                yield one  # a cloud's own, which may be several words
            yield from _names(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from _names(one)
