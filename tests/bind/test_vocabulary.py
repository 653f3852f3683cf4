"""Codes and statuses of rows stand in one module, and schema and documents list exactly these."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import get_args

import click

from sgguard import schemas
from sgguard.cli import cli
from sgguard.model.bind import ROW_MEANINGS, RowCode, Status
from sgguard.render.bind import STATUSES, bind_json, row_json, row_of
from tests.bind.harness import rows
from tests.docs.sections import section

ROW = schemas.load("decision")["$defs"]["bind_row"]["properties"]
PAGE = Path(__file__).resolve().parents[2] / "deploy" / "bind.md"


def test_schema_document_and_code_have_the_same_codes():
    assert set(ROW["code"]["enum"]) == set(RowCode) == set(ROW_MEANINGS)
    assert set(ROW["status"]["enum"]) == set(get_args(Status)) == set(STATUSES)
    page = PAGE.read_text(encoding="utf-8")
    for code, meaning in ROW_MEANINGS.items():
        assert f"| `{code}` | {meaning} |" in page


def test_a_row_is_read_back_as_it_was_written():
    document = {"bind": bind_json("bind", "tencent::r:sg-1", [])}
    assert rows(document) == {}
    row = row_of(
        {
            "holder": "ins-1",
            "kind": "instance",
            "name": "web",
            "status": "refused",
            "code": "last-group",
            "message": "no",
            "group_ids": ["sg-1"],
            "cloud_code": "X",
            "request_id": "r",
        }
    )
    assert row_of(row_json(row)) == row


def test_the_commands_of_the_page_have_only_options_that_exist():
    block = section("bind-run").splitlines()
    context = click.Context(cli)
    for line in block:
        name, *words = shlex.split(line)[1:]
        command = cli.get_command(context, name)
        known = {one for param in command.params for one in param.opts}
        assert {one for one in words if one.startswith("--")} <= known
    assert {shlex.split(line)[1] for line in block} == {"bind", "unbind", "undo"}
