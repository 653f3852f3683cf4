"""Every variable that a function can be set up with, for platforms that must be asked by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgguard import clouds, lazy
from sgguard.settings import SERVICES, SETTINGS, chat_variables, variable_part
from sgguard.telemetry.redaction import SECRET_VARIABLES

if TYPE_CHECKING:
    import tomllib
else:
    tomllib = lazy("tomllib")  # where settings come with the process nothing is read here

_OF_CLOUDS = (
    *("ALIBABA_CLOUD_ACCESS_KEY_ID", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_PROJECT_ID"),
    *("HUAWEICLOUD_SDK_DOMAIN_ID", "HUAWEICLOUD_SDK_IAM_ENDPOINT", "TENCENTCLOUD_DOMAIN"),
    *("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID", "TENCENTCLOUD_REGION"),
    *("ALIBABA_CLOUD_REGION_ID", "HUAWEICLOUD_SDK_REGION", "OS_AUTH_URL", "OS_REGION_NAME"),
    *("OS_USERNAME", "OS_USER_ID", "OS_USER_DOMAIN_NAME", "OS_PROJECT_ID", "OS_PROJECT_NAME"),
    *("OS_PROJECT_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_APPLICATION_CREDENTIAL_ID"),
)
_OF_OTEL = (
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SERVICE_NAME"),
    *("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"),
    "OTEL_RESOURCE_ATTRIBUTES",
)


@lru_cache(maxsize=1)
def variables() -> tuple[str, ...]:
    """Return the names of this package's own; :func:`named` has those that operators choose."""
    return tuple(dict.fromkeys((*_settings(), *_OF_CLOUDS, *_OF_OTEL, *SECRET_VARIABLES)))


def named(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that the policy and the table of accounts name for secrets.

    They are those of ``{ env = "NAME" }``, wherever it stands, and those of each channel. A file
    that cannot be read names none: the function says what is wrong with it when it starts.
    """
    found: dict[str, None] = {}
    for setting in ("SGGUARD_POLICY", "SGGUARD_ACCOUNTS"):
        document = _document(env.get(setting, "").strip())
        found |= dict.fromkeys(_referred(document))
        channels = document.get("channel") if isinstance(document, dict) else None
        for one in channels if isinstance(channels, list) else ():
            name = one.get("name") if isinstance(one, dict) else None
            found |= dict.fromkeys(chat_variables(name).values() if isinstance(name, str) else ())
    return tuple(found)


def _document(text: str) -> Any:
    try:
        if text and not text.startswith("{"):
            path = Path(text)
            text, is_json = path.read_text(encoding="utf-8"), path.suffix == ".json"
            return json.loads(text) if is_json else tomllib.loads(text)
        return json.loads(text or "{}")
    except (OSError, ValueError, RecursionError):
        return {}


def _referred(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(name := value.get("env"), str):
            yield name
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _referred(one)


def _settings() -> Iterator[str]:
    for one in SETTINGS:
        stem, per_provider, per_service = one.name.partition("<PROVIDER>")
        if not per_provider:
            if "<" not in one.name:
                yield one.name
            continue
        for provider in clouds.names():
            named = f"{stem}{variable_part(provider)}"
            yield from (f"{named}_{service}" for service in SERVICES) if per_service else (named,)
