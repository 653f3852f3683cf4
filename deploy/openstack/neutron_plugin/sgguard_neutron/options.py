"""The section ``[sgguard]`` of Neutron's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from oslo_config import cfg

from sgguard_neutron.ask import Function

SECTION = "sgguard"

OPTIONS = (
    cfg.StrOpt(
        "url",
        default="",
        help="Address of the function delete_request, http:// or https://. Empty: the function is "
        "not asked, and only referenced groups are kept.",
    ),
    cfg.StrOpt(
        "fail",
        default="closed",
        choices=("closed", "open"),
        help="What happens to a delete that the function does not judge in time: closed refuses "
        "it, open lets it go on. A referenced group is kept in both cases.",
    ),
    cfg.FloatOpt(
        "deadline",
        default=2.0,
        min=0.1,
        max=30.0,
        help="Seconds within which the function must have responded, from the lookup of its host "
        "to the last byte of its response.",
    ),
    cfg.StrOpt(
        "region",
        default="",
        help="Name of this region in the addresses that the function is asked about, as the "
        "service catalog has it. Required with url.",
    ),
    cfg.StrOpt(
        "account",
        default="",
        help="Account in these addresses: what SGGUARD_ACCOUNT_OPENSTACK of the function is.",
    ),
    cfg.StrOpt(
        "token",
        default="",
        secret=True,
        help="Bearer token that is sent to the function. Prefer token_file.",
    ),
    cfg.StrOpt(
        "token_file",
        default="",
        help="File with the bearer token; it is read for every question, so that a token can be "
        "replaced without a restart. Wins over token.",
    ),
    cfg.StrOpt(
        "ca_file",
        default="",
        help="Certificates of the authorities that may have signed the function's certificate; "
        "empty: those of the system.",
    ),
    cfg.ListOpt(
        "override_roles",
        default=["sgguard_override"],
        help="Roles whose holders delete a group whatever the function and the references say, as "
        "far as Neutron itself lets them. Each use is logged. Empty: nobody does.",
    ),
    cfg.ListOpt(
        "unasked_users",
        default=[],
        help="Ids of users whose deletes the function is not asked about: the function's own user "
        "where it carries out plans itself. A referenced group is kept from them too.",
    ),
)


def list_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """Return the options for oslo-config-generator."""
    return [(SECTION, list(OPTIONS))]


def read(conf: cfg.ConfigOpts) -> Any:
    """Register the options and return their values.

    Raises:
        ValueError: they do not go together; Neutron does not start then.
    """
    conf.register_opts(OPTIONS, group=SECTION)
    values = conf[SECTION]
    if values.url:
        parts = urlsplit(values.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("[sgguard] url is no address that begins with http:// or https://")
        if parts.username is not None:
            raise ValueError("[sgguard] url has a user name: use token or token_file instead")
        if not values.region:
            raise ValueError("[sgguard] region is missing: url needs it")
    return values


def function(values: Any) -> Function | None:
    """Return the function to ask; None where none is configured."""
    if not values.url:
        return None
    return Function(
        url=values.url,
        deadline_s=values.deadline,
        token=values.token,
        token_file=values.token_file,
        ca_file=values.ca_file,
    )
