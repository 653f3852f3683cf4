"""What every cloud can be asked, in the same words."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from unicodedata import category

from sgguard.errors import CredentialsError, ForbiddenError, SettingsError, UnknownShapeError
from sgguard.model.change import Holder
from sgguard.model.resource import (
    Binding,
    Group,
    Instance,
    Limit,
    Reference,
    Rule,
    Seen,
    Traits,
    Unseen,
    Visibility,
)
from sgguard.wire.client import Wire, is_address
from sgguard.wire.clock import EpochClock
from sgguard.wire.pacing import Rates

T = TypeVar("T")


def fresh_nonce() -> str:
    """Return 128 random bits in hexadecimal: never the same twice."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Access:
    """Everything a provider needs to reach its cloud, and nothing it could find out by itself.

    ``env`` holds credentials under each cloud's own usual variable names: the process
    environment, or the same names filled from a runtime's request headers. ``account`` is the
    name of the account those credentials belong to, empty when nobody said. ``is_thorough`` says
    whether to ask also for what no verdict needs, at a call for each holder: which further groups
    it carries, for whoever may rebind it.
    """

    wire: Wire
    region: str
    env: Mapping[str, str] = field(repr=False)
    account: str = ""
    now: EpochClock = time.time
    nonce: Callable[[], str] = fresh_nonce
    is_thorough: bool = True

    def endpoint(self) -> str:
        """Return the address that replaces the cloud's own, without a trailing slash, or ``""``.

        Raises:
            SettingsError: the variable is set, but is not an http(s) address.
        """
        name = f"SGGUARD_ENDPOINT_{self.wire.provider.upper().replace('-', '_')}"
        url = self.env.get(name, "").rstrip("/")
        if url and not is_address(url):
            raise SettingsError(
                f"{name}={url!r} is not an address: expected http://host:port or https://host"
            )
        return url

    def paced(self, rates: Rates, credentials: str) -> Wire:
        """Return the wire, keeping an API's documented rates for these credentials and region.

        ``credentials`` tells callers apart and is no secret: a key id, a user and project.
        """
        return self.wire.paced(rates, self.endpoint(), self.account, self.region, credentials)

    def secret(self, *alternatives: str) -> str:
        """Return the first of the variables that is set and not blank, else ``""``.

        Raises:
            CredentialsError: it holds a line break or the like, as pasted keys do.
        """
        for name in alternatives:
            if value := self.env.get(name, "").strip():
                if not value.isprintable() and any(category(one) == "Cc" for one in value):
                    raise CredentialsError(
                        f"{name} holds a line break or another control character"
                    )
                return value
        return ""

    def require_secret(self, *alternatives: str) -> str:
        """Return the first of the variables that is set.

        Raises:
            CredentialsError: none is; the first is the one the message tells to set.
        """
        if value := self.secret(*alternatives):
            return value
        raise CredentialsError(
            f"{self.wire.provider}: no credentials: set {alternatives[0]}"
            + (f" (or {', '.join(alternatives[1:])})" if len(alternatives) > 1 else "")
        )


def seen_or_unseen(what: str, read: Callable[[], Seen[T]], otherwise: T) -> Seen[T]:
    """Read one part of the facts; what it cannot see becomes ``unseen`` instead of an error.

    A missing permission and an answer of unknown shape will not change by asking again, so the
    verdict must be reached without them. Every other error is raised: the cloud could not be asked.
    """
    try:
        return read()
    except ForbiddenError as error:
        return Seen(
            otherwise,
            (
                Unseen(
                    code="no-permission",
                    what=what,
                    why=str(error),
                    remedy=f"grant {error.provider} {error.action} to these credentials",
                ),
            ),
        )
    except UnknownShapeError as error:
        return Seen(
            otherwise,
            (
                Unseen(
                    code="unknown-shape",
                    what=what,
                    why=str(error),
                    remedy="report the answer's shape to the maintainers of sgguard",
                ),
            ),
        )


