"""What the data of a bind request asks for: which group, on which holders, on or off."""

from __future__ import annotations

from sgguard.errors import AddressError, EventError, Problem
from sgguard.events.request import checked
from sgguard.model import person
from sgguard.model.address import Address
from sgguard.model.request import BindRequest, HolderFilter

_EXPECTED = "provider:account:region:group-id, such as tencent::ap-guangzhou:sg-5ua9adfv"


def bind_request(data: object) -> BindRequest:
    """Return the bind or unbind that is asked for (``schemas/bind_request.schema.json``).

    A holder that is named twice counts once.

    Raises:
        EventError: 400 the data is not what the schema says; every problem is listed.
    """
    body = checked("bind_request", data)
    problems = []
    by: str = body.get("requested_by", "")
    if found := person.problem_of(by):
        right = "a name that is written in one script and can be read"
        problems.append(Problem("/requested_by", found, right))
    try:
        address = Address.parse(body["group"])
    except AddressError as error:
        problems.append(Problem("/group", str(error), _EXPECTED))
    if problems:
        raise EventError("the event's data cannot be read", problems=tuple(problems))
    wanted = HolderFilter(**body["filter"]) if "filter" in body else None
    return BindRequest(
        scope=address.scope,
        group_id=address.group_id,
        action=body.get("action", "bind"),
        holders=tuple(dict.fromkeys(body.get("holders", ()))),
        wanted=wanted,
        requested_by=by,
    )
