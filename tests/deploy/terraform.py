"""Reading Terraform's configurations, and what in them is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import hcl2

from sgguard.runtimes.names import variables
from tests.deploy import shapes
from tests.deploy.shapes import misfits

_ENCODES = re.compile(r"(\w+) *=[^\n=]*jsonencode\(")
_KINDS = r"var|local|tencentcloud_\w+|huaweicloud_\w+"


def read(text: str) -> dict[str, Any]:
    """A configuration, or an expression ``x = ...``, without the parser's own marks and quotes."""
    return _plain(hcl2.loads(text))


def unknown(text: str) -> list[str]:
    """Every key, argument and name of a configuration that is not known."""
    found = read(text)
    declared = _declared(found)
    return [
        *misfits(found, shapes.TERRAFORM),
        *(problem for name, part in encoded(text) for problem in _misfits(name, part)),
        *(f"{name} is not declared" for name in sorted(_referred(text) - declared)),
        *(f"{name} is not used" for name in sorted(declared - _referred(text)) if "." in name[:6]),
    ]


def encoded(text: str) -> Iterator[tuple[str, str]]:
    """What stands in ``jsonencode``, which Terraform does not check, with its argument's name."""
    for match in _ENCODES.finditer(text):
        end, depth = match.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield match[1], text[match.end() : end - 1]


def _misfits(argument: str, part: str) -> Iterator[str]:
    value = read(f"x = {part}\n")["x"]
    if "user_data" in argument:
        yield from (f"{argument}/{name}" for name in sorted(set(value) - set(variables())))
    elif argument in shapes.ENCODED:
        yield from misfits(value, shapes.ENCODED[argument], argument)
    else:
        yield f"{argument}: what it encodes is not known"


def _declared(found: dict[str, Any]) -> set[str]:
    names = {f"var.{name}" for one in found.get("variable", []) for name in one}
    names |= {f"local.{name}" for one in found.get("locals", []) for name in one}
    resources = ((kind, name) for one in found["resource"] for kind in one for name in one[kind])
    return names | {f"{kind}.{name}" for kind, name in resources}


def _referred(text: str) -> set[str]:
    code = re.sub(r'(?m)^ *description *= ".*"', "", text)
    return set(re.findall(rf"\b(?:{_KINDS})\.[a-z_]\w*", code))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {n.strip('"'): _plain(v) for n, v in value.items() if not n.startswith("__")}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.strip('"') if isinstance(value, str) and value.startswith('"') else value
