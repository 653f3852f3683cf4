"""Where a group is: ``provider:account:region:group-id``."""

from __future__ import annotations

import re

import msgspec

from sgguard.errors import AddressError
from sgguard.model.failure import explained
from sgguard.model.sentence import said

_PROVIDER = re.compile(r"[a-z][a-z0-9-]*")
_PART = re.compile(r"[A-Za-z0-9._@-]*")


class Scope(msgspec.Struct, frozen=True, order=True):
    """Where a request is about: one cloud, one account (empty: the configured one), one region."""

    provider: str
    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.account}:{self.region}"


class Address(msgspec.Struct, frozen=True, order=True):
    """One group, written ``provider:account:region:group-id``.

    Such as ``tencent::ap-guangzhou:sg-5ua9adfv``; the account is empty for the configured one.
    """

    scope: Scope
    group_id: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Raises:
            AddressError: not four parts, or a part is empty or has characters no cloud uses.
        """
        parts = text.split(":")
        if len(parts) != 4:  # noqa: PLR2004 - the four parts the message names
            words = (
                f"{text!r} is not a group address: expected provider:account:region:group-id "
                "(the account may be empty), such as tencent::ap-guangzhou:sg-5ua9adfv"
            )
            raise explained(AddressError(words), said("address.form", text=words, given=text))
        provider, account, region, group_id = parts
        for name, value in (("provider", provider), ("region", region), ("group-id", group_id)):
            if not value:
                words = f"{text!r} has no {name}: only the account may be empty"
                lacks = said("address.lacks", text=words, given=text, part=name)
                raise explained(AddressError(words), lacks)
        if not _PROVIDER.fullmatch(provider):
            words = f"{text!r}: {provider!r} is not a provider name"
            unknown = said("address.provider", text=words, given=text, value=provider)
            raise explained(AddressError(words), unknown)
        for name, value in (("account", account), ("region", region), ("group-id", group_id)):
            if not _PART.fullmatch(value):
                words = f"{text!r}: {value!r} is not usable as {name}"
                unusable = said("address.part", text=words, given=text, value=value, part=name)
                raise explained(AddressError(words), unusable)
        return cls(Scope(provider, account, region), group_id)

    def __str__(self) -> str:
        return f"{self.scope}:{self.group_id}"
