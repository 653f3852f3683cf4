"""What the operator can set: every ``SGGUARD_*`` variable, its default and what it does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import msgspec

from sgguard import hiding
from sgguard.errors import SettingsError
from sgguard.model.codes import Mode
from sgguard.telemetry import setup
from sgguard.telemetry.redaction import remember_environment

PREFIX = "SGGUARD_"
_PER_PROVIDER = "<PROVIDER>"
_CHAT, _CHAT_PARTS = "SGGUARD_CHAT_", ("TOKEN", "SECRET", "KEY", "URL", "APP_SECRET")

# Event buses and webhooks deliver again for up to about three days: what was done must be known.
_DAYS_MIN = 7
_DAYS_DIGITS = 7

KEY_CHARACTERS_MIN = 32
"""The shortest key that signs anything: 128 bits where it is written in hexadecimal."""

SERVICES = ("COMPUTE", "CVM", "DFW", "ECS", "IAM", "IDENTITY", "NETWORK", "STS", "VPC")
"""The services of clouds whose address can be replaced each by itself."""

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def chat_variables(channel: str) -> dict[str, str]:
    """Return the variable of each part of a channel's secrets, whatever its kind."""
    return {part: f"{_CHAT}{channel.upper().replace('-', '_')}_{part}" for part in _CHAT_PARTS}


class Setting(msgspec.Struct, frozen=True):
    """One variable.

    ``<PROVIDER>`` in a name stands for ``TENCENT``, ``TENCENT_DFW`` and so on, ``<SERVICE>`` for
    any one of a cloud's services.
    """

    name: str
    default: str
    meaning: str

    def matches(self, variable: str, providers: Iterable[str]) -> bool:
        """Return whether an environment variable is this setting, for one of the providers."""
        if self.name.startswith(_CHAT):
            return variable.startswith(_CHAT) and variable.rpartition("_")[2] in _CHAT_PARTS
        stem, per_provider, per_service = self.name.partition(_PER_PROVIDER)
        if not per_provider:
            return variable == self.name
        named = {stem + variable_part(provider) for provider in providers}
        if not per_service:
            return variable in named
        return variable in {f"{one}_{service}" for one in named for service in SERVICES}


