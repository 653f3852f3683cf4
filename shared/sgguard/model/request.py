"""What is asked: may these groups be deleted, may these instances carry these groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sgguard.model.address import Address, Scope


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """A request to delete these groups, together. All are of one scope; none comes twice.

    ``requested_by`` is who asks, as the event names them; empty when it does not. ``callback`` is
    an address that is told what becomes of it; its path may hold a secret.
    """

    targets: tuple[Address, ...]
    requested_by: str = ""
    callback: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """A request to launch ``count`` instances with ``group_ids``, or one about an instance.

    With ``instance_id`` the instance exists and ``group_ids`` (often empty) are groups that would
    be bound to it in addition. ``project`` and ``network`` are those of the planned instances,
    empty when the caller did not say. ``callback`` is as that of a delete.
    """

    scope: Scope
    group_ids: tuple[str, ...] = ()
    count: int = 1
    instance_id: str = ""
    project: str = ""
    network: str = ""
    requested_by: str = ""
    callback: str = field(default="", repr=False)


def callback_host(request: DeleteRequest | LaunchRequest) -> str:
    """Return the host that is told what becomes of a request; empty where nobody is."""
    return (urlsplit(request.callback).hostname or "") if request.callback else ""
