"""Roles of other accounts that credentials may assume, and what assuming one gives.

A cloud that knows roles has a module ``role`` in its package, with ``account_of`` and ``assume``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from sgguard import hiding
from sgguard.providers.access import Access

DURATION_S = 3600
"""How long an assumed role is asked for: each of the clouds permits an hour."""

SESSION = "sgguard"
"""The name of the session, which the cloud's audit log shows."""


@hiding("external_id")
class Role(msgspec.Struct, frozen=True):
    """A role as the settings name it.

    ``name`` is what the cloud calls the role in full (Tencent, Alibaba), or the agency's name
    (Huawei), whose account is then ``domain`` or ``domain_id``.
    """

    name: str
    domain: str = ""
    domain_id: str = ""
    external_id: str = ""


@hiding("variables")
class Temporary(msgspec.Struct, frozen=True):
    """Temporary credentials under the cloud's own variable names, and their end (epoch seconds)."""

    variables: Mapping[str, str]
    ends_at_s: float


class Assuming(Protocol):
    """The module ``role`` of a cloud's package."""

    def account_of(self, role: Role) -> str:
        """Return the number of the account that the role is of, ``""`` where it is not told.

        Raises:
            ValueError: the role is not written as this cloud does; the text says how it would be.
        """
        ...

    def assume(self, access: Access, role: Role) -> Temporary:
        """Assume the role with the credentials of ``access``.

        Raises:
            CredentialsError: there are none to assume it with.
            CloudError: the cloud refused, or could not be asked.
        """
        ...
