"""What is asked: to delete groups, to launch instances with groups, to bind a group to many."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from sgguard import hiding
from sgguard.model.address import Address, Scope

Action = Literal["bind", "unbind"]


@hiding("callback")
class DeleteRequest(msgspec.Struct, frozen=True):
    """A request to delete these groups, together. All are of one scope; none comes twice.

    ``requested_by`` is who asks, as the event names them; empty when it does not. ``callback`` is
    an address that is told what becomes of it; its path may hold a secret.
    """

    targets: tuple[Address, ...]
    requested_by: str = ""
    callback: str = ""


@hiding("callback")
class LaunchRequest(msgspec.Struct, frozen=True):
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
    callback: str = ""


def callback_host(request: DeleteRequest | LaunchRequest) -> str:
    """Return the host that is told what becomes of a request; empty where nobody is."""
    return (urlsplit(request.callback).hostname or "") if request.callback else ""


class HolderFilter(msgspec.Struct, frozen=True):
    """Which holders are meant, besides those named by id: all that fit every field that is set.

    ``tag`` is ``key=value`` (or a key), ``network`` the id of a network, ``name`` an fnmatch
    pattern over their names, ``group`` the id of a group that they carry.
    """

    tag: str = ""
    network: str = ""
    name: str = ""
    group: str = ""


class BindRequest(msgspec.Struct, frozen=True):
    """A request to put ``group_id`` on holders, or to take it off them.

    ``holders`` are ids in the order named; one that is named twice counts once. ``wanted`` adds
    those that a filter finds. ``undoes`` is the decision that is taken back, empty for none.
    """

    scope: Scope
    group_id: str
    action: Action = "bind"
    holders: tuple[str, ...] = ()
    wanted: HolderFilter | None = None
    requested_by: str = ""
    undoes: str = ""

    @property
    def address(self) -> Address:
        """Return the address of the group."""
        return Address(self.scope, self.group_id)


class RestRequest(msgspec.Struct, frozen=True):
    """A request to go on with a bind that was handed on; ``over`` of its ``of`` holders were over.

    What was decided then is carried out: nothing of it is asked anew.
    """

    scope: Scope
    group_id: str
    decision_id: str
    over: int = 0
    of: int = 0

    @property
    def address(self) -> Address:
        """Return the address of the group."""
        return Address(self.scope, self.group_id)
