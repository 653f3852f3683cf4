"""What was read to judge a request: the facts of a delete or of a launch."""

from __future__ import annotations

import msgspec

from sgguard.model.address import Address, Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.resource import Binding, Group, Instance, Limit, Reference, Unseen, Visibility


class GroupFacts(msgspec.Struct, frozen=True):
    """Everything read about one group. ``group`` is None when the cloud says it does not exist.

    ``instance_count`` is how many instances carry the group, None when it was not counted. Of a
    launch, ``references`` are read only where a referenced group may have fewer instances than
    there would be.
    """

    address: Address
    group: Group | None
    references: tuple[Reference, ...] = ()
    bindings: tuple[Binding, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    is_malformed: bool = False
    instance_count: int | None = None


class DeleteFacts(msgspec.Struct, frozen=True):
    """What was read to judge a delete: every group of the set, in the order asked."""

    capabilities: Capabilities
    groups: tuple[GroupFacts, ...]
    limits: tuple[Limit, ...] = ()
    visibility: Visibility = Visibility.ACCOUNT


class LaunchFacts(msgspec.Struct, frozen=True):
    """What was read to judge a launch.

    Before a launch ``instance_id`` is empty and ``count`` instances are planned with ``groups``.
    After it ``instance_id`` is set, ``instance`` is what the cloud shows (None: it does not
    exist) and ``groups`` are its own groups followed by those that would be bound in addition;
    ``additional`` are the ids of the latter, also where one of its interfaces carries them already.
    ``is_default_applied``: no group was asked for, and ``groups`` is the default one that the cloud
    then takes.
    """

    capabilities: Capabilities
    scope: Scope
    groups: tuple[GroupFacts, ...]
    count: int = 1
    instance_id: str = ""
    instance: Instance | None = None
    project: str = ""
    network: str = ""
    limits: tuple[Limit, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    visibility: Visibility = Visibility.ACCOUNT
    additional: tuple[str, ...] = ()
    is_default_applied: bool = False


Facts = DeleteFacts | LaunchFacts
"""What was read for a request of either kind."""
