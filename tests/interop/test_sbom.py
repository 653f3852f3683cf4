"""The list of contents of an artifact, held against CycloneDX's own schema by its own library."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("cyclonedx", reason="needs the extra `interop`")

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from sgguard.packaging import requirement, runtime, sbom
from sgguard.packaging.wheel import Wheel


@pytest.mark.parametrize("name", runtime.RUNTIMES)
def test_a_list_of_contents_keeps_the_schema_of_cyclonedx(name, tmp_path):
    target = runtime.target(name)
    found = [Wheel(pin, tmp_path, "0" * 64) for pin in requirement.pins(target)]
    made = sbom.document("delete_request", target, found, "f" * 64)
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(made.decode()) is None
    misspelt = {**json.loads(made), "componentx": []}
    assert validator.validate_str(json.dumps(misspelt)) is not None
