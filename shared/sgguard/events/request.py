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
from sgguard.model.sentence import Sentence, said
from sgguard.render.language.refusal import refusal, sentence_of

T = TypeVar("T")


def delete_request(data: object) -> DeleteRequest:
    """Return the delete that is asked for (``schemas/delete_request.schema.json``).

    Raises:
        EventError: 400 the data is not what the schema says; 422 the targets cannot be judged
            together. Every problem is listed, with JSON pointers into the data.
    """
    body = checked("delete_request", data)
    _refuse(said("unread.data"), _requester_problems(body), status=400)
    is_set = "targets" in body
    texts: list[str] = body["targets"] if is_set else [body["target"]]
    paths = [f"/targets/{n}" if is_set else "/target" for n in range(len(texts))]
    addresses = _addresses(texts, paths)
    _refuse(said("unread.targets"), _set_problems(addresses, paths), status=422)
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
        _twice(path, address)
        for address, path, is_again in zip(addresses, paths, _again(addresses), strict=True)
        if is_again
    ]
    _refuse(said("unread.targets"), twice, status=422)
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
    _refuse(said("unread.data"), _requester_problems(body), status=400)
    groups: list[str] = body.get("groups", [])
    twice = [
        Problem(f"/groups/{n}", said("wrong.twice"), said("right.once"))
        for n, group_id in enumerate(groups)
        if group_id in groups[:n]
    ]
    _refuse(said("unread.groups"), twice, status=422)
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
    raise refusal(EventError, said("unread.only-clouds"), status=422)


def or_occurrence(parse: Callable[[object], T]) -> Callable[[object], T | Occurrence]:
    """Return the parser of a function that also takes the clouds' own events of its kind."""
    return lambda data: data.occurrence if isinstance(data, Told) else parse(data)


def checked(schema: str, data: object) -> dict[str, Any]:
    """Return an event's data that a schema permits.

    Raises:
        EventError: it does not, with every problem.
    """
    _refuse(said("unread.data"), schemas.problems(schema, data), status=400)
    return cast(dict[str, Any], data)


def _refuse(message: Sentence, problems: Sequence[Problem], *, status: int) -> None:
    if problems:
        raise refusal(EventError, message, status=status, problems=tuple(problems))


def _requester_problems(body: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with who asks: a name that only looks like one could approve itself."""
    found = person.problem_of(body.get("requested_by", ""))
    return [Problem("/requested_by", found, said("right.readable-name"))] if found else []


def _addresses(texts: Sequence[str], paths: Sequence[str]) -> list[Address]:
    addresses: list[Address] = []
    problems: list[Problem] = []
    for text, path in zip(texts, paths, strict=True):
        try:
            addresses.append(Address.parse(text))
        except AddressError as error:
            problems.append(Problem(path, sentence_of(error) or str(error), said("right.address")))
    _refuse(said("unread.address"), problems, status=400)
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
            problems.append(_twice(path, address))
        if address.scope != first:
            outside = said("wrong.other-scope", address=str(address), scope=str(first))
            problems.append(Problem(path, outside, said("right.one-scope")))
    return problems


def _twice(path: str, address: Address) -> Problem:
    return Problem(path, said("wrong.twice-named", address=str(address)), said("right.once"))
