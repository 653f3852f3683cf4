from __future__ import annotations

import ast
import json
import logging
from collections.abc import Iterable, Iterator

import pytest

from sgguard.telemetry import logs
from tests import parsed


@pytest.fixture(autouse=True)
def as_just_imported(monkeypatch):
    """Other tests run functions in this process, and a function configures the log."""
    monkeypatch.setattr(logs.LOGGER, "propagate", True)
    monkeypatch.setattr(logs.LOGGER, "handlers", [logging.NullHandler()])
    before = logs.LOGGER.level
    logs.LOGGER.setLevel(logging.NOTSET)  # not by attribute: the logger caches what is enabled
    yield
    logs.LOGGER.setLevel(before)


def lines(capsys) -> list[dict]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_nothing_is_printed_until_logging_is_configured(capsys):
    logs.log(logging.ERROR, "decided", event_id="e1")
    assert lines(capsys) == []


def test_a_line_is_one_json_object_with_its_fields(capsys):
    logs.configure("INFO")
    logs.log(logging.INFO, "decided", event_id="e1", groups=["sg-1"], duration_ms=1.5)
    (line,) = lines(capsys)
    assert line.pop("ts").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "msg": "decided",
        "event_id": "e1",
        "groups": ["sg-1"],
        "duration_ms": 1.5,
    }


def test_configuring_twice_does_not_print_twice_and_nothing_reaches_the_root_logger(capsys, caplog):
    logs.configure("INFO")
    logs.configure("INFO")
    logs.log(logging.INFO, "decided")
    assert len(lines(capsys)) == 1
    assert caplog.records == []


def test_lines_below_the_level_are_left_out(capsys):
    logs.configure("WARNING")
    logs.log(logging.INFO, "decided")
    logs.log(logging.WARNING, "not decided")
    assert [line["msg"] for line in lines(capsys)] == ["not decided"]


def test_an_unknown_field_is_never_written(capsys):
    logs.configure("INFO")
    logs.LOGGER.info(
        "decided", extra={"sgguard": {"authorization": "TC3 s3cret"}, "body": "s3cret"}
    )
    assert "s3cret" not in json.dumps(lines(capsys))


def test_a_newline_in_a_value_cannot_begin_a_line_and_long_values_are_cut(capsys):
    logs.configure("INFO")
    logs.log(logging.INFO, "decided", event_id='1\n{"verdict":"allow"}', groups=["g" * 1000])
    (line,) = lines(capsys)
    assert line["event_id"] == '1\n{"verdict":"allow"}'
    assert line["groups"] == ["g" * 256]


def test_an_exceptions_text_is_not_written(capsys):
    logs.configure("INFO")
    error = ValueError("s3cret")
    logs.LOGGER.error("unexpected", exc_info=error)
    assert "s3cret" not in json.dumps(lines(capsys))


def test_every_field_is_explained_and_written_somewhere():
    assert list(logs.FIELDS) == list(logs.Fields.__annotations__)
    assert not set(logs.ALWAYS) & set(logs.FIELDS)
    assert set(logs.FIELDS) == {
        name for nodes in parsed.package().values() for name in written(nodes)
    }


def written(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The fields that a module gives to a line: keywords of ``log``, and what it puts together."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("logs"), attr="log"), keywords=given):
                yield from (one.arg for one in given if one.arg)
            case ast.AnnAssign(annotation=ast.Attribute(attr="Fields"), value=ast.Dict(keys=keys)):
                yield from (one.value for one in keys if isinstance(one, ast.Constant))
            case ast.Subscript(
                value=ast.Name("fields"), slice=ast.Constant(name), ctx=ast.Store()
            ) if name in logs.FIELDS:
                yield name
            case _:
                pass
