"""``sgguard functions``: which functions are installed, and where."""

from __future__ import annotations

import json
from pathlib import Path

from sgguard.web import installed
from tests.commands import sgguard

__all__ = ["sgguard"]  # a fixture


def test_list_names_every_function(sgguard):
    code, out, _ = sgguard("functions", "list")
    assert (code, out.split()) == (
        0,
        ["approval", "bind_request", "chat", "cloud_event", "delete_request", "instance_launch"],
    )


def test_list_as_json_has_their_sources(sgguard):
    code, out, _ = sgguard("functions", "list", "--json")
    found = json.loads(out)["functions"]
    assert (code, set(found)) == (0, set(installed.functions()))
    assert all(Path(one).is_file() for one in found.values())


def test_path_is_the_folder_or_the_source_of_one(sgguard):
    _, folder, _ = sgguard("functions", "path")
    code, source, _ = sgguard("functions", "path", "approval")
    assert code == 0
    assert Path(source.strip()) == Path(folder.strip()) / "approval" / "main.py"
    assert json.loads(sgguard("functions", "path", "--json")[1]) == {"path": folder.strip()}


def test_a_function_that_is_not_there_is_an_error_that_names_those_that_are(sgguard):
    code, out, err = sgguard("functions", "path", "delete")
    assert (code, out) == (2, "")
    assert "'delete'" in err
    assert "approval, bind_request, chat, cloud_event, delete_request, instance_launch" in err
