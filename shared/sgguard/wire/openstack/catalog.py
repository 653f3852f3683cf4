"""The catalog of a Keystone token: the addresses of each service, by interface and region.

``token.catalog[]`` is a list of services, each with ``type`` and ``endpoints[]``; an endpoint has
``interface``, ``region_id`` (``region`` before v3.2) and ``url``.
https://docs.openstack.org/api-ref/identity/v3/#catalog (read 2026-11).

1. A region is optional there: an endpoint without one, or with an empty one or ``*``, serves every
   region (seen in gophercloud issue 1532 and php-opencloud/openstack pull request 17). It is
   used only where no usable endpoint names the region.
2. An entry that cannot be read concerns only who asks for its service. It is never used, and it is
   an error only where no other endpoint serves.
3. ``interface`` may be spelled as in Identity v2.0: ``publicURL``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from functools import lru_cache

import msgspec

from sgguard.errors import CloudError, InvalidRequestError, SettingsError, UnknownShapeError
from sgguard.wire.address import is_address, parsed
from sgguard.wire.shape import Json, Shape

INTERFACES = ("public", "internal", "admin")

NO_SUCH_REGION = "NoSuchRegion"
"""The code, our own, for a region that the catalog does not have for a service."""

_EVERY_REGION = ("", "*")
_ENDPOINTS = "token.catalog.endpoints"
_NAMED_MAX = 12
"""So many names are listed in an error: a catalog may have thousands."""

_NAME_MAX = 64
_NOT_IN_A_BASE = ("?", "#", "$(", "%(")


class Endpoint(msgspec.Struct, frozen=True):
    """One address in the catalog. ``interface`` is public, internal or admin.

    ``wrong`` says why it cannot be used. What could not be read of such an endpoint is ``""``.
    """

    service_type: str
    interface: str
    region: str
    url: str
    wrong: str = ""


class Catalog(msgspec.Struct, frozen=True):
    """Every endpoint of a token; ``shape`` names provider and call in errors."""

    endpoints: tuple[Endpoint, ...] = ()
    shape: Shape = msgspec.field(default_factory=lambda: Shape("openstack", "catalog"))

    def addresses(
        self, service_type: str, region: str, interface: str = "public"
    ) -> tuple[str, ...]:
        """Return the addresses of a service, best first, without trailing slashes.

        Where the best one is https, no other scheme is returned: who keeps us from connecting
        must not get the token in plain text.

        Raises:
            SettingsError: the catalog has no such service; the message lists the others.
            InvalidRequestError: it has the service, but not in that region; the message lists the
                regions.
            UnknownShapeError: every endpoint that would serve is malformed.
        """
        # A malformed endpoint may have lost its interface: it may be the one that is asked for.
        of_type = [
            e
            for e in self.endpoints
            if e.service_type == service_type and e.interface in (interface, "")
        ]
        serving = [e for e in of_type if e.region == region]
        if not any(not e.wrong and is_base(e.url) for e in serving):
            # Never beside one that names the region: if it belonged to another region after all,
            # its empty lists would be believed when the right one does not connect.
            serving += [e for e in of_type if e.region in _EVERY_REGION and e.region != region]
        if not serving:
            raise self._absent(service_type, region, interface, of_type)
        wrong = [e.wrong for e in serving if e.wrong]
        found = []
        for url in dict.fromkeys(e.url for e in serving if not e.wrong):
            if is_base(url):
                found.append(url)
            else:
                wrong.append(f"{_ENDPOINTS}.url: not the address of a service")
        if not found:
            raise self.shape.wrong(f"{service_type} in {region}: {wrong[0]}")
        scheme = parsed(found[0]).scheme
        return tuple(url for url in found if scheme != "https" or parsed(url).scheme == scheme)

    def _absent(
        self, service_type: str, region: str, interface: str, of_type: Sequence[Endpoint]
    ) -> SettingsError | CloudError:
        if not of_type:
            types = {e.service_type for e in self.endpoints if e.interface == interface}
            none = "none at all (is the token scoped to a project?)"
            return SettingsError(
                f"the catalog has no {interface} endpoint of type {service_type!r}: "
                f"it has {_listed(types) or none}"
            )
        return InvalidRequestError(
            self.shape.provider,
            self.shape.action,
            code=NO_SUCH_REGION,
            detail=f"there is no region {region[:_NAME_MAX]!r} for {service_type!r} here: "
            f"the catalog has {_listed(e.region for e in of_type)}",
        )


def normal_interface(text: str) -> str:
    """Return public, internal or admin, also for publicURL and the like; else ``""``."""
    name = text.strip().lower().removesuffix("url")
    return name if name in INTERFACES else ""


def parse_catalog(value: object, shape: Shape) -> Catalog:
    """Read the catalog; entries that are malformed are kept for those that ask for them.

    Raises:
        UnknownShapeError: it is no list.
    """
    if not isinstance(value, list):
        raise shape.wrong("token.catalog: expected a list")
    return Catalog(tuple(e for service in value for e in _endpoints(service, shape)), shape)


@lru_cache(maxsize=64)
def is_base(url: str) -> bool:
    """Return whether paths can be put behind this address: no user, query or open template."""
    if not is_address(url) or any(part in url for part in _NOT_IN_A_BASE):
        return False
    return not parsed(url).userinfo


def _endpoints(service: object, shape: Shape) -> Generator[Endpoint, None, None]:
    """Return the endpoints of one service; none of one whose type is unknown: it is not ours."""
    kind = service.get("type") if isinstance(service, dict) else None
    if not isinstance(service, dict) or not isinstance(kind, str) or not kind:
        return
    endpoints = service.get("endpoints", [])
    if not isinstance(endpoints, list):
        yield Endpoint(kind, "", "", "", wrong=f"{_ENDPOINTS}: expected a list")
        return
    for endpoint in endpoints:
        yield _endpoint(kind, endpoint, shape)


def _endpoint(kind: str, value: object, shape: Shape) -> Endpoint:
    interface = region = ""
    try:
        row = shape.table(value, _ENDPOINTS)
        interface = shape.text(row, "interface", _ENDPOINTS)
        interface = normal_interface(interface) or interface
        region = _region(row, shape)
        url = shape.text(row, "url", _ENDPOINTS).strip().rstrip("/")
    except UnknownShapeError as error:
        return Endpoint(kind, interface, region, "", wrong=error.detail)
    return Endpoint(kind, interface, region, url)


def _region(row: Json, shape: Shape) -> str:
    """Return the region; a number, say, is malformed and not "every region"."""
    named = shape.text_or_empty(row, "region_id", _ENDPOINTS)
    return named or shape.text_or_empty(row, "region", _ENDPOINTS)


def _listed(names: Iterable[str]) -> str:
    known = sorted({name[:_NAME_MAX] for name in names})
    more = len(known) - _NAMED_MAX
    return ", ".join(known[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