class Provider(Protocol):
    """One cloud, one account, one region, ready to be asked about its security groups.

    Reading: every method may be called from several threads at once and sends as few calls as
    the cloud's API allows for all ids together. What could not be seen comes back as ``unseen``
    beside the value; an id that is missing from a returned mapping was not answered for.

    All reading methods raise :class:`~sgguard.errors.CloudError` when the cloud could not be
    asked at all, and :class:`~sgguard.errors.DeadlineError` when the time is used up. A missing
    permission or an unknown shape in *one* part is not raised but becomes ``unseen``.
    """

    @property
    def traits(self) -> Traits:
        """How this cloud behaves where clouds differ."""
        ...

    @property
    def visibility(self) -> Visibility:
        """How far these credentials can see."""
        ...

    def is_group_id(self, text: str) -> bool:
        """Tell whether this could be a group id here; a malformed one is never sent."""
        ...

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id; None says the cloud knows no such group."""
        ...

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return, by id, every rule of *another* group whose peer is that group."""
        ...

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return, by id, everything that carries that group."""
        ...

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return, by id, how many instances carry that group, as the cloud's limit counts them."""
        ...

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules, in the cloud's order, ingress first."""
        ...

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return the instance and its groups; None says the cloud knows no such instance."""
        ...

    def read_limits(self, group_ids: Sequence[str] = ()) -> Seen[tuple[Limit, ...]]:
        """Return the ceilings that concern security groups, with where each was read.

        Where a ceiling is one of rules in a group, and only a count of them tells how much of it
        is used, ``used`` is the number of the fullest of the groups named.
        """
        ...


class Changes(Protocol):
    """What can be changed in a cloud; every provider has these methods as well.

    Each change is sent once and never repeated by itself (reading beforehand, and waiting until
    an asynchronous change has come to its end, is part of it). All raise
    :class:`~sgguard.errors.CloudError` with the cloud's own code, and
    :class:`~sgguard.errors.ConflictError` where the world is no longer what the change expects;
    then nothing was changed. After an error with ``is_outcome_known`` False the change may have
    been made: read back. ``token`` is the same for the same intended change, also after a crash;
    it goes where the cloud takes one (Alibaba's ClientToken).
    """

    def add_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Put a rule into the group, at its place.

        ``rule`` is as :meth:`Provider.list_rules` returned it, of this group or with another
        ``peer_group``; afterwards ``list_rules`` returns an equal one up to ``rule_id``. Where
        ids are positions (``ingress[3]``), it is put there, or last if there are fewer rules.
        """
        ...

    def remove_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Take exactly this rule out of the group, and no other.

        It is the one with this id and content. Where no rule has this id (it was put back and got
        another, or the id is empty) it is the one with this content; where ids are positions and
        others have shifted it, the nearest one with this content.

        Raises:
            NotFoundError: the group has no such rule (any more), or there is no such group.
        """
        ...

    def read_holder(self, holder: Holder) -> tuple[str, ...] | None:
        """Return the groups the holder carries, in the cloud's order; None: no such holder."""
        ...

    def set_groups(
        self, holder: Holder, before: tuple[str, ...], after: tuple[str, ...], *, token: str
    ) -> None:
        """Make the holder carry ``after`` (never empty) instead of ``before``.

        Sent as the call that touches least: adding or removing the one group that differs where
        the cloud can do that at that place, the whole list otherwise, with its revision where the
        cloud has one. The holder is never without a group meanwhile. Returns when it is done.

        Raises:
            ConflictError: the holder does not carry ``before`` (any more).
            LimitError: too many groups, or too many holders.
        """
        ...

    def define_group(self, group: Group) -> Group:
        """Return the group, which was read before, with everything that builds it again.

        That is all its rules, and in ``native`` what :meth:`create_group` needs beside the parts
        that every cloud has. It costs no more calls than :meth:`Provider.list_rules`.

        Raises:
            UnknownShapeError: not all rules were seen, or not what else makes the group.
            NotFoundError: there is no such group (any more).
        """
        ...

    def create_group(self, group: Group, *, token: str) -> str:
        """Create a group like this one, without any rule, and return its id.

        Name, description, network, kind, project and tags are kept as far as the cloud takes them,
        and what :meth:`define_group` adds; rules that the cloud itself gives a new group are taken
        out again. A group that cannot be finished is deleted again; where that fails too, or
        nobody knows, the outcome is unknown.
        """
        ...

    def find_groups(self, name: str) -> tuple[str, ...]:
        """Return the ids of all groups of exactly this name that these credentials can see."""
        ...

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group; ``is_forced`` asks the cloud to unbind its holders first."""
        ...


class Cloud(Provider, Changes, Protocol):
    """A provider that can read and change."""
