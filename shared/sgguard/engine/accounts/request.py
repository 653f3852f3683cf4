"""Requests with the one spelling of their account that policies are compared with."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from sgguard.engine.accounts.table import Accounts
from sgguard.model.address import Address
from sgguard.model.request import BindRequest, DeleteRequest, LaunchRequest

T = TypeVar("T", DeleteRequest, LaunchRequest, BindRequest)


def canonical(request: T, accounts: Accounts) -> T:
    """Return the request about the same resources, the account named as policies name it."""
    if not accounts.further:
        return request
    if isinstance(request, DeleteRequest):
        targets = tuple(
            Address(accounts.canonical(one.scope), one.group_id) for one in request.targets
        )
        return replace(request, targets=targets)
    return replace(request, scope=accounts.canonical(request.scope))
