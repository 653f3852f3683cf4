"""What a Chinese text may have that is not Chinese: names, ids, codes, calls and products."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from sgguard.model.sentence import Sentence, Value
from sgguard.render.language import text as sentences
from sgguard.render.language.message import of_document
from sgguard.render.language.sentence import in_words
from sgguard.render.language.words import Words
from sgguard.render.said import sentence_of
from sgguard.web.language import spoken
from sgguard.web.problem import BASE, Details
from sgguard.web.response import of_problem

CHINESE = Words("zh", UTC)
PERMISSION = re.compile(r"\b[a-z]+:[A-Z]\w+")
WORD = re.compile(r"[A-Za-z]{2,}")
CODE = re.compile(
    r"https?://\S+|\bhttps?\b|Content-Type|\.end\b|\bid\b|Unix 时间戳|Punycode"
    r"|provider:account:region:group-id|\b[a-z]+::[\w-]+:[\w-]+|\bapplication/[a-z+-]+"
    r"|\w+ = \w+|\b(?:GET|POST|PUT|DELETE) \S+"
    r"|--[a-z]+|\b[a-z]+(?:-[a-z]+){2,}"
    r"|sgguard(?: [a-z]+)+|[A-Z][a-z]+[A-Z]\w*|\b[a-z]+[A-Z]\w*"
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
    | {"Senlin", "Trove", "Redis", "Running", "Stopped", "reader", "admin"}
    # Fields of events and what they may have, parts of an address, and of the names of headers.
    | {"data", "type", "state", "account", "bind", "unbind", "structured", "ce"}
    | {"tencent", "ap", "guangzhou"}
)


def foreign_in(sentence: Sentence) -> set[str]:
    """The English words that a sentence has in Chinese, but for what it quotes as one word."""
    text = PERMISSION.sub(" ", in_words(sentence, CHINESE, 20_000))
    for name in sorted(_names(sentence), key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9_/-]){re.escape(name)}(?![A-Za-z0-9_-])", " ", text)
    text = CODE.sub(" ", text)
    return {*WORD.findall(text)} - TERMS


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


# -- documents ---------------------------------------------------------------------------------

SAID = ("message", "summary", "note", "why", "what", "remedy", "change_refusal", "binding_refusal")
"""Keys of the texts that a document has in English, for machines and older readers."""

SAID_OF_OTHERS = (*SAID, "reason", "problem", "expected")
"""The same of documents that are no decisions: what came of an event, reminders, problems."""

SENTENCES = (
    "sentence",
    "sentences",
    "notes",
    "blind_spot_sentences",
    "unknown_sentences",
    "problem_sentences",
)
"""Keys of what says the same in no language."""


def foreign(document: dict[str, Any]) -> set[str]:
    """The English words that pages and messages show a Chinese reader of a decision."""
    names = [name for one in kept_in(document) for name in _names(one)]
    also = () if "verdict" in document else (*SAID_OF_OTHERS, "problems", "detail", "title")
    known = {word for one in (*told(document, also), *names) for word in WORD.findall(one)} | TERMS
    lines = [CODE.sub(" ", PERMISSION.sub(" ", line)) for line in shown(document)]
    found = {word for line in lines for word in WORD.findall(line) if word not in known}
    return found.union(*({*foreign_in(one)} - known for one in kept_in(document)))


def told(value: Any, also: tuple[str, ...] = ()) -> Iterator[str]:
    """Every text of a document that a cloud or a person wrote."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from quoted_codes(value.get("sentence"))
        for key, one in value.items():
            if key not in (*SAID, *SENTENCES, "blind_spots", *also):
                yield from told(one, also)
    elif isinstance(value, list):
        for one in value:
            yield from told(one, also)


def quoted_codes(sentence: Any) -> Iterator[str]:
    """The codes of a cloud that a sentence quotes: some are several words."""
    for name, one in sentence["args"].items() if isinstance(sentence, dict) else ():
        if name == "code" and isinstance(one, str):
            yield one
        elif isinstance(one, dict) and "args" in one:
            yield from quoted_codes(one)


def shown(document: dict[str, Any]) -> Iterator[str]:
    """Every text that pages and messages make of a document for a Chinese reader."""
    if str(document.get("type", "")).startswith(BASE):
        yield from filter(is_words, spoken_of(document))
    if "verdict" not in document:
        return
    message = of_document(document, "grace")
    yield from sentences.compose(message, CHINESE, sentences.DETAILS[0]).joined(CHINESE)
    whole = sentences.Detail(10_000, 10_000, 10_000, 10_000, 10_000)
    yield from (sentences.why(one, CHINESE, whole) for one in message.why)
    yield from (sentences.step(one, CHINESE) for one in message.changes)


def spoken_of(document: dict[str, Any]) -> Iterator[str]:
    """What who asks for Chinese is told of problem details."""
    answer = of_problem(Details(document["status"], document))
    told_of = json.loads(spoken(answer, "zh-CN").body)
    yield from (told_of["title"], told_of["detail"])
    for one in told_of.get("problems", ()):
        yield from (one["problem"], one["expected"])


def is_words(text: str) -> bool:
    """Whether a text is more than what is spelt so in every language, such as a field's name."""
    return " " in text or not text.isascii()


def kept_in(value: Any) -> Iterator[Sentence]:
    """Every sentence that a document keeps."""
    found: list[Any] = []
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "sentences":
                found += one.values()
            elif key in SENTENCES:
                found += one if isinstance(one, list) else [one]
            else:
                yield from kept_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from kept_in(one)
    for each in found:
        sentence = sentence_of(each)
        assert sentence is not None, each
        yield sentence


def unsaid_in(value: Any, path: str = "", keys: tuple[str, ...] = SAID) -> Iterator[str]:
    """Where a document has a text in English, and nothing beside it that says it in no language."""
    if isinstance(value, dict):
        is_answer = "problem_sentences" in value
        if is_answer and len(value["problem_sentences"]) != len(value["problems"]):
            yield f"{path}/problems"
        for key in keys:
            text, by_key = value.get(key), value.get("sentences", {})
            is_said = key in by_key or bool(value.get("sentence")) or bool(value.get("notes"))
            is_text = isinstance(text, str) and " " in text and text[:1] != "{"  # else of a bind
            if is_text and not is_said:
                yield f"{path}/{key}: {text}"
        for key, one in value.items():
            if key not in SENTENCES:
                yield from unsaid_in(one, f"{path}/{key}", SAID if key == "decisions" else keys)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from unsaid_in(one, f"{path}/{number}", keys)


def require_chinese(document: dict[str, Any]) -> dict[str, Any]:
    """A Chinese reader of a document is shown no English, wherever it is read; return it.

    It is a decision, what came of an event, reminders, or problem details.
    """
    keys = SAID if "verdict" in document else SAID_OF_OTHERS
    found = [*sorted(foreign(document)), *unsaid_in(document, keys=keys)]
    if found:  # which of them it is
        found += [in_words(one, CHINESE, 20_000) for one in kept_in(document) if foreign_in(one)]
    assert not found, "\n".join(found)
    return document
