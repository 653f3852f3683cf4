"""What an event's data asks for: checked against its schema and turned into a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sgguard import schemas
from sgguard.errors import AddressError, EventError, Problem
from sgguard.model import person
from sgguard.model.address import Address, Scope
from sgguard.model.occurrence import Occurrence, Told
from sgguard.model.request import DeleteRequest, LaunchRequest

T = TypeVar("T")


def delete_request(data: object) -> DeleteRequest:
    """Return the delete that is asked for (``schemas/delete_request.schema.json``).

    Raises:
        EventError: 400 the data is not what the schema says; 422 the targets cannot be judged
            together. Every problem is listed, with JSON pointers into the data.
    """
    body = checked("delete_request", data)
    _refuse("the event's data cannot be read", _requester_problems(body), status=400)
    is_set = "targets" in body
    texts: list[str] = body["targets"] if is_set else [body["target"]]
    paths = [f"/targets/{n}" if is_set else "/target" for n in range(len(texts))]
    addresses = _addresses(texts, paths)
    _refuse("the targets cannot be judged together", _set_problems(addresses, paths), status=422)
    return DeleteRequest(
        tuple(addresses), body.get("requested_by", ""), callback=body.get("callback", "")
    )


def delete_sets(texts: Sequence[str]) -> tuple[DeleteRequest, ...]:
    """Return the deletes that addresses ask for: those of one scope together, in the order named.

    Raises:
        EventError: 400 one is no address; 422 one is named twice. Every problem is listed.
    """
    paths = [f"/targets/{n}" for n in range(len(texts))]
    addresses = _addresses(checked("delete_request", {"targets": list(texts)})["targets"], paths)
    twice = [
        Problem(path, f"{address} is named twice", "each group once")
        for address, path, is_again in zip(addresses, paths, _again(addresses), strict=True)
        if is_again
    ]
    _refuse("the targets cannot be judged together", twice, status=422)
    by_scope: dict[Scope, list[Address]] = {}
    for address in addresses:
        by_scope.setdefault(address.scope, []).append(address)
    return tuple(DeleteRequest(tuple(some)) for some in by_scope.values())


def instance_launch(data: object) -> LaunchRequest:
    """Return the launch that is asked about (``schemas/instance_launch.schema.json``).

    Raises:
        EventError: 400 the data is not what the schema says; 422 a group is named twice. Every
            problem is listed, with JSON pointers into the data.
    """
    body = checked("instance_launch", data)
    _refuse("the event's data cannot be read", _requester_problems(body), status=400)
    groups: list[str] = body.get("groups", [])
    twice = [
        Problem(f"/groups/{n}", "is named twice", "each group once")
        for n, group_id in enumerate(groups)
        if group_id in groups[:n]
    ]
    _refuse("the groups cannot be judged together", twice, status=422)
    return LaunchRequest(
        scope=Scope(body["provider"], body.get("account", ""), body["region"]),
        group_ids=tuple(groups),
        # JSON Schema takes 20.0 for the whole number it is
        count=int(body.get("count", 1)),
        instance_id=body.get("instance_id", ""),
        project=body.get("project", ""),
        network=body.get("network", ""),
        requested_by=body.get("requested_by", ""),
        callback=body.get("callback", ""),
    )


def occurrence(data: object) -> Occurrence:
    """Return what a cloud's own event says has happened; its source has checked it.

    Raises:
        EventError: 422, it is another event.
    """
    if isinstance(data, Told):
        return data.occurrence
    raise EventError("only the clouds' own events are read here", status=422)


def or_occurrence(parse: Callable[[object], T]) -> Callable[[object], T | Occurrence]:
    """Return the parser of a function that also takes the clouds' own events of its kind."""
    return lambda data: data.occurrence if isinstance(data, Told) else parse(data)


def checked(schema: str, data: object) -> dict[str, Any]:
    """Return an event's data that a schema permits.

    Raises:
        EventError: it does not, with every problem.
    """
    _refuse("the event's data cannot be read", schemas.problems(schema, data), status=400)
    return cast(dict[str, Any], data)


def _refuse(message: str, problems: Sequence[Problem], *, status: int) -> None:
    if problems:
        raise EventError(message, status=status, problems=tuple(problems))


def _requester_problems(body: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with who asks: a name that only looks like one could approve itself."""
    found = person.problem_of(body.get("requested_by", ""))
    right = "a name that is written in one script and can be read"
    return [Problem("/requested_by", found, right)] if found else []


def _addresses(texts: Sequence[str], paths: Sequence[str]) -> list[Address]:
    addresses: list[Address] = []
    problems: list[Problem] = []
    for text, path in zip(texts, paths, strict=True):
        try:
            addresses.append(Address.parse(text))
        except AddressError as error:
            problems.append(Problem(path, str(error), _EXPECTED))
    _refuse("a target is not a group address", problems, status=400)
    return addresses


def _again(addresses: Sequence[Address]) -> list[bool]:
    """Return of each address whether it was named before."""
    first = {address: n for n, address in reversed(list(enumerate(addresses)))}
    return [first[address] < n for n, address in enumerate(addresses)]


def _set_problems(addresses: Sequence[Address], paths: Sequence[str]) -> list[Problem]:
    first = addresses[0].scope
    problems: list[Problem] = []
    for address, path, is_again in zip(addresses, paths, _again(addresses), strict=True):
        if is_again:
            problems.append(Problem(path, f"{address} is named twice", "each group once"))
        if address.scope != first:
            problems.append(
                Problem(path, f"{address} is not in {first}", "one provider, account and region")
            )
    return problems


_EXPECTED = (
    "provider:account:region:group-id (the account may be empty), "
    "such as tencent::ap-guangzhou:sg-5ua9adfv"
)
