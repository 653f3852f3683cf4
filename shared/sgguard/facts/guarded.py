"""What really happens to a referenced group where something stands in front of the cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from sgguard.errors import CloudError, DeadlineError
from sgguard.model.capabilities import Capabilities
from sgguard.model.resource import Reference
from sgguard.providers.base import GuardedDeletes, Provider


def with_guard(provider: Provider, references: Mapping[str, Sequence[Reference]]) -> Capabilities:
    """Return the capabilities of the cloud, with what keeps referenced groups in front of it.

    It is asked for only where a reference was found: else nobody needs to know. Where it cannot be
    read, the cloud is taken to be without it: then the worse of the two is told.
    """
    capabilities = provider.capabilities
    is_concerned = capabilities.on_delete_referenced == "cascades" and any(references.values())
    if not (is_concerned and isinstance(provider, GuardedDeletes)):
        return capabilities
    try:
        return replace(capabilities, delete_guard=provider.delete_guard())
    except (CloudError, DeadlineError):
        return capabilities
