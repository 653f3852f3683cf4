"""The pages of deploy/triggers: what they show to paste and to send is what is read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sgguard import events, schemas
from sgguard.events import request
from sgguard.model.occurrence import Happened
from tests.events.samples import cases, made, read, source_modules

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "triggers"
PAGES = sorted(one for one in FOLDER.glob("*.md") if one.name != "README.md")
MARKED = re.compile(r"<!-- (sample: \S+ \S+|pattern) -->\n```json\n(.*?)\n```", re.DOTALL)
SECTIONS = (
    "## Rule",
    "## Permissions",
    "## Sample event",
    "## Test",
    "## What this trigger can never tell",
)
CALLS = {
    "tencent_cloudaudit": ("ApiCall", "ConsoleCall", "MiniProgramCall"),
    "alibaba_actiontrail": ("ApiCall", "ConsoleOperation", "AliyunServiceEvent"),
}


def marked(page: Path, mark: str) -> list[tuple[str, Any]]:
    found = MARKED.findall(page.read_text())
    return [(name, json.loads(text)) for name, text in found if name.startswith(mark)]


SAMPLES = [
    pytest.param(name.split()[1:], document, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (name, document) in enumerate(marked(page, "sample"))
]
PATTERNS = [one for page in PAGES for _, one in marked(page, "pattern")]


def matches(pattern: dict[str, list[Any]], event: dict[str, Any]) -> bool:
    """Whether an EventBridge would deliver the event: each attribute is one of those listed."""
    return all(
        any(
            event[name].endswith(one["suffix"]) if isinstance(one, dict) else event[name] == one
            for one in wanted
        )
        for name, wanted in pattern.items()
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_every_section_and_a_sample(page):
    text = page.read_text()
    assert [one for one in SECTIONS if f"\n{one}\n" not in text] == []
    assert marked(page, "sample")


@pytest.mark.parametrize(("expected", "document"), SAMPLES)
def test_a_sample_of_a_page_is_read_as_the_page_says(expected, document):
    (item,) = read(document).items
    one = request.occurrence(item.data)
    assert [one.source, one.happened.value] == expected


def test_every_source_has_a_page_and_every_page_is_listed():
    told = {name.split()[1] for page in PAGES for name, _ in marked(page, "sample")}
    assert told == {source.NAME for source in events.cloud_sources()}
    index = (FOLDER / "README.md").read_text()
    assert [page.name for page in PAGES if f"({page.name})" not in index] == []


@pytest.mark.parametrize(("name", "kind"), [(name, one) for name in CALLS for one in CALLS[name]])
@pytest.mark.parametrize("happened", [Happened.DELETE_REFUSED, Happened.BOUND])
def test_the_patterns_to_paste_deliver_every_type_of_call(name, kind, happened):
    event = made(name, happened)
    event["type"] = f"{event['type'].rpartition(':')[0]}:{kind}"
    assert sum(matches(pattern, event) for pattern in PATTERNS) == 1
    (item,) = read(event).items
    assert request.occurrence(item.data).happened is happened


def test_the_patterns_deliver_state_changes_once():
    assert sum(matches(one, made("alibaba_ecs", Happened.BOUND)) for one in PATTERNS) == 1


@pytest.mark.parametrize("number", [0, 1])
def test_an_example_of_the_schema_is_an_event_that_is_read(number):
    (item,) = read(schemas.load("cloud_event")["examples"][number]).items
    assert request.occurrence(item.data).happened is not Happened.IRRELEVANT


def test_every_source_has_samples():
    assert {name for name, _ in cases()} == set(source_modules())
