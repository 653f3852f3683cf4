"""Which clouds are examined, and in which region of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard import providers
from sgguard.engine.accounts.table import Accounts
from sgguard.errors import InputError, SettingsError
from sgguard.providers import Setup

_NAME = re.compile(r"[A-Za-z0-9._@-]+")
"""What a provider or region may be called; a group's address permits the same."""


class CloudRegion(msgspec.Struct, frozen=True):
    """One region of one cloud; ``region`` is empty where none is configured.

    ``flaw`` says what is wrong with the setting that names it. ``account`` is a further account,
    empty for the one of the environment's credentials.
    """

    provider: str
    region: str
    flaw: str = ""
    account: str = ""


def account_regions(
    env: Mapping[str, str],
    accounts: Accounts,
    *,
    named: Sequence[str] = (),
    regions: Sequence[str] = (),
    asked: Sequence[str] = (),
) -> tuple[CloudRegion, ...]:
    """Return what to examine: as :func:`cloud_regions`, and the further accounts of those clouds.

    ``asked`` names accounts: then only those are examined.

    Raises:
        InputError: as there, or there is no account of that name.
        SettingsError: as there.
    """
    clouds = list(named) or list(
        dict.fromkeys([*configured(env), *(one.provider for one in accounts.further)])
    )
    for name in asked:
        if not any(_is_named(name, cloud, accounts) for cloud in clouds):
            known = sorted({*accounts.home.values(), *(one.name for one in accounts.further)})
            names = ", ".join(known) or "none"
            raise InputError(
                f"{name!r} is no account of {', '.join(clouds)} here: named are {names}"
            )
    if asked and not named:
        clouds = [one for one in clouds if any(_is_named(name, one, accounts) for name in asked)]
    found = cloud_regions(env, named or (clouds if accounts.further else ()), regions)
    return tuple(
        replace(where, account=account)
        for where in found
        for account in _accounts_of(where.provider, env, accounts, asked)
    )


def _is_named(name: str, cloud: str, accounts: Accounts) -> bool:
    return accounts.home.get(cloud) == name or accounts.find(cloud, name) is not None


def _accounts_of(
    cloud: str, env: Mapping[str, str], accounts: Accounts, asked: Sequence[str]
) -> list[str]:
    further = accounts.of(cloud)
    if not asked:
        own = [""] if not further or cloud in configured(env) else []
        return [*own, *(one.name for one in further)]
    home = [""] if accounts.home.get(cloud) in asked else []
    return [*home, *(one.name for one in further if {one.name, one.number} & set(asked))]


def cloud_regions(
    env: Mapping[str, str], named: Sequence[str] = (), regions: Sequence[str] = ()
) -> tuple[CloudRegion, ...]:
    """Return what to examine: the named clouds, or every cloud whose credentials are set.

    A region belongs to the cloud at the same position; several regions with one cloud all belong
    to it. A cloud without one gets the region that its own tools would use.

    Raises:
        InputError: an unknown cloud, or regions that belong to no cloud.
        SettingsError: no cloud is named and none is configured.
    """
    for text in (*named, *regions):
        if not _NAME.fullmatch(text):
            raise InputError(f"{text!r} is neither a cloud nor a region")
    clouds = list(named) or configured(env)
    if not clouds:
        raise SettingsError(f"no cloud is set up: {_how()}")
    for cloud in clouds:
        setup_of(cloud)  # an unknown one is refused before any call
    if not regions:
        return tuple(_own_region(env, cloud) for cloud in dict.fromkeys(clouds))
    if len(clouds) == 1:
        pairs = [(clouds[0], region) for region in regions]
    elif len(clouds) == len(regions) and named:
        pairs = list(zip(clouds, regions, strict=True))
    else:
        raise InputError(
            f"{len(regions)} regions for {len(clouds)} clouds ({', '.join(clouds)}): "
            "give --provider and --region in pairs"
        )
    return tuple(CloudRegion(*pair) for pair in dict.fromkeys(pairs))


def configured(env: Mapping[str, str]) -> list[str]:
    """Return the clouds whose credentials are in the environment."""
    setups = {name: setup_of(name) for name in providers.names()}
    read = partial(_read, env)
    return [name for name, setup in setups.items() if setup and setup.is_configured(read)]


def setup_of(provider: str) -> Setup | None:
    """Return how a cloud is configured, None where its provider does not declare it.

    Raises:
        AddressError: there is no such cloud.
    """
    probing = providers.probing(provider)
    return probing.SETUP if probing else None


def _own_region(env: Mapping[str, str], provider: str) -> CloudRegion:
    setup = setup_of(provider)
    try:
        return CloudRegion(provider, setup.region(partial(_read, env)) if setup else "")
    except SettingsError as error:
        return CloudRegion(provider, "", str(error))


def _read(env: Mapping[str, str], *names: str) -> str:
    return next((value for name in names if (value := env.get(name, "").strip())), "")


def _how() -> str:
    setups = {name: setup_of(name) for name in providers.names()}
    return "; ".join(f"{name}: set {setup.credentials}" for name, setup in setups.items() if setup)