SETTINGS = (
    Setting("SGGUARD_POLICY", "", "path of the policy file (TOML or JSON); none: the defaults"),
    Setting("SGGUARD_MODE", "", "observe, approve or enforce; wins over the mode in the policy"),
    Setting(
        "SGGUARD_STORE",
        "",
        "where claims, journal and decisions are kept: sqlite:///path or postgresql://…; "
        "none: sgguard/sgguard.db in XDG_STATE_HOME or ~/.local/state",
    ),
    Setting(
        "SGGUARD_KEEP_DAYS",
        "90",
        "days after which what has ended is forgotten, at least 7: an event that comes again "
        "later than that is a new one",
    ),
    Setting(
        "SGGUARD_APPROVAL_KEY",
        "",
        "secret that signs the links to approve with, at least 32 characters; of several, by "
        "comma, the first signs and all are accepted",
    ),
    Setting(
        "SGGUARD_APPROVAL_URL",
        "",
        "address of the function approval as approvers reach it, for the links to it",
    ),
    Setting("SGGUARD_CHAT_<CHANNEL>_<PART>", "", "secrets of a [[channel]]: see deploy/chat.md"),
    Setting("SGGUARD_BIND_TARGET", "", "address that gets the rest of a long bind; none: K_SINK"),
    Setting("SGGUARD_DEADLINE_S", "10", "seconds within which one delivery is answered"),
    Setting(
        "SGGUARD_PACE",
        "0.96",
        "how much of each API's documented rate is used, by all processes that share the store",
    ),
    Setting("SGGUARD_RATES_<PROVIDER>", "", "your account's own: RunInstances=20,Describe*=50"),
    Setting(
        "SGGUARD_START",
        "strict",
        "strict: a function that cannot be used does not start; lenient: it starts, is not ready, "
        "and answers 503",
    ),
    Setting("SGGUARD_PATH_PREFIX", "", "what a gateway puts before paths, such as /release/guard"),
    Setting("SGGUARD_WEBHOOK_ORIGINS", "", "hosts that may begin to send events, by comma"),
    Setting("SGGUARD_MAX_BODY_BYTES", "1048576", "largest request body that is read, in bytes"),
    Setting("SGGUARD_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    *(Setting(*one) for one in setup.VARIABLES),
    Setting("SGGUARD_ACCOUNT_<PROVIDER>", "", "the credentials' account; others: SGGUARD_ACCOUNTS"),
    Setting("SGGUARD_ACCOUNTS", "", "further accounts: a file, or JSON: see deploy/accounts.md"),
    Setting("SGGUARD_INSTANCE_ROLE_<PROVIDER>", "", "role of the machine to take credentials of"),
    Setting(
        "SGGUARD_ENDPOINT_<PROVIDER>", "", "replaces the cloud's address: http://127.0.0.1:8000"
    ),
    Setting(
        "SGGUARD_ENDPOINT_<PROVIDER>_<SERVICE>",
        "",
        "the same for one service of a cloud: VPC, CVM, ECS, IAM and so on",
    ),
    Setting("SGGUARD_HUAWEI_DOMAIN", "", "a partner's domain: hosts are vpc.<region>.<domain>"),
    Setting("SGGUARD_ALIBABA_SIGNATURE", "acs3", "acs3, or rpc for clouds that know only that one"),
    Setting("SGGUARD_TENCENT_DFW_SIGNATURE", "HmacSHA256", "HmacSHA256 or HmacSHA1"),
    Setting(
        "SGGUARD_OPENSTACK_CLOUD_ROLES",
        "",
        "further roles than admin that Neutron lets read every project (an auditor's), by comma",
    ),
)
"""Every variable that sgguard reads; the table in deploy/README.md is compared with it."""


@hiding("store_url", "approval_keys", "bind_target", "further_accounts")
class Settings(msgspec.Struct, frozen=True):
    """What the operator set. ``mode`` is None when the policy file decides.

    ``accounts`` has, by provider name, the account its credentials belong to. ``store_url`` is
    None where neither the operator nor the environment names a place; it may hold a password.
    ``approval_keys`` are secrets, the one that signs first.
    """

    policy_path: str | None = None
    mode: Mode | None = None
    store_url: str | None = None
    keep_days: int = 90
    approval_keys: tuple[str, ...] = ()
    approval_url: str = ""
    path_prefix: str = ""
    bind_target: str = ""
    deadline_s: float = 10.0
    pace: float = 0.96
    max_body_bytes: int = 1024 * 1024
    log_level: str = "INFO"
    accounts: Mapping[str, str] = msgspec.field(default_factory=dict)
    further_accounts: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings. A variable that is set but blank counts as not set.

        Raises:
            SettingsError: a value cannot be used; the message names the variable and what would.
        """
        remember_environment(env)
        given = {name: value.strip() for name, value in env.items() if name.startswith(PREFIX)}
        given = {name: value for name, value in given.items() if value}
        default = cls()
        return cls(
            policy_path=given.get("SGGUARD_POLICY"),
            mode=_mode(given),
            store_url=given.get("SGGUARD_STORE") or _default_store_url(env),
            keep_days=_days(given, "SGGUARD_KEEP_DAYS", default.keep_days),
            approval_keys=_keys(given),
            approval_url=_url(given, "SGGUARD_APPROVAL_URL"),
            path_prefix=_path_prefix(given),
            bind_target=_url(given, "SGGUARD_BIND_TARGET") or _url(env, "K_SINK"),
            deadline_s=_positive(
                given,
                "SGGUARD_DEADLINE_S",
                default.deadline_s,
                "seconds greater than 0, such as 10",
            ),
            pace=_positive(
                given,
                "SGGUARD_PACE",
                default.pace,
                "a part of the rate greater than 0, such as 0.5",
            ),
            max_body_bytes=_bytes(given, "SGGUARD_MAX_BODY_BYTES", default.max_body_bytes),
            log_level=_level(given, "SGGUARD_LOG_LEVEL", default.log_level),
            accounts={
                name.removeprefix("SGGUARD_ACCOUNT_").lower().replace("_", "-"): value
                for name, value in given.items()
                if name.startswith("SGGUARD_ACCOUNT_")
            },
            further_accounts=given.get("SGGUARD_ACCOUNTS", ""),
        )


def variable_part(provider: str) -> str:
    """Return a provider's name as it is written in variables: ``tencent-dfw``, ``TENCENT_DFW``."""
    return provider.upper().replace("-", "_")


def unknown_variables(env: Iterable[str], providers: Iterable[str]) -> tuple[str, ...]:
    """Return the ``SGGUARD_*`` variables that mean nothing here: most likely misspelt."""
    known = tuple(providers)
    return tuple(
        sorted(
            name
            for name in env
            if name.startswith(PREFIX) and not any(s.matches(name, known) for s in SETTINGS)
        )
    )


def _mode(given: Mapping[str, str]) -> Mode | None:
    text = given.get("SGGUARD_MODE")
    if text is None:
        return None
    try:
        return Mode(text.lower())
    except ValueError:
        expected = ", ".join(Mode)
        raise SettingsError(f"SGGUARD_MODE={text!r}: expected one of {expected}") from None


def _default_store_url(env: Mapping[str, str]) -> str | None:
    """Return the file of the XDG base directory specification, where there is a home at all."""
    state, home = env.get("XDG_STATE_HOME", ""), env.get("HOME", "")
    # Relative ones are to be ignored, says the specification.
    if not state.startswith("/") and home.startswith("/"):
        state = f"{home.rstrip('/')}/.local/state"
    if not state.startswith("/"):
        return None
    return f"sqlite:///{quote(state.rstrip('/'))}/sgguard/sgguard.db"


def _days(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    is_number = text.isascii() and text.isdigit() and len(text) < _DAYS_DIGITS
    if not (is_number and int(text) >= _DAYS_MIN):
        raise SettingsError(f"{name}={text!r}: expected a number of days, at least {_DAYS_MIN}")
    return int(text)


def _path_prefix(given: Mapping[str, str]) -> str:
    text = given.get("SGGUARD_PATH_PREFIX", "").rstrip("/")
    if text and not (text.startswith("/") and text.isascii() and not set(text) & set(" ?#%")):
        raise SettingsError(f"SGGUARD_PATH_PREFIX={text!r}: expected a path such as /release/guard")
    return text


def _keys(given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets of ``SGGUARD_APPROVAL_KEY``; none of them is ever repeated."""
    if "SGGUARD_APPROVAL_KEY" not in given:
        return ()
    keys = tuple(key.strip() for key in given["SGGUARD_APPROVAL_KEY"].split(","))
    if any(len(key) < KEY_CHARACTERS_MIN for key in keys):
        raise SettingsError(
            f"SGGUARD_APPROVAL_KEY: every key needs at least {KEY_CHARACTERS_MIN} characters, "
            "such as those of `openssl rand -hex 32`; several are separated by commas"
        )
    return keys


def _url(given: Mapping[str, str], name: str) -> str:
    text = given.get(name, "")
    scheme, _, rest = text.partition("://")
    is_plain = text.isascii() and text.isprintable() and not set(text) & set(" ?#\"'<>\\")
    if text and not (scheme in ("http", "https") and rest.strip("/") and is_plain):
        raise SettingsError(f"{name}: expected an address such as https://guard.example/approval")
    return text


def _positive(given: Mapping[str, str], name: str, default: float, expected: str) -> float:
    text = given.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise SettingsError(f"{name}={text!r}: expected {expected}")
    return value


def _bytes(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettingsError(f"{name}={text!r}: expected a number of bytes, such as 1048576")
    return int(text)


def _level(given: Mapping[str, str], name: str, default: str) -> str:
    text = given.get(name, default).upper()
    if text not in LOG_LEVELS:
        raise SettingsError(f"{name}={text!r}: expected one of {', '.join(LOG_LEVELS)}")
    return text
