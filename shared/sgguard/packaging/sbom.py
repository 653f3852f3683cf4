"""What is in an artifact, as CycloneDX 1.6 JSON (https://cyclonedx.org/docs/1.6/json/).

It has no time and no serial number of chance: the same artifact has the same document. The serial
number is made of the artifact's hash (RFC 9562, version 5).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

import sgguard
from sgguard.packaging.runtime import Target
from sgguard.packaging.wheel import Wheel

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://sgguard.dev/sbom")
_OURS = "sgguard"


def document(function: str, target: Target, wheels: Sequence[Wheel], sha256: str) -> bytes:
    """Return the document of an artifact with this hash."""
    ours = f"pkg:pypi/{_OURS}@{sgguard.__version__}"
    artifact = f"{_OURS}-{function}-{target.runtime.name}"
    components = [
        _component(_OURS, sgguard.__version__, ours),
        *(_component(w.pin.name, w.pin.version, _purl(w), w.sha256) for w in wheels),
    ]
    table = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, sha256)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": artifact,
                "name": artifact,
                "version": sgguard.__version__,
                "hashes": [{"alg": "SHA-256", "content": sha256}],
                "properties": [
                    {"name": "sgguard:function", "value": function},
                    {"name": "sgguard:runtime", "value": target.runtime.name},
                    {"name": "sgguard:python", "value": target.python},
                ],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": artifact, "dependsOn": [str(one["bom-ref"]) for one in components]}
        ],
    }
    return json.dumps(table, indent=2).encode() + b"\n"


def _purl(wheel: Wheel) -> str:
    return f"pkg:pypi/{wheel.pin.name}@{wheel.pin.version}"


def _component(name: str, version: str, purl: str, sha256: str = "") -> dict[str, object]:
    hashes = {"hashes": [{"alg": "SHA-256", "content": sha256}]} if sha256 else {}
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        **hashes,
    }
