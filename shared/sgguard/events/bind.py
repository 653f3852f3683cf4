"""What the data of a bind request asks for: which group, on which holders, on or off."""

from __future__ import annotations

from typing import Any

from sgguard.errors import AddressError, EventError, Problem
from sgguard.events.request import checked
from sgguard.model import person
from sgguard.model.address import Address
from sgguard.model.request import BindRequest, HolderFilter, RestRequest
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal, sentence_of


def bind_event(data: object) -> BindRequest | RestRequest:
    """Return what an event asks for: a bind, or to go on with one that was handed on.

    Raises:
        EventError: 400 the data is not what the schema says; every problem is listed.
    """
    return rest_request(data) if isinstance(data, dict) and "rest" in data else bind_request(data)


def bind_request(data: object) -> BindRequest:
    """Return the bind or unbind that is asked for (``schemas/bind_request.schema.json``).

    A holder that is named twice counts once.

    Raises:
        EventError: 400 the data is not what the schema says; every problem is listed.
    """
    body, address = _read(data)
    return BindRequest(
        scope=address.scope,
        group_id=address.group_id,
        action=body.get("action", "bind"),
        holders=tuple(dict.fromkeys(body.get("holders", ()))),
        wanted=HolderFilter(**body["filter"]) if "filter" in body else None,
        requested_by=body.get("requested_by", ""),
    )


def rest_request(data: object) -> RestRequest:
    """Return which bind is to be gone on with (``rest`` of the same schema).

    Raises:
        EventError: 400 the data is not what the schema says; every problem is listed.
    """
    body, address = _read(data)
    rest = body["rest"]
    given = {key: rest[key] for key in ("over", "of") if key in rest}
    return RestRequest(address.scope, address.group_id, rest["decision"], **given)


def _read(data: object) -> tuple[dict[str, Any], Address]:
    body = checked("bind_request", data)
    problems = []
    if found := person.problem_of(body.get("requested_by", "")):
        problems.append(Problem("/requested_by", found, said("right.readable-name")))
    try:
        address = Address.parse(body["group"])
    except AddressError as error:
        found = sentence_of(error) or str(error)
        problems.append(Problem("/group", found, said("right.bound-group")))
    more = [one for one in ("holders", "filter") if "rest" in body and one in body]
    problems += [Problem(f"/{one}", said("wrong.together-with", other="rest")) for one in more]
    if problems:
        raise refusal(EventError, said("unread.data"), problems=tuple(problems))
    return body, address
