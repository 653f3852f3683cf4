"""What the pages of signed links have in common: how they begin, their language, their errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from sgguard.approvals import page
from sgguard.engine.context import Context
from sgguard.render.language.words import Words
from sgguard.web import problem
from sgguard.web.language import detail_of, title_of, words_of
from sgguard.web.response import Response


def page_of(
    parameter: str,
    shown: Callable[[str, Context, Words], bytes],
    *,
    method: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    begin: Callable[[], Context],
) -> Response | None:
    """Respond to a GET of a link with this parameter by what is shown, or by the problem page.

    None where the request is no such GET. ``shown`` gets the parameter's text, and returns a page.
    """
    if method not in ("GET", "HEAD") or parameter not in query:
        return None
    words = words_of(query.get("lang", ""), headers.get("accept-language", ""))
    try:
        context = begin()
        words = in_zone(words, context)
        return Response(200, shown(query[parameter], context, words), page.HEADERS)
    except Exception as error:  # noqa: BLE001 - the framework's own page would hold less
        return problem_page(error, words)


def other_language(parameter: str, text: str, words: Words) -> str:
    """Return the query of the same page in the other language."""
    return f"{parameter}={quote(text)}&lang={'en' if words.language == 'zh' else 'zh'}"


def in_zone(words: Words, context: Context) -> Words:
    """Return the words with the zone of the policy's first channel in this language, else UTC."""
    zones = [one.zone for one in context.policy.channels if one.language == words.language]
    return replace(words, zone=ZoneInfo(zones[0])) if zones else words


def prefers_page(accept: str) -> bool:
    """Return whether a client takes a page rather than JSON."""
    accepted = parse_accept_header(accept, MIMEAccept)
    kinds = ["application/json", "text/html"]
    return accepted.best_match(kinds, default="application/json") == "text/html"


def problem_page(error: Exception, words: Words) -> Response:
    """Return an error as a page."""
    details = problem.of(error)
    retry = {} if details.retry_after_s is None else {"Retry-After": str(details.retry_after_s)}
    body = page.message_page(title_of(details, words), [detail_of(details, words)], words)
    return Response(details.status, body, {**page.HEADERS, **retry})
