"""The file of further accounts: TOML or JSON, or the JSON itself where a platform has no file.

.. code-block:: toml

    [[accounts]]
    name = "shop"
    provider = "tencent"
    role = "qcs::cam::uin/100000000002:roleName/sgguard"

    [[accounts]]
    name = "archive"
    provider = "openstack"
    credentials = { OS_USERNAME = "guard", OS_PASSWORD = { file = "/run/secrets/archive" } }
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sgguard import clouds, lazy, providers
from sgguard.engine.accounts.table import Account, Accounts, Reference
from sgguard.engine.accounts.variables import is_of, is_secret, prefixes
from sgguard.errors import SettingsError
from sgguard.providers import Role

if TYPE_CHECKING:
    import tomllib
else:
    tomllib = lazy("tomllib")  # most deployments have one account

SETTING = "SGGUARD_ACCOUNTS"

KEYS = ("name", "provider", "id", "role", "domain", "domain_id", "external_id", "credentials")
"""The keys of an account in the table."""
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_OF_ROLE = ("domain", "domain_id", "external_id")
_BYTES_MAX = 1024 * 1024


def accounts_of(setting: str, home: Mapping[str, str]) -> Accounts:
    """Return the accounts of a deployment; ``setting`` is a path, a JSON document, or empty.

    Raises:
        SettingsError: the file cannot be read, or an account cannot be used; no value of a secret
            is repeated.
    """
    return Accounts(_read(setting) if setting else (), dict(home))


@lru_cache(maxsize=8)
def _read(setting: str) -> tuple[Account, ...]:
    """Read a file once per process: new accounts are a new deployment."""
    document = _document(setting)
    rows = document.get("accounts")
    if document.keys() != {"accounts"} or not isinstance(rows, list):
        raise _wrong("expected tables [[accounts]] and nothing else")
    return tuple(_account(row, f"accounts[{n}]") for n, row in enumerate(rows))


def _document(setting: str) -> dict[str, Any]:
    is_inline = setting.startswith("{")
    try:
        text = setting if is_inline else _text(Path(setting))
        is_json = is_inline or setting.endswith(".json")
        found = json.loads(text) if is_json else tomllib.loads(text)
    except OSError as error:
        raise _wrong(f"{setting!r} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        # The text of the error may quote the document, which may hold what it should not.
        kind = type(error).__name__
        raise _wrong(f"neither TOML nor JSON ({kind})") from None
    if not isinstance(found, dict):
        raise _wrong("expected tables [[accounts]] and nothing else")
    return found


def _text(path: Path) -> str:
    content = path.read_bytes()
    if len(content) > _BYTES_MAX:
        raise _wrong(f"{str(path)!r} is larger than {_BYTES_MAX} bytes")
    return content.decode()


def _account(row: object, where: str) -> Account:
    if not isinstance(row, dict):
        raise _wrong(f"{where}: expected a table")
    if unknown := sorted(row.keys() - set(KEYS)):
        raise _wrong(f"{where}.{unknown[0]}: unknown key; expected one of {', '.join(KEYS)}")
    name, provider = _required(row, "name", where), _required(row, "provider", where)
    number = _text_of(row, "id", where)
    for key, text in (("name", name), ("id", number or name)):
        if not _NAME.fullmatch(text):
            raise _wrong(f"{where}.{key}: {text!r} cannot stand in an address")
    if provider not in clouds.names():
        known = ", ".join(clouds.names())
        raise _wrong(f"{where}.provider: {provider!r}: expected one of {known}")
    if ("role" in row) == ("credentials" in row):
        raise _wrong(f"{where}: expected either a role or credentials")
    if "credentials" in row:
        if given := [key for key in _OF_ROLE if key in row]:
            raise _wrong(f"{where}.{given[0]}: it belongs to a role")
        found = _credentials(row["credentials"], provider, f"{where}.credentials")
        return Account(name, provider, number or name, credentials=found)
    return _with_role(row, (name, provider, number), where)


def _with_role(row: dict[str, Any], of: tuple[str, str, str], where: str) -> Account:
    name, provider, number = of
    module = providers.assuming(provider)
    if module is None:
        raise _wrong(f"{where}.role: {provider} knows no roles: give credentials")
    role = Role(
        _required(row, "role", where),
        domain=_text_of(row, "domain", where),
        domain_id=_text_of(row, "domain_id", where),
    )
    try:
        told = module.account_of(replace(role, external_id="given" if "external_id" in row else ""))
    except ValueError as error:
        raise _wrong(f"{where}.role: {role.name!r}: expected {error}") from None
    if number and told and number != told:
        raise _wrong(f"{where}.id: {number!r} is not the account of the role, {told!r}")
    external = row.get("external_id")
    reference = None if external is None else _reference(external, f"{where}.external_id")
    return Account(name, provider, number or told or name, role=role, external_id=reference)


def _credentials(given: object, provider: str, where: str) -> dict[str, Reference | str]:
    if not (isinstance(given, dict) and given):
        raise _wrong(f"{where}: expected variables of {provider} and where their values are")
    found: dict[str, Reference | str] = {}
    for variable, value in given.items():
        if not is_of(variable, provider):
            expected = " or ".join(prefixes(provider))
            raise _wrong(f"{where}.{variable}: no variable of {provider} ({expected}…)")
        if isinstance(value, str) and not is_secret(variable):
            found[variable] = value
        else:
            found[variable] = _reference(value, f"{where}.{variable}")
    return found


def _reference(value: object, where: str) -> Reference:
    """Return where a secret is; the secret itself must not stand in the file."""
    if isinstance(value, dict) and len(value) == 1 and value.keys() <= {"env", "file"}:
        (place,) = value.values()
        if isinstance(place, str) and place.strip():
            return dict(value)
    raise _wrong(f'{where}: expected {{ env = "VARIABLE" }} or {{ file = "/path" }}')


def _required(row: dict[str, Any], key: str, where: str) -> str:
    if text := _text_of(row, key, where):
        return text
    raise _wrong(f"{where}.{key}: missing")


def _text_of(row: dict[str, Any], key: str, where: str) -> str:
    text = row.get(key, "")
    if not isinstance(text, str):
        raise _wrong(f"{where}.{key}: expected a text")
    return text


def _wrong(what: str) -> SettingsError:
    return SettingsError(f"{SETTING}: {what}")
