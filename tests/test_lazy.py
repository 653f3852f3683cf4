"""The one way to import late."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sgguard import lazy


def test_a_lazy_module_is_imported_when_something_of_it_is_used():
    code = (
        "import sys; from sgguard import lazy; wave = lazy('wave'); "
        "assert 'wave' not in sys.modules; assert wave.open; assert 'wave' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_lazy_module_that_is_missing_is_an_import_error_at_its_first_use():
    missing = lazy("sgguard_no_such_module")
    with pytest.raises(ModuleNotFoundError):
        _ = missing.anything


def test_a_name_that_a_lazy_module_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError):
        _ = lazy("json").no_such_name
