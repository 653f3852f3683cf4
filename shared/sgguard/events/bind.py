"""What the data of a bind request asks for: which group, on which holders, on or off."""

from __future__ import annotations

from typing import Any

from sgguard.errors import AddressError, EventError, Problem
from sgguard.events.request import checked
from sgguard.model import person
from sgguard.model.address import Address
from sgguard.model.request import BindRequest, HolderFilter, RestRequest

_EXPECTED = "provider:account:region:group-id, such as tencent::ap-guangzhou:sg-5ua9adfv"


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
        right = "a name that is written in one script and can be read"
        problems.append(Problem("/requested_by", found, right))
    try:
        address = Address.parse(body["group"])
    except AddressError as error:
        problems.append(Problem("/group", str(error), _EXPECTED))
    more = [one for one in ("holders", "filter") if "rest" in body and one in body]
    problems += [Problem(f"/{one}", "cannot be given together with rest") for one in more]
    if problems:
        raise EventError("the event's data cannot be read", problems=tuple(problems))
    return body, address
