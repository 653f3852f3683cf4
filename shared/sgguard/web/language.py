"""Problems in the language of whoever asked, by ``lang`` or ``Accept-Language`` (RFC 9110, 12.5.4).

A machine that asks for no language is told ``title`` and ``detail`` in English, which stay as they
are; ``type``, ``sentence`` and the other members are the same in every language (RFC 9457, 3.1.3).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sgguard import lazy
from sgguard.callers import veil
from sgguard.render.language import refusal
from sgguard.render.language.words import Words, languages
from sgguard.render.said import sentence_of, text_of
from sgguard.web.problem import BASE, Details
from sgguard.web.response import Response, of_problem

if TYPE_CHECKING:
    from werkzeug import datastructures
    from werkzeug import http as headers_of_http
else:
    datastructures = lazy("werkzeug.datastructures")  # most answers are no problems
    headers_of_http = lazy("werkzeug.http")

Json = dict[str, Any]

_PROBLEM = "application/problem+json"
_ENGLISH = "en"


def words_of(asked: str, accepted: str) -> Words:
    """Return the words of the language asked for, or the first one accepted, or English."""
    if asked in languages():
        return Words(asked, UTC)
    named = headers_of_http.parse_accept_header(accepted, datastructures.LanguageAccept)
    found = named.best_match(languages(), default=_ENGLISH)
    return Words(found or _ENGLISH, UTC)


def tag_of(words: Words) -> str:
    """Return the language as browsers name it."""
    return "zh-CN" if words.language == "zh" else words.language


def title_of(details: Details, words: Words) -> str:
    """Return the kind of a problem in words."""
    return words.say(f"problem.{_slug(details)}")


def detail_of(details: Details, words: Words) -> str:
    """Return what happened in words: what is told exactly, else what the kind of problem means."""
    document = details.document
    if words.language == _ENGLISH:
        return str(document["detail"])
    if exact := refusal.told(sentence_of(document.get("sentence")), words):
        return exact
    if "incident_id" in document:
        return words.say("detail.incident", incident=document["incident_id"])
    said = words.say(f"detail.{_slug(details)}")
    if "provider" not in document:
        return said
    given = {name: document.get(name, "") for name in ("provider", "action", "code")}
    key = "detail.cloud" if given["code"] else "detail.cloud.none"
    return words.items([words.say(key, **given), said])


def spoken(answer: Response, accepted: str) -> Response:
    """Return an answer whose problem is in the language that its sender accepts first.

    Problems of a batch are data of events, for machines: they stay as they are.
    """
    is_one = answer.headers.get("Content-Type") == _PROBLEM and len(answer.problems) == 1
    words = words_of("", accepted) if is_one and accepted else None
    if words is None or words.language == _ENGLISH:
        return answer
    [details] = answer.problems
    detail = _shown(detail_of(details, words), words)
    changed: Json = {"title": title_of(details, words), "detail": detail}
    if "problems" in details.document:
        changed["problems"] = [_in_words(one, words) for one in details.document["problems"]]
    told = replace(details, document={**details.document, **changed})
    headers = {**answer.headers, "Content-Language": tag_of(words), "Vary": "Accept-Language"}
    return replace(answer, body=of_problem(told).body, headers=headers)


def _in_words(problem: Json, words: Words) -> Json:
    """Return one of the problems in a language, as far as it has words for it."""
    told = {name: refusal.told(text_of(problem, name), words) for name in ("problem", "expected")}
    return {**problem, **{name: _shown(text, words) for name, text in told.items() if text}}


def _shown(text: str, words: Words) -> str:
    """Return a text with words in place of the groups that its reader may not see."""
    return text.replace(veil.HIDDEN, words.say("detail.hidden"))


def _slug(details: Details) -> str:
    return str(details.document["type"]).removeprefix(BASE)
